"""Erased customers by keyed hash: later files are read without them, and nobody can tell from it who they were."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from features.errors import DataError
from pipelines.foundation.identity import erased_list
from pipelines.foundation.identity.keys import named
from pipelines.foundation.settings.text_values import SPACES
from pipelines.foundation.storage.store import Store

ERASED = "erased"  # the reason of a rejected row that was theirs

_WORDS = 6
_PUNCTUATION = ".:!?()[]{}<>\"'"


@dataclass(frozen=True)
class ErasedCustomers:
    """One hash per erased customer. secret: the key of the hashes, None while nobody was erased."""

    secret: bytes | None = None
    digests: frozenset[str] = frozenset()

    @classmethod
    def of(cls, store: Store) -> ErasedCustomers:
        """All whom ledger or list know of.

        Raises: DataError where an erasure was broken off: half of a person must not be computed with; or where somebody
        was erased of whom neither knows any more.
        """
        with store.transaction() as ledger:
            rows = ledger.execute("SELECT digest, finished FROM erasures").fetchall()
        if not all(row["finished"] for row in rows):
            raise DataError(
                "an erasure was broken off before its end; run the same `attrition erase` again before anything else"
            )
        digests = frozenset(row["digest"] for row in rows) | erased_list.listed(store)[1].keys()
        erased_list.refuse_untold(store, digests)
        return cls(erased_list.secret(store, make=False), digests) if digests else cls()

    def __bool__(self) -> bool:
        return bool(self.digests)

    def among(self, names: Iterable[str]) -> list[str]:
        """Those of some names that are of erased customers."""
        secret = self.secret
        return [] if secret is None else [name for name in names if named(secret, name) in self.digests]

    def masked(self, rejects: pa.RecordBatch) -> pa.RecordBatch:
        """Rejected rows; of those that name an erased customer no more than their number."""
        theirs = [
            reason == ERASED or (raw is not None and bool(self.among(names_in(raw))))
            for reason, raw in zip(rejects["reason"].to_pylist(), rejects["raw_row"].to_pylist(), strict=True)
        ]
        return masked(rejects, theirs)


def masked(rejects: pa.RecordBatch, theirs: Collection[bool], *, why: str = ERASED) -> pa.RecordBatch:
    """Rejected rows without the text of some, and `why` for their reason."""
    texts = {name: rejects[name].to_pylist() for name in ("reason", "raw_row")}
    hidden = {
        "reason": [why if gone else text for gone, text in zip(theirs, texts["reason"], strict=True)],
        "raw_row": [None if gone else text for gone, text in zip(theirs, texts["raw_row"], strict=True)],
    }
    columns = [
        pa.array(hidden[name], pa.string()) if name in hidden else rejects[name] for name in rejects.schema.names
    ]
    return pa.record_batch(columns, names=rejects.schema.names)


def names_in(raw_row: str) -> set[str]:
    """Whatever in a raw row may be a customer's id: each of its values, and up to six words in a row within them.

    >>> sorted(names_in('{"id": " C-17 ", "note": "(Jo Doe)"}'))
    ['(Jo', '(Jo Doe)', 'C-17', 'Doe', 'Doe)', 'Jo', 'Jo Doe']
    """
    content = json.loads(raw_row)
    values = content.values() if isinstance(content, dict) else content
    return {name for value in values if value is not None for name in _spans(str(value).strip(SPACES))} - {""}


def _spans(text: str) -> Iterator[str]:
    yield text
    words = [(found.start(), found.end()) for found in re.finditer(r"[^\s,;]+", text)]
    for first, (start, _) in enumerate(words):
        for _, end in words[first : first + _WORDS]:
            yield from (text[start:end], text[start:end].strip('"'), text[start:end].strip(_PUNCTUATION))
