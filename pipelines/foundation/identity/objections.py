"""Whose data may not be processed: those who objected, and where consent is asked for, those who did not give it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.errors import DataError
from pipelines.foundation.settings.privacy import Privacy
from pipelines.foundation.settings.text_values import FALSE, SPACES, TRUE
from pipelines.foundation.storage.workspace_paths import refuse_outside

ID, GIVEN = "customer_id", "given"

_LISTED = "attrition_listed"


@dataclass(frozen=True)
class Refusals:
    """objected: who objected; consented: who agreed, None where nobody is asked to."""

    objected: frozenset[str] = frozenset()
    consented: frozenset[str] | None = None

    def __bool__(self) -> bool:
        """Whether anybody may be left out."""
        return bool(self.objected) or self.consented is not None

    @property
    def fingerprint(self) -> str:
        """A hash of both lists: what is computed under others is not used."""
        lists = [sorted(self.objected), None if self.consented is None else sorted(self.consented)]
        return hashlib.sha256(json.dumps(lists).encode()).hexdigest()[:16]

    def allows(self, customers: Iterable[str]) -> npt.NDArray[np.bool_]:
        """(n,) whether each may be processed."""
        agreed = self.consented
        allowed = [one not in self.objected and (agreed is None or one in agreed) for one in map(str, customers)]
        return np.array(allowed, dtype=np.bool_)

    def refuses(self, customers: Iterable[str]) -> npt.NDArray[np.bool_]:
        """(n,) whether each may not."""
        return ~self.allows(customers)

    def known_as(self, name: Callable[[str], str]) -> Refusals:
        """The same people under other names."""
        agreed = self.consented
        return Refusals(frozenset(map(name, self.objected)), None if agreed is None else frozenset(map(name, agreed)))

    def applied(self, tables: Mapping[str, ir.Table], engine: Any) -> dict[str, ir.Table]:
        """The tables without the rows of those who may not be processed; tables that name no customer stay whole."""
        if not self:
            return dict(tables)
        agreed = self.consented
        listed = self._listed(engine, self.objected if agreed is None else agreed - self.objected)
        return {
            name: table
            if ID not in table.columns
            else table.anti_join(listed, ID)
            if agreed is None
            else table.semi_join(listed, ID)
            for name, table in tables.items()
        }

    def _listed(self, engine: Any, customers: Iterable[str]) -> ir.Table:
        rows = pa.table({ID: pa.array(sorted(customers), pa.string())})
        if engine.name != "duckdb":
            return ibis.memtable(rows)
        # By name, because queries are translated once and run many times.
        return engine.create_table(_LISTED, rows, overwrite=True)


def read(root: Path, plan: Privacy) -> Refusals:
    """The lists as they are now.

    Raises: DataError where a list that the settings name is missing or cannot be read: an unreadable list is not one in
    which nobody stands.
    """
    objected = frozenset(row[ID] for _, row in _rows(root, plan.objections, "objections", (ID,)))
    return Refusals(objected, None if plan.consent is None else _consented(root, plan.consent))


def opt_outs(root: Path, plan: Privacy) -> frozenset[str]:
    """Who is scored, but of whom nothing is to be handed over. Raises: as `read`."""
    return frozenset(row[ID] for _, row in _rows(root, plan.opt_outs, "opt_outs", (ID,)))


def _consented(root: Path, path: str) -> frozenset[str]:
    answers: dict[str, tuple[bool, int]] = {}
    for line, row in _rows(root, path, "consent", (ID, GIVEN)):
        word = row[GIVEN].lower()
        if word not in TRUE + FALSE:
            raise DataError(f"{path}, line {line}: {GIVEN} is none of {', '.join(TRUE + FALSE)}; correct it")
        given, earlier = answers.setdefault(row[ID], (word in TRUE, line))
        if given != (word in TRUE):
            raise DataError(
                f"{path}: lines {earlier} and {line} say yes and no for one customer; leave the one that holds"
            )
    return frozenset(customer for customer, (given, _) in answers.items() if given)


def _rows(root: Path, path: str | None, setting: str, wanted: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and wanted values of each row that is not blank; nothing where the settings name no such list."""
    if path is None:
        return
    place = refuse_outside(root, root / path, setting=f"privacy.{setting}")
    remedy = f"put the list there (only its heading, `{','.join(wanted)}`, where it is empty), or correct the settings"
    try:
        text = place.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"privacy.{setting} names {path}, which cannot be read ({error.strerror}); {remedy}") from None
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} (privacy.{setting}) is not UTF-8 text (byte {error.start}); save it as UTF-8"
        ) from None
    # The wanted headings are ours and hold neither mark, so the heading tells which of the two it is.
    mark = ";" if ";" in text.partition("\n")[0] else ","
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    try:
        names = [name.strip(SPACES) for name in next(rows, [])]
        if any(names.count(name) != 1 for name in wanted):
            raise DataError(f"{path} (privacy.{setting}) does not begin with the heading {', '.join(wanted)}; {remedy}")
        for row in rows:
            cells = [cell.strip(SPACES) for cell in row]
            if not any(cells):
                continue
            if len(cells) != len(names) or not all(found := [cells[names.index(name)] for name in wanted]):
                raise DataError(f"{path} (privacy.{setting}), line {rows.line_num}: a value is missing or too many")
            yield rows.line_num, dict(zip(wanted, found, strict=True))
    except csv.Error:
        raise DataError(
            f"{path} (privacy.{setting}), line {rows.line_num}: its quotes do not close; a quote within a value is "
            "written twice"
        ) from None
