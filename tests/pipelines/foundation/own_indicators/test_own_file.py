"""A file of own indicators is a file of the workspace, read once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from features.errors import SettingsError
from pipelines.foundation.own_indicators.own_file import read


def test_its_hash_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_bytes(b"\xef\xbb\xbfx = 1\r\n")
    assert read(tmp_path, "mine.py").sha256 == hashlib.sha256(b"\xef\xbb\xbfx = 1\r\n").hexdigest()


def test_a_link_out_of_the_workspace_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "theirs.py").write_text("x = 1")
    (tmp_path / "shop" / "mine.py").symlink_to(tmp_path / "theirs.py")
    with pytest.raises(SettingsError, match=r"mine\.py \(settings: indicators\) is a link that leads out of"):
        read(tmp_path / "shop", "mine.py")


def test_what_is_no_file_of_theirs_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "large.py").write_bytes(b"#" * ((1 << 20) + 1))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.py").write_text("x = 1")
    for name, said in {
        "absent.py": "absent.py is not there (settings: indicators); put the Python file there, or take its name out",
        "folder.py": "folder.py is a folder, device or pipe",
        "large.py": "is larger than 1,048,576 bytes",
        "models/mine.py": "lies where attrition keeps files of its own; put it beside them",
    }.items():
        with pytest.raises(SettingsError) as refused:
            read(tmp_path, name)
        assert said in str(refused.value)
