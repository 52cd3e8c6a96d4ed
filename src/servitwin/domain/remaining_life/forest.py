"""Regression trees as plain arrays: what a boosted ensemble says, without the library that grew it."""

from __future__ import annotations

import msgspec
import numpy as np

from servitwin.domain.observation import Floats, Int64s

_ROWS = 128  # rows at a time: their positions in all trees stay in the cache


class Forest(msgspec.Struct, frozen=True):
    """Trees of one ensemble, padded to the same number of nodes; the prediction is the sum of a leaf of each tree.

    Attributes:
        trees, nodes: shape of the arrays below.
        feature: column that an inner node looks at (int16); threshold: at most that goes left (float64).
        left, right: next node, or ``-1 - leaf`` (int16).
        value: of each leaf (float64), ``nodes + 1`` a tree.
    """

    trees: int
    nodes: int
    feature: bytes
    threshold: bytes
    left: bytes
    right: bytes
    value: bytes

    def predict(self, rows: Floats) -> Floats:
        """Sum over the trees for each row of features (n, columns), without gaps.

        Leaves are nodes that lead to themselves, so that all rows go down all trees in the same few steps.
        """
        inner, width = self.nodes, 2 * self.nodes + 1
        first = np.arange(self.trees)[:, None] * width
        feature, threshold = np.zeros((self.trees, width), np.int64), np.full((self.trees, width), np.inf)
        feature[:, :inner] = np.frombuffer(self.feature, np.int16).reshape(self.trees, inner)
        threshold[:, :inner] = np.frombuffer(self.threshold, np.float64).reshape(self.trees, inner)
        after = np.repeat((first + np.arange(width))[:, :, None], 2, axis=2)
        for side, raw in enumerate((self.left, self.right)):
            to = np.frombuffer(raw, np.int16).reshape(self.trees, inner).astype(np.int64)
            after[:, :inner, side] = first + np.where(to >= 0, to, inner - 1 - to)
        value = np.zeros((self.trees, width))
        value[:, inner:] = np.frombuffer(self.value, np.float64).reshape(self.trees, inner + 1)
        roots, ways = first.ravel(), after.ravel()
        steps = _depth(after.reshape(-1, 2), roots)
        found = np.empty(len(rows))
        for begin in range(0, len(rows), _ROWS):
            part = np.ascontiguousarray(rows[begin : begin + _ROWS])
            flat, line = part.ravel(), np.arange(len(part))[:, None] * part.shape[1]
            at = np.broadcast_to(roots, (len(part), self.trees))
            for _ in range(steps):
                right = flat.take(line + feature.take(at)) > threshold.take(at)
                at = ways.take(2 * at + right)
            found[begin : begin + _ROWS] = value.take(at).sum(1)
        return found


def _depth(after: Int64s, first: Int64s) -> int:
    """Steps from the roots to the deepest leaf."""
    level, steps = first, 0
    while True:
        following = np.unique(after[level])
        following = following[(after[following] != following[:, None]).any(1)]
        steps += 1
        if not len(following):
            return steps
        level = following


def forest(trees: list[dict[str, list[float]]]) -> Forest:
    """Trees given as lists ``feature``, ``threshold``, ``left``, ``right`` (inner nodes) and ``value`` (leaves)."""
    nodes = max(1, *(len(t["feature"]) for t in trees))
    shape = (len(trees), nodes)
    feature, left, right = (np.full(shape, fill, np.int16) for fill in (0, -1, -1))
    threshold, value = np.zeros(shape), np.zeros((len(trees), nodes + 1))
    for k, tree in enumerate(trees):
        n = len(tree["feature"])
        for array, name in ((feature, "feature"), (threshold, "threshold"), (left, "left"), (right, "right")):
            array[k, :n] = tree[name]
        value[k, : len(tree["value"])] = tree["value"]
    return Forest(*shape, *(a.tobytes() for a in (feature, threshold, left, right, value)))


def forest_of_text(text: str) -> Forest:
    """The trees in LightGBM's own text form (only numbers without gaps: categories and missing values are unused)."""
    trees = []
    for block in text.split("\nTree=")[1:]:
        lines = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        inner = int(lines["num_leaves"]) > 1
        columns = {"feature": "split_feature", "threshold": "threshold", "left": "left_child", "right": "right_child"}
        tree = {ours: [float(v) for v in lines[theirs].split()] if inner else [] for ours, theirs in columns.items()}
        tree["value"] = [float(v) for v in lines["leaf_value"].split()]
        if not inner:  # a tree of one leaf: both ways lead there
            tree |= {"feature": [0.0], "threshold": [0.0], "left": [-1.0], "right": [-1.0]}
        trees.append(tree)
    return forest(trees)
