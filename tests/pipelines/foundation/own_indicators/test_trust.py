"""Nothing of a file runs before the user of this machine has confirmed the hash of its bytes, outside the workspace."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from features.errors import SettingsError
from pipelines.foundation.own_indicators.own_file import SourceFile
from pipelines.foundation.own_indicators.trust import (
    VARIABLE,
    confirmed,
    list_place,
    refuse_unconfirmed,
    trust,
)

FILE = SourceFile("mine.py", b"x = 1\n")
ALTERED = SourceFile("mine.py", b"x = 2\n")


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path / "config"


def refusal(root: Path, file: SourceFile) -> str:
    with pytest.raises(SettingsError) as refused:
        refuse_unconfirmed(root, [file])
    return str(refused.value)


def test_a_file_that_nobody_confirmed_is_named_with_what_it_is_and_the_command(tmp_path: Path) -> None:
    root = tmp_path / "my shop"
    assert refusal(root, FILE) == (
        "mine.py (settings: indicators) is code that would run with your rights, and nobody has confirmed it on this "
        f"machine: nothing of it has run. Look at it (sha256 {FILE.sha256[:12]}), and if you want it to run, type: "
        f"attrition indicators --trust --project '{root}'"
    )


def test_once_confirmed_it_runs_until_it_is_altered_and_the_earlier_one_again(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    trust(root, [FILE])
    refuse_unconfirmed(root, [FILE])
    refuse_unconfirmed(tmp_path / "elsewhere", [FILE])  # the same bytes are the same code
    assert "and it was altered since it was confirmed: nothing of it has run" in refusal(root, ALTERED)
    trust(root, [ALTERED])
    trust(root, [ALTERED])
    refuse_unconfirmed(root, [FILE, ALTERED])
    assert len(list_place().read_text().splitlines()) == 2


def test_the_list_is_for_its_owner_alone_and_lies_in_the_folder_of_settings(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = trust(tmp_path / "shop", [FILE])
    assert place == config / "attrition" / "trusted-indicators"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    for told in ("", "relative/path"):
        monkeypatch.setenv("XDG_CONFIG_HOME", told)
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        assert list_place() == tmp_path / "home" / ".config" / "attrition" / "trusted-indicators"


def test_a_list_that_others_may_write_counts_for_nothing(tmp_path: Path) -> None:
    place = trust(tmp_path / "shop", [FILE])
    place.chmod(0o620)
    assert "may be written by others than you" in refusal(tmp_path / "shop", FILE)


def test_a_list_in_the_workspace_itself_counts_for_nothing(tmp_path: Path, config: Path) -> None:
    trust(tmp_path / "shop", [FILE])
    assert "lies in the workspace itself" in refusal(tmp_path, FILE)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "config").symlink_to(config)
    assert "set XDG_CONFIG_HOME to a folder outside of it" in refusal(config, FILE)


def test_a_folder_of_many_lines_confirms_no_other_hash(tmp_path: Path) -> None:
    trust(tmp_path / f"shop\n{ALTERED.sha256}  x", [FILE])
    assert confirmed(tmp_path / "shop") == {FILE.sha256}


def test_a_scheduler_names_hashes_in_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"{FILE.sha256}, {ALTERED.sha256.upper()}\n")
    refuse_unconfirmed(tmp_path / "shop", [FILE, ALTERED])
    assert not list_place().exists()
    monkeypatch.setenv(VARIABLE, FILE.sha256[:12])
    assert "whole sha256 hashes of 64 digits" in refusal(tmp_path / "shop", FILE)


def test_where_the_list_cannot_be_written_the_variable_is_named(tmp_path: Path, config: Path) -> None:
    config.write_text("a file")
    with pytest.raises(SettingsError, match=VARIABLE):
        trust(tmp_path / "shop", [FILE])
