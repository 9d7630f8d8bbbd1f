from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@pytest.fixture
def term_ignored() -> Iterator[None]:
    """As a starter may have set it; what it starts inherits that, and it must not matter."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGTERM, before)


@contextmanager
def watched(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-m", "pipelines.schedule.watched", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()  # one that should have ended and has not would be waited for without end


def test_a_module_runs_with_its_arguments_as_if_it_had_been_named_itself() -> None:
    with watched("json.tool", "--help") as process:
        assert process.stdout is not None
        assert b"usage: python -m json.tool" in process.stdout.read()
        assert process.wait(timeout=20) == 0


def test_it_ends_with_its_group_when_the_starter_lets_go(term_ignored: None) -> None:
    with watched("http.server", "0", "--bind", "127.0.0.1") as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=20) == -signal.SIGTERM
