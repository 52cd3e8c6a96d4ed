"""A mill whose spindle got too hot and stayed hot; then its proof file, whole or tampered with."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import rfc8785

from servitwin.domain.formula.tree import LOGIC, Always, Compare, Eventually, Formula, Implies, Measured, Number, Window
from servitwin.proof.file.excerpt_part import Block, BoundSegment, ShownExcerpt, SignalMeaning, excerpt_digest
from servitwin.proof.file.proof_file import (
    ClaimedVerdict,
    CoSignature,
    CoSignedHead,
    LoggedStatement,
    ProofParts,
    ProvenMachine,
    ProvenParty,
    SignedHead,
    StampedHead,
    WrittenRequirement,
    build_proof_file,
    requirement_digest,
)
from servitwin.proof.verifier import Result
from tests.unit.verifier.little_log import T0, Bound, LittleLog, Row, S, Signer, at, consistency, ordered, path

TWIN, NEIGHBOURS = "0199-mill", ("0100-saw", "0200-robot")
MAKER, PLANT = Signer("maker", 1), Signer("plant", 2)
HOT, COOL = (
    Compare(left=Measured(signal="temperature"), relation=">", right=Number(value=80)),
    Compare(left=Measured(signal="temperature"), relation="<", right=Number(value=60)),
)
TREE = Always(of=Implies(condition=HOT, then=Eventually(of=COOL, window=Window(0, 5 * S))), window=Window())
SIGNALS = {
    "temperature": SignalMeaning("number", "Cel", 0.5, 5 * S),
    "_connection": SignalMeaning("text"),
}


def requirement(
    tree: Formula = TREE, text: str = "A hot spindle is below 60 degrees within 5 s."
) -> WrittenRequirement:
    written = "always(temperature > 80 -> eventually[0s, 5s](temperature < 60))"
    return WrittenRequirement("cools-down", text, "high", written, tree, LOGIC, "0.1.0")


def temperature(second: int, hot: tuple[int, int] = (10, 21)) -> float:
    return 90.0 if hot[0] <= second < hot[1] else 50.25


@dataclass
class Scene:
    """What is bound, known and claimed; change it, then :meth:`build`."""

    maker: Signer = field(default_factory=lambda: MAKER)
    hot: tuple[int, int] = (10, 21)
    begin: int = T0
    end: int = T0 + 30 * S
    claim: ClaimedVerdict = field(
        default_factory=lambda: ClaimedVerdict("violated", "cools-down", T0 + 10 * S, T0 + 16 * S, -10.5, -9.5)
    )
    requirement: WrittenRequirement = field(default_factory=requirement)
    signals: dict[str, SignalMeaning] = field(default_factory=lambda: dict(SIGNALS))
    verdict: dict[str, Any] = field(default_factory=dict)
    more_rows: list[Row] = field(default_factory=list)
    value: Callable[[int], float] | None = None
    seconds: int = 30
    known_up_to: int | None = None
    stamped: list[StampedHead] = field(default_factory=list)
    signed: frozenset[int] = frozenset()  # which segments say that the machine's key had signed every message
    log: LittleLog = field(init=False)

    def __post_init__(self) -> None:
        self.log = LittleLog(self.maker)
        self.log.add_key(self.maker)
        self.log.add_key(PLANT)
        for begin in range(0, self.seconds, 10):
            rows = [row for second in range(begin, begin + 10) for row in self.rows_of(second)]
            more = [r for r in self.more_rows if begin * 3 < r.seq <= begin * 3 + 30]
            signed = begin // 10 in self.signed
            self.log.bind(0, begin * 3 + 1, begin * 3 + 30, rows + more, T0 + (begin + 12) * S, signed)

    def rows_of(self, second: int) -> list[Row]:
        """One message of each of three twins."""
        time, seq = T0 + second * S, 3 * second + 1
        value = self.value(second) if self.value else temperature(second, self.hot)
        found = [Row(TWIN, "temperature", time, seq, 0, value), Row(TWIN, "load", time, seq, 1, 0.1 * second)]
        if second == 0:
            found.append(Row(TWIN, "_connection", time - 1, seq, 2, "online"))
        return found + [Row(n, "speed", time, seq + 1 + i, 0, float(second)) for i, n in enumerate(NEIGHBOURS)]

    @property
    def cut(self) -> dict[int, int]:
        return {0: self.known_up_to or 3 * self.seconds}

    def excerpt(self) -> ShownExcerpt:
        segments = [bound_segment(b, self.signals) for b in self.log.segments]
        return ShownExcerpt(TWIN, self.begin, self.end, self.cut, self.signals, segments)

    def state_verdict(self, claim: ClaimedVerdict, made: int) -> int:
        body = {
            "requirement": requirement_digest(self.requirement),
            "logic": LOGIC,
            "verdict": "false" if claim.kind == "violated" else "true",
            "from": at(claim.begin),
            "to": at(claim.end),
            "least": _plain(claim.least),
            "most": _plain(claim.most),
            "cut": {str(k): v for k, v in self.cut.items()},
            "excerpt": excerpt_digest(self.excerpt()),
            **self.verdict,
        }
        return self.log.add(self.maker, "verdict", body, made, twin=TWIN)

    def build(self, shown: set[int] | None = None) -> bytes:
        """The proof file: the last head, the plant's co-signature under the head before the last entry."""
        self.state_verdict(self.claim, T0 + (self.seconds + 20) * S)
        return self.written(shown)

    def written(self, shown: set[int] | None = None) -> bytes:
        log = self.log
        size, leaves = len(log.entries), log.leaves
        old = log.head(size - 1, T0 + (self.seconds + 19) * S)
        signed = CoSignature(PLANT.party, PLANT.key, PLANT.sign("cosign", old["head"]), T0 + (self.seconds + 20) * S)
        parts = ProofParts(
            self.claim,
            ProvenMachine(TWIN, "mill-1", "M-77", "dt:mill-1", "mill-500@2", "Mill 1"),
            [ProvenParty("maker", "Maker Ltd", "did:web:maker.example", "manufacturer")],
            self.requirement,
            self.excerpt(),
            [
                LoggedStatement(i, entry, path(i, leaves))
                for i, entry in enumerate(log.entries)
                if shown is None or i in shown
            ],
            signed_head(log.head(size, T0 + (self.seconds + 25) * S)),
            [CoSignedHead(signed_head(old), [signed], consistency(size - 1, leaves))],
            self.stamped,
        )
        return build_proof_file(parts, self.maker.seal)


