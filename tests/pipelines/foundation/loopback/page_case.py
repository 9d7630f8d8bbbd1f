"""A command that serves a page of this machine, a person at it, and a page of somebody else's in the same browser."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from playwright.sync_api import BrowserContext

EVIL = "evil.example"


class Foreign(BaseHTTPRequestHandler):
    """A page of somebody else's, which notes what it is asked for."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>win a holiday</title><body>")

    def do_POST(self) -> None:
        self.do_GET()

    def do_OPTIONS(self) -> None:
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def foreign_page() -> Iterator[int]:
    """The port of a page of somebody else's."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Foreign) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@contextmanager
def person_at(address: str) -> Iterator[BrowserContext]:
    """A browser in which the address was opened, so that it has the cookie; a foreign name leads to this machine."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs Chromium: make chromium")
    from playwright.sync_api import sync_playwright

    rules = f"MAP {EVIL} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
    arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-popup-blocking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=[*arguments, f"--host-resolver-rules={rules}"]
        )
        context = browser.new_context()
        context.new_page().goto(address)
        yield context
        browser.close()


@contextmanager
def serving(command: Sequence[str]) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A command that serves a page, and the document that it writes when its page answers."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            yield process, json.loads(line)
        finally:
            if process.poll() is None:
                process.terminate()
