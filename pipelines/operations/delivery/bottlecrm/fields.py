"""Our fields as custom fields of BottleCRM: which are to be there, and how their values are written and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.foundation.settings.delivered_fields import CHOICES, FIELDS, Kind
from pipelines.foundation.settings.destinations import BottleCrm
from pipelines.operations.delivery.connector import Value
from pipelines.operations.delivery.values import remote_value

Language = Literal["en", "fr"]

# It has no type for a moment, nor for a whole number.
_TYPES: Mapping[Kind, str] = {
    "text": "text",
    "number": "number",
    "integer": "number",
    "flag": "checkbox",
    "date": "date",
    "datetime": "text",
    "choice": "dropdown",
}
_KEY = {"en": "Customer (id of the company)", "fr": "Client (identifiant de l'entreprise)"}
_TASK = {"en": "Task against churn", "fr": "Tâche contre l'attrition"}


@dataclass(frozen=True)
class Definition:
    """A custom field. target: what has it, "Contact" or "Task". type: BottleCRM's word."""

    target: str
    key: str
    label: str
    type: str
    choices: tuple[str, ...] = ()

    def body(self, language: Language, *, place: int) -> dict[str, Any]:
        """What makes it. place: among the fields of its form, from 1."""
        options = [{"value": choice, "label": CHOICES[choice][language]} for choice in self.choices]
        return {
            "target_model": self.target,
            "key": self.key,
            "label": self.label,
            "field_type": self.type,
            "options": options or None,
            "is_filterable": True,
            "display_order": place,
        }


def definitions(plan: BottleCrm, language: Language) -> list[Definition]:
    """Every custom field that is needed, the key of contacts first."""
    return [
        Definition("Contact", plan.external_id_field, _KEY[language], "text"),
        *(
            Definition("Contact", key, getattr(field, language), _TYPES[field.kind], field.choices)
            for key, field in plan.remote.all().items()
        ),
        Definition("Contact", plan.task_field, _TASK[language], "text"),
        Definition("Task", plan.task_field, _KEY[language], "text"),
    ]


def unfit(wanted: Definition, there: Mapping[str, Any]) -> str:
    """Why a custom field that is there does not do, in words; empty where it does."""
    if not there["is_active"]:
        return "is switched off, and BottleCRM would drop what is sent; switch it on again"
    if there["field_type"] != wanted.type:
        return f'is of type "{there["field_type"]}" and has to be "{wanted.type}"; give ours another name in `names`'
    lacking = sorted(set(wanted.choices) - {option["value"] for option in there["options"] or []})
    if lacking:
        return f"lacks the choices {', '.join(lacking)}; add them"
    return ""


def ours(custom: Mapping[str, Any], plan: BottleCrm) -> dict[str, Value]:
    """All of our fields as a contact's custom fields hold them; None where empty."""
    return {name: remote_value(field, custom.get(plan.remote.remote(name))) for name, field in FIELDS.items()}


def differing(values: Mapping[str, Value], custom: Mapping[str, Any]) -> dict[str, Value]:
    """Those of `values`, by remote name, that a contact's custom fields do not hold. It has no field that is empty."""
    return {key: value for key, value in values.items() if value != custom.get(key)}
