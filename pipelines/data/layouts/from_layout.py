"""`attrition init DIR --from LAYOUT FILES`: a workspace whose queries read the exports that were given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from features.errors import DataError, SettingsError
from pipelines.data.layouts.layout import Export, Layout, Part
from pipelines.data.sources.query.tables import ENDINGS, InputFile, headings
from pipelines.foundation.settings.dialect import Dialect
from pipelines.foundation.settings.new_folder import make_folder
from pipelines.foundation.settings.settings import FILE_NAME, load
from pipelines.foundation.workspace.init import InitResult, copied, default_plays, refuse_foreign, write_new


@dataclass(frozen=True)
class Given:
    """A file that was given, as one of a layout's exports. name: where it lies, or will lie, below the workspace."""

    path: Path
    name: str
    export: Export


def init_from_layout(folder: Path, layout: Layout, files: Sequence[Path]) -> InitResult:
    """Make a workspace from exports, or add a layout's sources to one; the exports are copied into it.

    Sources whose exports were not given are left out. A layout without exports reads what an API gives. What is there
    is never changed but for lines added to the settings.

    Raises: SettingsError, DataError where no source can be made of the files, one of them is none of the layout's, or
    the workspace has what is to be written already.
    """
    refuse_foreign(folder)
    there = (folder / FILE_NAME).exists()
    if layout.adds and not there:
        raise SettingsError(
            f"{layout.name} adds to a workspace that has orders or subscriptions, and {folder} is none; make that "
            f"first, as with `attrition init {folder} --from shopify orders_export.csv`"
        )
    given = list(_recognised(folder, layout, files))
    named = {export: _pattern(each) for export, each in _by_export(given).items()}
    parts = [part for part in layout.parts if not layout.exports or set(part.needs) <= named.keys()]
    if not parts:
        raise SettingsError(f"{layout.name} reads nothing of these files alone. {_missing(layout, named)}")
    texts = {part.query: _for(part, named) for part in parts}
    written = {**texts, f"README-{layout.name}.md": layout.about}
    _refuse_present(folder, written)
    sources = "\n".join(part.text for part in parts)
    settings = (
        f"{(folder / FILE_NAME).read_text(encoding='utf-8').rstrip()}\n\n{sources}" if there
        else f"{layout.settings}{sources}"
    )  # fmt: skip
    _refuse_wrong(settings)
    make_folder(folder)
    for each in given:
        copied(each.path, folder / each.name)
    for name, text in written.items():
        write_new(folder / name, text.encode())
    if not (folder / "plays.toml").exists():
        for name, content in default_plays().items():
            write_new(folder / name, content)
    write_new(folder / FILE_NAME, settings.encode())
    absent = [export for export in layout.exports if export.name not in named]
    return InitResult(
        folder,
        (FILE_NAME, *written),
        (),
        (
            *(f"{each.path.name} is {each.export.what}: {each.name}" for each in given),
            *(f"not given, and left out: {each.what} ({each.name})" for each in absent),
            f"look at the lines marked in {FILE_NAME}, and at README-{layout.name}.md",
            f"then: attrition {'check' if layout.exports else 'ingest'} --project {folder}",
        ),
    )


def _recognised(folder: Path, layout: Layout, files: Sequence[Path]) -> Iterator[Given]:
    """Each file as the export that its headings tell. Raises: DataError where they tell none."""
    if not layout.exports:
        if files:
            raise SettingsError(f"{layout.name} reads no exports, but what an API gives; leave the files out")
        return
    if not files:
        raise SettingsError(f"name the exports, too: {'; '.join(_listed(layout))}")
    told: dict[Export, list[Path]] = {}
    for path in each_file(files):
        names = _headings_of(path)
        fitting = [export for export in layout.exports if export.headings <= names]
        if not fitting:
            raise DataError(
                f"{path} is none of the exports of {layout.name}, by its headings: {'; '.join(_listed(layout))}. "
                "Export it as the system does, with all columns and in English"
            )
        told.setdefault(max(fitting, key=lambda each: len(each.headings)), []).append(path)
    for export, paths in told.items():
        for path in paths:
            yield Given(path, _below(folder, path, together=len(paths) > 1, export=export), export)


def each_file(files: Sequence[Path]) -> Iterator[Path]:
    """The files, and those in folders among them. Raises: DataError where one is not there."""
    for path in files:
        if not path.exists():
            raise DataError(f"{path} is not there; name a file or a folder with exports")
        if not path.is_dir():
            yield path
            continue
        inside = sorted(each for each in path.iterdir() if each.name.lower().endswith(ENDINGS))
        if not inside:
            raise DataError(f"{path} holds no file that ends in {', '.join(ENDINGS)}")
        yield from inside


def _headings_of(path: Path) -> set[str]:
    if not path.name.lower().endswith(ENDINGS):
        raise DataError(f"{path} is no file of {', '.join(ENDINGS)}")
    with TemporaryDirectory() as folder:
        return set(headings(InputFile(path.resolve(), path.name, ""), Dialect(), Path(folder)).columns)


def _below(folder: Path, path: Path, *, together: bool, export: Export) -> str:
    """Where a file will lie below the workspace: where it does, if it is in it; several of one kind in one folder."""
    if together:
        return f"{Path(export.name).stem}/{path.name}"
    if path.resolve().is_relative_to(folder.resolve()):
        return path.resolve().relative_to(folder.resolve()).as_posix()
    return path.name


def _by_export(given: Sequence[Given]) -> dict[str, list[Given]]:
    found: dict[str, list[Given]] = {}
    for each in given:
        found.setdefault(each.export.name, []).append(each)
    return found


def _pattern(files: Sequence[Given]) -> str:
    """What names one export in FROM: a file, or a pattern of several, which a query reads as one table."""
    if len(files) == 1:
        return files[0].name
    names = {each.name for each in files}
    endings = {Path(each.name).suffix for each in files}
    if len(names) < len(files) or len(endings) > 1:
        raise SettingsError(
            f"several files are {files[0].export.what}, and they are read as one table: give each another name, and "
            "all the same ending"
        )
    return f"{Path(files[0].name).parent}/*{endings.pop()}"


def _for(part: Part, named: Mapping[str, str]) -> str:
    sql = part.sql
    for export in named.keys() & part.needs:
        sql = sql.replace(f"FROM '{export}'", "FROM '" + named[export].replace("'", "''") + "'")
    return sql


def _refuse_present(folder: Path, written: Mapping[str, str]) -> None:
    for name, text in written.items():
        place = folder / name
        if place.exists() and place.read_text(encoding="utf-8") != text:
            raise SettingsError(f"{place} is there already and differs from what would be written; move it away")


def _refuse_wrong(settings: str) -> None:
    """Raise SettingsError where the settings would not hold, before anything is made."""
    with TemporaryDirectory() as place:
        file = Path(place) / FILE_NAME
        file.write_text(settings, encoding="utf-8")
        try:
            load(file)
        except SettingsError as error:
            said = str(error).replace(str(file), f"with these exports, {FILE_NAME}")
            raise SettingsError(said) from None


def _listed(layout: Layout) -> list[str]:
    return [f"{export.what} (with {', '.join(sorted(export.headings))})" for export in layout.exports]


def _missing(layout: Layout, named: Mapping[str, str]) -> str:
    wanted = [export for export in layout.exports if export.name not in named]
    return f"It needs, too: {'; '.join(export.what for export in wanted)}"
