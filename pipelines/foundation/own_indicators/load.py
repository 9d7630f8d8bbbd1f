"""Own indicators of a workspace: confirmed, run, held to the catalog's rules and tried before anything is stored."""

from __future__ import annotations

import ast
import importlib.machinery
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import CodeType, ModuleType
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from features.asof import AsOf, as_of
from features.catalog import Family, Group, Lookbacks
from features.errors import SettingsError, did_you_mean
from features.tables import TABLES
from features.training_set import FAMILIES
from pipelines.foundation.own_indicators.expression import foreign
from pipelines.foundation.own_indicators.own_file import SETTING, SHORT, OwnFile, SourceFile, read
from pipelines.foundation.own_indicators.rules import empty_view, faults, table_faults
from pipelines.foundation.own_indicators.trust import refuse_unconfirmed
from pipelines.foundation.storage.fingerprint import ROOMS, runs_on

DEBUG = "--debug shows the error itself, which may hold values of your rows"
_MOST_TOLD = 10
# What a file may have meant by a name that is not there.
_KNOWN = sorted(
    {name for table in TABLES.values() for name in table.landed} | {name for name in dir(AsOf) if name[0] != "_"}
)
_ANY_DAY = date(2024, 7, 1)

Compute = Callable[[AsOf, ir.Table, Lookbacks], ir.Table]


def load(root: Path, names: Sequence[str], lookbacks: Lookbacks) -> tuple[OwnFile, ...]:
    """The files of a workspace with their families.

    Nothing of a file runs before the user of this machine has confirmed the hash of its bytes (`trust`). names,
    lookbacks: as the settings have them.

    Raises: SettingsError, with the file, the indicator and the remedy, where a file is not confirmed, does not run, or
    holds what is no catalog entry; where an indicator takes a name of the catalog; where its compute stops, gives other
    columns than are declared, or takes anything but the as-of view.

    """
    sources = [read(root, name) for name in names]
    refuse_unconfirmed(root, sources)
    found: list[OwnFile] = []
    for source in sources:
        family = _family(root, source)
        beside = [*FAMILIES, *(each for file in found for each in file.families)]
        with _words_of(source, f"{source.name}: FAMILY is no catalog entry that can be read"):
            told = faults([family], lookbacks, beside=beside)
        if told:
            more = [f"and {len(told) - _MOST_TOLD:,} more mistakes"] if len(told) > _MOST_TOLD else []
            raise SettingsError(_listed(f"{source.name} ({SETTING}):", told[:_MOST_TOLD] + more))
        guarded = replace(family, groups=tuple(_guarded(source, group) for group in family.groups))
        for group in guarded.groups:
            _try(group, lookbacks)
        found.append(
            OwnFile(
                name=source.name,
                sha256=source.sha256,
                runs_on=runs_on(source.content),
                content=source.content,
                families=(guarded,),
            )
        )
    return tuple(found)


def _listed(where: str, told: Sequence[str]) -> str:
    return "\n".join([where, *(f"  {each}" for each in told)])


def _family(root: Path, source: SourceFile) -> Family:
    code = _compiled(source)
    _refuse_files_beside(root, source)
    module = ModuleType(f"attrition_own_{source.sha256[:SHORT]}")
    sys.modules[module.__name__] = module  # dataclasses of the file look for their module there
    with _words_of(source, f"{source.name} does not run"):
        exec(code, vars(module))  # noqa: S102 - the user of this machine has confirmed these bytes
    family = vars(module).get("FAMILY")
    if isinstance(family, Family):
        return family
    near = did_you_mean("FAMILY", [name for name in vars(module) if not name.startswith("_")])
    raise SettingsError(
        f"{source.name} ({SETTING}) has {'no FAMILY' if family is None else 'a FAMILY that is no Family'}; end it "
        f"with FAMILY = Family(name=..., reasons=..., groups=(...,)) of features.catalog.{near}"
    )


def _compiled(source: SourceFile) -> CodeType:
    try:
        return compile(source.content, source.name, "exec", dont_inherit=True)
    except SyntaxError as error:
        where = f"line {error.lineno}: " if error.lineno else ""
        raise SettingsError(f"{source.name} ({SETTING}) is no Python ({where}{error.msg}); correct it there") from None
    except (ValueError, RecursionError, MemoryError):  # a null byte, or brackets without end
        raise SettingsError(f"{source.name} ({SETTING}) is no Python; put a file of indicators there") from None


def _refuse_files_beside(root: Path, source: SourceFile) -> None:
    """Raise SettingsError where it imports another file of the workspace: nobody has confirmed, or hashed, that one."""
    for node in ast.walk(ast.parse(source.content)):
        names = (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom)
            else []
        )  # fmt: skip
        relative = isinstance(node, ast.ImportFrom) and node.level > 0
        for top in {name.partition(".")[0] for name in names} - {*ROOMS}:
            spec = None if relative else importlib.machinery.PathFinder.find_spec(top)
            places = [Path(place) for place in _places(spec) if not Path(place).is_relative_to(sys.prefix)]
            if relative or any(place.resolve().is_relative_to(root.resolve()) for place in places):
                line = getattr(node, "lineno", 0)
                raise SettingsError(
                    f"{source.name}, line {line} ({SETTING}) imports a file of the workspace, which nobody has "
                    "confirmed; write what it needs into this one file"
                )


def _places(spec: importlib.machinery.ModuleSpec | None) -> list[str]:
    if spec is None:
        return []
    return [*(spec.submodule_search_locations or []), *([spec.origin] if spec.origin else [])]


def _guarded(source: SourceFile, group: Group) -> Group:
    """The group, looked at whenever it is computed: for the trial, for each snapshot, and for the audit."""
    theirs: Compute = group.compute
    named = group.indicators[0].name

    def compute(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
        with _words_of(source, f"{source.name}: compute of {named} stopped"):
            found = theirs(view, cohort, lookbacks)
        told = table_faults(group, found, lookbacks) or foreign(found, view, cohort)
        if told:
            raise SettingsError(_listed(f"{source.name}, {named} ({SETTING}):", told))
        return found

    return replace(group, compute=compute)


def _try(group: Group, lookbacks: Lookbacks) -> None:
    """Compute it over tables without rows: all of them, and just those that it says that it needs."""
    cohort = ibis.table({"customer_id": "string"}, name="everybody")
    for names in (
        tuple(TABLES),
        [need.split("|")[0] for need in group.needs],
        [need.split("|")[-1] for need in group.needs],
    ):
        group.computed(as_of(empty_view(names), _ANY_DAY, zone=ZoneInfo("UTC")), cohort, lookbacks)


@contextmanager
def _words_of(source: SourceFile, said: str) -> Iterator[None]:
    """What the file's code raises, in words: the line, and of the error no more than what the file says itself.

    Else it may quote a row.
    """
    try:
        yield
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # also SystemExit: a file that ends the process would end it without a word
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == source.name]
        where = f" at line {lines[-1]}" if lines else ""
        lacks = f": no module '{error.name}' is installed" if isinstance(error, ModuleNotFoundError) else ""
        if isinstance(error, AttributeError) and error.name and error.name in source.content.decode(errors="replace"):
            lacks = f": there is no '{error.name}'.{did_you_mean(error.name, _KNOWN)}"
        raise SettingsError(f"{said}{where}{lacks} ({SETTING}); correct it there. {DEBUG}") from error
