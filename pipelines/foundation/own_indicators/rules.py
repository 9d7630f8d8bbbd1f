"""What every entry of the catalog must be, ours and a workspace's own alike: names, words, and columns that exist."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import get_args

import ibis
import ibis.expr.types as ir

from features.catalog import Direction, Evidence, Family, Group, Indicator, Lookbacks, Unit
from features.errors import did_you_mean
from features.tables import TABLES
from models.explanation import RHYTHM, RHYTHM_COLUMNS
from models.matrix import ENTITY, LABEL
from pipelines.foundation.settings.section import CONTROLS

# What matrices and explanations call something else.
RESERVED = frozenset({ENTITY, LABEL, RHYTHM, *RHYTHM_COLUMNS, "start", "snapshot_on", "treated"})
LONGEST_NAME = 60  # characters; a destination's fields and a chart's labels hold no more
LONGEST_TEXT = 300

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_COLUMN = re.compile(r"[a-z][a-z0-9_]*(\{days\}[a-z0-9_]*)?")
_PLACE = re.compile(r"\{(\w+)(?:\|[^|{}]*\|[^|{}]*)?\}")
_TEXTS = ("en", "fr", "en_null", "fr_null", "en_no", "fr_no")
_IN_BOTH = (("en", "fr"), ("en_null", "fr_null"), ("en_no", "fr_no"))
_STRINGS = ("name", "reason", "unit", "direction", "null", *_TEXTS)


def faults(families: Sequence[Family], lookbacks: Lookbacks, *, beside: Sequence[Family] = ()) -> list[str]:
    """What is wrong with families, a sentence each that names the family or the indicator; empty where nothing is.

    lookbacks: those of the workspace, after which columns with {days} are named. beside: families that are there
    already, whose names, columns and reason codes are taken. Nothing is computed.
    """
    found = [fault for family in families for fault in _of_family(family, lookbacks)]
    return found or list(_clashes(families, lookbacks, beside))


def table_faults(group: Group, table: object, lookbacks: Lookbacks) -> list[str]:
    """What is wrong with a table computed for a group, which has customer_id and exactly its columns, of fit types."""
    if not isinstance(table, ir.Table):
        return ["compute returns no Ibis table; return one with customer_id and a column per indicator"]
    wanted, schema = [ENTITY, *group.columns(lookbacks.lookback_days)], table.schema()
    found = [f"compute returns no column '{name}'; add it" for name in wanted if name not in schema]
    found += [
        f"compute returns a column '{name}' that no indicator declares; declare or drop it"
        for name in schema
        if name not in wanted
    ]
    for name in (name for name in wanted if name in schema):
        text = name == ENTITY or any(
            each.unit == "category" and name in each.columns(lookbacks.lookback_days) for each in group.indicators
        )
        kind = schema[name]
        if not (kind.is_string() if text else kind.is_integer() or kind.is_float64()):
            cast = "string" if text else "float64" if kind.is_numeric() else "int64"
            found.append(f"compute returns '{name}' as {kind}; its unit wants .cast(\"{cast}\")")
    return found


def empty_view(names: Sequence[str]) -> dict[str, ir.Table]:
    """Tables of the contracts without rows, to try what is computed of them."""
    return {name: ibis.table(TABLES[name].landed | {"landed_order": "int64"}, name=name) for name in names}


def _of_family(family: Family, lookbacks: Lookbacks) -> Iterator[str]:
    if not isinstance(family.name, str) or not _fits(_NAME, family.name):
        yield f"family {family.name!r}: the name must be small letters, digits and _, at most {LONGEST_NAME}"
        return
    for code, labels in family.reasons.items():
        if not isinstance(code, str) or not _fits(_NAME, code):
            yield f"reason code {code!r}: it must be small letters, digits and _, at most {LONGEST_NAME}"
        elif not (isinstance(labels, tuple) and len(labels) == 2 and all(_is_text(each) for each in labels)):
            yield f'reason code {code}: it needs its label in both languages, as ("visits", "visites")'
    for group in family.groups:
        if not isinstance(group, Group) or not _strings(group.needs) or not group.needs or not group.indicators:
            yield f"family {family.name}: each group is a Group with needs and indicators, tuples that are not empty"
        elif not isinstance(group.compute, Callable):  # type: ignore[arg-type]  # what callables are
            yield f"family {family.name}: compute of a group is no function"
        else:
            yield from _of_group(group, family, lookbacks)
    if not family.groups:
        yield f"family {family.name}: it has no group"


def _of_group(group: Group, family: Family, lookbacks: Lookbacks) -> Iterator[str]:
    for name in (name for need in group.needs for name in need.split("|")):
        if name not in TABLES:
            yield f"family {family.name}: needs names '{name}', and there is no such table.{did_you_mean(name, TABLES)}"
    if not all(isinstance(each, Indicator) and isinstance(each.name, str) for each in group.indicators):
        yield f"family {family.name}: what stands among the indicators of a group is no Indicator with a name"
        return
    for each in group.indicators:
        found = list(_of_types(each))
        found = found or [*_of_names(each, family), *_of_words(each, group, lookbacks), *_of_told_by(each, group)]
        yield from (f"indicator {each.name}: {fault}" for fault in found)


def _of_types(each: Indicator) -> Iterator[str]:
    yield from (f"{name} must be a text" for name in _STRINGS if not isinstance(getattr(each, name), str))
    if not _strings(each.told_by):
        yield 'told_by must be a tuple of texts, as ("orders.channel",)'
    for name in ("neutral", "least_told"):
        value = getattr(each, name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            yield f"{name} must be a number or None"


def _of_names(each: Indicator, family: Family) -> Iterator[str]:
    if not _fits(_COLUMN, each.name):
        yield f"the name must be small letters, digits and _, with {{days}} at most once, at most {LONGEST_NAME}"
    if ("{days}" in each.name) != each.per_lookback:
        yield "per_lookback = True and {days} in the name go together; give both or neither"
    if each.reason not in family.reasons:
        near = did_you_mean(each.reason, family.reasons)
        yield f"reason '{each.reason}' has no label in the reasons of family {family.name}.{near}"
    if each.unit not in get_args(Unit):
        near = did_you_mean(each.unit, get_args(Unit))
        yield f"there is no unit '{each.unit}'; take one of {', '.join(get_args(Unit))}.{near}"
    if each.direction not in get_args(Direction):
        yield f"there is no direction '{each.direction}'; take one of {', '.join(get_args(Direction))}"


def _of_words(each: Indicator, group: Group, lookbacks: Lookbacks) -> Iterator[str]:
    # Columns beside it may be named, and a span where it has one.
    allowed = {"value", *group.columns(lookbacks.lookback_days)} | ({"days"} if each.per_lookback else set())
    yield from (f"{name} is empty; say it" for name in ("null", "en", "fr") if not getattr(each, name).strip())
    for name in ("null", *_TEXTS):
        text = getattr(each, name)
        if CONTROLS.search(text) or len(text) > LONGEST_TEXT:
            yield f"{name} holds a control character, or more than {LONGEST_TEXT} characters"
    for name in _TEXTS:
        yield from (f"{name} {fault}" for fault in _of_placeholders(getattr(each, name), allowed))
    for en, fr in _IN_BOTH:
        yield from _of_languages(each, en, fr)
    yield from _of_special_values(each)


def _of_placeholders(text: str, allowed: set[str]) -> Iterator[str]:
    if set("{}") & set(_PLACE.sub("", text)):
        yield "has a brace that opens or closes no placeholder; write {value} or {value|one|many}"
    for name in sorted(set(_PLACE.findall(text)) - allowed):
        yield f"has the placeholder {{{name}}}; it may have {', '.join(sorted(allowed))}"


def _of_languages(each: Indicator, en: str, fr: str) -> Iterator[str]:
    texts = [getattr(each, name) for name in (en, fr)]
    places = [set(_PLACE.findall(text)) for text in texts]
    if bool(texts[0]) != bool(texts[1]):
        yield f"{en} and {fr} are needed together"
    elif places[0] != places[1]:
        yield f"{en} and {fr} have different placeholders: {_listed(places[0])} and {_listed(places[1])}"


def _of_special_values(each: Indicator) -> Iterator[str]:
    """A null that can occur, and a flag that is not set, need words of their own: what is not there cannot be said."""
    if bool(each.en_null) == each.null.startswith("never:"):
        yield 'en_null and fr_null say an empty value: needed unless null begins with "never: 0", and only then'
    if set(_PLACE.findall(each.en_null)) - {"days"}:
        yield "en_null has a placeholder beside {days}, and there is no value to say"
    if bool(each.en_no) != (each.unit == "flag"):
        yield "en_no and fr_no say a flag that is 0: needed for the unit flag, and only for it"


def _of_told_by(each: Indicator, group: Group) -> Iterator[str]:
    for told in each.told_by:
        tables = set()
        for part in told.split("|"):
            named = Evidence.of(part)
            tables.add(named.table)
            columns = {each.name: each for each in TABLES[named.table].columns} if named.table in TABLES else {}
            if named.column in columns:
                choices = columns[named.column].choices
                if named.value is not None and choices and named.value not in choices:
                    yield f"told_by names '{part}', and a {named.column} is one of {', '.join(choices)}"
            else:
                near = did_you_mean(named.column, columns) if columns else did_you_mean(named.table, TABLES)
                yield f"told_by names '{part}', and there is no such column.{near}"
        # Which of them is there is asked whenever the group is computed.
        if not any(set(need.split("|")) <= tables for need in group.needs):
            yield f"told_by names '{told}', and needs does not ask for its table; add it to needs"


def _clashes(families: Sequence[Family], lookbacks: Lookbacks, beside: Sequence[Family]) -> Iterator[str]:
    names, codes = {each.name for each in beside}, {code for each in beside for code in each.reasons}
    taken = [(each.name, "of the catalog") for family in beside for each in family.indicators]
    columns = {name for family in beside for name in family.columns(lookbacks.lookback_days)}
    for family in families:
        if family.name in names | codes:
            yield f"family {family.name}: there is a family, or reason code, of that name already; call it otherwise"
        names.add(family.name)
        for code in family.reasons:
            if code in codes | names:  # plays.toml names both in one list
                yield f"reason code {code}: there is a code, or family, of that name already; call it otherwise"
            codes.add(code)
        for each in family.indicators:
            own = set(each.columns(lookbacks.lookback_days))
            clash = next((name for name, _ in taken if _may_be_one(name, each.name)), None)
            if own & RESERVED:
                yield f"indicator {each.name}: the name stands for something else in every model; call it otherwise"
            elif own & columns or clash is not None:
                yield f"indicator {each.name}: there is an indicator of that name already; call it otherwise"
            taken.append((each.name, family.name))
            columns |= own


def _may_be_one(name: str, other: str) -> bool:
    """Whether two names give one column for some lookback: settings may ask for any."""
    if name == other:
        return True
    for first, second in ((name, other), (other, name)):
        if "{days}" in first and re.fullmatch(first.replace("{days}", r"[1-9]\d*"), second):
            return True
    return False


def _fits(pattern: re.Pattern[str], name: str) -> bool:
    return bool(pattern.fullmatch(name)) and len(name) <= LONGEST_NAME


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and not CONTROLS.search(value) and len(value) <= LONGEST_TEXT


def _strings(values: object) -> bool:
    return isinstance(values, tuple) and all(isinstance(each, str) for each in values)


def _listed(names: set[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names)) or "none"
