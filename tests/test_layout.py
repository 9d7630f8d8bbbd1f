"""The walls between the rooms: who may import whom, what may stand in a room, and what ships."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, distributions, packages_distributions
from pathlib import Path, PurePosixPath

import jupytext
import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("features", "models", "pipelines")  # each may import those before it
# The packages of pipelines/, from the ground up: each may import those before it, and itself.
ORDER = (
    "foundation.wording", "foundation.settings", "foundation.simulation", "foundation.loopback", "foundation.storage",
    "foundation.ledger", "foundation.identity", "foundation.own_indicators", "foundation.workspace",
    "data.sources", "data.fetching", "data.layouts", "data.landing", "data.snapshots", "data.kpis", "data.privacy",
    "prediction.charts", "prediction.leaks", "prediction.training", "prediction.scoring", "prediction.checks",
    "operations.plays", "operations.monitoring", "operations.delivery",
    "explore", "report", "run", "schedule", "commands", "cli", "docs",
)  # fmt: skip
AT_THE_TOP = {
    ".ci", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "benchmarks", "docs",
    "examples", "features", "models", "notebooks", "pipelines", "pyproject.toml", "tests", "uv.lock",
}  # fmt: skip
MOST_ENTRIES = 12  # directly in pipelines/: what a newcomer sees first
MOST_HANDED_THE_WORKSPACE = 40  # functions of pipelines/; whoever is handed all of it may read anything
EVERYTHING = {"Workspace", "Settings", "RunContext"}  # what nobody is handed who makes a stored result
LONGEST = 300
LONGEST_CATALOG = 450  # a family's file: half of it is what its indicators say in two languages
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "base"}
PICKLES = {"pickle", "cPickle", "_pickle", "joblib", "cloudpickle", "dill"}

# features/ computes from what it is given; anything here would let the outside in.
OUTSIDE = {
    "asyncio", "duckdb", "glob", "http", "httpx", "io", "os", "pathlib", "requests", "shutil", "socket", "sqlite3",
    "subprocess", "sys", "tempfile", "time", "urllib",
}  # fmt: skip
CLOCK = re.compile(r"\b(?:datetime|date|ibis|pd|pandas|Timestamp)\.(?:now|today|utcnow|fromtimestamp)\b")

# Tests of several files at once: what they hold down has no one file of its own.
WITHOUT_A_FILE = {
    "tests/pipelines/data/sources/query/test_hostile_queries.py": "what a query may not, in every way that we know",
    "tests/features/test_engines.py": "every family on three engines",
    "tests/features/test_figures_document.py": "the cases of docs/figures.md, in figures and outcomes",
    "tests/features/test_no_look_ahead.py": "a property of every family",
    "tests/features/test_oracle.py": "every indicator against plain Python",
    "tests/models/test_forecast_oracle.py": "the forecast against plain Python",
    "tests/models/test_impact_oracle.py": "what plays changed against plain Python",
    "tests/models/test_monitoring_oracle.py": "drift, arrivals and realised quality against plain Python",
    "tests/pipelines/prediction/scoring/test_sentences.py": "every sentence against plain Python",
    "tests/pipelines/prediction/scoring/test_published_sentences.py": "every reason handed over against the exports",
    "tests/pipelines/report/test_one_language.py": "the whole page, word by word",
    "tests/pipelines/test_torn_deliveries.py": "torn exports beside one clean delivery",
    "tests/pipelines/test_questions.py": "every setting that makes the question, on a finished workspace",
    "tests/pipelines/data/sources/database/test_companies.py": "a company out of three databases beside its files",
    "tests/pipelines/data/landing/test_dirty_files.py": "ingest on files as they come",
    "tests/pipelines/docs/test_tutorial.py": "every command of docs/tutorial.md, and what it says",
    "tests/pipelines/test_end_to_end.py": "the whole run",
    "tests/pipelines/test_cases.py": "exports as they really come, from landing to what is learned from",
    "tests/faults/test_clock.py": "every command while the clock jumps",
    "tests/faults/test_disk.py": "every command on a full disk",
    "tests/faults/test_inputs.py": "the whole run on extreme data",
    "tests/faults/test_races.py": "every command against itself",
    "tests/faults/test_rerun.py": "every command, twice",
    "tests/faults/test_tracking.py": "publishing while a server fails",
    "tests/pipelines/test_plain_words.py": "every command under odd settings, command lines and files",
    "tests/pipelines/test_tampered.py": "every kind of file and folder, tampered with in every way",
    "tests/pipelines/test_integrity.py": "every kind of file that is read, cut or altered",
    "tests/pipelines/data/layouts/test_hubspot_tickets.py": "a layout's queries on an export whose facts are known",
    "tests/pipelines/data/layouts/test_online_retail.py": "the same",
    "tests/pipelines/data/layouts/test_prestashop.py": "the same",
    "tests/pipelines/data/layouts/test_shopify.py": "the same",
    "tests/pipelines/data/layouts/test_stripe_api.py": "a layout's queries on lists whose facts are known",
    "tests/pipelines/data/layouts/test_stripe_export.py": "the same",
    "tests/pipelines/data/layouts/test_woocommerce.py": "the same",
    "tests/pipelines/data/layouts/test_zendesk.py": "the same",
    "tests/pipelines/data/privacy/test_no_personal_data.py": "every message of ingest",
    "tests/pipelines/foundation/ledger/test_earlier_ledgers.py": "ledgers of earlier releases",
}


def sources(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


ALL = [path for room in ROOMS for path in sources(room)]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(source: str) -> Iterator[str]:
    """Dotted names of everything imported, also inside functions and by name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import, line {node.lineno}: the room's name should be read"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {
            "import_module",
            "importlib.import_module",
            "__import__",
        }:
            assert isinstance(node.args[0], ast.Constant), f"import by a computed name, line {node.lineno}"
            yield str(node.args[0].value)


