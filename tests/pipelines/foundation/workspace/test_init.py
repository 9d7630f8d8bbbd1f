from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from features.errors import SettingsError
from pipelines.foundation.settings.destinations import Destination
from pipelines.foundation.settings.fetches import StripeFetch
from pipelines.foundation.settings.plays import DEFAULT
from pipelines.foundation.settings.plays import load as load_plays
from pipelines.foundation.settings.settings import Cohort, Outcome, Reference, Settings, Snapshots, load
from pipelines.foundation.settings.sources import DatabaseSource, FileSource, QuerySource
from pipelines.foundation.settings.template import render
from pipelines.foundation.workspace.init import InitResult, examples, init
from pipelines.foundation.workspace.workspace import open_workspace

CDNOW = Settings(
    time_zone="UTC",
    currency="USD",
    complete_until=date(1998, 7, 1),
    as_of=date(1998, 1, 1),
    sources=(
        FileSource(
            table="orders",
            path="orders.csv",
            columns={"customer_id": "customer_id", "ordered_at": "date", "amount": "amount"},
        ),
    ),
    cohort=Cohort(kind="ever_ordered"),
    outcome=Outcome(lead_days=0, horizon_days=181),
    snapshots=Snapshots(every_days=14),
    references=(
        Reference(name="Pareto/NBD", roc_auc=0.7998, log_loss=0.4208, source="published"),
        Reference(name="BG/NBD", roc_auc=0.7882, log_loss=0.4244, source="published"),
    ),
)
FILES = ("attrition.toml", "plays.toml", "LICENSE.txt", "README.md", "orders.csv")


