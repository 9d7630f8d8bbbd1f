from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

import lightgbm as lgb
import numpy as np
import pytest

from features.errors import IntegrityError
from models import boosting
from models.tree_text import MOST_DEPTH, MOST_LEAVES, refuse_malformed
from tests.models.model_case import fitted, train_rows

COLUMNS = train_rows().columns


def text() -> str:
    return boosting.to_text(fitted().booster)


def sized(trees: str) -> str:
    """The text with the sizes of its trees as they are: what somebody would write who alters one."""
    head, *rest = trees.split("\n\nTree=")
    tail = rest[-1].partition("\n\n\nend of trees\n")
    sizes = [len(f"Tree={tree.removesuffix(chr(10))}\n\n\n") for tree in [*rest[:-1], tail[0]]]
    return trees.replace(head, re.sub("tree_sizes=.*", f"tree_sizes={' '.join(map(str, sizes))}", head), 1)


def with_line(name: str, change: Callable[[list[str]], list[str]]) -> str:
    """The text with the values of a line of its first tree changed."""
    found = re.search(rf"\n{name}=(.*)\n", text())
    assert found is not None
    changed = " ".join(change(found[1].split(" ")))
    return sized(text().replace(found[0], f"\n{name}={changed}\n", 1))


def chain(depth: int) -> str:
    """One tree in which each node leads to the next."""
    columns = ["a", "b"]
    nodes, leaves = depth, depth + 1
    lines = [
        "0", f"num_leaves={leaves}", "num_cat=0",
        *(f"{name}={' '.join([value] * nodes)}" for name, value in (
            ("split_feature", "0"), ("split_gain", "1"), ("threshold", "0.5"), ("decision_type", "2"))),
        f"left_child={' '.join([*map(str, range(1, nodes)), str(-leaves)])}",
        f"right_child={' '.join(str(-each - 1) for each in range(nodes))}",
        *(f"{name}={' '.join(['1'] * leaves)}" for name in ("leaf_value", "leaf_weight", "leaf_count")),
        *(f"{name}={' '.join(['1'] * nodes)}" for name in ("internal_value", "internal_weight", "internal_count")),
        "is_linear=0", "shrinkage=1",
    ]  # fmt: skip
    head = (
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\n"
        f"objective=binary sigmoid:1\nfeature_names={' '.join(columns)}\nfeature_infos=[0:1] none\ntree_sizes=1"
    )
    body = "\n".join(lines)
    return sized(f"{head}\n\nTree={body}\n\n\nend of trees\n\nfeature_importances:\na=1\n\n")


@pytest.mark.parametrize("start", [True, False], ids=["with a start model", "without"])
def test_what_training_writes_passes(start: bool) -> None:
    model = fitted(start=start)
    refuse_malformed(boosting.to_text(model.booster), model.columns)


def test_trees_of_extreme_values_and_trees_that_did_not_grow_pass() -> None:
    random = np.random.default_rng(7)
    values = random.normal(size=(2000, 3)) * 1e30
    values[::5], values[::7, 1] = np.nan, np.inf
    values[1::7, 1] = -np.inf
    for labels in ((values[:, 0] > 0) * 1.0, np.ones(2000), (random.random(2000) < 0.5) * 1.0):
        for rounds in (1, 20):
            data = lgb.Dataset(values, labels, feature_name=["a", "b", "c"])
            grown = lgb.train({"objective": "binary", "verbosity": -1, "num_threads": 1}, data, num_boost_round=rounds)
            refuse_malformed(boosting.to_text(grown), ["a", "b", "c"])


