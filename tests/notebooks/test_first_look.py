from __future__ import annotations

import os
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parent.parent.parent / "notebooks"
PAIRED = NOTEBOOKS / "first_look.ipynb"

# Jupyter's own parts open sockets of this machine and leave closing them to the end of the process.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_both_halves_of_the_pair_hold_the_same_cells() -> None:
    text, notebook = jupytext.read(PAIRED.with_suffix(".py")), jupytext.read(PAIRED)
    assert [(cell.cell_type, cell.source) for cell in text.cells] == [
        (cell.cell_type, cell.source) for cell in notebook.cells
    ], "write the pair anew: jupytext --sync notebooks/first_look.py"


def test_no_output_is_kept() -> None:
    cells = [cell for cell in nbformat.read(PAIRED, as_version=4).cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)


def test_the_notebook_runs_on_a_finished_workspace(finished_workspace: Path) -> None:
    notebook = nbformat.read(PAIRED, as_version=4)
    # Tests draw without a screen; a notebook draws into its page.
    drawing = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    environment = {**os.environ, **drawing, "ATTRITION_WORKSPACE": str(finished_workspace)}
    client = NotebookClient(notebook, timeout=180, kernel_name="python3", resources={"metadata": {"path": NOTEBOOKS}})
    client.execute(env=environment)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert any("churn_probability" in output.get("data", {}).get("text/plain", "") for output in outputs)
