"""The fields that a destination holds of each customer, and what they are called there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "number", "integer", "flag", "date", "datetime", "choice"]

KEY = "external_id"


@dataclass(frozen=True)
class Field:
    """en, fr: what people see. Dates are ISO texts, times ISO texts with their offset. choices: of a "choice"."""

    name: str
    kind: Kind
    en: str
    fr: str
    choices: tuple[str, ...] = ()


_BANDS = ("low", "medium", "high")

FIELDS: Mapping[str, Field] = {
    field.name: field
    for field in (
        Field("churn_probability", "number", "Churn probability (0 to 1)", "Probabilité d'attrition (0 à 1)"),
        Field("churn_risk_band", "choice", "Churn risk", "Risque d'attrition", _BANDS),
        Field("previous_risk_band", "choice", "Churn risk before", "Risque d'attrition précédent", _BANDS),
        Field("risk_trend", "choice", "Trend of the risk", "Tendance du risque", ("falling", "steady", "rising")),
        Field("reason_1", "text", "First reason", "Première raison"),
        Field("reason_1_code", "text", "Code of the first reason", "Code de la première raison"),
        Field("reason_2", "text", "Second reason", "Deuxième raison"),
        Field("reason_2_code", "text", "Code of the second reason", "Code de la deuxième raison"),
        Field("reason_3", "text", "Third reason", "Troisième raison"),
        Field("reason_3_code", "text", "Code of the third reason", "Code de la troisième raison"),
        Field("recommended_play", "text", "Recommended action", "Action recommandée"),
        Field("recommended_play_code", "text", "Code of the action", "Code de l'action"),
        Field("value_at_risk", "number", "Value at risk", "Valeur à risque"),
        Field("currency", "text", "Currency", "Devise"),
        Field("horizon_days", "integer", "Days looked ahead", "Jours d'anticipation"),
        Field("model_version", "text", "Version of the model", "Version du modèle"),
        Field("scored_at", "datetime", "Scored at", "Calculé le"),
        Field("data_as_of", "date", "Data until", "Données jusqu'au"),
        Field("valid_until", "date", "Valid until", "Valable jusqu'au"),
        Field("run_id", "text", "Run", "Exécution"),
        Field("treatment_group", "choice", "Group", "Groupe", ("treatment", "holdout")),
        Field("suppressed", "flag", "Held back", "Retenu"),
        Field("suppressed_why", "text", "Why it is held back", "Motif de retenue"),
    )
}


@dataclass(frozen=True)
class Names:
    """What our fields are called at a destination: `renamed`, otherwise our name between `prefix` and `ending`.

    >>> Names("attrition_", {"run_id": "job"}).remote("run_id"), Names("attrition_", {}).remote("currency")
    ('job', 'attrition_currency')
    """

    prefix: str
    renamed: Mapping[str, str]
    ending: str = ""

    def remote(self, name: str) -> str:
        return self.renamed.get(name, self.prefix + name + self.ending)

    def all(self) -> dict[str, Field]:
        """Every field by its remote name."""
        return {self.remote(name): field for name, field in FIELDS.items()}