HOSTILE = {
    "an absurd number of leaves": (lambda: with_line("num_leaves", lambda _: ["2147483647"]), "is none of 1"),
    "no leaves": (lambda: with_line("num_leaves", lambda _: ["0"]), "num_leaves is none of 1"),
    "a number of leaves below nothing": (lambda: with_line("num_leaves", lambda _: ["-5"]), "num_leaves is none of 1"),
    "a number of leaves of too many digits": (
        lambda: with_line("num_leaves", lambda _: ["9" * 5000]), "num_leaves has something that is no whole number"),
    "a child outside": (lambda: with_line("left_child", lambda v: ["1000000", *v[1:]]), "lies outside of it"),
    "a leaf outside": (lambda: with_line("right_child", lambda v: ["-1000000", *v[1:]]), "lies outside of it"),
    "the root below itself": (lambda: with_line("left_child", lambda v: ["0", *v[1:]]), "that two nodes lead to"),
    "a cycle": (lambda: with_line("left_child", lambda v: [v[0], v[0], *v[2:]]), "two nodes lead to"),
    "one child twice": (lambda: with_line("left_child", lambda v: [*v[:-1], v[-2]]), "two nodes lead to|leads to"),
    "a column outside": (lambda: with_line("split_feature", lambda v: ["99999", *v[1:]]), "column that is none"),
    "a column below nothing": (lambda: with_line("split_feature", lambda v: ["-1", *v[1:]]), "column that is none"),
    "a threshold that is none": (lambda: with_line("threshold", lambda v: ["nan", *v[1:]]), "threshold has something"),
    "a threshold that becomes infinite": (lambda: with_line("threshold", lambda v: ["1e999", *v[1:]]), "not finite"),
    "an infinite leaf": (lambda: with_line("leaf_value", lambda v: ["-inf", *v[1:]]), "leaf_value has something"),
    "a leaf in hexadecimal digits": (lambda: with_line("leaf_value", lambda v: ["0x1p3", *v[1:]]), "leaf_value has"),
    "too few thresholds": (lambda: with_line("threshold", lambda v: v[1:]), "values, and .* were to be there"),
    "too many leaves' values": (lambda: with_line("leaf_value", lambda v: [*v, "1"]), "were to be there"),
    "a split by category": (lambda: with_line("num_cat", lambda _: ["1"]), "splits by category"),
    "a way that is none": (lambda: with_line("decision_type", lambda v: ["1", *v[1:]]), "decision_type is none"),
    "linear leaves": (lambda: with_line("is_linear", lambda _: ["1"]), "linear leaves"),
    "an absurd number of trees": (lambda: text().replace("_sizes=", "_sizes=1 1 1 ", 1), "tree_sizes names"),
    "a size that is another": (lambda: re.sub(r"tree_sizes=\d+", "tree_sizes=999999999", text()), "is not of the 9"),
    "a size below nothing": (lambda: re.sub(r"tree_sizes=\d+", "tree_sizes=-1", text()), "is not of the -1 bytes"),
    "many classes": (lambda: text().replace("num_class=1", "num_class=99999999", 1), "the header has not num_class=1"),
    "many trees each round": (lambda: text().replace("per_iteration=1", "per_iteration=9", 1), "the header has not"),
    "another objective": (lambda: text().replace("binary sigmoid:1", "binary sigmoid:-1", 1), "the header has not"),
    "another version": (lambda: text().replace("version=v4", "version=v3", 1), "the header has not version=v4"),
    "an absurd number of columns": (
        lambda: re.sub("max_feature_idx=.*", "max_feature_idx=2147483647", text()), "are not the columns"),
    "other columns": (lambda: text().replace("feature_names=", "feature_names=x_", 1), "are not the columns of model"),
    "ranges that are none": (lambda: re.sub("feature_infos=.*", "feature_infos=", text()), "feature_infos are not a"),
    "a line more in the header": (lambda: text().replace("num_class", "average\nnum_class", 1), "header has other"),
    "a line less in the header": (lambda: text().replace("label_index=0\n", "", 1), "header has other"),
    "a section less": (lambda: sized(re.sub(r"\nleft_child=.*", "", text(), count=1)), "tree 0 has other lines"),
    "a section twice": (lambda: sized(re.sub(r"(\nnum_cat=0)", r"\1\1", text(), count=1)), "tree 0 has other lines"),
    "a tree that is not in its place": (lambda: sized(text().replace("Tree=0", "Tree=7", 1)), "tree 0 has other lines"),
    "no end": (lambda: text().replace("end of trees", "", 1), "has no end of trees"),
    "nothing": (str, "the header has other lines"),
    "zero bytes": (lambda: text().replace("tree", "tr\0ee", 1), "has characters that are none"),
    "something after the end": (lambda: text() + "parameters:\n[num_threads: 1]\n", "importances has a line"),
    "a very deep tree": (lambda: chain(MOST_DEPTH + 2), f"is deeper than {MOST_DEPTH}"),
    "an absurdly deep tree": (lambda: chain(MOST_LEAVES + 7), "num_leaves is none of 1 to"),
}  # fmt: skip


@pytest.mark.parametrize(("made", "said"), HOSTILE.values(), ids=HOSTILE)
def test_trees_that_were_made_to_harm_are_refused_before_lightgbm_sees_them(
    made: Callable[[], str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lgb, "Booster", lambda **_: pytest.fail("LightGBM was given a hostile model"))
    hostile = made()
    assert hostile != text()
    with pytest.raises(IntegrityError, match=f"^the model's booster.txt is none that attrition wrote: .*{said}"):
        boosting.from_text(hostile, boosting.digest(hostile), ("a", "b") if "names=a b\n" in hostile else COLUMNS)


def test_a_deep_tree_that_is_one_passes() -> None:
    refuse_malformed(chain(MOST_DEPTH - 2), ["a", "b"])
    lgb.Booster(model_str=chain(20))


def test_whatever_passes_lightgbm_parses_and_computes_with() -> None:
    """Bytes changed at random: refused, or a proper model that gives finite numbers."""
    random, whole, passed = Random(11), text(), 0
    rows = train_rows().values[:50]
    for _ in range(3000):
        place = random.randrange(len(whole))
        altered = whole[:place] + random.choice("0123456789-. e=\nani") + whole[place + random.randrange(2) :]
        try:
            refuse_malformed(altered, COLUMNS)
        except IntegrityError:
            continue
        passed += 1
        booster = lgb.Booster(model_str=altered)
        assert np.isfinite(np.asarray(booster.predict(rows, raw_score=True))).all()
        assert np.isfinite(np.asarray(booster.predict(rows, pred_contrib=True))).all()
    assert passed > 100
