"""A MariaDB of our own, for tests that need a real one."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql
import pytest

PASSWORD = "hush'hush"


@contextmanager
def mariadb_server() -> Iterator[int]:
    """The free port of this machine that it listens at, while it runs. Skips without it.

    Its user `tests` may do all in the database shop, `reader` may read it; both have PASSWORD.
    """
    server, install = shutil.which("mariadbd", path="/usr/sbin:/usr/bin"), shutil.which("mariadb-install-db")
    if server is None or install is None:
        pytest.skip("needs MariaDB: make mariadb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="attrition-mariadb-", dir="/tmp") as home:
        who = [f"--user={getpass.getuser()}", f"--datadir={home}/data"]
        _run([install, "--no-defaults", *who, "--auth-root-authentication-method=normal", "--skip-test-db"])
        place = f"{home}/socket"
        with (Path(home) / "log").open("wb") as log:
            process = subprocess.Popen(
                [
                    server, "--no-defaults", *who, f"--socket={place}", f"--port={port}", "--bind-address=127.0.0.1",
                    f"--pid-file={home}/pid", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin",
                    "--innodb-buffer-pool-size=32M",
                ],
                stdout=log, stderr=log, cwd="/",
            )  # fmt: skip
        try:
            _make_users(place, process)
            yield port
        finally:
            process.kill()
            process.wait()


def _make_users(place: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not _answers(place):
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError("MariaDB did not start")
        time.sleep(0.1)
    connection = pymysql.connect(unix_socket=place, user="root")
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE shop CHARACTER SET utf8mb4")
        for name, rights in (("tests", "ALL"), ("reader", "SELECT")):
            cursor.execute(f"CREATE USER {name}@'%%' IDENTIFIED BY %s", [PASSWORD])
            cursor.execute(f"GRANT {rights} ON shop.* TO {name}@'%'")


def _answers(place: str) -> bool:
    with socket.socket(socket.AF_UNIX) as line:
        return line.connect_ex(place) == 0


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
