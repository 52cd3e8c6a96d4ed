"""Lives that a known law makes: wear grows from a random start at a random pace, three signals show it with noise."""

from __future__ import annotations

from typing import Any

import numpy as np

REGIMES = ((1.0, 50.0), (2.0, 80.0))  # speed, load


def life(seed: int, *, length: int | None = None) -> np.ndarray:
    """Rows (n, 2 settings + 4 signals) up to the failure; the fourth signal tells nothing."""
    rng = np.random.default_rng(seed)
    n = length or int(np.clip(rng.normal(90, 20), 45, 160))
    age = np.arange(n)
    wear = np.exp((age - n + 1) / (0.18 * n))
    regime = np.array(REGIMES)[rng.integers(0, 2, n)]
    settings = regime + rng.normal(0, 0.002, (n, 2))
    gain, base = 1 + 0.5 * (regime[:, 0] - 1), 20 * regime[:, 0]
    signals = [
        base + 6 * gain * wear + rng.normal(0, 0.6, n),
        5 * base - 9 * gain * wear + rng.normal(0, 0.8, n),
        3 + 2 * wear + rng.normal(0, 0.25, n),
        7 + rng.normal(0, 1, n),
    ]
    return np.column_stack([settings, *signals])


def lives(count: int, **more: Any) -> dict[str, Any]:
    """A set to learn from."""
    return {
        "machine_type": "press", "component": "bearing", "life_unit": "h", "settings": ["speed", "load"],
        "signals": ["temperature", "pressure", "vibration", "noise"], "units": {"temperature": "Cel"}, "cap": 60,
        "folds": 2,
        "machines": [
            {"id": f"press-{k}", "failed": True, "owner": "kivi" if k % 2 else "aalto", "rows": life(k).tolist()}
            for k in range(count)
        ],
        **more,
    }  # fmt: skip
