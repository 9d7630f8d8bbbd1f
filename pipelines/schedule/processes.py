"""Dagster's page and its daemon as processes of ours: started, watched, and ended with everything they started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from features.errors import AttritionError

_PATIENCE_SECONDS = 5  # for an orderly end, after which there is a sudden one
_LAST_LINES = 12


@dataclass(frozen=True)
class Child:
    """A process with a process group of its own, which what it starts is in, too. log: where it writes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def refuse_ended(self) -> None:
        """Raise AttritionError, with the last lines that it wrote, if it ended by itself."""
        if (code := self.process.poll()) is not None:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
            raise AttritionError(
                f"the {self.name} ended by itself (exit code {code}), so the other one was ended, too. Its last lines, "
                f"of {self.log}:\n" + "\n".join(f"  {line}" for line in lines)
            )

    @property
    def any_left(self) -> bool:
        """Whether anything of the group is still there."""
        self.process.poll()  # takes leave of the process itself, which otherwise counts until then
        return _signalled(self.process.pid, 0)


@contextmanager
def running(
    commands: Mapping[str, Sequence[str]],
    *,
    home: Path,
    environment: Mapping[str, str],
    of_one: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> Iterator[list[Child]]:
    """A process for each command, by name; none is left when the block ends, however it ends.

    environment: of all, beside what we have. of_one: by name, of that command alone.
    """
    logs = home / "logs"
    logs.mkdir(exist_ok=True)
    children: list[Child] = []
    try:
        for name, command in commands.items():
            log = logs / f"{name}.log"
            with log.open("wb") as output:
                process = subprocess.Popen(  # noqa: S603 - our own interpreter
                    [sys.executable, *command],
                    cwd=home,
                    env={**os.environ, **environment, **of_one.get(name, {})},
                    stdin=subprocess.PIPE,  # closes when we end, however we do
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            children.append(Child(name, process, log))
        yield children
    finally:
        _end(children)


def _end(children: Sequence[Child]) -> None:
    for number, seconds in ((signal.SIGTERM, _PATIENCE_SECONDS), (signal.SIGKILL, 1)):
        for child in children:
            _signalled(child.process.pid, number)
        deadline = time.monotonic() + seconds
        while any(child.any_left for child in children) and time.monotonic() < deadline:
            time.sleep(0.05)
    for child in children:
        if child.process.stdin is not None:
            child.process.stdin.close()


def _signalled(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def answers(url: str, *, token: str) -> bool:
    """Whether the page is up."""
    asked = urllib.request.Request(f"{url}/server_info", headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - our own page
    try:
        with urllib.request.urlopen(asked, timeout=2) as answer:  # noqa: S310 - our own page
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
