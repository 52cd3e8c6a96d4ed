"""A release file: that a version of a machine's software passed the maker's gate, and when that was said.

Checked as a proof file is, with the same keys and the same log; what differs is the claim. The gate's record lies in
the file, and the signed statement names its digest: nothing in it can be changed afterwards.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import canonical, log, shape
from .keys import KeyRing, outside_keys
from .refusal import RefusedError
from .statements import Statement, read_statements
from .verify import Result, check_seal, owner_of

FORMAT = "servitwin-release@1"
_PASS = ("passed", "not-needed")


def verify_release(content: bytes, keys: Any = None, heads: Any = None, witness: Path | None = None) -> Result:
    """Check a release file; it never raises for what the file holds. Arguments as for proof files."""
    try:
        return _verify(content, keys, heads, witness)
    except RefusedError as e:
        return Result(ok=False, title="The release is refused", code=e.code, message=e.message, where=e.where)
    except (RecursionError, MemoryError) as e:
        message = f"checking it needs more than this program allows ({type(e).__name__})"
        return Result(ok=False, title="The release is refused", code="proof:too-much-work", message=message)


def _verify(content: bytes, keys: Any, heads: Any, witness: Path | None) -> Result:
    file = canonical.read(content)
    shape.table(file, "file", "release", "record", "statements", "log", "seal")
    if file["release"] != FORMAT:
        raise RefusedError("proof:format-unknown", f"this verifier reads {FORMAT} alone", "release")
    ring = KeyRing({} if keys is None else outside_keys(keys))
    given = shape.table(file["log"], "log", "head", "cosigned")
    head = log.read_head(given["head"], "log.head")
    statements = read_statements(file["statements"], head.size, head.root, ring)
    owner = owner_of(head, statements)
    log.check_head(head, owner, ring, "log.head")
    cosigned = log.check_cosigned(given["cosigned"], head, owner, ring)
    check_seal(file, head, ring)
    own = [] if witness is None else log.check_witness(log.read_witness(witness), head, cosigned, statements)
    if heads is not None:
        log.check_own_heads(heads, head, cosigned, None if witness is None else log.read_witness(witness))
    said = [s for s in statements.values() if s.kind == "release"]
    if len(said) != 1:
        raise RefusedError("release:no-statement", f"the file shows {len(said)} release statements, not one")
    record = _check_record(file["record"], said[0])
    _check_withdrawn([*statements.values(), *own], said[0])
    return _result(said[0], record, ring, bool(cosigned))


def _check_record(value: Any, said: Statement) -> dict[str, Any]:
    """The record is the one that the statement names, and says what the statement says."""
    body = shape.table(said.body, said.where, "release", "version", "artefact", "record", "gate", "steps")
    record = shape.table(value, "record", "release", "gate", "rule")
    if canonical.digest(record) != body["record"]:
        raise RefusedError("release:record-changed", "the gate's record is not the one that was signed", "record")
    release = shape.table(record["release"], "record.release", "machine_type", "version", "artefact", "party")
    gate = shape.table(record["gate"], "record.gate", "state", "steps", "policy")
    for name in ("machine_type", "version", "artefact"):
        if release[name] != body.get(name):
            raise RefusedError("release:statement-elsewhere", f"{name} differs from the statement", "record.release")
    if release["party"] != said.by:
        raise RefusedError(
            "release:statement-elsewhere", f"{said.by} signed for a release of another party", said.where
        )
    policy = shape.table(gate["policy"], "record.gate.policy", "needs")
    found = {}
    for i, row in enumerate(shape.items(gate["steps"], "record.gate.steps", 100)):
        step = shape.table(row, f"record.gate.steps[{i}]", "name", "outcome", "says")
        found[shape.text(step["name"], "step")] = step["outcome"]
    missing = [n for n in shape.items(policy["needs"], "needs", 100) if found.get(n) not in _PASS]
    if gate["state"] != "passed" or missing:
        raise RefusedError("release:not-passed", f"the record shows no passed gate: {', '.join(map(str, missing))}")
    return record


def _check_withdrawn(statements: list[Statement], said: Statement) -> None:
    for one in statements:
        taken = one.kind == "release-withdrawn" and one.by == said.by
        if taken and isinstance(one.body, dict) and one.body.get("release") == said.body["release"]:
            message = f"{said.by} took the release back at {shape.time_text(one.made)}: {one.body.get('why')}"
            raise RefusedError("release:withdrawn", message, one.where)


def _result(said: Statement, record: dict[str, Any], ring: KeyRing, cosigned: bool) -> Result:
    release, gate = record["release"], record["gate"]
    named = f"{release['machine_type']} {release['version']}"
    proven = [
        f"{said.by} says that {named} passed its gate, and signed it at {shape.time_text(said.made)}.",
        f"The update package is {release['artefact']}.",
        *(f"Gate, {s['name']}: {s['outcome']}. {s['says']}" for s in gate["steps"]),
    ]
    not_proven = [
        "The gate tried models, simulations and recordings; the machine itself may do what none of them shows.",
        "That the release was not taken back since is known only from a newer copy of the log.",
    ]
    if not cosigned:
        not_proven.append("Nobody but its owner has signed the log: its owner alone says when this was said.")
    title = f"{named} passed the gate of {said.by}"
    details = {"release": said.body["release"], "artefact": release["artefact"], "entry": said.index}
    return Result(
        ok=True, title=title, who_known=bool(ring.outside), proven=proven, not_proven=not_proven, details=details
    )