def bound_segment(bound: Bound, signals: dict[str, SignalMeaning]) -> BoundSegment:
    blocks = {}
    for name in signals:
        rows = ordered([r for r in bound.rows if (r.twin, r.signal) == (TWIN, name)])
        if rows:
            blocks[name] = block_of(rows)
    return BoundSegment(bound.entry, bound.twins, bound.signals.get(TWIN, []), blocks)


def block_of(rows: list[Row]) -> Block:
    return Block(
        np.array([r.time for r in rows], np.int64),
        np.array([r.seq for r in rows], np.int64),
        np.array([r.idx for r in rows], np.int32),
        np.array([r.mark for r in rows], np.uint8),
        np.array([r.value for r in rows if r.mark >> 4 == 1], np.float64),
        np.array([r.value for r in rows if r.mark >> 4 == 3], np.uint8),
        tuple(str(r.value) for r in rows if r.mark >> 4 == 2),
    )


def signed_head(value: dict[str, Any]) -> SignedHead:
    head = value["head"]
    made = T0 + round(_seconds(head["made"])) * S
    return SignedHead(head["log"], head["size"], bytes.fromhex(head["root"]), made, value["key"], value["signature"])


def _seconds(text: str) -> float:
    from datetime import datetime

    return (
        datetime.fromisoformat(text[:19] + "+00:00") - datetime.fromisoformat(at(T0)[:19] + "+00:00")
    ).total_seconds()


def _plain(value: float) -> Any:
    return str(value) if value in (float("inf"), -float("inf")) else value


def resealed(content: bytes, change: Callable[[dict[str, Any]], Any], signer: Signer = MAKER) -> bytes:
    """The file changed by one who holds a key: only the seal is made anew."""
    file = msgspec.json.decode(content)
    file = copy.deepcopy(file)
    change(file)
    del file["seal"]
    file["seal"] = {"key": signer.key, "signature": signer.sign("proof", file)}
    return rfc8785.dumps(file)


def refused(result: Result, code: str) -> Result:
    assert not result.ok
    assert result.code == f"proof:{code}", (result.code, result.where, result.message)
    assert result.message
    return result
