"""Settings files as nobody should write them: absurd numbers, days, paths, encodings, texts, and TOML that is none."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from random import Random
from typing import Any

from pydantic import BaseModel

from pipelines.foundation.settings.dialect import Dialect
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.settings.sources import FileSource, QuerySource

Place = tuple[str | int, ...]

# Within their bounds, and hours of work all the same: they are tried where nothing is computed.
COSTLY = {
    "at_most", "attempts", "bootstrap_samples", "every_days", "folds", "lookback_days", "min_history_days",
    "pause_seconds", "threads", "timeout_seconds", "tuning_trials",
}  # fmt: skip


@dataclass(frozen=True)
class Raw:
    """Words of TOML, as they stand."""

    text: str


INTEGERS = [
    0, 1, 2, 7, 30, 365, 3_650, 36_500, 36_501, 999_999_999_999, 1_000_000_000, 99_999_999, -1, -99_999_999,
    2**31 - 1, 2**31, 2**63 - 1, 2**63, 2**64, 10**30, -(2**63) - 1, Raw("9" * 5_000), Raw("0x" + "f" * 40),
]  # fmt: skip
FLOATS = [
    0.0, -0.0, 0.5, 1.0, 1e-300, 5e-324, 1e12, 1e13, 1e300, -1e300, math.nan, math.inf, -math.inf, Raw("1e400"),
    Raw("1" * 5_000 + ".0"), Raw("0.1e-9999"),
]  # fmt: skip
DAYS = [
    date(1, 1, 1), date(1899, 12, 31), date(1900, 1, 1), date(1970, 1, 1), date(2025, 7, 15), date(2200, 12, 31),
    date(2201, 1, 1), date(9999, 12, 31), datetime(2025, 7, 15), datetime(2025, 7, 15, 1, 2, 3), time(1, 2),
    Raw("0000-00-00"), Raw("2025-02-30"), Raw("9999-12-31T23:59:59-23:59"), "2025-07-15", "0001-01-01", "yesterday",
]  # fmt: skip
PATHS = [
    "**abc/*.csv", "abc**", "**", "**/*", "**/*.parquet", "**/**/*.csv", "/".join(["**"] * 400), ".", "./", "./.",
    "*", "a/.", "orders.parquet/", "orders.parquet/x.csv", "..", "a/../b", "/etc/passwd", "~", "~root/x.csv", "",
    " ", "x" * 5_000, "x" * 300, "a/" * 2_000 + "b.csv", "a/" * 29 + "b.csv", "\0", "a\0b.csv", "orders\n.csv",
    "\x1b[2J.csv", "\u202egpj.csv", "[", "[]", "[!", "[z-a].csv", "{a,b}.csv", "orders.csv*", "?" * 200, "*" * 200,
    "*a" * 100 + "b", "\\", "con", "orders", "landed", "attrition.sqlite", "attrition.toml", "é" * 130, "\ud800",
    "landed/**", "nul:", "-", "--help", "orders.*", "odd.csv", "odd.parquet", "odd*", "loop", "loop/x.csv", "out.csv",
]  # fmt: skip
ENCODINGS = [
    "utf-16", "utf-32", "utf-8", "utf_8_sig", "cp1252", "utf-7", "idna", "punycode", "base64", "rot13", "hex", "zlib",
    "bz2", "uu", "quopri", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem", "unicode_internal",
    "latin-1", "iso2022_jp", "hz", "cp037", "shift_jis", "big5hkscs", "ascii", "charmap", "aliases", "", " ", "\0",
    "../../x", "a" * 5_000, "é", "utf-8\n", "string-escape", "utf8mb4", "cp65001", "palmos", "mac_roman", "gb18030",
]  # fmt: skip
TEXTS = [
    "", " ", "a", "\0", "\x1b]0;x\x07", "é\u0301", "\ud800", "x" * 9_999, "x" * 200_000, "'; DROP TABLE scores; --",
    '"', "'", "{}", "{id}", "%", "%Q", "%s", "%Y", "%Y%m%d%H", "%", "\n", "a\tb", "EUR", "eur", "Europe/Paris", "UTC",
    "../UTC", "fr", "churn", "orders", "customer_id", "customer_id ", "=1+1", "https://", "http://[", "http://a b",
    "https://user:pw@h", "sqlite://", "sqlite:////nowhere/x.sqlite", "file:///", "foo://bar", "https://h:99999",
    "postgresql://[::1", "0 4 * * *", "* * * * * *", "60 24 32 13 8", "99999999999999999999 * * * *", "*/0 * * * *",
    "0 0 31 2 *", "@daily", "L * * * *", "\u200b", "\ufeff", "null", "true", "nan", "-1",
    "orders.sql", "x" * 300 + ".sql", "../x.sql", "SELECT 1", "FROM 'orders.parquet'",
    "SELECT * FROM 'orders.*'", "SELECT * FROM '/etc/passwd'", "SELECT * FROM 'attrition.sqlite'", "COPY x TO 'y'",
    "SELECT *, order_id::INT FROM 'orders.parquet'", "SELECT * FROM 'odd.csv'", "SELECT * FROM 'odd.parquet'",
]  # fmt: skip
NESTED = [
    [], {}, [[]], [{}], {"": ""}, {"a": {"b": {"c": 1}}}, [1, "a", None], [[[[[[[[[[]]]]]]]]]], list(range(500)),
    Raw("[" * 5_000 + "]" * 5_000), Raw("{a=" * 2_000 + "1" + "}" * 2_000), Raw("[" * 60 + "]" * 60), True, False,
]  # fmt: skip
WHOLE = [
    b"", b"\n", b"\xff\xfe", b"\xef\xbb\xbf", b"\0", 'currency = "EUR"\n'.encode("utf-16"), b"[", b"[[[[", b"= 1",
    b"currency", b"currency = 'EUR'\ncurrency = 'EUR'", b"[sources]\n[[sources]]", b"sources = 1", b"a.b.c.d = 1",
    b"a = 1\n" * 400, b"x = [" * 3_000, b"x = " + b"[" * 200 + b"]" * 200, b'"" = 1', b"'' = {'' = {'' = ''}}",
    b'currency = "\\ud800"', b'currency = "\\u0000"', b"\xc3\x28 = 1", b"# \xff", b"x = 1979-05-27T07:32:00+99:99",
    b".".join([b"a"] * 3_000) + b" = 1", b"[" + b".".join([b"a"] * 3_000) + b"]", b"x = 0" * 100, b"\r", b"a = 1\r2",
    b"".join(b"k%d = 1\n" % n for n in range(2_000)), b"currency = '" + b"E" * 20_000 + b"'",
]  # fmt: skip


def places(model: type[BaseModel], before: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every setting, with its usual value: of sections, and of the first source, whatever its kind."""
    for name, field in model.model_fields.items():
        usual = field.get_default(call_default_factory=True)
        if isinstance(usual, BaseModel):
            yield from places(type(usual), (*before, name))
        elif name == "sources":
            for kind in (FileSource, QuerySource):
                yield from places(kind, ("sources", 0))
        else:
            yield (*before, name), usual


