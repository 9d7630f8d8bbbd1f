"""What every test gets: no network, the same random cases each time, and no quiet skip where CI has what is needed."""

from __future__ import annotations

import fcntl
import gc
import ipaddress
import os
import shutil
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Before anything imports the libraries that read them.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["MPLBACKEND"] = "Agg"
# LightGBM's threads wait for each other in a loop otherwise: ten times slower where other tests want the same cores.
os.environ["OMP_WAIT_POLICY"] = "passive"
# So do those of NumPy's and SciPy's linear algebra, and our matrices are too small to gain from a second one.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import hypothesis
import pytest

# Ibis makes millions of small objects that stay: to look through them after every 700 takes a tenth of the time.
gc.set_threshold(50_000, 10, 10)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"

hypothesis.settings.register_profile("every_time_the_same", derandomize=True, deadline=None, print_blob=True)
# For a search by hand: pytest --hypothesis-profile=search
hypothesis.settings.register_profile("search", deadline=None, print_blob=True, max_examples=2_000)
hypothesis.settings.load_profile("every_time_the_same")


class NetworkRefusedError(RuntimeError):
    """A test tried to reach beyond this machine."""


def _refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # else a Unix socket, or one connected before
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if not _is_here(host.decode() if isinstance(host, bytes) else host):
        raise NetworkRefusedError(f"tests run offline, but something asked for {host} ({event})")


def _is_here(host: str | None) -> bool:
    if host is None or host in ("", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


# An audit hook sees every call, however a library came by its socket, and nothing can take it away again.
sys.addaudithook(_refuse_network)


# They take the most time, and a file is run by one worker: were one the last, the other worker would wait.
LONGEST = ("test_erase.py", "test_audit.py", "test_run.py", "test_monitor.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONGEST)  # otherwise they stay in their order
    for item in items:
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.may_skip("not everybody has the data sets that cannot ship"))


def _in_ci() -> bool:
    return os.environ.get("CI") == "true"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    expected_failure = hasattr(report, "wasxfail")
    if _in_ci() and report.skipped and not expected_failure and item.get_closest_marker("may_skip") is None:
        report.outcome, report.longrepr = "failed", f"skipped, but CI should have what it needs: {_reason(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if _in_ci() and report.skipped:
        report.outcome, report.longrepr = "failed", f"skipped, but CI should have what it needs: {_reason(report)}"
    return report


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr)


@pytest.fixture(autouse=True)
def _own_configuration(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the user of this machine has confirmed is neither read nor written by a test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "configuration"))


@pytest.fixture(autouse=True, scope="session")
def _own_caches(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What tests make for this machine, for all workers and the commands they start, and for no user of it.

    A test may run code of ours altered, and what that makes is not to stay.
    """
    os.environ["XDG_CACHE_HOME"] = str(by_all_workers(tmp_path_factory) / "caches")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of data sets that do not ship."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the data sets in {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium that talks to this machine only."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs Chromium: make chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
            ],
        )
        yield running
        running.close()


@pytest.fixture(scope="session")
def finished_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated shop after `attrition run`, for tests that read; those that write copy it.

    One of the workers runs it, each has a copy of its own.
    """
    from tests.pipelines.shop_case import make_shop

    return finished_once("shop", make_shop, tmp_path_factory)


@pytest.fixture(scope="session")
def finished_company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of a simulated company that is bound by contract."""
    from tests.pipelines.company_case import make_company

    return finished_once("company", make_company, tmp_path_factory)


@pytest.fixture(scope="session")
def finished_cdnow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of the first example, of fewer customers."""
    from tests.notebooks.cdnow_case import make_cdnow

    return finished_once("cdnow", make_cdnow, tmp_path_factory)


def by_all_workers(folders: pytest.TempPathFactory) -> Path:
    """The folder of this run of the tests."""
    mine = folders.getbasetemp()
    return mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine


def finished_once(name: str, make: Callable[[Path], Path], folders: pytest.TempPathFactory) -> Path:
    """A copy of the workspace that one of the workers makes and runs, for all.

    It is run in the process of the tests, which has the libraries, MLflow's empty tables and the queries in SQL of what
    ran before: a command of its own begins with none of them. That the real command does the same is tested elsewhere.
    """
    from typer.testing import CliRunner

    from pipelines.cli import app

    place = by_all_workers(folders) / f"{name}_by_one"
    with place.with_suffix(".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not place.exists():
            root = make(folders.mktemp("finished") / name)
            done = CliRunner().invoke(app, ["run", "--project", str(root)], env={"NO_COLOR": "1", "COLUMNS": "100"})
            assert done.exit_code == 0, done.stderr
            assert done.stdout == ""
            root.rename(place)
    copy = folders.mktemp("copy") / name
    shutil.copytree(place, copy)
    return copy
