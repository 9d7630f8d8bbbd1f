"""`attrition init DIR --from ...`: exports of a system whose layout is known, or of any."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from features.errors import SettingsError
from pipelines.data.layouts.from_files import init_from_files
from pipelines.data.layouts.from_layout import each_file, init_from_layout
from pipelines.data.layouts.layout import layout_of, layouts
from pipelines.foundation.workspace.init import InitResult


def init_from(folder: Path, origin: str, files: Sequence[Path]) -> InitResult:
    """Make a workspace from exports. origin: the name of a layout, a file or folder, or the address of a file.

    Raises: SettingsError, DataError where it is neither, or the exports do not fit it.
    """
    scheme, mark, _ = origin.partition("://")
    if mark and scheme not in ("http", "https"):
        raise SettingsError(
            f"{scheme}://... is an address; download what it holds and name the file. A database is a source of its "
            "own: docs/databases.md"
        )
    if mark:
        from pipelines.data.layouts.download import downloaded

        with TemporaryDirectory() as place:
            return init_from_files(folder, [downloaded(origin, Path(place)), *each_file(files)])
    if origin not in layouts() and Path(origin).exists():
        return init_from_files(folder, list(each_file([Path(origin), *files])))
    return init_from_layout(folder, layout_of(origin), files)
