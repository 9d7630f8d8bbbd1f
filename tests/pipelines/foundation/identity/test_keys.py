from __future__ import annotations

from pathlib import Path

import pytest

from features.errors import IntegrityError
from pipelines.foundation.identity.keys import key, marked, named, place_of_key
from pipelines.foundation.storage.store import Store


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert key(store, "things", make=False) is None
    made = key(store, "things")
    assert made is not None
    assert key(store, "things") == made
    assert place_of_key(store, "things").stat().st_mode & 0o777 == 0o600
    assert marked(store, "things") == named(made, "things")


@pytest.mark.parametrize("content", [b"", b"no key", b"ab" * 31, b"ab" * 64, b"\xff" * 64, b"zz" * 32])
def test_what_is_no_key_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    store = Store(tmp_path)
    place_of_key(store, "things").write_bytes(content)
    with pytest.raises(IntegrityError, match=r"\.attrition-things\.key does not hold a key as it was made"):
        key(store, "things")


def test_a_key_of_which_nothing_is_read_but_its_beginning_may_be_of_any_size(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with place_of_key(store, "things").open("wb") as handle:
        handle.truncate(1 << 42)
    with pytest.raises(IntegrityError, match="does not hold a key"):
        key(store, "things")


def test_a_mark_that_is_known_from_elsewhere_counts_where_the_ledger_is_a_new_one(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(IntegrityError, match="is missing, and customers were named with the key in it"):
        key(store, "things", mark="a" * 64)
    place_of_key(store, "things").write_text("ab" * 32)
    with pytest.raises(IntegrityError, match="is not the one with which customers were named"):
        key(store, "things", mark="a" * 64)
    assert key(store, "things", mark=named(b"\xab" * 32, "things")) == b"\xab" * 32
    assert marked(store, "things") is not None