PLACES = list(dict(places(Settings)).items())
assert {("sources", 0, "path"), ("sources", 0, "query"), ("outcome", "horizon_days")} <= {place for place, _ in PLACES}
assert {("sources", 0, "dialect", name) for name in Dialect.model_fields} <= {place for place, _ in PLACES}


def odd_value(chance: Random, place: Place, usual: Any) -> Any:
    """Mostly of the kind that the setting is of, otherwise of any."""
    name = str(place[-1])
    fitting: list[Any]
    if name in ("path", "objections", "consent", "opt_outs"):
        fitting = PATHS
    elif name == "encoding":
        fitting = ENCODINGS
    elif name in ("as_of", "complete_until", "anchor"):
        fitting = DAYS
    elif isinstance(usual, bool):
        fitting = [True, False]
    elif isinstance(usual, int) or name.endswith("_days"):
        fitting = INTEGERS
    elif isinstance(usual, float):
        fitting = FLOATS
    elif isinstance(usual, tuple):
        fitting = [[each] for each in (*INTEGERS, *TEXTS[:20])] + NESTED
    else:
        fitting = TEXTS
    return chance.choice(fitting if chance.random() < 0.9 else [*INTEGERS, *FLOATS, *DAYS, *TEXTS, *NESTED])


DESTINATION: dict[str, list[Any]] = {
    "name": ["crm", "rest", "", "A", "x" * 300],
    "kind": ["rest", "rest", "sql", "hubspot", "salesforce", "bottlecrm", "", 1],
    "address": ["http://127.0.0.1:9", "postgresql://127.0.0.1:9/x", "host=127.0.0.1 port=9", *TEXTS, *NESTED[:5]],
    "table": TEXTS,
    "prefix": ["attrition_", *TEXTS],
    "timeout_seconds": FLOATS,
    "write": [{"path": "/x"}, {"path": "/x"}, {"path": "/x/{id}"}, {"path": ""}, {}, 1, *NESTED[:5]],
    "create": [True, False],
    "batch": INTEGERS,
    "names": [{}, {"run_id": ""}, {"x": "y"}, {"run_id": "\0"}],
    "headers": [{}, {"a": "\n"}, {"": ""}, {"x": "é"}],
}
# Where each is as it should be, the address leads to a port of this machine at which nobody listens.
FITTING: list[dict[str, Any]] = [
    {"name": "a", "kind": "rest", "address": "http://[::1]:9", "headers": {}, "create": True, "write": {"path": "/x"}},
    {"name": "crm", "kind": "sql", "address": "host=127.0.0.1 port=9 connect_timeout=2", "timeout_seconds": 1.0},
    {"name": "crm", "kind": "bottlecrm", "address": "http://127.0.0.1:9"},
    {"name": "crm", "kind": "hubspot", "address": "http://127.0.0.1:9"},
]  # fmt: skip


