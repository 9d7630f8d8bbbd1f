"""What Salesforce's error codes mean. Its own sentences are never passed on: they quote values, ids and addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipelines.operations.delivery.connector import Outcome

# What passes by itself: somebody else holds the record, or the system is at its limits.
PASSING = frozenset({
    "CONCURRENT_REQUEST_LIMIT_EXCEEDED",
    "EXCEEDED_QUOTA",
    "ExceededQuota",
    "InternalServerError",
    "PROCESSING_HALTED",
    "QUERY_TIMEOUT",
    "REQUEST_LIMIT_EXCEEDED",
    "REQUEST_RUNNING_TOO_LONG",
    "SERVER_UNAVAILABLE",
    "TooManyLockFailure",
    "TXN_SECURITY_RUNTIME_EXCEPTION",
    "UNABLE_TO_LOCK_ROW",
    "UNKNOWN_EXCEPTION",
})  # fmt: skip

_WORDS = {
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": "a trigger or flow of the organisation failed on it",
    "DUPLICATES_DETECTED": "a duplicate rule of the organisation holds it for somebody else",
    "DUPLICATE_VALUE": "another record has the same value in a field that is unique",
    "ENTITY_IS_DELETED": "the record was deleted",
    "ENTITY_IS_LOCKED": "the record is locked by an approval",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "a validation rule of the organisation forbids it",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "the picklist does not have this value",
    "NUMBER_OUTSIDE_VALID_RANGE": "the number is too large",
    "REQUIRED_FIELD_MISSING": "the object requires a field that is not sent; create the record in Salesforce first",
    "STRING_TOO_LONG": "the text is too long",
}

_CODE = re.compile(r"[A-Za-z][A-Za-z_]{0,79}")
_FIELD = re.compile(r"\w{1,80}")


def known_code(code: object) -> str:
    """The code where it reads as one; otherwise a word for none, so that nothing else passes as a code.

    >>> known_code("UNABLE_TO_LOCK_ROW"), known_code("00Dxx: your session"), known_code(None)
    ('UNABLE_TO_LOCK_ROW', 'no code', 'no code')
    """
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "no code"


def outcome(code: object, fields: Iterable[object]) -> Outcome:
    """What an error makes of one record. fields: those that the error names.

    >>> outcome("STRING_TOO_LONG", ["attrition_reason_1__c"])
    Outcome(state='refused', why='Salesforce: STRING_TOO_LONG in attrition_reason_1__c (the text is too long)')
    """
    code = known_code(code)
    names = ", ".join(name for name in fields if isinstance(name, str) and _FIELD.fullmatch(name))
    why = f"Salesforce: {code}" + (f" in {names}" if names else "")
    if code in PASSING:
        return Outcome("later", why)
    return Outcome("refused", why + (f" ({_WORDS[code]})" if code in _WORDS else ""))


def bulk_outcome(error: str) -> Outcome:
    """The same of a row that failed in a bulk job, where code, sentence and fields are one text.

    >>> bulk_outcome("DUPLICATE_VALUE:duplicate value found: Id__c duplicates 003xx:Id__c --").why
    'Salesforce: DUPLICATE_VALUE in Id__c (another record has the same value in a field that is unique)'
    """
    code, _, rest = error.partition(":")
    fields = rest.rpartition(":")[2].removesuffix("--").split()
    return outcome(code.strip(), fields if rest.rstrip().endswith("--") else ())
