"""An hour of ten signals at 10 Hz, bound in segments of ten seconds among forty machines, and its proof."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from servitwin.domain.formula.tree import LOGIC, Eventually, Implies, Window
from servitwin.proof.file.excerpt_part import Block, BoundSegment, ShownExcerpt, SignalMeaning, excerpt_digest
from servitwin.proof.file.proof_file import (
    ClaimedVerdict,
    LoggedStatement,
    ProofParts,
    ProvenMachine,
    build_proof_file,
    requirement_digest,
)
from tests.unit.verifier.little_log import T0, LittleLog, S, at, mth, path, sha
from tests.unit.verifier.scene import COOL, HOT, MAKER, TWIN, requirement, signed_head

ACCURACY, WINDOW = 0.1, 300 * S
RATE, SECONDS, LENGTH, MACHINES = 10, 3600, 10, 40
NAMES = ("temperature", *(f"axis.{i}" for i in range(9)))


@dataclass
class Hour:
    """What the builder needs; ``keys`` as the API writes them."""

    parts: ProofParts
    keys: list[dict[str, str]]

    def build(self) -> bytes:
        return build_proof_file(self.parts, MAKER.seal)


def values(random: np.random.Generator, name: str, n: int) -> np.ndarray:
    """Two decimals: the temperature swings around 70 degrees and cools within minutes, the axes drift and tremble."""
    if name == "temperature":
        swing = 70 + 20 * np.sin(np.arange(n) / (RATE * 60) * 2 * np.pi) + random.normal(0, 0.2, n)
        return np.round(swing, 2)
    return np.round(np.cumsum(random.normal(0, 0.05, n)) + random.normal(0, 0.1, n), 2)


def encoded(b: Block) -> bytes:
    """The block of rows that all have numbers."""
    columns = (b.time.astype("<i8"), b.sequence.astype("<i8"), b.index.astype("<i4"), b.mark, b.numbers.astype("<f8"))
    return len(b.time).to_bytes(4, "little") + b"".join(c.tobytes() for c in columns)


def hour_of_ten_signals(seed: int = 1) -> Hour:
    random = np.random.default_rng(seed)
    lead = 320  # seconds before the excerpt, so that no earlier segment can hold rows of it
    total = SECONDS + lead
    n = total * RATE
    times = T0 + np.arange(n) * (S // RATE) + random.integers(-2, 3, n) * 1_000_000
    sequences = 1000 + np.cumsum(random.integers(1, 2 * MACHINES, n))
    columns = {name: values(random, name, n) for name in NAMES}
    log = LittleLog(MAKER)
    log.add_key(MAKER)
    uids = sorted([TWIN, *(f"0199-machine-{i}" for i in range(MACHINES - 1))], key=str.encode)
    signals = {name: SignalMeaning("number", "Cel", ACCURACY, 5 * S) for name in NAMES}
    signals["_connection"] = SignalMeaning("text")
    bound, last, step = [], 999, LENGTH * RATE
    for i, lo in enumerate(range(0, n, step)):
        hi = lo + step
        blocks = {
            name: Block(
                times[lo:hi], sequences[lo:hi], np.full(step, place, np.int32), np.full(step, 16, np.uint8),
                columns[name][lo:hi],
            )
            for place, name in enumerate(NAMES)
        }  # fmt: skip
        leaves = [(name, sha(encoded(blocks[name]))) for name in sorted(NAMES, key=str.encode)]
        root = mth([sha(b"\x00", name.encode(), b"\x00", h) for name, h in leaves])
        twins = [(uid, root if uid == TWIN else sha(uid.encode(), bytes([i % 256]))) for uid in uids]
        segment_root = mth([sha(b"\x00", uid.encode(), b"\x00", h) for uid, h in twins])
        to = int(times[lo:hi].max()) + 1
        body = {
            "shard": 0, "first": last + 1, "last": int(sequences[hi - 1]), "count": step * len(NAMES) * MACHINES,
            "root": segment_root.hex(), "twins": MACHINES, "from": at(int(times[lo:hi].min())), "to": at(to),
        }  # fmt: skip
        last = body["last"]
        entry = log.add(MAKER, "segment", body, T0 + (i + 1) * LENGTH * S + S)
        if to > T0 + lead * S:
            bound.append(BoundSegment(entry, twins, leaves, blocks))
    begin, end = T0 + lead * S, T0 + total * S
    excerpt = ShownExcerpt(TWIN, begin, end, {0: last}, signals, bound)
    cooled = Eventually(of=COOL, window=Window(0, WINDOW))
    written = requirement(Implies(condition=HOT, then=cooled))
    span = (begin + S, end - WINDOW - S)
    least, most = smallest_margin(times, columns["temperature"], *span)
    claim = ClaimedVerdict("holds", "cools-down", *span, least, most)
    body = {
        "requirement": requirement_digest(written), "logic": LOGIC, "verdict": "true", "from": at(claim.begin),
        "to": at(claim.end), "least": least, "most": most, "cut": {"0": last}, "excerpt": excerpt_digest(excerpt),
    }  # fmt: skip
    log.add(MAKER, "verdict", body, end + 60 * S, twin=TWIN)
    leaves, size = log.leaves, len(log.entries)
    entries = [LoggedStatement(i, e, path(i, leaves)) for i, e in enumerate(log.entries)]
    head = signed_head(log.head(size, end + 61 * S))
    parts = ProofParts(claim, ProvenMachine(TWIN, "mill-1"), [], written, excerpt, entries, head)
    return Hour(parts, [MAKER.row()])


def smallest_margin(times: np.ndarray, x: np.ndarray, begin: int, end: int) -> tuple[float, float]:
    """Least over t of max(80 - x(t), max of 60 - x over [t, t + window]), at each instant at which it can change."""
    instants = np.unique(np.concatenate([times, times - WINDOW, [begin]]))
    instants = instants[(instants >= begin) & (instants < end)]
    first = np.searchsorted(times, instants, "right") - 1
    after = np.searchsorted(times, instants + WINDOW, "right")
    found = []
    for reading in (x + ACCURACY, x - ACCURACY):
        levels = [60 - reading]  # levels[k][i]: largest of 2^k values from i on
        while 2 ** len(levels) < len(x):
            half = 2 ** (len(levels) - 1)
            levels.append(np.maximum(levels[-1][:-half], levels[-1][half:]))
        k = np.log2(after - first).astype(int)
        cool = np.array([max(levels[j][a], levels[j][b - 2**j]) for j, a, b in zip(k, first, after, strict=True)])
        found.append(float(np.maximum(80 - reading[first], cool).min()))
    return found[0], found[1]
