"""Members of the ensemble: boosted trees and small networks, brought into plain arrays."""

from __future__ import annotations

import numpy as np

from servitwin.domain.observation import Floats
from servitwin.domain.remaining_life.forest import Forest, forest_of_text
from servitwin.domain.remaining_life.model import Member
from servitwin.domain.remaining_life.network import Network, network

TREES, LEAVES = 400, 24
HIDDEN = (64, 32)
NETWORKS = 2
ROWS = 12_000  # of one fit; rows of one life are alike, every third tells nearly as much


def grow(rows: Floats, remaining: Floats, seed: int) -> list[Member]:
    """Boosted trees and networks fitted to features (n, columns) and capped remaining lives (n,)."""
    step = -(-len(rows) // ROWS)
    if step > 1:
        rows, remaining = rows[seed % step :: step], remaining[seed % step :: step]
    found = [Member(0.4, forest=boosted(rows, remaining, seed))]
    found += [Member(0.6 / NETWORKS, network=trained(rows, remaining, seed * 100 + k)) for k in range(NETWORKS)]
    return found


def boosted(rows: Floats, remaining: Floats, seed: int, trees: int | None = None) -> Forest:
    """Gradient boosted trees (LightGBM) as arrays; the same data and seed give the same trees."""
    import lightgbm  # noqa: PLC0415 - heavy, and only where something is learnt

    settings = {
        "objective": "regression", "learning_rate": 0.04, "num_leaves": LEAVES, "feature_fraction": 0.3,
        "bagging_fraction": 0.7, "bagging_freq": 1, "lambda_l2": 5.0, "seed": seed, "deterministic": True,
        "force_row_wise": True, "num_threads": 1, "verbosity": -1,
        "min_data_in_leaf": min(40, max(3, len(rows) // 50)),
    }  # fmt: skip
    data = lightgbm.Dataset(rows, remaining, params={"verbosity": -1})
    return forest_of_text(lightgbm.train(settings, data, num_boost_round=trees or TREES).model_to_string())


def trained(rows: Floats, remaining: Floats, seed: int) -> Network:
    """A small network (scikit-learn) as arrays."""
    import warnings  # noqa: PLC0415

    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 - heavy, and only where something is learnt
    from sklearn.neural_network import MLPRegressor  # noqa: PLC0415

    centre, spread = rows.mean(0), rows.std(0)
    spread = np.where(spread > 1e-12, spread, 1.0)
    middle, scale = float(remaining.mean()), float(remaining.std()) or 1.0
    one = MLPRegressor(
        hidden_layer_sizes=HIDDEN, alpha=1.5, learning_rate_init=2e-3, batch_size=min(256, len(rows)), max_iter=25,
        random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopping early is what keeps it from learning by heart
        one.fit(((rows - centre) / spread).astype(np.float32), (remaining - middle) / scale)
    layers = zip(one.coefs_, one.intercepts_, strict=True)
    return network(list(layers), centre, spread, middle, scale)
