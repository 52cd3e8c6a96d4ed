"""The evidence log: head, entries, proofs, bound observations, co-signatures; and keys of parties."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Path, Query, Response
from starlette.concurrency import run_in_threadpool

from servitwin.domain.agreement import PartyKey
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.proof.log.catalogue import SegmentBody
from servitwin.proof.log.head import Cosignature, read_head
from servitwin.usecases.log_desk import LogAnswer, LogQuestion, answered
from servitwin.usecases.watched_logs import watched_logs
from servitwin.web.api.answers import answer, at, time_of
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.base import Done
from servitwin.web.api.shapes.evidence import (
    ConsistencyShape,
    CosignatureIn,
    DisclosureShape,
    HeadStampShape,
    InclusionShape,
    KeyChangedShape,
    LogEntriesShape,
    LogShape,
    RevocationIn,
    SegmentsShape,
    StampedShape,
    WatchedLogsShape,
)

router = router_of("evidence")
_PATIENCE_S = 30.0
_LARGEST = 2**53 - 1
Place = Annotated[int, Query(ge=0, le=_LARGEST)]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/log", response_model=LogShape)
def read_log(parts: Parts, me: Me) -> Response:
    """The newest tree head, who has co-signed, and forks that were noticed."""
    del me  # whoever is signed in may check that the log only grows
    log = parts.evidence
    head, owner = log.head(), log.owner()
    return answer(
        {
            "head": head,
            "owner": owner.statement.by,
            "public_key": owner.statement.body["public_key"],
            "cosignatures": log.cosigned(),
            "forks": log.forks(),
        }
    )


@router.get("/log/timestamps", response_model=StampedShape)
def list_timestamps(parts: Parts, me: Me) -> Response:
    """Sizes of the heads that an authority (RFC 3161) has stamped, ascending; none where no authority is configured."""
    del me
    return answer({"sizes": parts.evidence.stamped()})


@router.get("/log/timestamps/{size}", response_model=HeadStampShape)
def read_timestamp(parts: Parts, me: Me, size: Annotated[int, Path(ge=0, le=_LARGEST)]) -> Response:
    """A stamped head, and the authority's answer whole: whom to trust is for the reader to say."""
    del me
    found = parts.evidence.stamp(size)
    return answer({**msgspec.to_builtins(found), "time": at(found.time)})


@router.get("/log/watched", response_model=WatchedLogsShape)
def list_watched_logs(parts: Parts, me: Me) -> Response:
    """Logs of other nodes that this node co-signs: how far it has seen them, and forks, with both signed heads."""
    parts.authoriser.require_on_node(me, "watch")
    return answer(
        {
            "items": [
                {"url": w.url, "head": w.head, "seen": w.seen or None, "forks": w.forks}
                for w in watched_logs(parts.watched)
            ]
        }
    )


@router.get("/log/entries", response_model=LogEntriesShape)
def list_log_entries(
    parts: Parts, me: Me, from_: Annotated[Place, Query(alias="from")] = 0, limit: Limit = 100
) -> Response:
    """Entries in order. Statements about twins and contracts that are not the caller's are given by their hash."""
    size = parts.evidence.head().head.size
    items = parts.evidence.entries(me, from_, min(limit, max(0, size - from_)))
    following = from_ + len(items)
    return answer({"items": items, "next": following if following < size and items else None})


@router.get("/log/proof", response_model=InclusionShape)
def prove_inclusion(parts: Parts, me: Me, index: Place, size: Annotated[Place | None, Query()] = None) -> Response:
    """Inclusion proof of an entry in the log of `size` entries (default: of the newest head)."""
    del me
    return answer(parts.evidence.proof(index, size))


@router.get("/log/consistency", response_model=ConsistencyShape)
def prove_consistency(
    parts: Parts, me: Me, from_: Annotated[Place, Query(alias="from")], to: Annotated[Place | None, Query()] = None
) -> Response:
    """Proof that the log of `to` entries (default: of the newest head) begins with that of `from`."""
    del me
    return answer(parts.evidence.consistency(from_, to))