def tops(source: str) -> set[str]:
    return {name.partition(".")[0] for name in imported(source)}


def wrong_way(room: str, source: str) -> set[str]:
    """Rooms, and places that do not ship, that a file of `room` imports and may not."""
    forbidden = {*ROOMS[ROOMS.index(room) + 1 :], "tests", "benchmarks", "notebooks"}
    return tops(source) & forbidden


def floor(module: str) -> str | None:
    """The package of `ORDER` that a module of pipelines/ stands in."""
    name = module.removeprefix("pipelines.")
    return next((each for each in ORDER if name == each or name.startswith(f"{each}.")), None)


def upwards(module: str, source: str) -> set[str]:
    """What a module of pipelines/ imports from packages above its own."""
    own = floor(module)
    assert own is not None, f"{module} stands in no package of ORDER"
    above = ORDER[ORDER.index(own) + 1 :]
    return {name for name in imported(source) if name.startswith("pipelines.") and floor(name) in above}


def circles(imports: Mapping[str, set[str]]) -> set[frozenset[str]]:
    """Modules that import each other, directly or by way of others."""
    reached = {module: _reached(module, imports) for module in imports}
    return {
        frozenset(each for each in reached[module] if module in reached.get(each, set())) | {module}
        for module in imports
        if module in reached[module]
    }


def _reached(module: str, imports: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(imports[module])
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += imports.get(each, set())
    return found


def dotted(path: Path) -> str:
    return named(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def reaches_outside(source: str) -> set[str]:
    calls = {ast.unparse(node.func) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)}
    code = ast.unparse(ast.parse(source))
    return (tops(source) & OUTSIDE) | (calls & {"open", "exec", "eval"}) | set(CLOCK.findall(code))


def definitions(source: str) -> list[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]


@pytest.mark.parametrize("path", ALL, ids=named)
def test_imports_run_from_pipelines_to_models_to_features_and_never_back(path: Path) -> None:
    assert wrong_way(path.relative_to(ROOT).parts[0], path.read_text()) == set()


@pytest.mark.parametrize(
    ("room", "source", "found"),
    [
        ("features", "from models.split import folds", {"models"}),
        ("features", "def f():\n    import pipelines.foundation.storage.store", {"pipelines"}),
        ("models", "import importlib\nimportlib.import_module('pipelines.cli')", {"pipelines"}),
        ("pipelines", "from tests.features import oracle", {"tests"}),
        ("pipelines", "from models import split\nimport features.asof", set()),
    ],
)
def test_an_import_the_wrong_way_is_found(room: str, source: str, found: set[str]) -> None:
    assert wrong_way(room, source) == found


@pytest.mark.parametrize("path", [path for path in sources("pipelines") if path.stem != "__init__"], ids=named)
def test_no_package_of_pipelines_imports_one_above_it(path: Path) -> None:
    assert upwards(dotted(path), path.read_text()) == set()


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        ("pipelines.data.kpis.kpis", "from pipelines.run import kpis", {"pipelines.run.kpis"}),
        ("pipelines.foundation.storage.store", "def f():\n    import pipelines.cli", {"pipelines.cli"}),
        (
            "pipelines.data.landing.ingest",
            "from pipelines.data.snapshots import features",
            {"pipelines.data.snapshots.features"},
        ),
        ("pipelines.report.page", "from pipelines.report import money\nimport pipelines.data.kpis", set()),
    ],
)
def test_an_import_upwards_is_found(module: str, source: str, found: set[str]) -> None:
    assert upwards(module, source) == found


