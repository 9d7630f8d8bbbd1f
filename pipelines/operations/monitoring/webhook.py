"""Alerts posted to an address that somebody listens at. The address may be a secret: it is never written or shown."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from pipelines.foundation.settings.addresses import is_confidential
from pipelines.foundation.storage.error_words import unanswered
from pipelines.foundation.storage.store import Store

VARIABLE = "ATTRITION_WEBHOOK"
SECONDS = 5


class _Stay(HTTPRedirectHandler):
    """An address that sends elsewhere is not followed: where to is not for it to say."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def post(store: Store, name: str, document: Mapping[str, Any]) -> str | None:
    """Post a document's alerts, once; why that failed, in words without the address's path, None where it did not.

    name: the document's. Nothing is posted where there is no alert, or no address in the environment.
    """
    address = os.environ.get(VARIABLE, "").strip()
    if not document["alerts"] or not address or _was_posted(store, name):
        return None
    where = _refused(address)
    if where is not None:
        return where
    text = "\n".join(f"{each['what']}: {each['evidence']}; {each['remedy']}" for each in document["alerts"])
    body = {"text": text, "alerts": document["alerts"], "as_of": document["as_of"]}
    request = Request(  # noqa: S310 - which schemes are allowed was looked at above
        address, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with build_opener(_Stay).open(request, timeout=SECONDS):
            pass
    except (URLError, OSError, ValueError) as error:
        return f"the alerts were not posted to {_host(address)}: {_reason(error)}; the next run will try again"
    with store.transaction() as ledger:
        ledger.execute("INSERT OR IGNORE INTO posted VALUES (?)", (name,))
    return None


def _was_posted(store: Store, name: str) -> bool:
    with store.transaction() as ledger:
        return ledger.execute("SELECT 1 FROM posted WHERE document = ?", (name,)).fetchone() is not None


def _refused(address: str) -> str | None:
    """Why an address will not do; None where it will: https, or this machine."""
    if is_confidential(address):
        return None
    return f"{VARIABLE} is not an https address; set it to one that begins with https://"


def _host(address: str) -> str:
    return urlsplit(address).hostname or VARIABLE


def _reason(error: Exception) -> str:
    """What went wrong, without anything that could hold the address."""
    code = getattr(error, "code", None)
    if code is not None:
        return f"it answered {code}"
    reason = getattr(error, "reason", None)
    return unanswered(reason if isinstance(reason, BaseException) else error)
