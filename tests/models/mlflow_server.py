"""A real MLflow server on this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@dataclass(frozen=True)
class Server:
    process: subprocess.Popen[bytes]
    url: str
    log: Path
    artifacts: Path

    def wait(self) -> None:
        until = time.monotonic() + 120
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.1)
        pytest.fail(f"mlflow server did not start:\n{self.log.read_text()}")


@contextmanager
def started(folder: Path, *, as_docs_say: bool = False) -> Iterator[Server]:
    """The server, which answers once it was waited for; stopped after the block.

    as_docs_say: it answers to its own name alone, so nothing can stand between.
    """
    port = free_port()
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *(("--allowed-hosts", f"localhost:{port},127.0.0.1:{port}") if as_docs_say else ()),
        *("--backend-store-uri", f"sqlite:///{folder}/store.sqlite", "--artifacts-destination", f"{folder}/artifacts"),
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # it has children; all end together
        )
    try:
        yield Server(process, f"http://127.0.0.1:{port}", folder / "log", folder / "artifacts")
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
