"""Files as systems should not export them, each with canaries in it: what is said of them must not repeat one."""

from __future__ import annotations

import bz2
import gzip
import io
import zipfile
from collections.abc import Callable
from decimal import Decimal
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from features.contract import Table
from features.tables import TABLES
from tests.pipelines.canary_case import CLOCK, NUMBER, WORD, canary_rows
from tests.pipelines.odd_settings import WHOLE

BAD_UTF8 = [
    f"{WORD}-".encode() + bad for bad in (b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xe9", b"\xf8\x88\x80\x80\x80")
]


def csv_of(rows: pa.Table) -> bytes:
    """Rows as a plain CSV file."""
    sink = io.BytesIO()
    pc.write_csv(rows, sink)
    return sink.getvalue()


def _parquet(rows: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(rows, sink)
    return sink.getvalue()


def no_utf8(length: int, bad: bytes = BAD_UTF8[0]) -> pa.Array:
    """Texts, by their type, whose bytes are none: other systems write such files."""
    found = pa.array([bad] * length, pa.binary())
    return pa.Array.from_buffers(pa.string(), length, found.buffers())


def _columns(length: int) -> list[pa.Array]:
    """A column of each type that may stand in the place of another."""
    text = [f"{WORD}-{row}" for row in range(length)]
    clock = f"2024-01-02 {CLOCK.isoformat()}"
    return [
        *(no_utf8(length, bad) for bad in BAD_UTF8),
        pa.array(text, pa.large_string()),
        pa.array(text).dictionary_encode(),
        pa.array([each.encode() for each in text], pa.binary()),
        pa.array([b"kanari-fixed"] * length, pa.binary(12)),
        pa.array([[each] for each in text]),
        pa.array([[NUMBER]] * length),
        pa.array([{WORD: each, "n": NUMBER} for each in text]),
        pa.array([[(each, NUMBER)] for each in text], pa.map_(pa.string(), pa.int64())),
        pa.array([Decimal(NUMBER) / 1000] * length, pa.decimal128(38, 10)),
        pa.array([Decimal(NUMBER)] * length, pa.decimal256(70, 20)),
        pa.array([float(NUMBER) + 0.5] * length),
        pa.array([np.nan, np.inf, -np.inf, 1e300, NUMBER * 1e17, -0.0] * (length // 6) + [1e-300] * (length % 6)),
        pa.array([np.float16(NUMBER)] * length, pa.float16()),
        pa.array([2**64 - 1] * length, pa.uint64()),
        pa.array([NUMBER] * length, pa.int8() if NUMBER < 128 else pa.int16()),
        pa.nulls(length),
        pa.array([True] * length),
        pa.array([NUMBER] * length, pa.time64("us")),
        pa.array([NUMBER] * length, pa.duration("ms")),
        pa.array([NUMBER] * length, pa.date32()),
        pa.array([-(2**62)] * length, pa.timestamp("us")),
        pa.array([2**53] * length, pa.timestamp("s")),
        pa.array([2**62 + NUMBER] * length, pa.timestamp("ns", tz="Europe/Paris")),
        pa.array([f"{each}\0{NUMBER}" for each in text]),
        pa.array([""] * length),
        pa.array(["\u200b"] * length),
        pa.array([each * 20_000 for each in text[:2]] + text[2:]),
        pa.array([clock] * length),
        pa.array([f"{NUMBER},{NUMBER}"] * length),
        pa.array([str(NUMBER) * 30] * length),
    ]


def odd_parquet(chance: Random, table: Table) -> bytes:
    """A table's rows with one or two columns of another type, perhaps cut or with bytes changed."""
    rows = canary_rows(table)
    for _ in range(chance.randint(1, 2)):
        place = chance.randrange(rows.num_columns)
        rows = rows.set_column(place, rows.schema.names[place], chance.choice(_columns(rows.num_rows)))
    if chance.random() < 0.1:
        rows = rows.append_column(rows.schema.names[0], rows.column(0))
    content = _parquet(rows)
    match chance.choice(["whole", "whole", "whole", "cut", "front", "flipped"]):
        case "cut":
            return content[: chance.randrange(len(content))]
        case "front":
            return content[chance.randint(1, 200) :]
        case "flipped":
            # Not the tail: what it says of lengths makes libraries ask for memory, which is not what is tried here.
            at = chance.randint(4, len(content) // 2)
            return content[:at] + chance.randbytes(1) + content[at + 1 :]
    return content


_ROW = f'"{WORD}",{NUMBER}\n'.encode()
_ZIPPED = io.BytesIO()
with zipfile.ZipFile(_ZIPPED, "w") as _archive:
    _archive.writestr(f"{WORD}.csv", _ROW * 9)

CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda text: text,
    "a quote never closed": lambda text: text + b'"' + WORD.encode() + b",1\n" * 3,
    "text behind a quote": lambda text: text + b'"a" ' + WORD.encode() + b",1\n",
    "NUL": lambda text: text + WORD.encode() + b"\0\n",
    "only NULs": lambda text: b"\0" * len(text),
    "cp1252": lambda text: text.replace(WORD.encode(), WORD.encode() + b"\xe9"),
    "no UTF-8": lambda text: text + BAD_UTF8[2] + b"\n",
    "utf-16 with a mark": lambda text: text.decode().encode("utf-16"),
    "utf-16 without a mark": lambda text: text.decode().encode("utf-16-le"),
    "utf-32 without a mark": lambda text: text.decode().encode("utf-32-be"),
    "half a letter": lambda text: text.decode().encode("utf-16")[:-1],
    "no heading": lambda text: text.partition(b"\n")[2],
    "headings twice": lambda text: text.partition(b"\n")[0] + b"," + text,
    "only a heading": lambda text: text.partition(b"\n")[0],
    "empty": lambda _: b"",
    "only a mark": lambda _: b"\xef\xbb\xbf",
    "ragged": lambda text: text + _ROW * 3,
    "semicolons": lambda text: text.replace(b",", b";"),
    "one column": lambda text: text.replace(b",", b" "),
    "returns": lambda text: text.replace(b"\n", b"\r"),
    "words for numbers": lambda text: text.replace(str(NUMBER).encode(), f"{WORD} {NUMBER}".encode()),
    "gzip": gzip.compress,
    "gzip, cut": lambda text: gzip.compress(text)[:-9],
    "bzip2": bz2.compress,
    "zip": lambda _: _ZIPPED.getvalue(),
    "a long value": lambda text: text + b'"' + WORD.encode() * 40_000 + b'",1\n',
    "escapes": lambda text: text + f"\x1b[2J{WORD},=cmd|' /C calc'!A0\n".encode(),
    "PAR1": lambda text: b"PAR1" + text + b"PAR1",
    "surrogates": lambda text: text + f"{WORD}\ud800\n".encode("utf-8", "surrogatepass"),
}


# Lists that the settings name, and what the workspace keeps; each may be damaged, or another file.
LISTS = {"objections": "objections.csv", "consent": "consent.csv", "opt_outs": "opt_outs.csv"}
_LIST = f"customer_id\n{WORD}-customer_id-3\n".encode()
_CONSENT = f"customer_id,given\n{WORD}-customer_id-3,yes\n".encode()
_BESIDE = {
    "objections.csv": [_LIST, _LIST + b'"', _LIST + b"\xff", b"", _LIST.replace(b"customer_id\n", b"x\n"), _LIST * 2],
    "opt_outs.csv": [_LIST, _LIST + b"a,b\n", _LIST.replace(b"\n", b"\0"), _LIST + f'{WORD}"{WORD}\n"'.encode()],
    "consent.csv": [_CONSENT, _CONSENT + f"{WORD}-customer_id-3,no\n".encode(), _CONSENT + f"a,{WORD}\n".encode()],
    "plays.toml": [*WHOLE, b"[[plays]]", b"plays = 1", f'[[plays]]\ncode = "{"x" * 99}"\nfor = ["x"]'.encode()],
    "attrition.sqlite": [b"", WORD.encode() * 999, b"SQLite format 3\0" + WORD.encode() * 999],
    "landed": [b""],
    "scores": [b""],
    "delivery": [b""],
    "snapshots": [WORD.encode()],
    "report.html": [b""],
    ".attrition.lock": [b"\xff"],
}


def odd_file_beside(chance: Random) -> tuple[str, bytes]:
    """A file of the workspace that is no source, and what it holds."""
    name = chance.choice(sorted(_BESIDE))
    return name, chance.choice(_BESIDE[name])


# Values that no customer has and some export writes.
CELLS = [
    "",
    " ",
    "-",
    "NULL",
    "nan",
    "inf",
    "-0",
    "1e400",
    "9" * 400,
    "0001-01-01",
    "9999-12-31",
    "2024-02-30",
    "1,5",
    "\u0661",
]


def odd_cells(chance: Random, text: bytes) -> bytes:
    """A CSV file in which one value, wherever it stands, is another."""
    lines = text.splitlines(keepends=True)
    value = chance.choice(lines[1].strip().split(b","))
    return lines[0] + b"".join(lines[1:]).replace(value, chance.choice(CELLS).encode())


NAMES = ["odd.csv", "odd.csv", "odd.csv", "odd.txt", "odd.csv.gz", "odd\udcff.csv", "odd\x1b[2J.csv", "odd.parquet"]


def odd_file(chance: Random) -> tuple[str, str, bytes]:
    """The table whose export it is to be, the file's name, and what it holds."""
    name = chance.choice(sorted(TABLES))
    if chance.random() < 0.5:
        return name, chance.choice(["odd.parquet", "odd.pq"]), odd_parquet(chance, TABLES[name])
    if chance.random() < 0.3:
        return name, "odd.csv", odd_cells(chance, csv_of(canary_rows(TABLES[name])))
    changed = CHANGES[chance.choice(sorted(CHANGES))](csv_of(canary_rows(TABLES[name])))
    return name, chance.choice(NAMES), changed
