"""Machines of a set of failures, played into a real history: what each signal said, instant by instant."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.machine_type import MachineType
from servitwin.domain.observation import Rows
from servitwin.domain.signal import SignalDefinition
from servitwin.engines.history import DeltaWriter

SPREAD = 0.25  # two values a day lie so far below and above the day's mean


def watch_parameters(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """How such a machine is watched: each error, renewal and failure has a counter that goes up."""
    return {
        "means": {s: s for s in dataset["signals"]},
        "errors": {e: {"signal": f"{e}.count"} for e in dataset["errors"]},
        "renewed": {c: {"signal": f"{c}.renewals"} for c in dataset["components"]},
        "failed": {c: {"signal": f"{c}.failures"} for c in dataset["components"]},
    }


def machine_type(dataset: Mapping[str, Any], **units: str) -> MachineType:
    """The type whose signals those are; ``units`` of some, where not 1."""
    watched = watch_parameters(dataset)
    counters = [e["signal"] for kind in ("errors", "renewed", "failed") for e in watched[kind].values()]
    names = [*dataset["signals"], *counters]
    return MachineType(
        dataset["machine_type"], 1, signals=tuple(SignalDefinition(n, unit=units.get(n, "1")) for n in names)
    )


def play(
    folder: Path, dataset: Mapping[str, Any], uids: Mapping[str, str], first_day: int, *, seq: int = 1, shard: int = 0
) -> None:
    """Write the machines into history in one commit; day 0 of each is ``first_day`` since 1970."""
    rows: list[tuple[str, str, int, float]] = []
    for m in dataset["machines"]:
        uid = uids[m["id"]]
        for day, means in enumerate(m["means"]):
            for signal, mean in zip(dataset["signals"], means, strict=True):
                if mean is not None:
                    at = (first_day + day) * DAY
                    rows += [(uid, signal, at + 6 * HOUR, mean - SPREAD), (uid, signal, at + 18 * HOUR, mean + SPREAD)]
        for kind, ending in (("errors", "count"), ("replaced", "renewals"), ("failed", "failures")):
            for name, times in m.get(kind, {}).items():
                at = [first_day * DAY + round(t * DAY) for t in sorted(times)]
                said = [min([first_day * DAY, *at]) - DAY, *at] if seq == 1 else at
                base = 1000 * (seq - 1)  # a counter never says again what it said before
                rows += [(uid, f"{name}.{ending}", t, float(base + k)) for k, t in enumerate(said)]
    rows.sort(key=lambda r: r[2])
    twins, signals = sorted({r[0] for r in rows}), sorted({r[1] for r in rows})
    n = len(rows)
    columns = Rows(
        twins, signals, np.array([twins.index(r[0]) for r in rows], np.int32),
        np.array([signals.index(r[1]) for r in rows], np.int32), np.array([r[2] for r in rows], np.int64),
        np.array([r[2] for r in rows], np.int64), np.array([r[3] for r in rows]), None, None, np.zeros(n, np.uint8),
        np.zeros(n, np.bool_), np.full(n, shard, np.int32), np.full(n, seq, np.int64), np.arange(n, dtype=np.int32),
    )  # fmt: skip
    DeltaWriter(folder, shard=shard, now=lambda: rows[-1][2]).commit([columns], [], {f"S/1/{shard}": seq}, {})
