"""The task for the owner of a customer at high risk: when there is to be one, what it says, and that there is one.

Ours are found by a custom field of tasks that holds the customer's external id; no other task is looked at.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

from pipelines.foundation.wording.numbers import numbers
from pipelines.operations.delivery.bottlecrm.api import Api
from pipelines.operations.delivery.bottlecrm.fields import Language
from pipelines.operations.delivery.connector import DestinationError, Value

_LONGEST_TITLE = 200  # BottleCRM refuses a longer one
_TITLE = {"en": "Keep this customer: {}", "fr": "Garder ce client\u00a0: {}"}
_WHY = {"en": "Why:", "fr": "Pourquoi\u00a0:"}
_WORTH = {"en": "Value at risk: {}", "fr": "Valeur à risque\u00a0: {}"}
_OVER = {
    "en": "Closed because there is nothing to do any more: the customer is no longer at high risk, or held back.",
    "fr": "Clôturée car il n'y a plus rien à faire\u00a0: le client n'est plus à risque élevé, ou est mis à l'écart.",
}


@dataclass(frozen=True)
class Words:
    """What a task says. due: ISO date; None: no date."""

    title: str
    description: str
    due: str | None

    @property
    def mark(self) -> str:
        """The same for the same words: by it is seen whether a task has to be changed."""
        return hashlib.sha256(json.dumps(astuple(self)).encode()).hexdigest()[:12]

    @property
    def body(self) -> dict[str, str | None]:
        return {"title": self.title, "description": self.description, "due_date": self.due}


def is_due(values: Mapping[str, Value]) -> bool:
    """Whether somebody is to act: the risk is high, a play is recommended, and the customer is not held back."""
    return (
        values.get("churn_risk_band") == "high"
        and bool(values.get("recommended_play"))
        and not values.get("suppressed")
        and values.get("treatment_group") != "holdout"
    )


def words(values: Mapping[str, Value], language: Language) -> Words:
    """What the task of a customer says, of whom `is_due` is true."""
    title = _TITLE[language].format(values["recommended_play"])
    reasons = [f"- {values[name]}" for name in ("reason_1", "reason_2", "reason_3") if values.get(name)]
    worth = values.get("value_at_risk")
    lines = [_WHY[language], *reasons] if reasons else []
    if worth is not None:
        lines.append(
            _WORTH[language].format(
                f"{numbers(language).number(float(worth), 2)} {values.get('currency') or ''}".rstrip()
            )
        )
    due = values.get("valid_until")
    return Words(
        title=title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1]}…",
        description="\n".join(lines),
        due=str(due) if due else None,
    )


class Tasks:
    """The tasks that are ours. field: of tasks, with the customer's external id."""

    def __init__(self, api: Api, *, field: str, language: Language) -> None:
        self._api = api
        self._field = field
        self._language = language

    def make(self, external_id: str, said: Words, *, contact: str, owners: Sequence[str]) -> None:
        """Leave one open task, whatever broke off before: made, or the one that is there, and none beside it.

        owners: whom it is assigned to; nobody where the contact is nobody's. BottleCRM mails them.
        """
        there = self._open(external_id)
        if there:
            self._api.write("PATCH", f"tasks/{there[0]}/", said.body)
        else:
            task = {
                **said.body,
                "status": "New",
                "priority": "High",
                "contacts": [contact],
                "assigned_to": list(owners),
                "custom_fields": {self._field: external_id},
            }
            self._api.write("POST", "tasks/", task)
            # Its answer holds no id, and a field that BottleCRM does not know is dropped without a word.
            there = self._open(external_id)
            if not there:
                raise DestinationError(
                    f"BottleCRM made a task and dropped its field {self._field}, so that it would be made again; "
                    f"delete the task, make the field (the set-up of the destination does), and deliver again"
                )
        for second in there[1:]:
            self._api.write("DELETE", f"tasks/{second}/")

    def change(self, external_id: str, said: Words) -> None:
        """Where it is done or was deleted by somebody, it stays so."""
        for task in self._open(external_id):
            self._api.write("PATCH", f"tasks/{task}/", said.body)

    def close(self, external_id: str) -> None:
        """Completed rather than deleted: what people wrote below it stays. Reasons and value are taken out."""
        for task in self._open(external_id):
            self._api.write("PATCH", f"tasks/{task}/", {"status": "Completed", "description": _OVER[self._language]})

    def _open(self, external_id: str) -> list[str]:
        """Their ids, the oldest first."""
        parameters: dict[str, str | list[str]] = {f"cf_{self._field}": external_id, "slim": "true", "limit": "100"}
        found = self._api.get("tasks/", **parameters, status=["New", "In Progress"])["tasks"]
        return [str(task["id"]) for task in sorted(found, key=lambda task: (task["created_at"], task["id"]))]