@dataclass(frozen=True)
class OddSettings:
    """content: of attrition.toml; None: as it was. costly: what is asked for takes long where it is allowed."""

    content: bytes | None
    costly: bool = False

    def __repr__(self) -> str:
        return f"OddSettings({self.content and self.content[-2_000:]!r})"


def odd_settings(chance: Random, usual: dict[str, Any]) -> OddSettings:
    """usual: the settings that hold, as read from TOML."""
    kind = chance.choices(["usual", "whole", "destination", "changed"], [2, 1, 1, 8])[0]
    if kind == "usual":
        return OddSettings(None)
    if kind == "whole":
        return OddSettings(chance.choice(WHOLE))
    found: dict[str, Any] = json.loads(json.dumps(usual, default=lambda day: {"day": str(day)}), object_hook=_day)
    if kind == "destination":
        destination = dict(chance.choice(FITTING))
        for name in chance.sample(sorted(DESTINATION), chance.randint(0, 2)):
            destination[name] = chance.choice(DESTINATION[name])
        found["destinations"] = [destination]
        found["delivery"] = {"attempts": 1, "pause_seconds": 0.01, "max_data_age_days": 99}
        return OddSettings(written(found))
    costly = False
    for _ in range(chance.randint(1, 2)):
        place, value = chance.choice(PLACES)
        costly = costly or place[-1] in COSTLY
        _put(found, place, odd_value(chance, place, value))
    return OddSettings(written(found), costly)


def _day(found: dict[str, Any]) -> Any:
    return date.fromisoformat(found["day"]) if found.keys() == {"day"} else found


def _put(found: Any, place: Place, value: Any) -> None:
    for part in place[:-1]:
        inner = found[part] if isinstance(part, int) else found.setdefault(part, {})
        if not isinstance(inner, (dict, list)):
            return  # another change put something there that is no section
        found = inner
    if isinstance(found, dict):
        found[str(place[-1])] = value


def written(found: dict[str, Any]) -> bytes:
    """As TOML, a line a setting of the top."""
    return "".join(f"{json.dumps(name)} = {_toml(value)}\n" for name, value in found.items()).encode()


def _toml(value: Any) -> str:
    match value:
        case Raw():
            return value.text
        case bool() | float():
            return repr(value).lower()
        case datetime() | date() | time():
            return value.isoformat()
        case dict():
            return "{" + ", ".join(f"{json.dumps(str(name))} = {_toml(each)}" for name, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)
