"""Everything that is checked of a proof file, in order; the first thing that does not fit is a refusal."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import canonical, log, shape, words
from .claim import Claim, check_claim
from .excerpt import Excerpt, read_excerpt, read_segment, touches
from .keys import KeyRing, outside_keys
from .machine_key import machine_keys
from .refusal import RefusedError
from .statements import Statement, read_statements

FORMAT = "servitwin-proof@1"


@dataclass
class Result:
    """What was found.

    Attributes:
        ok: every check passed.
        title: the claim in a sentence.
        who_known: the signers are known from keys that the reader brought.
        proven, not_proven: in plain words; both are part of the answer.
        code, message, where: of the refusal, where one was.
    """

    ok: bool
    title: str = ""
    who_known: bool = False
    proven: list[str] = field(default_factory=list)
    not_proven: list[str] = field(default_factory=list)
    code: str = ""
    message: str = ""
    where: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def verify(content: bytes, keys: Any = None, heads: Any = None, witness: Path | None = None) -> Result:
    """Check a proof file; it never raises for what the file holds.

    ``keys``: public keys that the reader trusts, ``[{"id", "party", "public_key", "since", "revoked"?}]``; ``heads``:
    tree heads that his own node co-signed; ``witness``: folder with his own copy of the log's entries.
    """
    try:
        return _verify(content, keys, heads, witness)
    except RefusedError as e:
        return Result(ok=False, title="The proof is refused", code=e.code, message=e.message, where=e.where)
    except (RecursionError, MemoryError) as e:
        message = f"checking it needs more than this program allows ({type(e).__name__})"
        return Result(ok=False, title="The proof is refused", code="proof:too-much-work", message=message)


def _verify(content: bytes, keys: Any, heads: Any, witness: Path | None) -> Result:
    file = canonical.read(content)
    parts = ("proof", "claim", "machine", "parties", "requirement", "excerpt", "statements", "log", "limits", "seal")
    shape.table(file, "file", *parts)
    if file["proof"] != FORMAT:
        raise RefusedError("proof:format-unknown", f"this verifier reads {FORMAT} alone", "proof")
    ring = KeyRing({} if keys is None else outside_keys(keys))
    given = shape.table(file["log"], "log", "head", "cosigned")
    head = log.read_head(given["head"], "log.head")
    statements = read_statements(file["statements"], head.size, head.root, ring)
    owner = owner_of(head, statements)
    log.check_head(head, owner, ring, "log.head")
    cosigned = log.check_cosigned(given["cosigned"], head, owner, ring)
    stamped = log.check_stamped(given.get("stamped", []), head, owner, ring)
    sealed_by = check_seal(file, head, ring)
    twin = _check_subject(file, statements)
    for statement in statements.values():
        if statement.kind == "segment" and statement.by != owner:
            raise RefusedError("proof:signature-wrong", f"{owner} binds observations, nobody else", statement.where)
    lines = None if witness is None else log.read_witness(witness)
    own: list[Statement] = []
    if lines is not None:  # before the rows: a rewritten log is the graver news
        own = log.check_witness(lines, head, cosigned, statements)
        _check_revoked(own, statements, ring)
    own_heads = 0 if heads is None else log.check_own_heads(heads, head, cosigned, lines)
    excerpt = read_excerpt(file["excerpt"], twin, statements)
    claim = check_claim(file, excerpt, statements)
    _check_complete(own, statements, excerpt, claim)
    who_known = bool(ring.outside)
    stated, revoked = machine_keys([*own, *statements.values()], twin)
    facts = words.Facts(
        file, claim, excerpt, head, cosigned, owner, sealed_by, who_known, own_heads, lines is not None, stamped,
        stated, revoked,
    )  # fmt: skip
    return Result(
        ok=True,
        title=words.title(facts),
        who_known=facts.who_known,
        proven=words.proven(facts),
        not_proven=words.not_proven(facts),
        details=words.details(facts),
    )


def owner_of(head: log.Head, statements: dict[int, Statement]) -> str:
    """The party whose log it is: its first key is entry 0 and names the log."""
    first = statements.get(0)
    if first is None or first.kind != "key" or first.key != head.log or first.body["key"] != head.log:
        raise RefusedError("proof:log-other", "entry 0 is not shown, or is not the key that names the log", "log")
    return first.by


def check_seal(file: dict[str, Any], head: log.Head, ring: KeyRing) -> str:
    """The file is as it was sealed; returns by whom."""
    seal = shape.table(file["seal"], "seal", "key", "signature")
    digest = canonical.digest({name: value for name, value in file.items() if name != "seal"})
    try:
        return ring.check(seal["key"], seal["signature"], "proof", digest, head.made, "seal").party
    except RefusedError as e:
        if e.code != "proof:signature-wrong":
            raise
        raise RefusedError("proof:seal-broken", "the file was changed after it was sealed", "seal") from None


def _check_subject(file: dict[str, Any], statements: dict[int, Statement]) -> str:
    """One machine: the claim, the file's machine and every statement are about the same twin."""
    machine = shape.table(file["machine"], "machine", "uid", "id", "serial", "dtid", "type", "title")
    twin = shape.text(machine["uid"], "machine.uid")
    if shape.table(file["claim"], "claim", "twin")["twin"] != twin:
        raise RefusedError("proof:statement-elsewhere", "the claim is about another machine", "claim.twin")
    for statement in statements.values():
        if statement.twin not in (None, twin):
            message = f"it is about the machine {statement.twin}, not about {twin}"
            raise RefusedError("proof:statement-elsewhere", message, statement.where)
        if statement.kind in ("verdict", "repair", "repair-verified") and statement.twin is None:
            raise RefusedError("proof:statement-elsewhere", "it names no machine", statement.where)
    for i, party in enumerate(shape.items(file["parties"], "parties", 1000)):
        shape.table(party, f"parties[{i}]", "id", "name", "did", "role")
    for i, limit in enumerate(shape.items(file["limits"], "limits", 1000)):
        shape.text(limit, f"limits[{i}]")
    return twin


def _check_revoked(own: list[Statement], shown: dict[int, Statement], ring: KeyRing) -> None:
    """Revocations in the reader's own copy of the log that the file does not show."""
    for revocation in own:
        if revocation.kind != "key-revoked" or revocation.index in shown:
            continue
        body = shape.table(revocation.body, revocation.where, "key", "from")
        since = shape.instant(body["from"], revocation.where)
        for statement in shown.values():
            key = ring.keys.get(statement.key)
            if key is None or key.id != body["key"] or key.party != revocation.by:
                continue
            if statement.index > revocation.index or statement.made >= since:
                message = f"key {key.id} of {key.party} is revoked by entry {revocation.index} of your copy"
                raise RefusedError("proof:key-revoked", message, statement.where)


def _check_complete(own: list[Statement], shown: dict[int, Statement], excerpt: Excerpt, claim: Claim) -> None:
    """No segment of the reader's copy holds rows of the excerpt that were known and are not shown."""
    for segment in own:
        if segment.kind != "segment" or segment.index in shown or segment.index > claim.verdict_entry:
            continue
        read_segment(segment)
        up_to = excerpt.cut.get(segment.body["shard"])
        if touches(segment, excerpt) and (up_to is None or segment.body["first"] <= up_to):
            message = "your copy of the log binds rows of that time which were known, and the file does not show them"
            raise RefusedError("proof:segment-missing", message, segment.where)
