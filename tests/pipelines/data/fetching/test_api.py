from __future__ import annotations

from pipelines.data.fetching.api import reduced, tree_of


def test_what_is_not_named_is_left_out_at_every_depth() -> None:
    found = {
        "id": "a",
        "name": "N",
        "card": {"exp_year": 2030, "last4": "4242"},
        "items": [{"id": 1, "n": 2}, {"n": 3}],
    }
    assert reduced(found, tree_of("id card.exp_year items.id")) == {
        "id": "a",
        "card": {"exp_year": 2030},
        "items": [{"id": 1}, {}],
    }


def test_what_is_an_id_in_place_of_an_object_stays() -> None:
    assert reduced({"discounts": ["di_1", {"id": "di_2", "x": 1}]}, tree_of("discounts.id")) == {
        "discounts": ["di_1", {"id": "di_2"}]
    }
    assert reduced({"discount": None}, tree_of("discount.id")) == {"discount": None}
