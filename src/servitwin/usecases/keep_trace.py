"""Keep trace events: captured from others, or derived from a machine's own data by a service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import DAY, HOUR, format_instant
from servitwin.domain.kept_trace import KeptTrace
from servitwin.domain.party import Actor
from servitwin.domain.trace_event import TraceEvent, check_events
from servitwin.formats.epcis_reader import Captured
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser, not_permitted
from servitwin.usecases.keep_deliveries import KeepDeliveries
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry

CLOCK_AHEAD = DAY  # a clock that is wrong by its time zone is no reason to lose an event
RESULT = "trace"  # key of a service's result that holds a trace event
_WRITERS = frozenset(
    {"machine", "plugin", "engineer", "administrator", "production_manager", "maintenance", "technician", "operator"}
)


class Kept(msgspec.Struct, frozen=True):
    """How a capture went: events that are new, that were there already, and that were withdrawn.

    ``not_matched``: why events are about no delivery that a register has; they are kept and looked at again.
    """

    captured: int
    known: int
    withdrawn: int
    not_matched: tuple[Fault, ...] = ()


class KeepTrace:
    """Captures events; ``now`` gives ns UTC, ``publish`` tells what happened on the bus."""

    def __init__(
        self,
        records: Records,
        registry: Registry,
        authoriser: Authoriser,
        audit: Audit,
        publish: Callable[[str, bytes], object],
        now: Callable[[], int],
        deliveries: KeepDeliveries,
    ) -> None:
        self._records, self._registry, self._authoriser = records, registry, authoriser
        self._audit, self._publish, self._now, self._deliveries = audit, publish, now, deliveries

    def capture(self, captured: Captured, me: Actor) -> Kept:
        """Keep what a document says, all of it or nothing.

        An event on a machine of this node needs the right to report for it, at the time of the event; a machine that
        the caller may not know is a place like any other, and the event is the caller's alone.

        Raises:
            InvalidInputError: what :func:`check_events` finds.
            RefusedError: ``access:not-permitted``.
            ConflictError: ``trace:event-conflict``, ``delivery:event-conflict``.
        """
        if not _WRITERS & set(me.roles):
            raise not_permitted("report", "traced parts")
        at = self._now()
        faults = check_events(captured.events) + _ahead(captured.events, at)
        if faults:
            raise InvalidInputError(faults)
        party = me.party or self._authoriser.operator()
        traces = [self._kept(e, me, party, at) for e in captured.events]
        said = [msgspec.structs.replace(w, party=party, by=me.id) for w in captured.deliveries]
        with self._records.together():
            withdrawn = self._records.withdraw_traces(party, captured.withdrawn) if captured.withdrawn else 0
            new = self._records.add_traces(traces)
            not_matched = self._deliveries.add(said)
            self._audit.note(me, "trace.capture", party, {"events": new, "withdrawn": withdrawn})
            told = tell_traced(self._records, traces, at) if new else []
        for one in told:
            self._publish("happened", one)
        return Kept(new, len(traces) - new, withdrawn, tuple(not_matched))

    def _kept(self, event: TraceEvent, me: Actor, party: str, at: int) -> KeptTrace:
        twin = self._registry.by_id(event.place)
        if twin is None or not self._authoriser.knows(me, twin):
            return KeptTrace(event, "", party, received=at)
        self._authoriser.require(me, "report", twin, event.time)
        return KeptTrace(event, twin.uid, twin.owner_at(event.time) or self._authoriser.operator(), received=at)


def _ahead(events: Sequence[TraceEvent], now: int) -> list[Fault]:
    """Events that have not happened yet: a part would be found in a place and time of which nobody can know."""
    return [
        Fault(
            "trace:in-future",
            f"The event is of {format_instant(e.time)}, and it is {format_instant(now)}",
            f"Check the clock of whoever sends; up to {CLOCK_AHEAD // HOUR} h ahead are believed",
            f"events[{i}].time",
        )
        for i, e in enumerate(events)
        if e.time > now + CLOCK_AHEAD
    ][:50]


def tell_traced(records: Records, traces: Sequence[KeptTrace], at: int) -> list[bytes]:
    """Events for pages and programs, one a machine: how much there is to look at, and what failed."""
    told = []
    for twin in sorted({k.twin for k in traces if k.twin}):
        mine = [k.event for k in traces if k.twin == twin]
        data = {"events": len(mine), "failed": sum(e.judged == "fail" for e in mine)}
        number = records.add_event("parts-traced", twin, at, data)
        event = {"id": number, "kind": "parts-traced", "subject": twin, "at": at, "data": data}
        told.append(msgspec.json.encode(event))
    return told


def derived_traces(
    results: Sequence[Mapping[str, Any]], twin: str, owner: Callable[[int], str], source: str, received: int
) -> list[KeptTrace]:
    """Trace events among the results of a service's step; an event that cannot be right is left out, the others stay.

    Args:
        results: of one step; those with a key ``trace`` hold an event each.
        twin: uid of the machine.
        owner: party that owned it at an instant.
        source: names the step, so that another revision of it replaces its events.
        received: ns UTC.

    Raises:
        InvalidInputError: ``trace:result-wrong-shape``: the service is broken.
    """
    found = [r[RESULT] for r in results if RESULT in r]
    try:
        events = msgspec.convert(found, list[TraceEvent])
    except msgspec.ValidationError as e:
        raise InvalidInputError(
            Fault("trace:result-wrong-shape", str(e), "A service writes TraceEvent", RESULT)
        ) from None
    return [KeptTrace(e, twin, owner(e.time), source, received) for e in events if not check_events([e])]
