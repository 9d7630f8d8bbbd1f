"""How the fake HubSpot speaks: its requests, answers, errors and faults, and the values that a property takes."""

from __future__ import annotations

import contextlib
import json
import math
import re
import socket
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from typing import Any

Answer = tuple[int, dict[str, Any]]

BATCH = 100

_MOMENT = "2026-01-01T00:00:00.000Z"


# What can happen to a call. The first three come before anything is written, the others after.
KINDS = ("limited", "unavailable", "hang_up_before", "partial", "failed_after", "hang_up", "cut_short", "no_answer")


@dataclass(frozen=True)
class Faults:
    """share: of all calls, 0 to 1. kinds: of KINDS; "no_answer" lasts as long as the client waits. retry_after: s."""

    share: float
    seed: int = 0
    kinds: tuple[str, ...] = KINDS[:-1]
    retry_after: float = 0.01


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Any

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.request)

    def finish(self) -> None:
        self.server.open.discard(self.request)
        with contextlib.suppress(OSError):
            super().finish()

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            super().handle()

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        hubspot = self.server.hubspot
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        with hubspot.lock:
            hubspot.requests[path.removeprefix("/crm/v3/").removeprefix("objects/contacts/")] += 1
        if self.headers.get("Authorization") != f"Bearer {hubspot.token}":
            self._send(error(401, "INVALID_AUTHENTICATION", f"{self.headers.get('Authorization')} was not found"))
            return
        if hubspot.daily:
            self._send(error(429, "RATE_LIMITS", "You have reached your daily limit.", policyName="DAILY"))
            return
        fault = hubspot.fault()
        if fault == "hang_up_before":
            self._hang_up()
        elif fault == "limited":
            said = error(429, "RATE_LIMITS", "You have reached your limit.", policyName="TEN_SECONDLY_ROLLING")
            self._send(said, retry_after=hubspot.faults.retry_after if hubspot.faults else None)
        elif fault == "unavailable":
            self._send(error(503, "INTERNAL_ERROR", "unavailable"))
        else:
            answer = hubspot.answer(self.command, path, json.loads(sent or b"{}"), partly=fault == "partial")
            self._after(fault, answer)

    def _after(self, fault: str | None, answer: Answer) -> None:
        if fault == "failed_after":
            self._send(error(500, "INTERNAL_ERROR", "internal error"))
        elif fault == "hang_up":
            self._hang_up()
        elif fault == "no_answer":
            self.connection.recv(1)  # returns when the client has waited long enough, and leaves
            self.close_connection = True
        else:
            self._send(answer, cut=fault == "cut_short")

    def _send(self, answer: Answer, *, retry_after: float | None = None, cut: bool = False) -> None:
        status, body = answer
        content = json.dumps(body).encode()
        head = f"HTTP/1.1 {status} Fake\r\nContent-Type: application/json;charset=utf-8\r\n"
        head += f"Date: {formatdate(usegmt=True)}\r\nContent-Length: {len(content)}\r\n"
        if retry_after is not None:
            head += f"Retry-After: {retry_after}\r\n"
        # In one piece: in two, the second waits for the client to acknowledge the first.
        self.wfile.write(head.encode() + b"\r\n" + (content[: len(content) // 2] if cut else content))
        if cut:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


def error(status: int, category: str, message: str, **more: Any) -> Answer:
    """What HubSpot says where it does nothing of what it was asked."""
    said = {"status": "error", "message": message, "category": category, "correlationId": str(uuid.uuid4())}
    return status, {**said, **more}


def item(category: str, message: str, **context: list[str]) -> dict[str, Any]:
    """One error inside an answer of 207."""
    return {"status": "error", "category": category, "message": message, "context": context}


def invalid(name: str, code: str, message: str) -> dict[str, Any]:
    """One of the things that are wrong with properties, in the message of a 400."""
    return {"isValid": False, "message": message, "error": code, "name": name, "localizedErrorMessage": message}


def batch(results: list[Any], errors: Iterable[Any], *, made: int = 200, partly: bool = False) -> Answer:
    body = {"status": "COMPLETE", "results": results, "startedAt": _MOMENT, "completedAt": _MOMENT}
    errors = list(errors)
    if errors or partly:
        return 207, {**body, "numErrors": len(errors), "errors": errors}
    return made, body


def wrong_batch(body: dict[str, Any]) -> Answer | None:
    """What refuses the call before any record of it is looked at."""
    ids = [each.get("id") for each in body.get("inputs") or ()]
    twice = [each for each, times in Counter(ids).items() if times > 1]
    if not ids or not all(ids):
        return error(400, "VALIDATION_ERROR", "Invalid input JSON: inputs or ids are missing")
    if len(ids) > BATCH:
        return error(400, "VALIDATION_ERROR", f"The maximum number of inputs in a batch is {BATCH}")
    if twice:
        said = f"Duplicate IDs found in batch input: {twice}. IDs must be unique"
        return error(400, "VALIDATION_ERROR", said, context={"ids": twice})
    return None


def definition(**said: Any) -> dict[str, Any]:
    """A property, as HubSpot lists it."""
    most = {
        "label": said["name"], "description": "", "groupName": "contactinformation", "options": [],
        "hasUniqueValue": False, "hubspotDefined": False, "calculated": False, "archived": False, "createdAt": _MOMENT,
        "modificationMetadata": {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": False},
    }  # fmt: skip
    return {**most, **said}


def kept(text: Any, of: dict[str, Any]) -> str:
    """A value as HubSpot keeps it. Raises: ValueError where the property does not take it."""
    if not isinstance(text, str):
        raise TypeError("values are texts")
    kind = of["type"]
    if kind == "enumeration" or (kind == "bool" and of["options"]):
        if text not in {option["value"] for option in of["options"]}:
            raise ValueError("no option")
    elif kind == "number":
        if not math.isfinite(float(text)) or "e" in text.lower():
            raise ValueError("no number")
    elif kind == "date":
        return date.fromisoformat(text).isoformat()
    elif kind == "datetime":
        moment = _moment(text).astimezone(UTC).replace(tzinfo=None)
        thousandths = moment.microsecond // 1000
        moment = moment.replace(microsecond=thousandths * 1000)
        return moment.isoformat(timespec="milliseconds" if thousandths else "seconds") + "Z"
    return text


def _moment(text: str) -> datetime:
    if re.fullmatch(r"\d{10,}", text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment
