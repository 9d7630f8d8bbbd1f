from __future__ import annotations

from pathlib import Path

import pytest

from features.errors import SettingsError
from pipelines.foundation.settings.new_folder import make_folder


def test_a_folder_is_made_with_those_above_it_and_once(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize("place", ["/proc/1/x", "file/x", "file"])
def test_a_folder_that_cannot_be_is_told(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"cannot be made .*; name a folder in which this user may make files"):
        make_folder(tmp_path / place)
