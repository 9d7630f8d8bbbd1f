"""`attrition schedule`: the page and the daemon of one workspace, until somebody ends it."""

from __future__ import annotations

import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from urllib.parse import urlencode

from pipelines.foundation.loopback.guard import IN_ENVIRONMENT, TOKEN
from pipelines.foundation.loopback.port import HOST, port_to_use
from pipelines.foundation.storage.lock import held
from pipelines.foundation.storage.workspace_paths import SCHEDULER
from pipelines.schedule.home import PROJECT, prepare
from pipelines.schedule.processes import answers, running

LOCK = ".attrition-schedule.lock"
BUSY = "another `attrition schedule` (process {holder}) is at work for {root}; that one goes on, and this one ends"
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Started:
    """The page's address, with the token that lets one in, and the process of each part."""

    url: str
    processes: dict[str, int]


def serve(folder: Path, *, port: int, started: Callable[[Started], None]) -> str:
    """Run page and daemon until a signal comes; its name back. started: told once, when the page answers.

    Raises: BusyError where the workspace has a scheduler already; AttritionError where a part ends by itself.
    """
    with held(folder, file_name=LOCK, busy=BUSY), _signals() as (ended, names):
        url = f"http://{HOST}:{(free := port_to_use(port))}"
        token = secrets.token_urlsafe(32)
        home = prepare(folder)
        # Telemetry is off in the home's settings, and here for what starts before it reads them.
        environment = {"DAGSTER_HOME": str(home), PROJECT: str(folder.resolve()), "DAGSTER_DISABLE_TELEMETRY": "yes"}
        with running(
            _commands(free), home=home, environment=environment, of_one={"page": {IN_ENVIRONMENT: token}}
        ) as children:
            told = False
            while not ended.wait(_LOOK_SECONDS):
                for child in children:
                    child.refuse_ended()
                if not told and answers(url, token=token):
                    started(
                        Started(
                            f"{url}/?{urlencode({TOKEN: token})}", {child.name: child.process.pid for child in children}
                        )
                    )
                    told = True
    return names[0]


def _commands(port: int) -> dict[str, list[str]]:
    watched, what = ["-m", "pipelines.schedule.watched"], ["-m", "pipelines.schedule.definitions"]
    return {
        "page": [*watched, "pipelines.schedule.page", str(port)],
        "daemon": [*watched, "dagster._daemon", "run", *what],
    }


@contextmanager
def _signals() -> Iterator[tuple[threading.Event, list[str]]]:
    """An event that is set when one of the signals comes that ask for an end, and its name."""
    ended, names = threading.Event(), list[str]()

    def end(number: int, _: FrameType | None) -> None:
        names.append(signal.Signals(number).name)
        ended.set()

    before = {number: signal.signal(number, end) for number in _ENDS}
    try:
        yield ended, names
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def logs_of(folder: Path) -> Path:
    """Where the parts write what they have to say."""
    return folder / SCHEDULER / "logs"
