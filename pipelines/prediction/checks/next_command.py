"""The command to type next, by what there is."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import date
from pathlib import Path

NEED_NEWS = ("train", "score", "deliver", "run")  # nobody is scored from old data, and before that no training is due


@dataclass(frozen=True, kw_only=True)
class State:
    """How far a workspace has come.

    landed: whether everything that the sources give now has landed. guessed: whether a guess of `init` is unconfirmed,
    on which nothing is trained. trainable: whether snapshots have matured, and are
    not known to be too few. answered: whether there is a champion that answers what is asked. scored: the day of the
    current scores. waiting: whether a destination lacks something that is to go there.
    """

    landed: bool
    guessed: bool
    trainable: bool
    answered: bool
    scored: date | None
    as_of: date
    waiting: bool


def next_stage(state: State) -> str:
    """The stage that is due, and what it is where none is.

    `run` then does what new exports bring; `ingest` where only these help; `check` once guesses are confirmed.
    """
    if not state.landed:
        return "ingest"
    if state.guessed:
        return "check"
    if not state.answered:
        return "train" if state.trainable else "ingest"
    if state.scored is None or state.scored < state.as_of:
        return "score"
    return "deliver" if state.waiting else "run"


def command(stage: str, root: Path, *, as_of: date | None) -> str:
    """As it is typed. as_of: where another day is looked from than the settings say."""
    project = "" if root == Path() else f" --project {shlex.quote(str(root))}"
    return f"attrition {stage}{project}{'' if as_of is None else f' --as-of {as_of}'}"
