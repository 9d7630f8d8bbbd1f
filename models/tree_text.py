"""LightGBM's text of a model, looked over before LightGBM parses it: its parser and predictions believe every number.

Given a child outside of its tree it reads wherever that points, given one that leads back it never ends, and given a
count it takes that much memory. Only what our own training writes passes: one tree per round, each of them whole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence

from features.errors import IntegrityError

MOST_BYTES = 1 << 28
MOST_TREES = 100_000
MOST_LEAVES = 4_096  # of a tree; tuning goes up to 63
MOST_DEPTH = 256  # LightGBM's contributions take the square of it, per tree and row

_HEADER = (
    "version=v4",
    "num_class=1",
    "num_tree_per_iteration=1",
    "label_index=0",
    "max_feature_idx",
    "objective=binary sigmoid:1",
    "feature_names",
    "feature_infos",
    "tree_sizes",
)
_LEAVES = ("leaf_value", "leaf_weight", "leaf_count")
_SPLITS = ("split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child")
_NODES = (*_SPLITS, "internal_value", "internal_weight", "internal_count")
_TREE = ("num_leaves", "num_cat", *_SPLITS, *_LEAVES, *_NODES[len(_SPLITS) :], "is_linear", "shrinkage")
_WHOLE = ("num_leaves", "split_feature", "decision_type", "left_child", "right_child", "leaf_count", "internal_count")
_DECISIONS = frozenset({0, 2, 4, 6, 8, 10})  # numbers only; by missing values, and where those go

_NUMBER = re.compile(r"-?\d{1,20}(?:\.\d{1,40})?(?:e[+-]?\d{1,3})?", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,10}", re.ASCII)
_INFINITE = ("inf", "-inf")
_BOUND = rf"(?:-?inf|{_NUMBER.pattern})"  # of a column, which may hold anything; predictions do not look at it
_RANGE = re.compile(rf"none|\[{_BOUND}:{_BOUND}\]", re.ASCII)


def refuse_malformed(text: str, columns: Sequence[str]) -> None:
    """Raise IntegrityError, saying which part is wrong, unless the text is of trees over these columns."""
    if len(text) > MOST_BYTES:
        raise _wrong("the text", f"is longer than {MOST_BYTES:,} bytes")
    if not text.isascii() or "\0" in text or "\r" in text:
        raise _wrong("the text", "has characters that are none of LightGBM's")
    start, *trees_and_end = text.split("\n\nTree=")
    sizes = _refuse_header(start, columns)
    if len(trees_and_end) != len(sizes):
        raise _wrong("tree_sizes", f"names {len(sizes)} trees, and {len(trees_and_end)} follow")
    if not sizes:
        _, _, rest = start.partition("\n\n")
        _refuse_end(rest, columns)
        return
    *trees, last = trees_and_end
    last, found, rest = last.partition("\n\n\nend of trees\n")
    if not found:
        raise _wrong("the text", "has no end of trees")
    for number, (tree, size) in enumerate(zip([*trees, last], sizes, strict=True)):
        lines = tree.removesuffix("\n")
        # As LightGBM counts: with the heading, and the two empty lines that follow.
        if len(f"Tree={lines}\n\n\n") != size:
            raise _wrong(f"tree {number}", f"is not of the {size} bytes that tree_sizes says")
        _refuse_tree(number, lines, len(columns))
    _refuse_end(f"end of trees\n{rest}", columns)


def _refuse_header(start: str, columns: Sequence[str]) -> list[int]:
    """The sizes of the trees back."""
    first, *lines = start.partition("\n\n")[0].split("\n")
    if first != "tree" or len(lines) != len(_HEADER):
        raise _wrong("the header", "has other lines than LightGBM's")
    values = {}
    for line, wanted in zip(lines, _HEADER, strict=True):
        name, _, value = line.partition("=")
        if line != wanted if "=" in wanted else name != wanted:
            raise _wrong("the header", f"has not {wanted} in its place")
        values[name] = value
    if values["max_feature_idx"] != str(len(columns) - 1) or values["feature_names"] != " ".join(columns):
        raise _wrong("feature_names", "are not the columns of model.json")
    ranges = values["feature_infos"].split(" ")
    if len(ranges) != len(columns) or not all(_RANGE.fullmatch(each) for each in ranges):
        raise _wrong("feature_infos", "are not a range for each column")
    sizes = _integers("tree_sizes", values["tree_sizes"]) if values["tree_sizes"] else []
    if len(sizes) > MOST_TREES:
        raise _wrong("tree_sizes", f"names more than {MOST_TREES:,} trees")
    return sizes


def _refuse_tree(number: int, tree: str, columns: int) -> None:
    where = f"tree {number}"
    heading, *lines = tree.split("\n")
    if heading != str(number) or tuple(line.partition("=")[0] for line in lines) != _TREE:
        raise _wrong(where, "has other lines than LightGBM's, or does not come in its place")
    values = {name: line.partition("=")[2] for name, line in zip(_TREE, lines, strict=True)}
    if (values.pop("num_cat"), values.pop("is_linear")) != ("0", "0"):
        raise _wrong(where, "has splits by category or linear leaves, which our models have not")
    numbers = {name: _numbers(f"{where}, {name}", value, whole=name in _WHOLE) for name, value in values.items()}
    leaves = numbers.pop("num_leaves")
    if len(leaves) != 1 or not 1 <= leaves[0] <= MOST_LEAVES:
        raise _wrong(f"{where}, num_leaves", f"is none of 1 to {MOST_LEAVES:,}")
    for name, found in numbers.items():
        wanted = 1 if name == "shrinkage" else leaves[0] - (name in _NODES)
        # Of a tree that did not grow LightGBM tells the leaf's value, and not always its weight and count.
        if len(found) != wanted and not (leaves[0] == 1 and name in _LEAVES[1:] and not found):
            raise _wrong(f"{where}, {name}", f"has {len(found)} values, and {wanted} were to be there")
    if not all(0 <= feature < columns for feature in numbers["split_feature"]):
        raise _wrong(f"{where}, split_feature", f"names a column that is none of {columns}")
    if not _DECISIONS.issuperset(numbers["decision_type"]):
        raise _wrong(f"{where}, decision_type", "is none of those that numbers have")
    _refuse_other_than_a_tree(where, numbers["left_child"], numbers["right_child"])


def _refuse_other_than_a_tree(where: str, left: Sequence[float], right: Sequence[float]) -> None:
    """From the root every node and leaf is reached once, or it is none: a number below 0 is a leaf, from -1 on."""
    seen: set[int] = set()
    level, depth = [0] if left else [], 0
    while level:
        if depth > MOST_DEPTH:
            raise _wrong(where, f"is deeper than {MOST_DEPTH}")
        children = [int(child) for node in level for child in (left[node], right[node])]
        if not all(-len(left) - 1 <= child < len(left) for child in children):
            raise _wrong(where, "has a child that lies outside of it")
        if len({*children}) != len(children) or not seen.isdisjoint(children) or 0 in children:
            raise _wrong(where, "has a child that two nodes lead to")
        seen.update(children)
        level, depth = [child for child in children if child >= 0], depth + 1
    if len(seen) != 2 * len(left):
        raise _wrong(where, "has nodes that nothing leads to")


def _refuse_end(text: str, columns: Collection[str]) -> None:
    """What follows the trees: the sums of what each column was split by."""
    lines = text.split("\n")
    while lines and not lines[-1]:
        lines.pop()
    if lines[:3] != ["end of trees", "", "feature_importances:"]:
        raise _wrong("the text", "has something else after its trees than feature_importances")
    for line in lines[3:]:
        name, _, value = line.partition("=")
        if name not in columns or not _INTEGER.fullmatch(value):
            raise _wrong("feature_importances", "has a line that is none of a column")


def _integers(where: str, text: str) -> list[int]:
    return [int(value) for value in _numbers(where, text, whole=True)]


def _numbers(where: str, text: str, *, whole: bool) -> list[float]:
    parts = text.split(" ") if text else []
    pattern = _INTEGER if whole else _NUMBER
    # Where a column holds something infinite, a split may be there: that is compared with, never computed with.
    told = [part for part in parts if part not in _INFINITE] if where.endswith("threshold") else parts
    if not all(pattern.fullmatch(part) for part in told):
        raise _wrong(where, f"has something that is no {'whole ' * whole}number")
    found = [int(part) if whole else float(part) for part in parts]
    if not all(map(math.isfinite, map(float, told))):
        raise _wrong(where, "has a number that is not finite")
    return found


def _wrong(where: str, what: str) -> IntegrityError:
    return IntegrityError(
        f"the model's booster.txt is none that attrition wrote: {where} {what}. LightGBM was not given it; restore the "
        "model from a backup, or run `attrition train` again"
    )
