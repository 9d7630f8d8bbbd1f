"""Each notebook runs on a finished workspace, by the line alone that says which, and is kept without its output."""

from __future__ import annotations

from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from pipelines.docs.notebooks import execute
from tests.pipelines.explore.plays_case import with_plays

NOTEBOOKS = Path(__file__).parent.parent.parent / "notebooks"
EACH = sorted(NOTEBOOKS.glob("*.ipynb"))
# What each shows, by pictures at the least, and a text that is in its output.
SHOWN = {
    "first_look": (1, "churn_probability"),
    "indicators_and_churn": (3, "rank correlation"),
    "model_and_reasons": (5, "log_odds"),
    "new_indicator": (0, "gain"),
    "outcomes_and_money": (2, "value_at_risk"),
    "two_models": (0, "shallower"),
    "what_plays_changed": (0, "verdict"),
}
# What each cannot do without.
NEEDED = {
    "first_look": "scores",
    "indicators_and_churn": "snapshot",
    "model_and_reasons": "contributions",
    "new_indicator": "try_indicator",
    "outcomes_and_money": "kpis",
    "two_models": "splits",
    "what_plays_changed": "impact",
}

# Jupyter's own parts open sockets of this machine and leave closing them to the end of the process.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def executed(path: Path, workspace: Path, *, before: str = "") -> list[nbformat.NotebookNode]:
    """The outputs of a notebook's cells. before: code that is run ahead of them."""
    notebook = nbformat.read(path, as_version=4)
    if before:
        notebook.cells.insert(0, nbformat.v4.new_code_cell(before))
    execute(notebook, workspace, seconds=300)
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def test_every_notebook_is_known() -> None:
    assert [path.stem for path in EACH] == sorted(SHOWN)


@pytest.mark.parametrize("path", EACH, ids=lambda path: path.stem)
def test_both_halves_of_the_pair_hold_the_same_cells(path: Path) -> None:
    text, notebook = jupytext.read(path.with_suffix(".py")), jupytext.read(path)
    assert [(cell.cell_type, cell.source) for cell in text.cells] == [
        (cell.cell_type, cell.source) for cell in notebook.cells
    ], f"write the pair anew: jupytext --sync notebooks/{path.stem}.py"


@pytest.mark.parametrize("path", EACH, ids=lambda path: path.stem)
def test_no_output_is_kept(path: Path) -> None:
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)


@pytest.mark.parametrize("path", EACH, ids=lambda path: path.stem)
def test_a_notebook_comes_in_by_the_door_alone(path: Path) -> None:
    text = path.with_suffix(".py").read_text()
    ours = [line for line in text.splitlines() if line.startswith(("from pipelines", "from models", "from features"))]
    assert len(ours) == 1
    assert ours[0].startswith("from pipelines.explore import open_workspace")


@pytest.mark.parametrize("finished", ["finished_cdnow", "finished_company"])
@pytest.mark.parametrize("path", EACH, ids=lambda path: path.stem)
def test_a_notebook_runs_on_both_examples(path: Path, finished: str, request: pytest.FixtureRequest) -> None:
    outputs = executed(path, request.getfixturevalue(finished))
    assert not [output for output in outputs if output.output_type == "error"]
    pictures, said = SHOWN[path.stem]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= pictures
    assert any(said in output.get("data", {}).get("text/plain", "") for output in outputs)


def test_what_plays_changed_is_drawn_where_they_can_be_judged(finished_workspace: Path, tmp_path: Path) -> None:
    outputs = executed(NOTEBOOKS / "what_plays_changed.ipynb", with_plays(finished_workspace, tmp_path))
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2


@pytest.mark.parametrize("path", EACH, ids=lambda path: path.stem)
def test_a_notebook_fails_where_what_it_uses_is_broken(path: Path, finished_workspace: Path) -> None:
    broken = f"import pipelines.explore as door\ndoor.OpenedWorkspace.{NEEDED[path.stem]} = None\n"
    with pytest.raises(CellExecutionError, match="NoneType"):
        executed(path, finished_workspace, before=broken)
