from __future__ import annotations

import encodings
import pkgutil
from contextlib import suppress
from encodings.aliases import aliases
from pathlib import Path

import pytest

from features.errors import DataError
from pipelines.data.sources.encoding import check_text
from pipelines.foundation.settings.character_sets import character_set

EVERY = sorted({module.name for module in pkgutil.iter_modules(encodings.__path__)} | {*aliases, *aliases.values()})
CONTENTS = [b"", b"a", b"a,b\n1,2\n", "a,b\n\u00e9\n".encode(), b"\xff", b"\xff\xfe\xff", bytes(range(1, 256))]


@pytest.mark.parametrize(
    "name",
    [
        "idna",
        "punycode",
        "utf-7",
        "unicode_escape",
        "raw_unicode_escape",
        "undefined",
        "base64",
        "rot13",
        "hex",
        "zlib",
    ],
)
def test_what_no_file_is_written_in_is_refused_with_what_may_be(name: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' is not an encoding.*; use for example utf-8, cp1252 or utf-16"):
        character_set(name)


@pytest.mark.parametrize("name", ["", " ", "\0", "\u00e9", "../../x", "a" * 5_000, "utf-8\n"])
def test_what_cannot_be_a_name_is_not_looked_for(name: str) -> None:
    with pytest.raises(ValueError, match="is not an encoding"):
        character_set(name)


def test_whichever_of_pythons_is_taken_a_file_is_text_in_it_or_refused_in_words(tmp_path: Path) -> None:
    taken = 0
    for name in EVERY:
        try:
            character_set(name)
        except ValueError:
            continue
        taken += 1
        for number, content in enumerate(CONTENTS):
            (place := tmp_path / f"{number}.csv").write_bytes(content)
            with suppress(DataError):
                check_text(place, name)
    assert taken > 300
