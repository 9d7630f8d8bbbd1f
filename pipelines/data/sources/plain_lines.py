"""CSV files without a quote: their rows are their lines, which pyarrow splits just as the careful reader does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from pipelines.data.sources.encoding import codec
from pipelines.foundation.settings.dialect import Dialect

_BLOCK = 8 << 20


def copy_plain_lines(path: Path, dialect: Dialect, header: list[str], place: Path, schema: pa.Schema) -> int | None:
    """Copy the rows of a file as text to `place`, numbered; how many there are.

    schema: source_row, ragged, whole, and a text for each heading. None where the file is not so plain (a quote, a line
    with more or fewer values, a line that ends in nothing but a return): then every line must be looked at.
    """
    if len(header) < 2 or codec(dialect.encoding) != "utf-8-sig" or not dialect.delimiter.isascii():
        return None
    if not _plain(path, dialect.quote.encode()):
        return None
    names = schema.names[3:]
    try:
        reader = pyarrow.csv.open_csv(
            path,
            read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=_BLOCK),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=dialect.delimiter, quote_char=False, escape_char=False, newlines_in_values=False
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, null_values=[]
            ),
        )
        return _write(reader, header, place, schema)
    except pa.ArrowInvalid:
        return None


def _write(reader: pyarrow.csv.CSVStreamingReader, header: list[str], place: Path, schema: pa.Schema) -> int | None:
    count, first = 0, True
    with pq.ParquetWriter(place, schema, compression="lz4", use_dictionary=False, write_statistics=False) as writer:
        for batch in reader:
            rows = batch
            if first:
                if [column[0].as_py() for column in batch.columns] != header:
                    return None
                rows, first = batch.slice(1), False
            size = rows.num_rows
            numbers = pa.array(np.arange(count + 1, count + size + 1, dtype=np.int64))
            nothing = pa.nulls(size, pa.string())
            writer.write_batch(pa.record_batch([numbers, nothing, nothing, *rows.columns], schema=schema))
            count += size
    return count


def _plain(path: Path, quote: bytes) -> bool:
    """Whether there is no quote, and no return that does not end a line together with a line feed."""
    with path.open("rb") as handle:
        held = b""
        while block := handle.read(_BLOCK):
            # A return at the end of a block is looked at with what follows it.
            text = held + block
            held = b"\r" if text.endswith(b"\r") else text[-len(quote) + 1 :] if len(quote) > 1 else b""
            if quote in text or text[:-1].count(b"\r") != text.count(b"\r\n"):
                return False
    return held != b"\r"
