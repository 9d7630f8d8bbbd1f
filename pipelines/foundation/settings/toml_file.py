"""A TOML file that a person writes: read into its model, each mistake told with its place and the remedy.

What tomllib and pydantic say of a mistake is passed on here, and only here: they speak of settings, never of a row.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from features.errors import SettingsError, did_you_mean

_MOST_TOLD = 50  # mistakes; who made more made one of them again and again

# By the first word of pydantic's names of mistakes.
_ASKED = {
    "bool": "true or false",
    "date": "a date, as 2026-04-01",
    "dict": "a section with settings of its own",
    "float": "a number",
    "int": "a whole number",
    "list": "a list in brackets",
    "model": "a section with settings of its own",
    "string": "a text in quotes",
    "tuple": "a list in brackets",
}

# Of texts that must be written in one way, by their patterns.
_WRITTEN = {
    r"^[A-Z]{3}$": "three capital letters, such as EUR",
    r"^[a-z][a-z0-9_-]*$": "small letters, digits, - and _, a letter first",
    r"^[a-z][a-z0-9_-]{0,99}$": "small letters, digits, - and _, a letter first",
    r"^[a-z][a-z0-9_]*$": "small letters, digits and _, a letter first",
    r"^[A-Za-z][A-Za-z0-9_]*$": "letters, digits and _, a letter first",
    r"^[A-Za-z][A-Za-z0-9_]{0,17}$": "at most 18 letters, digits and _, a letter first",
    r"^[A-Za-z_][A-Za-z0-9_]{0,99}$": "the name of an environment variable: letters, digits and _",
    r"^[^\d\s.,'+()-]*$": "a sign without digits, spaces and marks of numbers, such as €",
    r"^$|^[^.]+(\.[^.]+)*$": "names with dots between them, such as data.id",
    r"""^[^'"/:.%\\`]{1,200}$""": "a name without quotes, slashes, dots, colons and percent signs",
}

Model = TypeVar("Model", bound=BaseModel)

_MOST = 1 << 24  # bytes that a person writes


def read(path: Path, model: type[Model], *, context: object = None) -> Model:
    """The file's content. context: for the model's validators.

    Raises: FileNotFoundError, SettingsError with every mistake of a file that is there.
    """
    text = _text(path)
    try:
        return model.model_validate(tomllib.loads(text), context=context)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None
    except RecursionError:
        raise SettingsError(
            f"{path} has lists or tables nested too deep; write them flat, as `attrition init` does"
        ) from None
    except ValidationError as error:
        lines = [f"  {_explain(detail, model)}" for detail in error.errors(include_url=False)]
        more = [f"  and {len(lines) - _MOST_TOLD:,} more mistakes"] if len(lines) > _MOST_TOLD else []
        raise SettingsError("\n".join([f"{path}:", *lines[:_MOST_TOLD], *more])) from None
    except ValueError:  # neither of the two above: Python refuses to read an endless row of digits
        raise SettingsError(f"{path} holds a number of thousands of digits; write one that can be meant") from None


def _text(path: Path) -> str:
    if path.exists() and not path.is_dir() and not path.is_file():  # to read a pipe is to wait for ever
        raise SettingsError(f"{path} is a device, pipe or socket; put a file in its place")
    try:
        if path.stat().st_size > _MOST:
            raise SettingsError(
                f"{path} is larger than {_MOST:,} bytes, so it holds no settings; put the right file there"
            )
        return path.read_text(encoding="utf-8-sig")
    except IsADirectoryError:
        raise SettingsError(f"{path} is a folder; put a file in its place, or remove it") from None
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}); see that this user may read it") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from None


def _explain(detail: Any, model: type[BaseModel]) -> str:
    unknown = detail["type"] == "extra_forbidden"
    section, key = (detail["loc"][:-1], detail["loc"][-1]) if unknown else (detail["loc"], None)
    parts, models = _walk(model, section)
    place = ".".join(map(str, (*parts, key) if unknown else parts))
    if unknown:
        known = [field.alias or name for each in models for name, field in each.model_fields.items()]
        return f"{place}: there is no such setting.{did_you_mean(str(key), known)}"
    if detail["type"] == "missing":
        return f"{place}: is missing"
    said = _in_words(detail)
    return f"{place}: {said}" if place else said


def _in_words(detail: Any) -> str:
    """What is asked of a value, in words of the file and not of pydantic's types."""
    kind, _, _ = detail["type"].partition("_")
    if detail["type"] == "string_pattern_mismatch":
        return f"must be {_WRITTEN[detail['ctx']['pattern']]}"
    if kind in _ASKED and detail["type"].removeprefix(f"{kind}_").startswith(("type", "parsing", "from", "attributes")):
        return f"must be {_ASKED[kind]}"
    return re.sub(r"^(Value error, |(Input|String) should (?=be|have))", _begin, detail["msg"])


def _begin(found: re.Match[str]) -> str:
    return "must " if found[2] else ""


def _walk(model: type[BaseModel], place: Sequence[Any]) -> tuple[list[Any], list[type[BaseModel]]]:
    """A place as the file has it, and what may stand there.

    Where a section is of several kinds, pydantic puts its kind into the place, where no file has it.
    """
    parts: list[Any] = []
    models = [model]
    for part in place:
        inner = [] if isinstance(part, int) else [kind for each in models for kind in _models(_annotation(each, part))]
        chosen = [each for each in models if part in get_args(_annotation(each, "kind"))]
        if len(models) > 1 and chosen and not inner:
            models = chosen
            continue
        parts.append(part)
        models = models if isinstance(part, int) else inner
    return parts, models


def _annotation(model: type[BaseModel], name: str) -> Any:
    field = model.model_fields.get(name)
    return None if field is None else field.annotation


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
