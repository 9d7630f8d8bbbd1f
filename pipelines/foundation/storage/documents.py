"""JSON and Parquet results in the store: written whole, read only if intact."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.foundation.storage.store import Store

if TYPE_CHECKING:
    import pandas as pd


def read(store: Store, path: str) -> dict[str, Any] | None:
    """The document at a path; None where it was not written yet."""
    stored = store.present(path)
    if stored is None:
        return None
    content: dict[str, Any] = json.loads(store.verified(stored).read_text(encoding="utf-8"))
    return content


def write(store: Store, path: str, document: dict[str, Any], *, kind: str) -> dict[str, Any]:
    """Store a document, numbers that are not finite as null; as it will be read, back."""
    text = json.dumps(finite(document), indent=1, sort_keys=True, allow_nan=False) + "\n"

    def save(place: Path) -> None:
        place.write_text(text, encoding="utf-8")

    store.put(path, save, kind=kind)
    written: dict[str, Any] = json.loads(text)
    return written


def finite(value: Any) -> Any:
    """JSON has no NaN; what could not be computed is null."""
    if isinstance(value, dict):
        return {key: finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_frame(store: Store, path: str) -> pd.DataFrame | None:
    """The frame at a path; None where it was not written yet."""
    stored = store.present(path)
    return None if stored is None else pq.read_table(store.verified(stored)).to_pandas()


def write_frame(store: Store, path: str, frame: pd.DataFrame, *, kind: str) -> str:
    """Store a frame; its path back."""
    table = pa.Table.from_pandas(frame, preserve_index=False)

    def save(place: Path) -> None:
        pq.write_table(table, place, compression="zstd")

    store.put(path, save, kind=kind, rows=len(frame))
    return path
