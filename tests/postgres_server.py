"""A PostgreSQL of our own, for tests that need a real one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def postgres_server(folder: Path, *, access: str | None = None) -> Iterator[int]:
    """The free port of this machine that it listens at, while it runs; its superuser is `tests`. Skips without it.

    access: lines of pg_hba.conf; None lets everybody in.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        pytest.skip("needs PostgreSQL: make postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # PostgreSQL refuses to run as root; its package brings a user for it.
    lower = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if lower:
        home = Path(tempfile.mkdtemp(prefix="attrition-postgres-", dir="/tmp"))
        shutil.chown(home, "postgres")
    else:
        home = folder
    control = [*lower, str(found[-1] / "pg_ctl"), "-D", str(home / "data"), "-s"]
    environment = os.environ | {"LC_ALL": "C.UTF-8", "TZ": "UTC"}
    _run([*lower, str(found[-1] / "initdb"), "-D", str(home / "data"), "-U", "tests", "-A", "trust"], environment)
    if access is not None:
        (home / "data" / "pg_hba.conf").write_text(access)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {home} -c fsync=off -c timezone=UTC"
    _run([*control, "-o", options, "-l", str(home / "log"), "-w", "start"], environment)
    try:
        yield port
    finally:
        _run([*control, "-m", "immediate", "stop"], environment)
        if lower:
            shutil.rmtree(home, ignore_errors=True)


def _run(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(command, check=True, env=environment, cwd="/", stdout=subprocess.DEVNULL)
