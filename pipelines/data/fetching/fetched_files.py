"""The files of one fetch: a list each, written page by page, gone on with after a kill, and there all together or not.

While it is under way they lie in <folder>.unfinished: of each list its lines, and beside it how far they are whole and
the place behind the last of them. At the end the folder gets its marker and its name.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.data.fetching.api import Page
from pipelines.foundation.storage.atomic_file import atomic_write

MARKER = "fetched.json"
# The first line of each list, so that an empty one has its columns, too. Queries pass over it.
_NAMES = b'{"id": null, "object": null}\n'


@dataclass(frozen=True)
class FetchedFiles:
    """folder: of the finished fetch. begun: names the fetch; one that was begun otherwise is not gone on with."""

    folder: Path
    begun: str

    @classmethod
    def of(cls, folder: Path, *, day: str, identity: Sequence[str]) -> FetchedFiles:
        text = json.dumps([day, *identity])
        return cls(folder, hashlib.sha256(text.encode()).hexdigest())

    @property
    def unfinished(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.unfinished")

    def waiting(self) -> bool:
        """Whether this very fetch was finished, and has not landed."""
        return _read(self.folder / MARKER).get("begun") == self.begun

    def begin(self) -> None:
        """Go on with what is there of this fetch; anything else is removed."""
        if _read(self.unfinished / "begun.json").get("begun") != self.begun:
            shutil.rmtree(self.unfinished, ignore_errors=True)
            self.unfinished.mkdir(parents=True)
            _write(self.unfinished / "begun.json", {"begun": self.begun})

    def begin_list(self, name: str, *, anew: bool = False) -> dict[str, Any]:
        """How far a list is: {"after", "objects", "done"}; lines that are not whole are cut off."""
        state = {} if anew else _read(self._state(name))
        if state and self._lines(name).exists() and self._lines(name).stat().st_size >= state["bytes"]:
            os.truncate(self._lines(name), state["bytes"])
            return state
        self._lines(name).write_bytes(_NAMES)
        state = {"after": None, "objects": 0, "bytes": len(_NAMES), "done": False}
        _write(self._state(name), state)
        return state

    def add(self, name: str, state: dict[str, Any], page: Page) -> dict[str, Any]:
        """The state with a page more, on the disk."""
        lines = b"".join(map(_line, page.objects))
        with self._lines(name).open("ab") as handle:
            handle.write(lines)
            handle.flush()
            os.fsync(handle.fileno())
        state = state | {
            "after": page.after,
            "objects": state["objects"] + len(page.objects),
            "bytes": state["bytes"] + len(lines),
        }
        _write(self._state(name), state)
        return state

    def end_list(self, name: str, state: dict[str, Any]) -> None:
        _write(self._state(name), state | {"done": True})

    def finish(self, counts: dict[str, int]) -> None:
        """In place of what the folder held: a fetch that did not land is of no more use."""
        _write(self.unfinished / MARKER, {"begun": self.begun, "objects": counts})
        shutil.rmtree(self.folder, ignore_errors=True)
        self.unfinished.replace(self.folder)

    def _lines(self, name: str) -> Path:
        return self.unfinished / f"{name}.jsonl"

    def _state(self, name: str) -> Path:
        return self.unfinished / f"{name}.json"


def lines_of(folder: Path, name: str) -> Iterator[str]:
    """The objects of a list that is finished, as JSON."""
    with (folder / f"{name}.jsonl").open(encoding="utf-8") as handle:
        next(handle)
        for line in handle:
            yield json.loads(line)["object"]


def _line(found: dict[str, Any]) -> bytes:
    """An object as text in a line: its columns are the same whatever fields it has, and whether any has a value."""
    text = json.dumps(found, sort_keys=True, ensure_ascii=True)
    return json.dumps({"id": found["id"], "object": text}).encode() + b"\n"


def _read(place: Path) -> dict[str, Any]:
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(place: Path, content: dict[str, Any]) -> None:
    with atomic_write(place) as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")
