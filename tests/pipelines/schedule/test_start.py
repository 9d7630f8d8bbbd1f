"""The scheduler as it is used: a process with a page and a daemon, driven through the page's own interface."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from typer.testing import CliRunner

from features.errors import AttritionError
from pipelines.cli import app
from pipelines.commands.frame import MISTAKE
from pipelines.foundation.storage import lock
from pipelines.schedule import start
from tests.pipelines.foundation.loopback.page_case import serving
from tests.pipelines.schedule.schedule_case import set_schedule
from tests.pipelines.schedule.test_processes import WAITS, alive, soon
from tests.pipelines.shop_case import make_shop

DAYS = 6
RUNS = "{runsOrError {... on Runs {results {jobName status tags {key value}}}}}"
PARTITIONS = '{assetNodeOrError(assetKey: {path: ["snapshots"]}) {... on AssetNode {partitionKeys}}}'
BACKFILL = """mutation ($days: [String!]) {launchPartitionBackfill(backfillParams: {
  partitionNames: $days, assetSelection: [{path: ["snapshots"]}]
}) {__typename ... on LaunchBackfillSuccess {backfillId}}}"""
BACKFILLED = "query ($id: String!) {partitionBackfillOrError(backfillId: $id) {... on PartitionBackfill {status}}}"


def command(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("attrition")), *arguments]


@contextmanager
def scheduler(folder: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A real `attrition schedule` on a free port, and the document that it writes when its page answers."""
    with serving(command("schedule", "--project", str(folder), "--port", "0", "--json")) as started:
        yield started


def family(process: int) -> set[int]:
    """It, what it started, and what that started."""
    parents: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(place.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents.setdefault(parent, []).append(int(place.parent.name))
    found, waiting = {process}, [process]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found |= set(children)
        waiting += children
    return found


def at(url: str, path: str) -> str:
    """Another place of the page, without the token."""
    return urljoin(url, path)


def ask(url: str, query: str, **variables: object) -> dict[str, Any]:
    """What the page asks, too. url: as `attrition schedule` tells it."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {parse_qs(urlsplit(url).query)['token'][0]}",
    }
    request = urllib.request.Request(at(url, "/graphql"), data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        found = json.load(answer)
    assert "errors" not in found, found
    return found["data"]


def files(folder: Path) -> dict[str, str]:
    """Hash of each file of snapshots and outcomes."""
    places = [place for kind in ("snapshots", "outcomes") for place in (folder / kind).glob("*.parquet")]
    return {place.relative_to(folder).as_posix(): hashlib.sha256(place.read_bytes()).hexdigest() for place in places}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Landed, nothing more; ingest is due every minute."""
    folder = make_shop(tmp_path_factory.mktemp("scheduled") / "shop")
    set_schedule(folder, ingest="* * * * *", score="", retrain="")
    assert CliRunner().invoke(app, ["ingest", "--project", str(folder)]).exit_code == 0
    return folder


@pytest.fixture(scope="module")
def copy(shop: Path) -> Path:
    return Path(shutil.copytree(shop, shop.with_name("copy")))


def test_a_day_of_a_scheduler(shop: Path, copy: Path) -> None:
    with scheduler(shop) as (process, document):
        url = document["url"]
        assert url.startswith("http://127.0.0.1:")
        with urllib.request.build_opener(urllib.request.HTTPCookieProcessor()).open(url, timeout=30) as page:
            assert b"Dagster" in page.read()
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(at(url, "/"), timeout=30)

        # A second one on the same workspace says so and ends; the first goes on.
        second = subprocess.run(
            command("schedule", "--project", str(shop), "--port", "0"), capture_output=True, text=True, check=False
        )
        assert second.returncode == MISTAKE
        assert f"another `attrition schedule` (process {process.pid}) is at work for {shop}" in second.stderr
        assert "Traceback" not in second.stderr

        # A range of partitions, as the page starts it, is what single commands compute.
        def partitions() -> list[str]:
            return list(ask(url, PARTITIONS)["assetNodeOrError"]["partitionKeys"])

        assert soon(lambda: bool(partitions()), seconds=60)
        days = partitions()[-DAYS:]
        backfill = ask(url, BACKFILL, days=days)["launchPartitionBackfill"]["backfillId"]
        for day in days:
            told = CliRunner().invoke(app, ["snapshots", "--project", str(copy), "--from", day, "--to", day])
            assert told.exit_code == 0, told.output

        def backfilled() -> str:
            return str(ask(url, BACKFILLED, id=backfill)["partitionBackfillOrError"]["status"])

        def by_cron() -> list[str]:
            found = ask(url, RUNS)["runsOrError"]["results"]
            return [
                run["status"]
                for run in found
                if {"key": "dagster/schedule_name", "value": "ingest_by_cron"} in run["tags"]
            ]

        assert soon(lambda: backfilled().startswith("COMPLETED"), seconds=150), backfilled()
        assert backfilled() == "COMPLETED_SUCCESS"
        assert len([name for name in files(shop) if name.startswith("snapshots/")]) >= DAYS
        assert files(copy).items() <= files(shop).items()
        assert soon(lambda: "SUCCESS" in by_cron(), seconds=100), by_cron()

        everybody = family(process.pid)
        assert len(everybody) >= 3
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert time.monotonic() - started < 15
    assert {each for each in everybody if alive(each)} == set()
    assert [line for line in _logs(shop) if "google" in line or "telemetry" in line.lower()] == []


def test_ctrl_c_ends_it_within_seconds_with_nothing_left(tmp_path: Path) -> None:
    folder = make_shop(tmp_path / "shop", rows=[])
    set_schedule(folder, ingest="", score="", retrain="")
    with scheduler(folder) as (process, document):
        everybody = family(process.pid)
        assert {process.pid, *document["processes"].values()} <= everybody
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
        assert time.monotonic() - started < 15
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert {each for each in everybody if alive(each)} == set()


def test_a_part_that_ends_by_itself_ends_the_other_and_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = {"page": WAITS, "daemon": ["-c", "import sys; print('no room'); sys.exit(3)"]}
    monkeypatch.setattr(start, "_commands", lambda _: commands)
    with pytest.raises(AttritionError, match=r"the daemon ended by itself \(exit code 3\)(.|\n)*no room"):
        start.serve(tmp_path, port=0, started=lambda _: pytest.fail("the page never answered"))
    with lock.held(tmp_path, file_name=start.LOCK):
        pass


def _logs(folder: Path) -> list[str]:
    return [line for log in (folder / ".dagster" / "logs").glob("*.log") for line in log.read_text().splitlines()]
