"""What people see while a command works: one line and one bar per stage, on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import rich.console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pipelines.foundation.wording.visible import visible

Step = Callable[[str], None]


class Console:
    """Speaks to people on stderr; `quiet` where a program reads us."""

    def __init__(self, *, quiet: bool = False) -> None:
        # Everything as it is written: brackets of a value are no markup, and ":fire:" may be somebody's id.
        self.rich = rich.console.Console(stderr=True, quiet=quiet, highlight=False, markup=False, emoji=False)

    def say(self, text: str) -> None:
        self.rich.print(visible(text), markup=False, soft_wrap=True)

    @contextmanager
    def stage(self, name: str, *, steps: int | None = None) -> Iterator[Step]:
        """A bar that moves on with each call of what this yields; without `steps` it only shows that work goes on."""
        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[name]:<10}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=self.rich,
        )
        with bar:
            task = bar.add_task("", total=steps, name=name)

            def step(what: str) -> None:
                bar.update(task, advance=1, description=visible(what))

            try:
                yield step
            except BaseException:
                bar.remove_task(task)  # a bar that stands still would look like work going on above the message
                raise
            done = bar.tasks[0].completed
            bar.update(task, total=max(done, 1), completed=max(done, 1), description="done")
