"""The notebooks with what they show: `python -m pipelines.docs.notebooks DEMO` runs them on a finished workspace.

The copies go into .tools/notebooks, from where the site takes them; those in notebooks/ keep no outputs.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from pipelines.docs.site import EXECUTED, NOTEBOOKS
from pipelines.foundation.settings.settings import FILE_NAME, load

SECONDS = 600  # for one cell


def run(workspace: Path, *, notebooks: Path = NOTEBOOKS, executed: Path = EXECUTED) -> int:
    """Run every notebook on a workspace and write copies with outputs; how many.

    Raises: nbclient's CellExecutionError where a cell fails, SettingsError where there is no workspace.
    """
    import nbformat

    ran_on = _said(workspace)
    executed.mkdir(parents=True, exist_ok=True)
    places = sorted(notebooks.glob("*.ipynb"))
    for place in places:
        notebook = nbformat.read(place, as_version=4)  # type: ignore[no-untyped-call]
        execute(notebook, workspace, notebooks=notebooks)
        notebook.metadata["ran_on"] = ran_on
        nbformat.write(notebook, executed / place.name)  # type: ignore[no-untyped-call]
        sys.stdout.write(f"{place.stem}\n")
        sys.stdout.flush()
    return len(places)


def execute(notebook: Any, workspace: Path, *, notebooks: Path = NOTEBOOKS, seconds: int = SECONDS) -> None:
    """Run a notebook's cells on a workspace; outputs go into the cells. seconds: for one cell."""
    from nbclient import NotebookClient

    # Without a screen; a notebook draws into its page.
    drawing = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    environment = {**os.environ, **drawing, "ATTRITION_WORKSPACE": str(workspace.resolve())}
    resources = {"metadata": {"path": notebooks}}
    NotebookClient(notebook, timeout=seconds, kernel_name="python3", resources=resources).execute(env=environment)


def _said(workspace: Path) -> str:
    """On which data they ran, for readers."""
    settings = load(workspace / FILE_NAME)
    made_up = ", whose customers do not exist (simulated data)" if settings.simulated else ""
    return f"the workspace {workspace.resolve().name}{made_up}."


def main(arguments: list[str]) -> int:
    """Exit code: 0 all ran, 2 for arguments that it does not know."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m pipelines.docs.notebooks WORKSPACE\n")
        return 2
    sys.stdout.write(f"{run(Path(arguments[0]))} notebooks in {EXECUTED}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
