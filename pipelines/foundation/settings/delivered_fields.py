"""Every column of a score, declared once: what the ledger and the CSV file hold, and what destinations are sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "number", "integer", "flag", "date", "datetime", "choice"]

KEY = "external_id"


@dataclass(frozen=True)
class Field:
    """en, fr: what people see. Dates are ISO texts, times ISO texts with their offset. choices: of a "choice".

    stored: a column of the scores, in the ledger, their history and the CSV file; the others are made at delivery.
    delivered: sent to destinations. stamp: the same for all scores of a run, so that it alone is no change.
    """

    name: str
    kind: Kind
    en: str
    fr: str
    choices: tuple[str, ...] = ()
    stored: bool = False
    delivered: bool = True
    stamp: bool = False


_BANDS = ("low", "medium", "high")
# What people see of a choice; what is stored and sent is the code.
CHOICES: Mapping[str, Mapping[Literal["en", "fr"], str]] = {
    "low": {"en": "Low", "fr": "Faible"},
    "medium": {"en": "Medium", "fr": "Moyen"},
    "high": {"en": "High", "fr": "Élevé"},
    "falling": {"en": "Falling", "fr": "En baisse"},
    "steady": {"en": "Steady", "fr": "Stable"},
    "rising": {"en": "Rising", "fr": "En hausse"},
    "treatment": {"en": "Contacted", "fr": "Contacté"},
    "holdout": {"en": "Held out, for comparison", "fr": "Témoin, pour comparaison"},
}


def _reason(number: int, en: str, fr: str) -> tuple[Field, Field]:
    return (
        Field(f"reason_{number}", "text", f"{en.title()} reason", f"{fr.title()} raison", stored=True),
        Field(f"reason_{number}_code", "text", f"Code of the {en} reason", f"Code de la {fr} raison", stored=True),
    )


def _stamp(name: str, kind: Kind, en: str, fr: str) -> Field:
    return Field(name, kind, en, fr, stored=True, stamp=True)


# In the order of the ledger's table and of the CSV file; what is made at delivery stands beside what it belongs to.
_ALL = (
    Field("customer_id", "text", "Customer", "Client", stored=True, delivered=False),
    Field("churn_probability", "number", "Churn probability (0 to 1)", "Probabilité d'attrition (0 à 1)", stored=True),
    Field("churn_risk_band", "choice", "Churn risk", "Risque d'attrition", _BANDS, stored=True),
    Field("previous_risk_band", "choice", "Churn risk before", "Risque d'attrition précédent", _BANDS),
    Field("risk_trend", "choice", "Trend of the risk", "Tendance du risque", ("falling", "steady", "rising")),
    Field("value_at_risk", "number", "Value at risk", "Valeur à risque", stored=True),
    Field("currency", "text", "Currency", "Devise", stored=True),
    Field("priority", "integer", "Priority", "Priorité", stored=True, delivered=False),
    *_reason(1, "first", "première"),
    *_reason(2, "second", "deuxième"),
    *_reason(3, "third", "troisième"),
    Field("recommended_play", "text", "Recommended action", "Action recommandée"),
    Field("recommended_play_code", "text", "Code of the action", "Code de l'action"),
    Field("horizon_days", "integer", "Days looked ahead", "Jours d'anticipation", stored=True),
    _stamp("model_version", "text", "Version of the model", "Version du modèle"),
    _stamp("scored_at", "datetime", "Scored at", "Calculé le"),
    _stamp("data_as_of", "date", "Data until", "Données jusqu'au"),
    _stamp("valid_until", "date", "Valid until", "Valable jusqu'au"),
    _stamp("run_id", "text", "Run", "Exécution"),
    Field("treatment_group", "choice", "Group", "Groupe", ("treatment", "holdout")),
    Field("suppressed", "flag", "Held back", "Mis à l'écart"),
    Field("suppressed_why", "text", "Why it is held back", "Motif de mise à l'écart"),
)

COLUMNS = tuple(field.name for field in _ALL if field.stored)
FIELDS: Mapping[str, Field] = {field.name: field for field in _ALL if field.delivered}
STAMPS = tuple(field.name for field in _ALL if field.stamp)


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
