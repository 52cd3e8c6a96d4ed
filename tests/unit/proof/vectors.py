"""Formulas, traces and verdicts in a file, for any evaluator of ``servitwin-stl@1``.

``python -m tests.unit.proof.vectors`` writes it anew: random worlds on which both readers and the definition, computed
instant by instant, agree. A change of the file is a change of the meaning of formulas.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np

from servitwin.domain.formula.tree import Formula
from servitwin.proof.monitor.trace import SignalTrace, Trace
from tests.unit.monitor.naive import Naive
from tests.unit.monitor.worlds import formula, trace
from tests.unit.proof.two_readers import Row, of_monitor, of_verifier

PLACE = Path(__file__).with_name("vectors.json")
COUNT = 120


def read() -> list[tuple[Formula, Trace, list[Row]]]:
    found = []
    for one in json.loads(PLACE.read_text()):
        signals = {
            name: SignalTrace(
                np.array(s["times"], np.int64),
                np.array([float(v) for v in s["values"]]) if s["number"] else np.array(s["values"], np.int32),
                np.array(s["known"], np.bool_),
                s["accuracy"],
                tuple(s["words"]),
            )
            for name, s in one["signals"].items()
        }
        rows = [(a, b, verdict, float(least), float(most)) for a, b, verdict, least, most in one["verdicts"]]
        found.append((msgspec.convert(one["formula"], Formula), Trace(*one["span"], signals), rows))  # type: ignore[arg-type]
    return found


def _written(f: Formula, world: Trace, rows: list[Row]) -> dict[str, Any]:
    return {
        "formula": json.loads(msgspec.json.encode(f)),
        "span": [world.start, world.end],
        "signals": {
            name: {
                "number": s.values.dtype.kind == "f",
                "times": s.times.tolist(),
                "values": [repr(v) for v in s.values.tolist()] if s.values.dtype.kind == "f" else s.values.tolist(),
                "known": s.known.tolist(),
                "accuracy": s.accuracy,
                "words": list(s.words),
            }
            for name, s in world.signals.items()
        },
        "verdicts": [[a, b, verdict, repr(least), repr(most)] for a, b, verdict, least, most in rows],
    }


def _is_defined(f: Formula, world: Trace, rows: list[Row]) -> bool:
    naive = Naive(world, world.end - 1)
    said = {None: "inconclusive"}
    return all(
        said.get(v := naive.verdict(f, t), str(v)) == verdict for a, b, verdict, _, _ in rows for t in range(a, b)
    )


def write() -> None:
    """Choose worlds with more than one verdict in them, on which all agree."""
    found: list[str] = []
    seed = 500_000
    while len(found) < COUNT:
        random = Random(seed)
        f, world = formula(random, random.choice((1, 2, 2, 3))), trace(random)
        rows = of_monitor(f, world)
        seed += 1
        if len({row[2] for row in rows}) > 1:
            if of_verifier(f, world) != rows or not _is_defined(f, world, rows):
                raise ValueError(f"they disagree on seed {seed - 1}")
            found.append(json.dumps(_written(f, world, rows), separators=(",", ":")))
    PLACE.write_text("[\n" + ",\n".join(found) + "\n]\n")


if __name__ == "__main__":
    write()