@router.post("/log/heads/{size}/cosignatures", response_model=Done)
async def add_cosignature(
    parts: Parts, me: Me, size: Annotated[int, Path(ge=0, le=_LARGEST)], body: CosignatureIn
) -> Response:
    """Take the co-signature of another party, given by one of its people or programs.

    The key that it is given with becomes the party's, for all that read this log: an administrator of the party states
    it, or a program that one of them gave a token.
    """
    if body.head.head.size != size:
        raise InvalidInputError(Fault("head:size", f"The head has {body.head.head.size} entries", where="size"))
    party = body.cosignature.party
    if me.party != party or not party or (body.key_entries and me.kind != "program"):
        await run_in_threadpool(parts.authoriser.require_administer, me, party)
    question = LogQuestion(
        "cosign",
        party,
        head=read_head(body.head.model_dump()),
        cosignature=msgspec.convert(body.cosignature.model_dump(), Cosignature),
        key_entries=list(body.key_entries),
    )
    await _ask(parts, question)
    return answer({"done": True})


@router.get("/log/segments", response_model=SegmentsShape)
def list_segments(
    parts: Parts,
    me: Me,
    shard: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
    first: Annotated[Place | None, Query(description="stream sequence")] = None,
    last: Annotated[Place | None, Query(description="stream sequence, included")] = None,
    from_: Annotated[str | None, Query(alias="from", description="event time")] = None,
    to: str | None = None,
    limit: Limit = 100,
    cursor: Annotated[Place | None, Query()] = None,
) -> Response:
    """Segments that touch those sequences and event times."""
    del me
    start = None if from_ is None else time_of(from_, "from")
    end = None if to is None else time_of(to, "to")
    after = -1 if cursor is None else cursor
    found = parts.evidence.segments(limit + 1, shard=shard, first=first, last=last, start=start, end=end, after=after)
    items = [_segment(index, body) for index, body in found[:limit]]
    return answer({"items": items, "next": found[limit - 1][0] if len(found) > limit else None})


@router.get("/log/segments/{index}/rows", response_model=DisclosureShape, response_model_exclude_none=True)
def read_segment_rows(
    parts: Parts,
    me: Me,
    index: Annotated[int, Path(ge=0, le=_LARGEST)],
    twins: Annotated[list[str] | None, Query(description="ids; default: all that the caller may read")] = None,
) -> Response:
    """Rows of a segment as they are bound; of twins that are not shown, what leads to the segment's root."""
    return answer(parts.evidence.rows(me, index, list(twins or ())))


# keys --------------------------------------------------------------------------------------------------------
@router.post("/parties/{party}/keys/rotate", response_model=KeyChangedShape)
async def rotate_key(parts: Parts, me: Me, party: str) -> Response:
    """Give a party a new key: the old one signs the statement of the new one, and is gone. Old proofs stay good."""
    await run_in_threadpool(parts.authoriser.require_administer, me, party)
    done = await _ask(parts, LogQuestion("rotate", party))
    assert done.key is not None
    await run_in_threadpool(parts.audit.note, me, "key.rotate", party, {"key": done.key.id})
    return answer(_key(done.key))


@router.post("/parties/{party}/keys/{key}/revoke", response_model=KeyChangedShape)
async def revoke_key(parts: Parts, me: Me, party: str, key: str, body: RevocationIn) -> Response:
    """Revoke a key: what it signs from then on counts for nothing. The present key is replaced by a new one."""
    await run_in_threadpool(parts.authoriser.require_administer, me, party)
    since = parts.now() if body.from_ is None else time_of(body.from_, "from")
    done = await _ask(parts, LogQuestion("revoke", party, key, since, body.reason))
    assert done.key is not None
    await run_in_threadpool(parts.audit.note, me, "key.revoke", party, {"key": key, "reason": body.reason})
    return answer(_key(done.key))


async def _ask(parts: WebParts, question: LogQuestion) -> LogAnswer:
    return answered(await parts.bus.request("ask.evidence", msgspec.json.encode(question), _PATIENCE_S))


def _key(key: PartyKey) -> dict[str, Any]:
    return {"id": key.id, "party": key.party, "public_key": key.public_key, "since": at(key.since)}


def _segment(index: int, body: SegmentBody) -> dict[str, Any]:
    return {"index": index, **msgspec.to_builtins(body), "late": body.late, "signed": len(body.signed)}
