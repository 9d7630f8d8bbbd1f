"""One call to HubSpot: what its failures mean, and which record an error is about."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from hubspot.crm.contacts.exceptions import ApiException as ContactsError  # type: ignore[import-untyped]
from hubspot.crm.properties.exceptions import ApiException as PropertiesError  # type: ignore[import-untyped]
from urllib3.exceptions import HTTPError

from features.errors import AttritionError
from pipelines.foundation.storage.error_words import unanswered
from pipelines.operations.delivery.connector import DestinationError, Outcome, UnavailableError
from pipelines.operations.delivery.retry_after import retry_after

TOKEN = "ATTRITION_HUBSPOT_TOKEN"  # noqa: S105 - the name of the variable
SCOPES = (
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
)

_NEEDED = ", ".join(SCOPES)
_DENIED: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: (
        f"HubSpot does not accept the token in {TOKEN}; make a private app there with the scopes {_NEEDED} and put its "
        "access token into that variable"
    ),
    HTTPStatus.FORBIDDEN: f"the token in {TOKEN} may not do this; its private app at HubSpot needs {_NEEDED}",
}

NOT_FOUND = "OBJECT_NOT_FOUND"
_LASTING = {"VALIDATION_ERROR", "CONFLICT", "INVALID_PARAMETERS", "BAD_REQUEST"}
_INVALID = {400, 409, 413, 414, 422}
_PASSING = {408, 423, 425, 477}  # 423: locked for a moment; 477: the account moves to another place

# Seconds. HubSpot's own words: its short limit is on ten seconds, and a lock asks for two.
_LIMIT_SECONDS = 10.0
_LOCK_SECONDS = 2.0

_CORRELATION = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{2,60}")
_PROPERTY = re.compile(r"[a-z][a-z0-9_]{0,99}")

Found = TypeVar("Found")


class InvalidError(DestinationError):
    """HubSpot takes nothing of a call, because of at least one thing in it."""


def ask(call: Callable[..., Any], *arguments: Any, timeout_seconds: float, has: str = "results") -> tuple[Any, int]:
    """The answer, read by HubSpot's client, and its HTTP status. A 207 is an answer, too: it holds errors.

    has: what the answer must hold to be HubSpot's.

    Raises: UnavailableError where it may be tried again, InvalidError where it may be tried in parts,
    DestinationError. No message holds what was sent, and none the token: HubSpot's own words may repeat both, so
    that of them only codes, names of properties and HubSpot's number of the call are quoted.
    """
    try:
        answer, status, _ = call(*arguments, _request_timeout=timeout_seconds)
    except (ContactsError, PropertiesError) as error:
        raise _meaning(error.status, _body(error.body), error.headers or {}) from None
    except (HTTPError, OSError) as error:
        raise UnavailableError(f"HubSpot was not reached, or did not answer in time ({unanswered(error)})") from None
    except (AttributeError, TypeError, ValueError):
        # How its client fails at an answer that it cannot read, and at a certificate.
        raise _unreadable() from None
    if getattr(answer, has, None) is None:
        raise _unreadable()
    return answer, status


def in_parts(attempt: Callable[[Sequence[str]], Mapping[str, Found]], ids: Sequence[str]) -> dict[str, Found | Outcome]:
    """What became of each id, where HubSpot refuses a whole call for one bad record: halves find it.

    One bad record of 100 costs 14 further calls. What was found before a call failed counts; the rest is for later.
    """
    found: dict[str, Found | Outcome] = {}
    if not ids:
        return found
    try:
        return dict(attempt(ids))
    except InvalidError as error:
        if len(ids) == 1:
            return {ids[0]: Outcome("refused", str(error))}
    middle = len(ids) // 2
    for half in (ids[:middle], ids[middle:]):
        try:
            found |= in_parts(attempt, half)
        except UnavailableError as error:
            if not found:
                raise
            found |= {each: Outcome("later", str(error)) for each in half}
    return found


def blamed(
    errors: Sequence[Any], *, ids: Mapping[str, str], traces: Mapping[str, str], unknown: Outcome
) -> dict[str, Outcome]:
    """What the errors of a 207 say of the records they name, by our ids.

    ids: our id by the id that was sent. traces: our id by the `objectWriteTraceId` that was sent. unknown: what becomes
    of those who are not there. One error of a call for one record needs no name.
    """
    outcomes: dict[str, Outcome] = {}
    for error in errors:
        context = error.context or {}
        named = {ids.get(each) for each in context.get("ids") or ()}
        named |= {traces.get(each) for each in context.get("objectWriteTraceId") or ()}
        if len(ids) == 1:
            named = set(ids.values())
        outcome = unknown if error.category == NOT_FOUND else blame(error)
        outcomes |= {each: outcome for each in named if each is not None}
    return outcomes


def blame(error: Any) -> Outcome:
    """What one error of a 207 says. What is not known to last is tried again."""
    said = words({"category": error.category, "message": error.message, "correlationId": error.id})
    return Outcome("refused" if error.category in _LASTING else "later", said)


def words(body: Mapping[str, Any]) -> str:
    """The codes, properties and number of a call in an error of HubSpot's, and nothing else of it."""
    message = str(body.get("message") or "")
    category = str(body.get("category") or "")
    codes = [category] if _CODE.fullmatch(category) else []
    for each in _details(message):
        name, code = str(each.get("name")), str(each.get("error"))
        if _PROPERTY.fullmatch(name) and _CODE.fullmatch(code):
            codes.append(f"{name}: {code}")
    said = f"HubSpot refuses it ({', '.join(dict.fromkeys(codes)) or 'without a code'})"
    number = str(body.get("correlationId") or "")
    if _CORRELATION.fullmatch(number):
        said += f"; the log of the private app at HubSpot has it under {number}"
    return said


