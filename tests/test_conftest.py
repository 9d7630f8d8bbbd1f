from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SKIPPING = """
import pytest

def test_that_needs_something():
    pytest.skip("needs a thing")

@pytest.mark.may_skip("CI cannot have it")
def test_that_may_be_skipped():
    pytest.skip("needs another thing")

def test_on_shared_data(shared_data):
    pass

@pytest.mark.xfail(reason="known")
def test_that_fails_as_expected():
    assert False
"""


def run_pytest(folder: Path, *, ci: bool) -> subprocess.CompletedProcess[str]:
    shutil.copy(Path(__file__).with_name("conftest.py"), folder)
    (folder / "test_skipping.py").write_text(SKIPPING)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = may_skip(reason): x\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CI", "PYTEST"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", str(folder)],
        env=environment | ({"CI": "true"} if ci else {}),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_skip_is_a_failure_in_ci_unless_the_test_says_that_it_may(tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, ci=True)
    assert "1 failed, 2 skipped, 1 xfailed" in ran.stdout
    assert "skipped, but CI should have what it needs: Skipped: needs a thing" in ran.stdout
    assert ran.returncode == 1


def test_a_skip_elsewhere_gives_its_reason(tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, ci=False)
    assert "3 skipped, 1 xfailed" in ran.stdout
    assert "needs a thing" in ran.stdout
    assert ran.returncode == 0


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80)], ids=["IPv4", "IPv6"])
def test_a_test_cannot_connect_beyond_this_machine(address: tuple[str, int]) -> None:
    with pytest.raises(RuntimeError, match=f"tests run offline, but something asked for {address[0]}"):
        socket.create_connection(address, timeout=1)


def test_a_test_cannot_look_up_a_name() -> None:
    with pytest.raises(RuntimeError, match="something asked for example"):
        socket.getaddrinfo("example.com", 80)


def test_a_test_cannot_send_a_datagram() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        pytest.raises(RuntimeError, match="something asked for 192"),
    ):
        datagrams.sendto(b"hello", ("192.0.2.1", 53))


def test_a_test_may_talk_to_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()
