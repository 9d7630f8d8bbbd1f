"""Own indicators are loaded like ours, or refused in words that say what, where and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.catalog import Lookbacks
from features.errors import SettingsError
from pipelines.foundation.own_indicators.load import load
from pipelines.foundation.own_indicators.own_file import families_of
from tests.pipelines.foundation.own_indicators.own_case import NAME, confirm, example

LOOKBACKS = Lookbacks(lookback_days=(30, 90), horizon_days=60)


def refusal(root: Path, text: str | bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    content = text.encode() if isinstance(text, str) else text
    (root / NAME).write_bytes(content)
    confirm(monkeypatch, content)
    with pytest.raises(SettingsError) as refused:
        load(root, (NAME,), LOOKBACKS)
    return str(refused.value)


def test_the_file_of_the_page_is_loaded_with_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / NAME).write_text(example())
    confirm(monkeypatch, example())
    (found,) = load(tmp_path, (NAME,), LOOKBACKS)
    (again,) = load(tmp_path, (NAME,), LOOKBACKS)
    assert (found.name, len(found.sha256), found.short) == (NAME, 64, found.sha256[:12])
    assert found == again  # functions are others each time: what names a snapshot is the hash
    (family,) = families_of([found])
    assert family.columns(LOOKBACKS.lookback_days) == ["weekend_order_share_30d", "weekend_order_share_90d"]
    assert families_of([found], ["subscriptions"]) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "def compute(",
            "def compute((",
            "is no Python (line 23: Function parameters cannot be parenthesized); correct it there",
        ),
        (
            "import ibis.expr.types as ir",
            "import ibiss",
            "does not run at line 3: no module 'ibiss' is installed",
        ),
        ("import ibis.expr.types as ir", "import ibis.expr.types as ir\n1 / 0", "run at line 4 (settings"),
        ("import ibis.expr.types as ir", "import ibis.expr.types as ir\nexit()", "run at line 4 (settings"),
        ("orders.ordered_on", "orders.orderedon", "there is no 'orderedon'. Did you mean 'ordered_on'?"),
        ("view.days_since(", "view.day_since(", "there is no 'day_since'. Did you mean 'days_since'?"),
        ("FAMILY = ", "FAMILIE = ", "has no FAMILY; end it with FAMILY = Family(name=..., reasons=..., groups=(...,))"),
        ("FAMILY = Family(", "FAMILY = dict(", "has a FAMILY that is no Family"),
        ("groups=(Group(", "groups=[Group(", "is no Python (line"),
        ('unit="share"', 'unit="shares"', "indicator weekend_order_share_{days}d: there is no unit 'shares'"),
        ('reasons={"weekend_orders"', 'reasons={"support_speed"', "'weekend_orders' has no label in the reasons"),
        ('name="buying_days"', 'name="support"', "family support: there is a family, or reason code, of that name"),
        ("groups=(Group(", "groups=3, **dict(x=(Group(", "is no Python (line"),
        ('view["orders"]', 'view["odrers"]', "compute of weekend_order_share_{days}d stopped at line 24"),
        ('view["orders"]', 'view["customers"]', "compute of weekend_order_share_{days}d stopped at line 25"),
        ("    return orders", "    return 3\n    return orders", "compute returns no Ibis table"),
        ('f"weekend_order_share', 'f"weekend_share', "compute returns no column 'weekend_order_share_30d'; add it"),
        ("**shares)", "**shares, orders=orders.count())", "a column 'orders' that no indicator declares"),
        ("return orders.group_by", "return orders.mutate(customer_id=1).group_by", "compute returns 'customer_id' as"),
        ("    return orders", "    orders.to_pandas()\n    return orders", "stopped at line 30"),
    ],
)
def test_what_is_no_catalog_entry_is_refused_with_file_place_and_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, said: str
) -> None:
    assert old in example()
    told = refusal(tmp_path, example().replace(old, new, 1), monkeypatch)
    assert said in told
    assert told.startswith(NAME)
    assert "settings: indicators" in told


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("    orders = orders.mutate(now=ibis.now())\n", "compute asks the clock"),
        ("    orders = orders.filter(ibis.random() < 0.5)\n", "compute draws at random"),
        (
            "    orders = orders.semi_join(ibis.memtable({'customer_id': ['A', 'B']}), 'customer_id')\n",
            "compute takes rows that are not of this day's as-of view",
        ),
        (
            "    orders = orders.semi_join(ibis.table({'customer_id': 'string'}, name='outcomes'), 'customer_id')\n",
            "compute takes rows that are not of this day's as-of view",
        ),
        (
            "    orders = orders.filter(~ibis.udf.scalar.python(left)(orders.customer_id))\n",
            "compute calls a function of its own",
        ),
    ],
)
def test_what_does_not_come_from_the_view_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, added: str, said: str
) -> None:
    place = '    orders = view["orders"]\n'
    text = example().replace(place, place + added).replace("import ibis.expr", "import ibis\nimport ibis.expr", 1)
    text += "\n\ndef left(who: str) -> bool:\n    return who == 'A'\n"
    assert said in refusal(tmp_path, text, monkeypatch)


def test_neither_the_text_nor_the_class_of_a_foreign_error_is_told_but_it_is_kept_for_debug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = example().replace("import ibis.expr", "raise LookupError('Ms Miller')\nimport ibis.expr", 1)
    told = refusal(tmp_path, text, monkeypatch)
    assert "Miller" not in told
    assert "LookupError" not in told
    assert "--debug shows the error itself" in told
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, (NAME,), LOOKBACKS)
    assert isinstance(refused.value.__cause__, LookupError)


def test_two_files_may_not_share_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = example() + "\n# a copy\n"
    (tmp_path / NAME).write_text(example())
    (tmp_path / "other.py").write_text(other)
    confirm(monkeypatch, example(), other)
    with pytest.raises(SettingsError, match=r"^other\.py .*\n  family buying_days: there is a family"):
        load(tmp_path, (NAME, "other.py"), LOOKBACKS)


@pytest.mark.parametrize("line", ["import beside", "from beside import rate", "from . import beside"])
def test_a_file_beside_it_is_not_imported_for_nobody_has_confirmed_that_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    (tmp_path / "beside.py").write_text("raise SystemExit('it has run')\nrate = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    told = refusal(tmp_path, example().replace("import ibis.expr", f"{line}\nimport ibis.expr", 1), monkeypatch)
    assert told.startswith(f"{NAME}, line 3 (settings: indicators) imports a file of the workspace")


@pytest.mark.parametrize("content", [b"\0", b"\xff\xfe", b"(" * 300])
def test_what_is_no_text_of_python_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    assert "is no Python" in refusal(tmp_path, content, monkeypatch)


def test_a_file_has_no_place_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it needs it is handed: it is not told where it lies, and so where the workspace's files are."""
    text = example().replace("import ibis.expr", "HERE = __file__\nimport ibis.expr", 1)
    assert "does not run at line 3" in refusal(tmp_path, text, monkeypatch)
