"""Names of the Python files that hold a workspace's own indicators."""

from __future__ import annotations

from pathlib import PurePosixPath

from pipelines.foundation.settings.section import inside

ENDING = ".py"


def own_file(path: str) -> str:
    """The path back; ValueError where it cannot name one Python file below the workspace."""
    inside(path)
    if any(mark in path for mark in "*?["):
        raise ValueError(f"'{path}' is a pattern; name each file by itself, for its code would run with your rights")
    if PurePosixPath(path).suffix != ENDING:
        raise ValueError(f"'{path}' does not end in {ENDING}; name a Python file that holds a FAMILY")
    return PurePosixPath(path).as_posix()


def refuse_twice(paths: tuple[str, ...]) -> tuple[str, ...]:
    """The paths back; ValueError where one is named twice."""
    twice = sorted({path for path in paths if paths.count(path) > 1})
    if twice:
        raise ValueError(f"'{twice[0]}' is named twice; name it once")
    return paths