def test_no_modules_import_each_other() -> None:
    modules = {dotted(path) for path in ALL}

    def target(name: str) -> str | None:
        return name if name in modules else target(name.rpartition(".")[0]) if "." in name else None

    imports = {dotted(path): {target(name) for name in imported(path.read_text())} for path in ALL}
    assert circles({name: {each for each in all_ if each and each != name} for name, all_ in imports.items()}) == set()


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}) == {frozenset("abc")}


def test_pipelines_can_be_taken_in_at_a_glance() -> None:
    entries = {path.name for path in (ROOT / "pipelines").iterdir() if path.name != "__pycache__"}
    assert len(entries) <= MOST_ENTRIES, sorted(entries)


def test_the_order_names_what_is_there() -> None:
    there = {floor(dotted(path)) for path in sources("pipelines") if path.stem != "__init__"}
    assert there == set(ORDER)


def handed(source: str) -> dict[str, set[str]]:
    """The names in the annotations of each function's parameters."""
    found = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            names = {
                part.id
                for each in given
                if each.annotation
                for part in ast.walk(each.annotation)
                if isinstance(part, ast.Name)
            }
            found[f"{node.name}, line {node.lineno}"] = names
    return found


def test_few_functions_are_handed_the_whole_workspace() -> None:
    found = [
        f"{named(path)}: {name}"
        for path in sources("pipelines")
        for name, types in handed(path.read_text()).items()
        if "Workspace" in types
    ]
    assert len(found) <= MOST_HANDED_THE_WORKSPACE, found


def reads_more_than_its_inputs(source: str) -> list[str]:
    """Functions that are handed the inputs which name a stored result, and beside them what holds all settings."""
    return [
        name
        for name, types in handed(source).items()
        if any(each.endswith("Inputs") for each in types) and types & EVERYTHING
    ]


@pytest.mark.parametrize("path", sources("pipelines"), ids=named)
def test_what_makes_a_stored_result_can_read_nothing_that_is_not_in_its_name(path: Path) -> None:
    assert reads_more_than_its_inputs(path.read_text()) == []


def test_a_maker_that_could_read_a_setting_beside_its_inputs_is_found() -> None:
    source = "def f(inputs: ScoreInputs, settings: Settings): ...\ndef g(inputs: ScoreInputs, rows: Matrix): ..."
    assert reads_more_than_its_inputs(source) == ["f, line 1"]


@pytest.mark.parametrize("path", sources("features"), ids=named)
def test_features_know_no_clock_no_files_and_no_network(path: Path) -> None:
    assert reaches_outside(path.read_text()) == set()


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\nnow = datetime.now()",
        "import datetime as dt\nday = dt.date.today()",
        "from datetime import date\nclock = date.today",
        "import ibis\nx = ibis.now()",
        "import pandas as pd\nx = pd.Timestamp.now()",
        "from time import time",
        "def f():\n    from pathlib import Path",
        "import urllib.request",
        "rows = open('orders.csv')",
        "import duckdb",
    ],
)
def test_a_way_out_of_features_is_found(source: str) -> None:
    assert reaches_outside(source)


@pytest.mark.parametrize("path", ALL, ids=named)
def test_mlflow_is_imported_in_one_package_alone(path: Path) -> None:
    assert "mlflow" not in tops(path.read_text()) or path.parent == ROOT / "models" / "tracking"


@pytest.mark.parametrize("path", ALL, ids=named)
def test_nothing_is_pickled(path: Path) -> None:
    assert tops(path.read_text()) & PICKLES == set()