def _meaning(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> AttritionError:
    meant: AttritionError
    if status in _DENIED:
        meant = DestinationError(_DENIED[status])
    elif status == HTTPStatus.TOO_MANY_REQUESTS:
        meant = _limited(body, headers)
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING:
        wait = retry_after(headers)
        if wait is None and status == HTTPStatus.LOCKED:
            wait = _LOCK_SECONDS
        meant = UnavailableError(f"HubSpot cannot answer now (HTTP {status})", retry_after=wait)
    elif status in _INVALID:
        meant = _invalid(body)
    elif status:
        meant = DestinationError(f"HubSpot has no such call (HTTP {status}); is `address` that of its API?")
    else:
        meant = _unreadable()
    return meant


def _invalid(body: Mapping[str, Any]) -> AttritionError:
    message = str(body.get("message") or "")
    if "PROPERTY_DOESNT_EXIST" in message:
        missing = sorted({str(each.get("name")) for each in _details(message)})
        named = ", ".join(name for name in missing if _PROPERTY.fullmatch(name))
        return DestinationError(f"HubSpot's contacts lack properties: {named}; make them with the destination's setup")
    if "non-unique" in message:
        return DestinationError("HubSpot finds contacts by unique properties only, and `unique_property` is not unique")
    return InvalidError(words(body))


def _limited(body: Mapping[str, Any], headers: Mapping[str, str]) -> AttritionError:
    if body.get("policyName") == "DAILY" or "daily limit" in str(body.get("message")).lower():
        return DestinationError(
            "HubSpot's limit of calls a day is used up; it counts anew from midnight in the account's time zone: "
            "deliver again after that"
        )
    wait = retry_after(headers)
    return UnavailableError("HubSpot's limit of calls is reached", retry_after=_LIMIT_SECONDS if wait is None else wait)


def _unreadable() -> UnavailableError:
    return UnavailableError("HubSpot gave no answer that can be read, or no certificate that can be trusted")


def _body(text: Any) -> Mapping[str, Any]:
    try:
        body = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def _details(message: str) -> list[Mapping[str, Any]]:
    """What HubSpot says of single properties: a JSON list that stands inside its message."""
    start = message.find("[{")
    if start < 0:
        return []
    try:
        details, _ = json.JSONDecoder().raw_decode(message[start:])
    except ValueError:
        return []
    return [each for each in details if isinstance(each, dict)]