def sections(model: type[BaseModel], name: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Header in TOML and model of every section, the top level without a header first."""
    yield name, model
    for key, field in model.model_fields.items():
        if name == "" and key == "sources":  # of several kinds: what is written anew is files
            yield from sections(FileSource, "sources")
            continue
        if name == "" and key == "fetches":  # shown to be copied, as destinations are
            continue
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from sections(kind, f"{name}.{key}".lstrip("."))


SECTIONS = dict(sections(Settings))


def settings_written(text: str) -> dict[str, set[str]]:
    """Header to the names that stand below it, set or commented out as unset."""
    found: dict[str, set[str]] = {"": set()}
    header = ""
    for line in text.splitlines():
        if heading := re.fullmatch(r"(?:# )?\[+([a-z_.]+)\]+", line):
            header = heading[1]
            found.setdefault(header, set())
        elif setting := re.match(r"(?:# )?([a-z_]+) = ", line):
            found[header].add(setting[1])
    return found


def uncommented(text: str) -> str:
    return re.sub(r"(?m)^# ([a-z_]+ = )", r"\1", text)


def test_the_sections_of_the_settings_are_found() -> None:
    assert {"", "sources", "sources.dialect", "cohort", "outcome", "tracking"} <= set(SECTIONS)


@pytest.mark.parametrize("name", SECTIONS)
def test_every_setting_stands_in_the_file(name: str, tmp_path: Path) -> None:
    init(tmp_path / "shop")
    written = settings_written((tmp_path / "shop" / "attrition.toml").read_text())
    own = {
        key
        for key in SECTIONS[name].model_fields
        # Of which kind a source is, is told by what it names.
        if f"{name}.{key}".lstrip(".") not in {*SECTIONS, "sources.columns", "sources.kind", "destinations", "fetches"}
    }
    assert written[name] == own


def sample_destinations(text: str) -> dict[str, dict[str, Any]]:
    """The blocks that are shown to be copied, by kind."""
    shown = "\n".join(line.removeprefix("#   ") for line in text.splitlines() if line.startswith("#   "))
    return {block["kind"]: block for block in tomllib.loads(shown)["destinations"]}


def test_each_kind_of_destination_is_shown_as_it_can_be_copied(tmp_path: Path) -> None:
    init(tmp_path / "shop")
    shown = sample_destinations((tmp_path / "shop" / "attrition.toml").read_text())
    kinds = {kind.model_fields["kind"].annotation.__args__[0]: kind for kind in get_args(get_args(Destination)[0])}
    assert set(shown) == set(kinds)
    settings = Settings.model_validate(CDNOW.model_dump() | {"destinations": list(shown.values())})
    assert [each.kind for each in settings.destinations] == list(shown)
    everywhere = {"prefix", "names", "create", "timeout_seconds"}
    for kind, model in kinds.items():
        if kind != "rest":  # whose further settings docs/delivery.md explains
            assert set(model.model_fields) - set(shown[kind]) <= (set() if kind == "hubspot" else everywhere), kind
    for name, value in shown["hubspot"].items():
        if name not in ("kind", "name", "names"):
            assert value == kinds["hubspot"].model_fields[name].default


def test_destinations_are_written_as_they_are_read(tmp_path: Path) -> None:
    init(tmp_path / "shop")
    shown = sample_destinations((tmp_path / "shop" / "attrition.toml").read_text())
    settings = Settings.model_validate(CDNOW.model_dump() | {"destinations": list(shown.values())})
    file = tmp_path / "attrition.toml"
    file.write_text(render(settings))
    assert load(file) == settings


def test_a_fetch_is_shown_as_it_can_be_copied_and_written_as_it_is_read(tmp_path: Path) -> None:
    init(tmp_path / "shop")
    text = (tmp_path / "shop" / "attrition.toml").read_text()
    shown = "\n".join(line.removeprefix("#   ") for line in text.splitlines() if line.startswith("#   "))
    (block,) = tomllib.loads(shown)["fetches"]
    assert set(block) == set(StripeFetch.model_fields)
    settings = Settings.model_validate(CDNOW.model_dump() | {"fetches": [block]})
    assert settings.fetches == (StripeFetch(kind="stripe"),)
    (tmp_path / "attrition.toml").write_text(render(settings))
    assert load(tmp_path / "attrition.toml") == settings


def test_the_blocks_in_the_documentation_are_settings() -> None:
    text = (Path(__file__).parents[4] / "docs" / "delivery.md").read_text()
    blocks = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)]
    assert len(blocks) == 3
    for block in blocks:
        Settings.model_validate(CDNOW.model_dump() | block)


def test_every_setting_is_explained(tmp_path: Path) -> None:
    init(tmp_path / "shop")
    lines = (tmp_path / "shop" / "attrition.toml").read_text().splitlines()
    # The two bands share the sentences above their heading; a column is explained behind it.
    alone = {"high", "medium"} | {line.split()[line.startswith("#")] for line in lines if re.search(r"\"  # ", line)}
    bare = []
    for before, line in pairwise(lines):
        setting = re.match(r"(?:# )?([a-z_]+) = ", line)
        if setting and not re.match(r"# (?![a-z_]+ = )", before) and setting[1] not in alone:
            bare.append(line)
    assert bare == []


def test_the_file_of_an_empty_workspace_holds_the_defaults(tmp_path: Path) -> None:
    init(tmp_path / "shop")
    settings = load(tmp_path / "shop" / "attrition.toml")
    columns = {name: name for name in ("order_id", "customer_id", "ordered_at", "amount")}
    assert settings == Settings(
        currency="EUR", sources=(FileSource(table="orders", path="orders.csv", columns=columns),)
    )


def test_what_is_written_without_being_asked_for_is_the_default(tmp_path: Path) -> None:
    init(tmp_path / "shop")
    text = (tmp_path / "shop" / "attrition.toml").read_text()
    written = tomllib.loads(text)
    written["sources"] = written["sources"][0]
    checked = 0
    for name, model in SECTIONS.items():
        values: Any = written
        for part in filter(None, name.split(".")):
            values = values.get(part, {})  # no block of references is written unless there are some
        for key, field in model.model_fields.items():
            if key in values and not isinstance(values[key], dict) and not field.is_required():
                default = list(field.default) if isinstance(field.default, tuple) else field.default
                assert values[key] == default, f"{name}.{key}"
                checked += 1
    assert checked > 30
    assert "# default:" not in text


def test_an_unset_setting_can_be_set_by_taking_its_comment_mark_away(tmp_path: Path) -> None:
    file = tmp_path / "attrition.toml"
    file.write_text(uncommented(render(CDNOW)))
    settings = load(file)
    assert settings.tracking.uri == "https://mlflow.example.com"
    assert isinstance(settings.sources[0], FileSource)
    assert settings.sources[0].format == "csv"
    assert settings.sources[0].dialect.time_zone == "UTC"
    assert settings.sources[0].columns["cancelled_at"] == "cancelled_at"
    assert settings.sources[0].columns["known_at"] == "known_at"
    assert settings.sources[0].columns["exported_at"] == "exported_at"


def test_a_value_that_is_not_the_default_is_followed_by_it() -> None:
    lines = render(CDNOW).splitlines()
    assert "horizon_days = 181  # default: 90" in lines
    assert 'kind = "ever_ordered"  # default: "ordered_within"' in lines
    assert "as_of = 1998-01-01  # default: unset" in lines
    assert "lead_days = 0" in lines


def test_several_sources_are_written_one_after_the_other(tmp_path: Path) -> None:
    lines = FileSource(
        table="order_lines",
        path="lines-*.csv",
        columns={name: name for name in ("order_id", "customer_id", "ordered_at", "quantity", "unit_price")},
    )
    settings = CDNOW.model_copy(update={"sources": (*CDNOW.sources, lines)})
    file = tmp_path / "attrition.toml"
    file.write_text(render(settings))
    assert load(file) == settings


def test_sources_of_every_kind_are_written_as_they_are_read(tmp_path: Path) -> None:
    more = (
        QuerySource(table="customers", query="customers.sql"),
        DatabaseSource(table="orders", url="postgresql://shop@127.0.0.1/shop", query="SELECT 1", cursor="changed_at"),
    )
    settings = CDNOW.model_copy(update={"sources": (*CDNOW.sources, *more)})
    file = tmp_path / "attrition.toml"
    file.write_text(render(settings))
    assert load(file) == settings


def test_the_example_becomes_a_workspace_with_data_source_and_licence(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "demo"
    assert init(folder, example="cdnow") == InitResult(folder, FILES, ())
    assert load(folder / "attrition.toml") == CDNOW
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    for name in FILES[2:]:
        assert (folder / name).read_bytes() == (examples()["cdnow"] / name).read_bytes()
    assert "Davidson-Pilon" in (folder / "LICENSE.txt").read_text()


def test_the_example_has_every_order(tmp_path: Path) -> None:
    init(tmp_path / "demo", example="cdnow")
    heading, *rows = (tmp_path / "demo" / "orders.csv").read_text().splitlines()
    assert heading == "customer_id,date,units,amount"
    assert rows[:2] == ["1,1997-01-01,1,11.77", "2,1997-01-12,1,12.00"]
    customers, days = {row.split(",")[0] for row in rows}, [row.split(",")[1] for row in rows]
    assert (len(rows), len(customers), min(days), max(days)) == (69_659, 23_570, "1997-01-01", "1998-06-30")


def test_a_second_call_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    init(folder, example="cdnow")
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    again = init(folder, example="cdnow")
    assert again == InitResult(folder, (), FILES)
    assert again.in_words() == f"{folder}: already there, nothing to write"
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_what_was_lost_comes_back(tmp_path: Path) -> None:
    init(tmp_path, example="cdnow")
    (tmp_path / "orders.csv").unlink()
    assert init(tmp_path, example="cdnow").written == ("orders.csv",)


@pytest.mark.parametrize("name", ["attrition.toml", "plays.toml", "orders.csv"])
def test_a_file_that_differs_is_never_overwritten(name: str, tmp_path: Path) -> None:
    init(tmp_path, example="cdnow")
    file = tmp_path / name
    changed = file.read_text() + "# mine\n"
    file.write_text(changed)
    (tmp_path / "README.md").unlink()
    with pytest.raises(SettingsError) as caught:
        init(tmp_path, example="cdnow")
    assert str(caught.value) == (
        f"{file} is there already and differs from what init writes, so nothing was written; "
        f"go on with it as it is (next: `attrition check --project {tmp_path}`), or name another folder"
    )
    assert file.read_text() == changed
    assert not (tmp_path / "README.md").exists()


def test_a_folder_with_other_things_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(SettingsError) as caught:
        init(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} is not empty and is no workspace: it holds thesis.tex but no attrition.toml; "
        "name a new or an empty folder, and put data into it afterwards"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_fresh_git_repository_is_as_good_as_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert init(tmp_path).written == ("attrition.toml", "plays.toml")


@pytest.mark.parametrize("example", [None, "cdnow"])
def test_the_plays_that_ship_stand_beside_the_settings(tmp_path: Path, example: str | None) -> None:
    init(tmp_path / "shop", example=example)
    assert (tmp_path / "shop" / "plays.toml").read_bytes() == DEFAULT.read_bytes()
    assert open_workspace(tmp_path / "shop", now=datetime(2026, 1, 1, tzinfo=UTC)).plays == load_plays(DEFAULT)


def test_the_simulated_company_has_them_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.foundation.workspace.init.COMPANY_CUSTOMERS", 60)
    monkeypatch.setattr("pipelines.foundation.workspace.init.COMPANY_MONTHS", 6)
    made = init(tmp_path / "company", example="company")
    assert {"attrition.toml", "plays.toml"} <= set(made.written)
    assert load_plays(tmp_path / "company" / "plays.toml") == load_plays(DEFAULT)


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shop").touch()
    with pytest.raises(SettingsError, match="shop is a file; name a folder for the workspace"):
        init(tmp_path / "shop")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cdnov", "there is no example 'cdnov'. Did you mean 'cdnow'? There are: cdnow, company"),
        ("../cdnow", "there is no example '../cdnow'. Did you mean 'cdnow'? There are: cdnow, company"),
        ("zebra", "there is no example 'zebra'. There are: cdnow, company"),
    ],
)
def test_an_unknown_example_is_refused_with_the_nearest_known_one(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        init(tmp_path / "demo", example=name)
    assert str(caught.value) == said
    assert not (tmp_path / "demo").exists()