@pytest.mark.parametrize("path", ALL, ids=named)
def test_a_file_holds_one_concept(path: Path) -> None:
    lines = path.read_text().count("\n")
    longest = LONGEST_CATALOG if "null=" in path.read_text() and named(path).startswith("features/") else LONGEST
    assert lines <= longest, f"{named(path)} has {lines} lines: which second concept moved in?"


@pytest.mark.parametrize("path", ALL, ids=named)
def test_a_file_is_named_for_what_it_holds(path: Path) -> None:
    assert SAYS_NOTHING.isdisjoint({path.stem, *re.split("_", path.stem)[-1:], path.parent.name})


def test_notebooks_define_nothing_of_their_own() -> None:
    found = {}
    for path in sorted((ROOT / "notebooks").glob("*.*")):
        if path.suffix in {".py", ".ipynb", ".md"} and path.stem.lower() != "readme":
            cells = [cell.source for cell in jupytext.read(path).cells if cell.cell_type == "code"]
            plain = "\n".join(line for cell in cells for line in cell.splitlines() if not line.startswith(("%", "!")))
            found[path.name] = definitions(plain)
    # One is about an indicator of one's own, and defines that.
    indicator = {name: ["weekend"] for name in ("new_indicator.ipynb", "new_indicator.py")}
    assert {name: sorted(own) for name, own in found.items() if own} == indicator


def test_tests_mirror_the_rooms() -> None:
    tests = {named(path) for room in ROOMS for path in sorted((ROOT / "tests" / room).rglob("test_*.py"))}
    astray = {test for test in tests if not _tested(test).is_file()} - set(WITHOUT_A_FILE)
    assert set(WITHOUT_A_FILE) <= {named(path) for path in (ROOT / "tests").rglob("test_*.py")}
    assert astray == set(), "a test file has the name of the file it tests, in the folder of the same room"


def _tested(test: str) -> Path:
    place = PurePosixPath(test).relative_to("tests")
    return ROOT / place.with_name(place.name.removeprefix("test_"))


def test_nothing_lies_about_at_the_top() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = tracked.stdout.splitlines() if tracked.returncode == 0 else []  # where there is no clone, none is tracked
    assert {name.partition("/")[0] for name in names} <= AT_THE_TOP


def test_every_package_and_every_example_is_listed_to_be_shipped() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packages = {named(path.parent).replace("/", ".") for path in ALL if path.name == "__init__.py"}
    examples = {f"pipelines.examples.{path.name}": f"examples/{path.name}" for path in (ROOT / "examples").iterdir()}
    assert sorted(setuptools["packages"]) == sorted(packages | set(examples))
    assert setuptools["package-dir"] == examples
    wanted = {path.parent for path in (ROOT / "pipelines").rglob("*.*") if path.suffix in {".jinja", ".toml", ".js"}}
    places = {named(folder).replace("/", ".") for folder in wanted if folder.parent.name != "layouts"}
    places |= {named(folder.parent).replace("/", ".") for folder in wanted if folder.parent.name == "layouts"}
    assert places | set(examples) == set(setuptools["package-data"])


def test_every_folder_of_sources_is_a_package() -> None:
    assert {path.parent for path in ALL} == {path.parent for path in ALL if path.name == "__init__.py"}


def other_owners(owners: Mapping[str, list[str]]) -> dict[str, set[str]]:
    return {
        room: set(owners.get(room, [])) - {"attrition"} for room in ROOMS if set(owners.get(room, [])) != {"attrition"}
    }


def test_the_three_names_belong_to_this_distribution_alone() -> None:
    assert other_owners(packages_distributions()) == {}


def test_another_distribution_with_one_of_the_names_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    intruder = tmp_path / "intruder-1.0.dist-info"
    intruder.mkdir()
    # The file that RECORD lists is there: with mlflow comes a finder of distributions that asks for it.
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").touch()
    (intruder / "METADATA").write_text("Metadata-Version: 2.1\nName: intruder\nVersion: 1.0\n")
    (intruder / "RECORD").write_text("models/__init__.py,,\nintruder-1.0.dist-info/METADATA,,\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert any(distribution.name == "intruder" for distribution in distributions())
    assert other_owners(packages_distributions()) == {"models": {"intruder"}}


def test_the_command_and_the_distribution_are_called_attrition() -> None:
    ours = Distribution.from_name("attrition")
    assert [script.name for script in ours.entry_points if script.group == "console_scripts"] == ["attrition"]
