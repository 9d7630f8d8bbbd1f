"""What a result is named by: code as it runs, and frozen values; each changes the name, and nothing else does."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel, ConfigDict

from pipelines.foundation.storage import fingerprint as fingerprints
from pipelines.foundation.storage.code_meaning import code_of
from pipelines.foundation.storage.fingerprint import (
    FOLLOWS,
    ROOMS,
    RUNS_ON,
    UNLESS_EMPTY,
    code_version,
    fingerprint,
    library_version,
    runs_on,
)

ROOT = Path(__file__).parents[4]
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))

RATES = '''"""Rates."""

import numpy as np

LIMIT = 3


def share(left: int, *, of: int) -> float:
    """Of how many."""
    if of < LIMIT:
        return 0.0
    return np.float64(left / of)
'''


@dataclass(frozen=True)
class Code:
    """Packages of the three names below a folder."""

    folder: Path

    def write(self, name: str, text: str) -> None:
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        (place.parent / "__init__.py").touch()
        place.write_text(text, encoding="utf-8")

    def version(self, *makers: str) -> str:
        code_version.cache_clear()
        code_of.cache_clear()
        return code_version(*makers)


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Code]:
    monkeypatch.setattr(fingerprints, "_HERE", tmp_path)
    found = Code(tmp_path)
    found.write("features/rates.py", RATES)
    yield found
    code_version.cache_clear()
    code_of.cache_clear()


# What of a file counts


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3\n", "LIMIT = 3  # fewer are noise\n"),
        ('"""Rates."""', '"""Rates of customers."""'),
        ('"""Rates."""\n', ""),
        ('    """Of how many."""\n', '    """The share.\n\n    of: at least 3.\n    """\n'),
        ("LIMIT = 3\n", "\n\n\nLIMIT = (\n    3\n)\n"),
        ("share(left: int, *, of: int)", "share(\n    left: int,\n    *,\n    of: int,\n)"),
        ("np.float64(left / of)", "np.float64(\n        left\n        / of\n    )"),
        ("    if of < LIMIT:\n        return 0.0\n", "    if of < LIMIT: return 0.0\n"),
    ],
)
def test_a_comment_a_docstring_or_layout_changes_no_version(code: Code, old: str, new: str) -> None:
    before = code.version("features.rates")
    assert old in RATES
    code.write("features/rates.py", RATES.replace(old, new))
    assert code.version("features.rates") == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "LIMIT = 4"),
        ("LIMIT = 3", "LIMIT = 3.0"),
        ("of < LIMIT", "of <= LIMIT"),
        ("left / of", "of / left"),
        ("left / of", "left * of"),
        ("def share", "def part"),
        ("of", "among"),
        ("*, of: int", "of: int"),
        ("*, of: int", "*, of: int = 3"),
        ("return 0.0", "return -0.0"),
        ("np.float64", "np.float32"),
        ("import numpy as np\n", "import numpy as np\nimport pandas\n"),
    ],
)
def test_a_changed_number_sign_or_name_changes_the_version(code: Code, old: str, new: str) -> None:
    before = code.version("features.rates")
    assert old in RATES
    code.write("features/rates.py", RATES.replace(old, new))
    assert code.version("features.rates") != before


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("def f(x):\n    return x in {'a', 'b'}\n", "def f(x):\n    return x in {'a', 'c'}\n"),
        ("def f(x):\n    try:\n        g(x)\n    finally:\n        h(x)\n", "def f(x):\n    g(x)\n    h(x)\n"),
        ("f = lambda x: x + 1\n", "f = lambda x: x + 2\n"),
        ("class A:\n    x = [each for each in (1, 2)]\n", "class A:\n    x = [each for each in (1, 3)]\n"),
    ],
)
def test_what_is_nested_in_expressions_blocks_and_classes_counts(code: Code, text: str, other: str) -> None:
    code.write("features/rates.py", text)
    before = code.version("features.rates")
    code.write("features/rates.py", other)
    assert code.version("features.rates") != before


def test_all_our_code_in_another_layout_is_the_same_code(tmp_path: Path) -> None:
    """Lines broken elsewhere, and without comments."""
    changed = []
    for place in SOURCES:
        (other := tmp_path / place.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        other.write_text(ast.unparse(ast.parse(place.read_bytes())), encoding="utf-8")
        if code_of(other) != code_of(place):
            changed.append(place.relative_to(ROOT).as_posix())
    assert changed == []


def test_another_process_finds_the_same_version() -> None:
    """Sets of constants have another order in each."""
    asked = (
        "from pipelines.foundation.storage.fingerprint import code_version; print(code_version('features.outcomes'))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", asked],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2", "3")
    }
    assert found == {code_version("features.outcomes")}


# Which files count


def test_only_what_is_imported_counts(code: Code) -> None:
    code.write("models/fit.py", "from features.rates import share\n")
    code.write("models/other.py", "x = 1\n")
    before = code.version("models.fit")
    code.write("models/other.py", "x = 2\n")
    assert code.version("models.fit") == before
    code.write("features/rates.py", RATES.replace("3", "4"))
    assert code.version("models.fit") != before


@pytest.mark.parametrize(
    "text",
    [
        "import features.rates\n",
        "from features import rates\n",
        "from features.rates import share\n",
        "from features.rates import share as part\n",
        "def fit():\n    from features.rates import share\n",
        "async def fit():\n    import features.rates\n",
        "class Fit:\n    def fit(self):\n        import features.rates\n",
        "if True:\n    pass\nelse:\n    import features.rates\n",
        "try:\n    import features.rates\nexcept ImportError:\n    pass\n",
        "try:\n    pass\nexcept ImportError:\n    import features.rates\n",
        "try:\n    pass\nexcept ImportError:\n    pass\nelse:\n    import features.rates\n",
        "try:\n    pass\nfinally:\n    import features.rates\n",
        "with open('x'):\n    import features.rates\n",
        "for x in ():\n    pass\nelse:\n    import features.rates\n",
        "while True:\n    import features.rates\n",
        "match 1:\n    case 1:\n        import features.rates\n",
    ],
)
def test_what_is_imported_anywhere_in_a_file_counts(code: Code, text: str) -> None:
    code.write("models/fit.py", text)
    before = code.version("models.fit")
    code.write("features/rates.py", RATES.replace("3", "4"))
    assert code.version("models.fit") != before


def test_what_is_imported_by_way_of_others_counts_in_a_circle_too(code: Code) -> None:
    code.write("models/fit.py", "import models.matrix\n")
    code.write("models/matrix.py", "import models.fit, models.deep.rows\n")
    code.write("models/deep/rows.py", "from features import rates\n")
    before = code.version("models.fit")
    code.write("features/rates.py", RATES.replace("3", "4"))
    assert code.version("models.fit") != before


def test_a_name_out_of_a_package_counts_as_the_package(code: Code) -> None:
    code.write("models/deep/rows.py", "x = 1\n")
    (code.folder / "models/deep/__init__.py").write_text("ROWS = 1\n")
    code.write("models/fit.py", "from models.deep import ROWS\n")
    before = code.version("models.fit")
    (code.folder / "models/deep/__init__.py").write_text("ROWS = 2\n")
    assert code.version("models.fit") != before


def test_of_a_whole_room_every_file_counts_and_unnamed_of_all_rooms(code: Code) -> None:
    code.write("models/deep/rows.py", "x = 1\n")
    before, everything, other = code.version("models"), code.version(), code.version("features")
    code.write("models/deep/rows.py", "x = 2\n")
    assert code.version("models") != before
    assert code.version() != everything
    assert code.version("features") == other
    everything = code.version()
    code.write("models/new.py", "")
    assert code.version() != everything


def test_a_file_under_another_name_is_another_version(code: Code) -> None:
    code.write("models/one.py", "x = 1\n")
    code.write("models/two.py", "x = 1\n")
    assert code.version("models.one") != code.version("models.two")


def test_the_release_stands_before_it(code: Code) -> None:
    assert code.version("features.rates").startswith(f"{metadata.version('attrition')}+")


# Libraries


def _versions(**changed: str) -> Callable[[str], str]:
    return lambda name: changed.get(name.replace("-", "_"), "1.0")


def test_another_version_of_an_imported_library_is_another_version(code: Code, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprints, "library_version", _versions())
    before = code.version("features.rates")
    monkeypatch.setattr(fingerprints, "library_version", _versions(pandas="2.0"))
    assert code.version("features.rates") == before  # not imported
    monkeypatch.setattr(fingerprints, "library_version", _versions(numpy="2.0"))
    assert code.version("features.rates") != before


@pytest.mark.parametrize("distribution", ["ibis_framework", "duckdb", "sqlglot", "pyspark"])
def test_what_an_imported_library_runs_on_counts(
    code: Code, monkeypatch: pytest.MonkeyPatch, distribution: str
) -> None:
    code.write("features/rates.py", "def f():\n    import ibis.expr.types as ir\n")
    monkeypatch.setattr(fingerprints, "library_version", _versions())
    before = code.version("features.rates")
    monkeypatch.setattr(fingerprints, "library_version", _versions(**{distribution: "2.0"}))
    assert code.version("features.rates") != before


def test_what_python_brings_along_is_no_library(code: Code, monkeypatch: pytest.MonkeyPatch) -> None:
    code.write("features/rates.py", "import json\nfrom collections.abc import Mapping\n")
    monkeypatch.setattr(fingerprints, "library_version", _versions())
    before = code.version("features.rates")
    monkeypatch.setattr(fingerprints, "library_version", lambda _: "2.0")
    assert code.version("features.rates") == before


def test_a_library_that_is_not_installed_has_no_version() -> None:
    assert library_version("numpy") == np.__version__
    assert library_version("surely-nothing-is-called-so") == ""


def _normal(name: str) -> str:
    return name.lower().replace("_", "-")


def test_every_library_that_is_imported_is_found_under_its_distributions_name() -> None:
    """A name that is neither installed nor an extra would count as the same version for ever."""
    imported = {each.partition(".")[0] for place in SOURCES for each in code_of(place).imports}
    libraries = imported - set(ROOMS) - set(sys.stdlib_module_names)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    optional = {_normal(re.split(r"[^\w-]", each)[0]) for group in extras.values() for each in group}  # no bounds
    owners = metadata.packages_distributions()
    for name in libraries:
        first, *rest = RUNS_ON.get(name, (name,))
        if library_version(first):
            assert _normal(first) in {_normal(each) for each in owners[name]}, name
        else:
            assert _normal(first) in optional, name
        assert all(library_version(each) or _normal(each) in optional for each in rest), name


# Values


class Section(BaseModel):
    model_config = ConfigDict(frozen=True)
    days: int = 30
    name: str = "a"


class Loose(BaseModel):
    days: int = 30


@dataclass(frozen=True)
class Plan:
    days: int
    share: float
    since: date
    names: tuple[str, ...]
    chosen: frozenset[str]
    section: Section
    note: str | None


@dataclass(frozen=True)
class Scheme:
    days: int


@dataclass(frozen=True)
class Span:
    days: int


@dataclass
class Open:
    days: int


@dataclass(frozen=True)
class Holding:
    what: Any


PLAN = Plan(30, 0.5, date(2024, 1, 1), ("a", "b"), frozenset({"x", "y"}), Section(), None)


@pytest.mark.parametrize(
    "changed",
    [
        replace(PLAN, days=31),
        replace(PLAN, share=0.25),
        replace(PLAN, since=date(2024, 1, 2)),
        replace(PLAN, names=("b", "a")),
        replace(PLAN, names=("a",)),
        replace(PLAN, chosen=frozenset({"x"})),
        replace(PLAN, section=Section(days=31)),
        replace(PLAN, section=Section(name="b")),
        replace(PLAN, note=""),
    ],
)
def test_each_field_of_a_frozen_value_is_in_its_name(changed: Plan) -> None:
    assert fingerprint(changed) != fingerprint(PLAN)


def test_equal_values_have_one_name_however_they_came_about() -> None:
    again = Plan(30, 0.5, date(2024, 1, 1), ("a", "b"), frozenset(["y", "x"]), Section(name="a", days=30), None)
    assert fingerprint(again) == fingerprint(PLAN)
    assert len(fingerprint(PLAN)) == 16
    assert set(fingerprint(PLAN)) <= set("0123456789abcdef")


def test_the_type_and_the_order_of_what_is_given_count() -> None:
    assert fingerprint(Scheme(30)) != fingerprint(Span(30))
    assert fingerprint(Holding(Scheme(30))) != fingerprint(Holding(Span(30)))
    assert fingerprint(1, 2) != fingerprint(2, 1)
    assert fingerprint((1, 2)) != fingerprint(1, 2)
    assert len({fingerprint(each) for each in (1, 1.0, True, "1", None, "None")}) == 6


@pytest.mark.parametrize(
    "loose",
    [
        {"days": 30},
        [30],
        {30},
        pd.DataFrame({"days": [30]}),
        np.array([30]),
        Open(30),
        Loose(),
        Scheme,
        Path("x"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_may_change_later_is_refused_at_any_depth(loose: object) -> None:
    said = f"a result cannot be named by a {type(loose).__name__}: it is not frozen"
    for given in (loose, (loose,), Holding(loose), Holding((Holding(loose),))):
        with pytest.raises(TypeError) as refused:
            fingerprint(given)
        assert str(refused.value) == said


def test_the_makers_code_is_in_the_name_only_where_they_are_named(code: Code) -> None:
    code.version("features.rates")
    with_code, without = fingerprint(PLAN, by=("features.rates",)), fingerprint(PLAN)
    assert with_code != without
    code.write("features/rates.py", RATES.replace("3", "4"))
    code.version("features.rates")
    assert fingerprint(PLAN, by=("features.rates",)) != with_code
    assert fingerprint(PLAN) == without


def test_a_field_that_came_later_names_nothing_while_it_is_empty_and_one_that_follows_names_nothing_at_all() -> None:
    @dataclass(frozen=True)
    class Grown:
        day: date
        own: tuple[str, ...] = field(default=(), metadata=UNLESS_EMPTY)
        made: object = field(default=None, metadata=FOLLOWS)

    @dataclass(frozen=True)
    class Before:
        day: date

    Before.__name__ = "Grown"
    plain = fingerprint(Before(date(2024, 7, 1)))
    assert fingerprint(Grown(date(2024, 7, 1))) == plain
    assert fingerprint(Grown(date(2024, 7, 1), made={})) == plain  # a dictionary could not name anything
    assert fingerprint(Grown(date(2024, 7, 1), own=("a",))) != plain


def test_code_of_somebody_else_runs_on_what_it_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = runs_on(b"import ibis\nfrom features.aggregates import count\n")
    assert runs_on(b"from features.aggregates import count\nimport ibis\nimport math  # of Python itself\n") == plain
    assert runs_on(b"import ibis\n") != plain
    monkeypatch.setattr(fingerprints, "library_version", lambda name: f"another {name}")
    assert runs_on(b"import ibis\nfrom features.aggregates import count\n") != plain
