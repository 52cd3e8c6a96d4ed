"""Trace events as a node keeps them: whose they are, and which stretch of a machine's data they come from."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from servitwin.domain.genealogy import Link, TraceObject
from servitwin.domain.trace_event import ObjectKind, TraceEvent, Verdict


class KeptTrace(msgspec.Struct, frozen=True):
    """An event with its keeper.

    Attributes:
        twin: uid of the machine that it happened on; empty: on none of this node.
        party: who owned the machine then; without a machine, who captured it. Events of different parties stay apart.
        source: what it was derived from, so that late data can replace it; empty: it was captured.
        received: when it came (ns UTC).
    """

    event: TraceEvent
    twin: str
    party: str
    source: str = ""
    received: int = 0


class KeptLink(NamedTuple):
    """A link with what decides who may see it."""

    link: Link
    twin: str
    party: str
    at: int


class KeptObject(msgspec.Struct, frozen=True):
    """An object as a party's events tell it; ``twin`` and ``party`` decide who may see it."""

    object: TraceObject
    twin: str
    party: str


class ObjectQuery(msgspec.Struct, frozen=True):
    """Which objects are asked for.

    Attributes:
        party: whose own objects are seen without a machine; None: everybody's (the node itself).
        spans: uid of a machine with the stretches [from, to) that may be seen.
        name: beginning of the short name, or the whole id.
        start, end: when they were made, [start, end).
        after: (made, id) of the last one seen; the list goes from new to old.
    """

    party: str | None
    spans: dict[str, tuple[tuple[int, int], ...]]
    kind: ObjectKind | None = "part"
    name: str = ""
    product: str = ""
    verdict: Verdict = ""
    twin: str = ""
    start: int | None = None
    end: int | None = None
    after: tuple[int, str] | None = None
    limit: int = 100
