"""What files of ours do, apart from how they are written. To read them all takes seconds, so a machine keeps it."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import CodeType

from pipelines.foundation.storage import machine_cache

_MOST = 5_000  # files that are remembered: of some ten versions of ours


@dataclasses.dataclass(frozen=True)
class Code:
    """imports: dotted names of everything that a file imports, also inside functions. meaning: hash of what it does."""

    imports: tuple[str, ...]
    meaning: bytes


@dataclasses.dataclass
class _Known:
    """codes: by the hash of a file's bytes. kept: how many of them this machine has kept."""

    codes: dict[str, Code]
    kept: int


@cache
def code_of(place: Path) -> Code:
    """Of a file of ours; `keep` keeps it for other processes."""
    source, known = place.read_bytes(), _known().codes
    sha256 = hashlib.sha256(source).hexdigest()
    if sha256 not in known:
        tree = ast.parse(source)
        known[sha256] = Code(tuple(imported(tree.body)), _meaning(tree))
    return known[sha256]


def keep() -> None:
    """Keep what was read anew, so that no other process reads it."""
    known = _known()
    if len(known.codes) > known.kept:
        newest = dict(list(known.codes.items())[-_MOST:])
        told = {sha256: [code.imports, code.meaning.hex()] for sha256, code in newest.items()}
        machine_cache.write(_name(), json.dumps(told).encode())
        known.kept = len(known.codes)


@cache
def _known() -> _Known:
    codes: dict[str, Code] = {}
    with suppress(ValueError, TypeError, AttributeError):  # not what we wrote: as if nothing were kept
        told = json.loads(machine_cache.read(_name()) or b"{}")
        codes = {sha256: Code(tuple(names), bytes.fromhex(hashed)) for sha256, (names, hashed) in told.items()}
    return _Known(codes, len(codes))


def _name() -> str:
    """Another reader, or another Python, makes other hashes of one file."""
    return f"code-{hashlib.sha256(Path(__file__).read_bytes() + sys.version.encode()).hexdigest()[:16]}.json"


def imported(statements: list[ast.stmt]) -> Iterator[str]:
    """Dotted names of what is imported, also inside functions."""
    for node in statements:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:  # expressions import nothing, and there are many of them: only statements are looked into
            for block in ("body", "orelse", "finalbody"):
                yield from imported(getattr(node, block, []))
            for branch in (*getattr(node, "handlers", []), *getattr(node, "cases", [])):
                yield from imported(branch.body)


def _meaning(tree: ast.Module) -> bytes:
    """What a file does, without comments, docstrings and layout: its compiled instructions, without line numbers."""
    for node in ast.walk(tree):  # all on one line: instructions keep traces of where lines break
        if hasattr(node, "lineno"):
            vars(node).update(lineno=1, end_lineno=1, col_offset=0, end_col_offset=0)
    compiled = compile(tree, "", "exec", dont_inherit=True, optimize=2)
    return hashlib.sha256("\n".join(_instructions(compiled)).encode()).digest()


def _instructions(code: CodeType) -> Iterator[str]:
    yield f"{code.co_name} {code.co_flags} {code.co_argcount} {code.co_kwonlyargcount} {code.co_code.hex()}"
    yield f"{code.co_names} {code.co_varnames} {code.co_freevars} {code.co_cellvars} {code.co_exceptiontable.hex()}"
    for value in code.co_consts:
        if isinstance(value, CodeType):
            yield from _instructions(value)
        else:
            yield repr(sorted(map(repr, value)) if isinstance(value, frozenset) else value)
