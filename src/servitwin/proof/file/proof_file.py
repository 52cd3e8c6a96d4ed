"""The proof file (``docs/concepts/evidence.md``): built from what is known of a claim, and sealed."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from servitwin.domain.agreement import signed_text
from servitwin.domain.formula.tree import Formula
from servitwin.proof.file.excerpt_part import ShownExcerpt, excerpt_part
from servitwin.proof.file.joint_path import hidden_of_paths
from servitwin.proof.file.wire import canonical, digest, hexes
from servitwin.proof.log.statement import exact_instant

FORMAT = "servitwin-proof@1"

#: What no proof file shows, whatever it says.
LIMITS = (
    "Trust begins at the machine's gateway and its clock: what they sent is taken as sent.",
    "Only the violation or the keeping of the requirement is proven; cause and place are hypotheses.",
)

#: Signs bytes; returns the id of the key and the signature (64 bytes).
Sign = Callable[[bytes], tuple[str, bytes]]


class ClaimedVerdict(msgspec.Struct, frozen=True):
    """What is claimed: the verdict at every instant of [begin, end) ns, and the bounds of its smallest margin."""

    kind: Literal["violated", "repaired", "holds"]
    requirement: str
    begin: int
    end: int
    least: float
    most: float
    case: str | None = None


class WrittenRequirement(msgspec.Struct, frozen=True):
    """A requirement as it was required; ``monitor``: version of the program that watched it."""

    name: str
    text: str
    severity: str
    formula: str
    tree: Formula
    logic: str
    monitor: str


class ProvenMachine(msgspec.Struct, frozen=True):
    """The machine that it is about."""

    uid: str
    id: str
    serial: str = ""
    dtid: str = ""
    type: str = ""
    title: str = ""


class ProvenParty(msgspec.Struct, frozen=True):
    """A party that is named; ``did``: where its keys are published (``did:web:...``)."""

    id: str
    name: str
    did: str = ""
    role: str = ""


class SignedHead(msgspec.Struct, frozen=True):
    """A tree head of the log with its signature (base64)."""

    log: str
    size: int
    root: bytes
    made: int
    key: str
    signature: str


class CoSignature(msgspec.Struct, frozen=True):
    """Another party's signature (base64) under a head, and when it says that it saw it."""

    party: str
    key: str
    signature: str
    seen: int


@dataclass(frozen=True)
class CoSignedHead:
    """A head that others signed, with the consistency path (RFC 9162, 2.1.4) from it to the head of the file."""

    head: SignedHead
    by: Sequence[CoSignature]
    path: Sequence[bytes] = ()


@dataclass(frozen=True)
class StampedHead:
    """A head that an authority has stamped (RFC 3161): its answer (DER, base64), the time (ns UTC) that it names.

    ``path``: consistency path from it to the head of the file.
    """

    head: SignedHead
    authority: str
    response: str
    time: int
    path: Sequence[bytes] = ()


@dataclass(frozen=True)
class LoggedStatement:
    """An entry (``{"content", "key", "signature"}``), its index, and its path to the head of the file."""

    index: int
    entry: Any
    path: Sequence[bytes]


@dataclass(frozen=True)
class ProofParts:
    """All that a proof file is made of.

    ``statements``: entry 0 (the key that names the log), the key statements that signatures need, every segment from
    one that was made five minutes before the excerpt up to its cut, and verdicts and repairs.
    """

    claim: ClaimedVerdict
    machine: ProvenMachine
    parties: Sequence[ProvenParty]
    requirement: WrittenRequirement
    excerpt: ShownExcerpt
    statements: Sequence[LoggedStatement]
    head: SignedHead
    cosigned: Sequence[CoSignedHead] = ()
    stamped: Sequence[StampedHead] = ()
    limits: Sequence[str] = LIMITS


def build_proof_file(parts: ProofParts, sign: Sign) -> bytes:
    """The file: canonical JSON, sealed with ``sign``.

    Raises:
        ValueError: if a path is too short or too long, or a number is NaN.
    """
    claim = parts.claim
    paths = {s.index: s.path for s in parts.statements}
    content: dict[str, Any] = {
        "proof": FORMAT,
        "claim": {
            "kind": claim.kind,
            "twin": parts.machine.uid,
            "requirement": claim.requirement,
            "from": exact_instant(claim.begin),
            "to": exact_instant(claim.end),
            "verdict": "false" if claim.kind == "violated" else "true",
            "least": claim.least,
            "most": claim.most,
        },
        "machine": parts.machine,
        "parties": list(parts.parties),
        "requirement": parts.requirement,
        "excerpt": excerpt_part(parts.excerpt),
        "statements": {
            "entries": [{"index": s.index, "entry": s.entry} for s in sorted(parts.statements, key=lambda s: s.index)],
            "hashes": hexes(hidden_of_paths(parts.head.size, paths)),
        },
        "log": {
            "head": head_part(parts.head),
            "cosigned": [cosigned_part(c) for c in parts.cosigned],
        },
        "limits": list(parts.limits),
    }
    if parts.stamped:
        content["log"]["stamped"] = [_stamped(s) for s in parts.stamped]
    if claim.case is not None:
        content["claim"]["case"] = claim.case
    key, signature = sign(signed_text("proof", digest(content)))
    content["seal"] = {"key": key, "signature": base64.b64encode(signature).decode()}
    return canonical(content)


def requirement_digest(requirement: WrittenRequirement) -> str:
    """What a ``verdict`` statement names as its requirement: everything but the version of the monitor."""
    found = msgspec.to_builtins(requirement)
    del found["monitor"]
    return digest(found)


def head_part(head: SignedHead) -> dict[str, Any]:
    """A tree head as it stands in files and is signed."""
    inner = {"log": head.log, "size": head.size, "root": head.root.hex(), "made": exact_instant(head.made)}
    return {"head": inner, "key": head.key, "signature": head.signature}


def cosigned_part(one: CoSignedHead) -> dict[str, Any]:
    """A co-signed head as it stands in files."""
    return {"head": head_part(one.head), "by": [_cosignature(s) for s in one.by], "path": hexes(one.path)}


def _cosignature(one: CoSignature) -> dict[str, Any]:
    return {"party": one.party, "key": one.key, "signature": one.signature, "seen": exact_instant(one.seen)}


def _stamped(one: StampedHead) -> dict[str, Any]:
    found = {"head": head_part(one.head), "authority": one.authority, "response": one.response}
    return {**found, "time": exact_instant(one.time), "path": hexes(one.path)}
