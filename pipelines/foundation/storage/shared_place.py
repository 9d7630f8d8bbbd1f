"""A place that a cluster's workers and this process both see: a folder, or a store of objects such as s3://.

Workers read landed files there and write what they compute. Nothing there is the only copy of anything: it holds copies
of landed files, named by the hash of their bytes, and parts of results, which are gone once they were read.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from features.errors import SettingsError

_COPIES, _PARTS = "attrition-landed", "attrition-parts"
_OLD = 86_400  # seconds: parts of a process that was killed, and not of one that is at work beside us


@dataclass(frozen=True)
class SharedPlace:
    """root: a whole path, or an address. sees: the folder whose files workers read where they lie; None: of none."""

    root: str
    sees: Path | None

    @classmethod
    def of(cls, root: str) -> SharedPlace:
        """A place as the settings name it: of a folder, workers see everything below it."""
        return cls(root, None if "://" in root else Path(root))

    def seen(self, place: Path) -> str:
        """What workers call a landed file: as it lies where they see it, otherwise a copy, made once."""
        if self.sees is not None and place.resolve().is_relative_to(self.sees.resolve()):
            return str(place.resolve())
        with place.open("rb") as handle:
            name = f"{_COPIES}/{hashlib.file_digest(handle, 'sha256').hexdigest()}.parquet"
        with self._opened() as (system, root):
            there = system.get_file_info(f"{root}/{name}")
            if there.type != fs.FileType.File or there.size != place.stat().st_size:
                system.create_dir(f"{root}/{_COPIES}", recursive=True)
                fs.copy_files(str(place), f"{root}/{name}", fs.LocalFileSystem(), system)
        return self.address(name)

    @contextmanager
    def parts(self) -> Iterator[str]:
        """The name of a folder for parts of results below this place, gone after the block."""
        name = f"{_PARTS}/{int(time.time())}-{secrets.token_hex(8)}"
        with self._opened() as (system, root):
            system.create_dir(f"{root}/{name}", recursive=True)
        try:
            yield name
        finally:
            with self._opened() as (system, root):
                system.delete_dir(f"{root}/{name}")

    def address(self, name: str) -> str:
        """What workers call a place below this one."""
        return f"{self.root}/{name}"

    def files(self, name: str) -> list[pa.NativeFile]:
        """The Parquet files below a place, open, in no order."""
        with self._opened() as (system, root):
            found = system.get_file_info(fs.FileSelector(f"{root}/{name}", recursive=True))
            return [system.open_input_file(each.path) for each in found if each.path.endswith(".parquet")]

    def keep(self, hashes: Collection[str]) -> None:
        """Delete copies of other files than those with these bytes, and parts that a killed process left."""
        with self._opened() as (system, root):
            for each in system.get_file_info(fs.FileSelector(f"{root}/{_COPIES}", allow_not_found=True)):
                if each.base_name.removesuffix(".parquet") not in hashes:
                    system.delete_file(each.path)
            for each in system.get_file_info(fs.FileSelector(f"{root}/{_PARTS}", allow_not_found=True)):
                if int(each.base_name.partition("-")[0]) < time.time() - _OLD:
                    system.delete_dir(each.path)

    @contextmanager
    def _opened(self) -> Iterator[tuple[fs.FileSystem, str]]:
        """The file system, and this place in it. Raises: SettingsError where it is not to be had."""
        try:
            yield self._held
        except (pa.ArrowException, OSError, ValueError) as error:
            raise SettingsError(
                f'engine.shared = "{self.root}" cannot be used; is it there, may this user write to it, and are its '
                "keys in the environment? --debug shows what was said"
            ) from error

    @cached_property
    def _held(self) -> tuple[fs.FileSystem, str]:
        scheme, _, place = self.root.rpartition("://")
        if not scheme:
            return fs.LocalFileSystem(), place
        if scheme in {"s3", "s3a", "s3n"}:  # the latter are Hadoop's names of it
            # Arrow reads the usual variables of the environment, but not where another store than Amazon's is.
            elsewhere = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
            return fs.S3FileSystem(endpoint_override=elsewhere), place
        system, place = fs.FileSystem.from_uri(self.root)
        return system, place
