from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipelines.foundation.storage.store import Store
from pipelines.operations.monitoring.webhook import VARIABLE, post

ALERT = {"check": "volume", "what": "no orders", "evidence": "always some before", "remedy": "look"}
DOCUMENT = {"as_of": "2024-08-05", "alerts": [ALERT], "drift": {}}
SECRET = "T0K3N"


@contextmanager
def listening(answer: int = 200) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address on this machine, and what was posted to it."""
    posted: list[dict[str, Any]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(answer)
            if answer == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hooks/{SECRET}", posted
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_alerts_are_posted_once_as_text_and_as_data(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as (address, posted):
        monkeypatch.setenv(VARIABLE, address)
        assert post(store, "monitoring/a.json", DOCUMENT) is None
        assert post(store, "monitoring/a.json", DOCUMENT) is None
        assert posted == [{"text": "no orders: always some before; look", "alerts": [ALERT], "as_of": "2024-08-05"}]
        assert post(store, "monitoring/b.json", DOCUMENT) is None
        assert len(posted) == 2


def test_nothing_is_posted_where_nothing_is_to_tell_or_nobody_listens(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening() as (address, posted):
        monkeypatch.delenv(VARIABLE, raising=False)
        assert post(store, "monitoring/a.json", DOCUMENT) is None
        monkeypatch.setenv(VARIABLE, address)
        assert post(store, "monitoring/a.json", DOCUMENT | {"alerts": []}) is None
        assert posted == []


@pytest.mark.parametrize("answer", [302, 404, 500])
def test_an_answer_that_is_not_yes_is_told_without_the_secret_and_tried_again(
    store: Store, monkeypatch: pytest.MonkeyPatch, answer: int
) -> None:
    with listening(answer) as (address, posted):
        monkeypatch.setenv(VARIABLE, address)
        said = post(store, "monitoring/a.json", DOCUMENT)
        assert said is not None
        assert f"it answered {answer}" in said
        assert SECRET not in said
        assert len(posted) == 1
    with listening() as (address, posted):
        monkeypatch.setenv(VARIABLE, address)
        assert post(store, "monitoring/a.json", DOCUMENT) is None
        assert len(posted) == 1


def test_nobody_at_the_address_is_told_and_no_error(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as (address, _):
        pass
    monkeypatch.setenv(VARIABLE, address)
    said = post(store, "monitoring/a.json", DOCUMENT)
    assert said == "the alerts were not posted to 127.0.0.1: it was not reached; the next run will try again"


@pytest.mark.parametrize(
    "address",
    [
        f"http://example.com/{SECRET}",
        f"ftp://127.0.0.1/{SECRET}",
        f"file:///{SECRET}",
        f"{SECRET}",
        f"http://[{SECRET}",
    ],
)
def test_an_address_that_anybody_could_read_along_is_refused_unseen(
    store: Store, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv(VARIABLE, address)
    said = post(store, "monitoring/a.json", DOCUMENT)
    assert said is not None
    assert "https://" in said
    assert SECRET not in said
