"""Shapes of the evidence log, its proofs, segments and keys; hashes are lower-case hex."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from servitwin.web.api.shapes.base import Instant, InstantIn, Shape

Hash = Annotated[str, Field(description="SHA-256, hex", pattern="^[0-9a-f]{64}$")]
Base64 = Annotated[str, Field(max_length=200)]


class TreeHeadShape(Shape):
    """The log has `size` entries and this root."""

    log: str = Field(max_length=64, description="id of the log: of its first key")
    size: int = Field(ge=0, le=2**53 - 1)
    root: Hash
    made: str = Field(max_length=40)


class SignedHeadShape(Shape):
    """A head under the signature of the log's owner."""

    head: TreeHeadShape
    key: str = Field(max_length=64)
    signature: Base64


class CosignatureShape(Shape):
    """Another party has checked the head against what it knew."""

    party: str = Field(max_length=63)
    key: str = Field(max_length=64)
    signature: Base64
    seen: str = Field(max_length=40)


class CosignedShape(Shape):
    """A co-signature with the head that it stands under."""

    head: SignedHeadShape
    cosignature: CosignatureShape


class ForkShape(Shape):
    """Two heads of one log that cannot both be true."""

    first: SignedHeadShape
    second: SignedHeadShape
    noticed: str
    why: str


class LogShape(Shape):
    """The log as its owner shows it now."""

    head: SignedHeadShape
    owner: str = Field(description="party that owns the log")
    public_key: str = Field(description="its first key, base64; later ones are in the log")
    cosignatures: list[CosignedShape] = Field(description="the newest of each party")
    forks: list[ForkShape]


class StampedShape(Shape):
    """Which heads have a time stamp."""

    sizes: list[int]


class HeadStampShape(Shape):
    """A signed head and an authority's answer about it (RFC 3161)."""

    head: SignedHeadShape
    authority: str = Field(description="URL that was asked")
    response: str = Field(description="TimeStampResp (DER), base64; over the SHA-256 of `head.head` as canonical JSON")
    time: Instant = Field(description="when the authority says that it saw the hash")


class WatchedLogShape(Shape):
    """A log of another node that this node co-signs; `head`: the last one that it co-signed, null: none yet."""

    url: str
    head: SignedHeadShape | None
    seen: Instant | None = Field(description="when it co-signed that head")
    forks: list[ForkShape] = Field(
        description="the newest first: `second` was shown after `first` had been co-signed, and contradicts it"
    )


class WatchedLogsShape(Shape):
    """Logs that this node watches, forked ones first."""

    items: list[WatchedLogShape]


class LogEntryShape(Shape):
    """An entry as text, byte by byte, or its leaf hash where the caller may not read the statement."""

    index: int
    entry: str | None = None
    leaf: str | None = None


class LogEntriesShape(Shape):
    """Entries in order; `next` is the `from` of those that follow, null at the end."""

    items: list[LogEntryShape]
    next: int | None


class InclusionShape(Shape):
    """Proof that an entry is in the log of `size` entries (RFC 9162, 2.1.3)."""

    index: int
    size: int
    leaf: str
    path: list[str]
    root: str


class ConsistencyShape(Shape):
    """Proof that the log of `to` entries begins with that of `from` (RFC 9162, 2.1.4)."""

    from_: int = Field(alias="from")
    to: int
    path: list[str]


class CosignatureIn(Shape):
    """A co-signature of a head; `key_entries` state the co-signer's keys, oldest first, where the log lacks them."""

    head: SignedHeadShape
    cosignature: CosignatureShape
    key_entries: list[Annotated[str, Field(max_length=4000)]] = Field([], max_length=100)


class SegmentShape(Shape):
    """Rows of a shard that are bound: sequences `first` to `last`, both included."""

    index: int = Field(description="entry of the log")
    shard: int
    first: int
    last: int
    count: int
    root: str
    twins: int
    from_: Instant = Field(alias="from")
    to: Instant
    late: bool = Field(description="a row was bound more than a minute after it had been received")
    signed: int = Field(description="of so many twins every message bore a good signature of the machine's key")


class SegmentsShape(Shape):
    """Segments by index; `next` is the `cursor` of those that follow."""

    items: list[SegmentShape]
    next: int | None


class ShownSignalShape(Shape):
    """A signal by its block (zlib, base64) or by the digest of it."""

    signal: str
    block: str | None = None
    digest: str | None = None


class ShownTwinShape(Shape):
    """A twin at its place in the segment's tree, with its signals or the root over them."""

    twin: str = Field(description="uid")
    place: int
    path: list[str]
    signals: list[ShownSignalShape] | None = None
    root: str | None = None


class DisclosureShape(Shape):
    """What is shown of a segment, and what leads from it to the segment's root."""

    twins: int
    shown: list[ShownTwinShape]


class KeyChangedShape(Shape):
    """The key that the party signs with now."""

    id: str
    party: str
    public_key: str
    since: Instant


class RevocationIn(Shape):
    """From when on (default: now) statements of the key count for nothing, and why."""

    reason: str = Field(min_length=1, max_length=500)
    from_: InstantIn | None = Field(None, alias="from")
