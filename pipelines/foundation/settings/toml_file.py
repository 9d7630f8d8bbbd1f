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

Model = TypeVar("Model", bound=BaseModel)

_MOST = 1 << 24  # bytes that a person writes


def read(path: Path, model: type[Model]) -> Model:
    """The file's content. Raises: FileNotFoundError, SettingsError with every mistake of a file that is there."""
    text = _text(path)
    try:
        return model.model_validate(tomllib.loads(text))
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
    place = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        *section, key = detail["loc"]
        return f"{place}: there is no such setting.{did_you_mean(str(key), _known_keys(model, section))}"
    if detail["type"] == "missing":
        return f"{place}: is missing"
    said = re.sub("^Value error, ", "", detail["msg"])
    return f"{place}: {said}" if place else said


def _known_keys(model: type[BaseModel], section: Sequence[Any]) -> list[str]:
    """The settings of a section, by its place. Where a section is of several kinds, its kind is part of the place."""
    models = [model]
    for part in section:
        if isinstance(part, int):
            continue
        inner = [kind for each in models for kind in _models(_annotation(each, part))]
        models = inner or [each for each in models if part in get_args(_annotation(each, "kind"))]
    return [field.alias or name for each in models for name, field in each.model_fields.items()]


def _annotation(model: type[BaseModel], name: str) -> Any:
    field = model.model_fields.get(name)
    return None if field is None else field.annotation


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
