"""Regression trees as plain arrays: what a boosted ensemble says, without the library that grew it."""

from __future__ import annotations

import msgspec
import numpy as np

from servitwin.domain.observation import Floats

_ROWS = 256  # rows at a time: their positions in all trees stay in the cache


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
        """Sum over the trees for each row of features (n, columns), without gaps."""
        shape = (self.trees, self.nodes)
        feature = np.frombuffer(self.feature, np.int16).astype(np.int64)
        threshold = np.frombuffer(self.threshold, np.float64)
        left = np.frombuffer(self.left, np.int16).astype(np.int64)
        right = np.frombuffer(self.right, np.int16).astype(np.int64)
        value = np.frombuffer(self.value, np.float64).reshape(self.trees, self.nodes + 1)
        base = np.arange(self.trees) * shape[1]
        found = np.empty(len(rows))
        every_tree = np.arange(self.trees)
        for begin in range(0, len(rows), _ROWS):
            part = rows[begin : begin + _ROWS]
            line = np.arange(len(part))[:, None]
            at = np.zeros((len(part), self.trees), np.int64)
            while True:
                inner = at >= 0
                if not inner.any():
                    break
                node = base + np.maximum(at, 0)
                goes_left = part[line, feature[node]] <= threshold[node]
                at = np.where(inner, np.where(goes_left, left[node], right[node]), at)
            found[begin : begin + _ROWS] = value[every_tree, -1 - at].sum(1)
        return found


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
