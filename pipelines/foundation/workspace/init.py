"""`attrition init`: a workspace whose settings file names, explains and fills in every setting, and its plays."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from features.errors import SettingsError, did_you_mean
from pipelines.foundation.settings import plays
from pipelines.foundation.settings.new_folder import make_folder
from pipelines.foundation.settings.settings import FILE_NAME, Settings, load
from pipelines.foundation.settings.sources import FileSource
from pipelines.foundation.settings.template import render
from pipelines.foundation.storage.atomic_file import atomic_write

COMPANY = "company"  # simulated, so that nothing of it needs to ship
COMPANY_CUSTOMERS, COMPANY_MONTHS, COMPANY_SEED = 2000, 24, 7

_ROOM = Path(__file__).parents[2]


@dataclass(frozen=True)
class InitResult:
    """What `init` did. written and already_there: names of files in `folder`; together they are all it cares for.

    told: what people are to know of it.
    """

    folder: Path
    written: tuple[str, ...]
    already_there: tuple[str, ...]
    told: tuple[str, ...] = ()

    def in_words(self) -> str:
        """A line for people, and one for each thing to know.

        >>> InitResult(Path("shop"), ("attrition.toml",), ()).in_words()
        'shop: wrote attrition.toml'
        >>> InitResult(Path("shop"), (), ("attrition.toml",)).in_words()
        'shop: already there, nothing to write'
        """
        done = f"wrote {', '.join(self.written)}" if self.written else "already there, nothing to write"
        return "\n".join([f"{self.folder}: {done}", *(f"  {line}" for line in self.told)])


def init(folder: Path, *, example: str | None = None) -> InitResult:
    """Make a workspace: its settings and plays and, with an example, that example's data, source and licence.

    A file that is there with the same content is left alone, so that a second call changes nothing; no file is ever
    overwritten.

    Raises: SettingsError where the folder holds something else, a file of it differs, or there is no such example.
    """
    refuse_foreign(folder)
    if example == COMPANY:
        return _company(folder)
    wanted = _starter() if example is None else _example(example)
    there = tuple(name for name in wanted if (folder / name).exists())
    for name in there:
        if (folder / name).read_bytes() != wanted[name]:
            raise SettingsError(
                f"{folder / name} is there already and differs from what init writes, so nothing was written; "
                f"go on with it as it is (next: `attrition check --project {folder}`), or name another folder"
            )
    make_folder(folder)
    missing = tuple(name for name in wanted if name not in there)
    for name in missing:
        write_new(folder / name, wanted[name])
    return InitResult(folder, missing, there)


def examples() -> dict[str, Path]:
    """Name and folder of each example that ships.

    A wheel holds them inside this package; a checkout keeps them at its top, where people look for them.
    """
    packaged = _ROOM / "examples"
    shelf = packaged if packaged.is_dir() else _ROOM.parent / "examples"
    return {place.parent.name: place.parent for place in sorted(shelf.glob(f"*/{FILE_NAME}"))}


def _starter() -> dict[str, bytes]:
    orders = FileSource(
        table="orders",
        path="orders.csv",
        columns={name: name for name in ("order_id", "customer_id", "ordered_at", "amount")},
    )
    return {FILE_NAME: render(Settings(currency="EUR", sources=(orders,))).encode(), **default_plays()}


def _company(folder: Path) -> InitResult:
    from pipelines.foundation.simulation.simulate import simulate

    if (folder / FILE_NAME).exists():
        return InitResult(folder, (), (FILE_NAME,))
    simulate(folder, customers=COMPANY_CUSTOMERS, months=COMPANY_MONTHS, seed=COMPANY_SEED)
    for name, content in default_plays().items():
        write_new(folder / name, content)
    return InitResult(folder, tuple(sorted(place.name for place in folder.iterdir())), ())


def _example(name: str) -> dict[str, bytes]:
    known = examples()
    if name not in known:
        names = [*known, COMPANY]
        raise SettingsError(f"there is no example '{name}'.{did_you_mean(name, names)} There are: {', '.join(names)}")
    folder = known[name]
    data = {place.name: place.read_bytes() for place in sorted(folder.iterdir()) if place.name != FILE_NAME}
    return {FILE_NAME: render(load(folder / FILE_NAME)).encode(), **default_plays(), **data}


def default_plays() -> dict[str, bytes]:
    """The plays that a new workspace begins with, by the file's name."""
    return {plays.FILE_NAME: plays.DEFAULT.read_bytes()}


def refuse_foreign(folder: Path) -> None:
    """Raise SettingsError where a folder holds something else than a workspace."""
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"{folder} is a file; name a folder for the workspace")
    if not folder.exists() or (folder / FILE_NAME).exists():
        return
    # Hidden files are no reason to refuse: a fresh git repository is a good place for a workspace.
    visible = sorted(place.name for place in folder.iterdir() if not place.name.startswith("."))
    if visible:
        raise SettingsError(
            f"{folder} is not empty and is no workspace: it holds {visible[0]} but no {FILE_NAME}; "
            "name a new or an empty folder, and put data into it afterwards"
        )


def copied(source: Path, target: Path) -> None:
    """Copy an export into the workspace, unless it is there. Raises: SettingsError where another file is."""
    target.parent.mkdir(exist_ok=True)
    if target.exists():
        if not target.samefile(source) and target.read_bytes() != source.read_bytes():
            raise SettingsError(f"{target} is there already and is another file; move it away, or rename {source}")
        return
    with atomic_write(target) as temporary:
        shutil.copyfile(source, temporary)


def write_new(target: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with atomic_write(target) as temporary:
        temporary.write_bytes(content)
