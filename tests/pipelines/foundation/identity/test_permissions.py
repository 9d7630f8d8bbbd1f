"""Who may be processed and handed over, and what customers are called, as the lists are at the moment of asking."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from features.errors import DataError
from pipelines.foundation.identity.permissions import Permissions
from pipelines.foundation.settings.privacy import Privacy

FRAME = pd.DataFrame({"customer_id": ["A", "B", "C"], "n": [1, 2, 3]})


def permissions(folder: Path, **lists: str) -> Permissions:
    """The lists by their setting, each as a file of ids."""
    for name, text in lists.items():
        (folder / f"{name}.csv").write_text(text)
    plan = Privacy.model_validate({name: f"{name}.csv" for name in lists})
    return Permissions(folder, plan, None)


def test_without_lists_everybody_may_be_processed_and_handed_over(tmp_path: Path) -> None:
    found = permissions(tmp_path)
    assert found.permitted(FRAME).equals(FRAME)
    assert found.without_opt_outs(FRAME).equals(FRAME)


def test_who_objected_is_neither_processed_nor_handed_over(tmp_path: Path) -> None:
    found = permissions(tmp_path, objections="customer_id\nB\n")
    assert found.permitted(FRAME)["customer_id"].tolist() == ["A", "C"]
    assert found.without_opt_outs(FRAME)["customer_id"].tolist() == ["A", "C"]


def test_who_opted_out_is_processed_and_not_handed_over(tmp_path: Path) -> None:
    found = permissions(tmp_path, opt_outs="customer_id\nC\n")
    assert found.permitted(FRAME)["customer_id"].tolist() == ["A", "B", "C"]
    assert found.without_opt_outs(FRAME)["n"].tolist() == [1, 2]


def test_where_consent_is_asked_for_only_those_who_gave_it_are_left(tmp_path: Path) -> None:
    found = permissions(tmp_path, consent="customer_id,given\nA,yes\nB,no\n", opt_outs="customer_id\nA\n")
    assert found.permitted(FRAME)["customer_id"].tolist() == ["A"]
    assert found.without_opt_outs(FRAME)["customer_id"].tolist() == []


def test_lists_are_read_again_each_time(tmp_path: Path) -> None:
    found = permissions(tmp_path, objections="customer_id\n")
    assert len(found.permitted(FRAME)) == 3
    (tmp_path / "objections.csv").write_text("customer_id\nA\n")
    assert len(found.permitted(FRAME)) == 2


def test_a_list_that_is_gone_is_not_one_in_which_nobody_stands(tmp_path: Path) -> None:
    found = permissions(tmp_path, objections="customer_id\n")
    (tmp_path / "objections.csv").unlink()
    with pytest.raises(DataError, match=r"privacy\.objections names objections\.csv, which cannot be read"):
        found.permitted(FRAME)


def test_without_pseudonyms_customers_go_by_the_companys_own_ids(tmp_path: Path) -> None:
    found = permissions(tmp_path)
    assert found.name_of("A") == "A"
    assert found.own_ids(["A", "B"]) == ["A", "B"]
