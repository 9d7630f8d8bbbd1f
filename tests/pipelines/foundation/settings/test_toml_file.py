"""How a TOML file's mistakes are told; what each file may hold is tested with its model."""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from features.errors import SettingsError
from pipelines.foundation.settings import toml_file
from pipelines.foundation.settings.section import Section
from pipelines.foundation.settings.settings import load

PATTERN = re.compile(r'Field\([^)]*?pattern=r("""|")(.*?)\1')
WHOLE = "must be a whole number"
ODD = """  built: must be a date, as 2026-04-01
  rooms: must be a list in brackets
  garden: must be true or false
  door: must be small letters, digits and _, a letter first
  pets.0: must be a section with settings of its own"""


class Cat(Section):
    kind: Literal["cat"]
    lives: int = 9


class Fish(Section):
    kind: Literal["fish"]
    ponds: int = 1


class House(Section):
    name: str = ""
    built: date | None = None
    rooms: tuple[Annotated[int, Field(ge=1)], ...] = ()
    garden: bool = False
    door: Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$", max_length=5)] = "oak"
    of: str = Field(default="", alias="for")
    pets: tuple[Annotated[Cat | Fish, Field(discriminator="kind")], ...] = ()


def complaint(tmp_path: Path, text: str) -> str:
    file = tmp_path / "house.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        toml_file.read(file, House)
    return str(caught.value).removeprefix(f"{file}:\n")


def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "house.toml"
    for mark in (b"", b"\xef\xbb\xbf"):
        file.write_bytes(mark + b'for = "two"\n[[pets]]\nkind = "cat"\n')
        assert toml_file.read(file, House) == House.model_validate({"for": "two", "pets": [{"kind": "cat"}]})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nam = 'x'\n", "  nam: {} Did you mean 'name'?"),
        ("four = 'x'\n", "  four: {} Did you mean 'for'?"),
        ("[[pets]]\nkind = 'cat'\nlifes = 7\n", "  pets.0.lifes: {} Did you mean 'lives'?"),
        ("[[pets]]\nkind = 'fish'\nlivs = 7\n", "  pets.0.livs: {}"),
        ("[[pets]]\nkind = 'cat'\nlives = 1.5\n", f"  pets.0.lives: {WHOLE}"),
        (
            "built = 'soon'\nrooms = 3\ngarden = 7\ndoor = 'Oak'\npets = ['cat']\n",
            ODD,
        ),
        ("built = 2026-04-01T10:00:00\n", "  built: must be a date, as 2026-04-01"),
        (
            "rooms = [0]\ndoor = 'mahogany'\n",
            "  rooms.0: must be greater than or equal to 1\n  door: must have at most 5 characters",
        ),
        (
            "name = 1\n[[pets]]\nkind = 'cat'\nzebra = 7\n",
            "  name: must be a text in quotes\n  pets.0.zebra: {}",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_and_the_nearest_known_name(tmp_path: Path, text: str, said: str) -> None:
    assert complaint(tmp_path, text) == said.replace("{}", "there is no such setting.")


def test_a_mistake_in_a_destination_is_told_in_words(tmp_path: Path) -> None:
    file = tmp_path / "attrition.toml"
    file.write_text(
        'currency = "EUR"\n[[sources]]\ntable = "orders"\npath = "o.csv"\n'
        'columns = { customer_id = "c", ordered_at = "d", amount = "a" }\n'
        '[[destinations]]\nkind = "hubspot"\nname = "x"\nprefxi = "a"\n'
    )
    with pytest.raises(SettingsError, match=r"destinations\.0\.prefxi: there is no such .* mean 'prefix'\?"):
        load(file)


def test_a_file_that_is_not_there_is_for_whoever_asked_to_tell(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        toml_file.read(tmp_path / "house.toml", House)


def test_a_folder_in_its_place_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "house.toml").mkdir()
    with pytest.raises(SettingsError, match=r"house\.toml is a folder; put a file in its place, or remove it$"):
        toml_file.read(tmp_path / "house.toml", House)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = " + "9" * 5_000, "holds a number of thousands of digits; write one that can be meant"),
        ("name = " + "[" * 5_000 + "]" * 5_000, "nested too deep"),
        ("pets = [" + "1, " * 200 + "]", "and 150 more mistakes"),
    ],
)
def test_what_nobody_can_mean_is_told_in_words_of_ours(tmp_path: Path, text: str, said: str) -> None:
    assert said in complaint(tmp_path, text)


def test_a_pipe_in_place_of_settings_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "attrition.toml")
    with pytest.raises(SettingsError, match=r"attrition\.toml is a device, pipe or socket; put a file in its place"):
        load(tmp_path / "attrition.toml")


def test_settings_that_nobody_wrote_by_hand_are_not_read(tmp_path: Path) -> None:
    with (tmp_path / "attrition.toml").open("wb") as handle:
        handle.truncate(1 << 42)
    with pytest.raises(SettingsError, match=r"attrition\.toml is larger than 16,777,216 bytes"):
        load(tmp_path / "attrition.toml")


def test_every_way_of_writing_is_told_in_words() -> None:
    """Whatever pattern a setting has: none is shown to who wrote the file."""
    sources = Path(toml_file.__file__).parent.glob("*.py")
    patterns = {found[2] for file in sources for found in PATTERN.finditer(file.read_text())}
    assert len(patterns) > 8
    assert patterns == set(toml_file._WRITTEN)
