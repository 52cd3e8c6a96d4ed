"""Trace events: what happened to parts, with all that went into them. They are the only source of genealogy.

The kinds follow GS1 EPCIS 2.0: what is made or worked on (transformation, object), put together (aggregation),
measured (object with sensor elements) or scrapped (object, deleted).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from servitwin.domain.capability import Tolerance
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import EARLIEST, LATEST

TraceKind = Literal["made", "operation", "assembled", "packed", "unpacked", "measured", "scrapped", "observed"]
ObjectKind = Literal["part", "batch", "tool", "container"]
Verdict = Literal["", "pass", "fail"]
Value = float | str | bool
LONGEST_ID, MOST_OBJECTS, MOST_LINKS = 400, 20_000, 100_000
_encode = msgspec.json.Encoder(order="sorted").encode
_WITH_PARENT = ("assembled", "packed", "unpacked")


class Used(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that went into a part: a quantity of a material batch, a component, or the tool that cut it."""

    id: str
    kind: ObjectKind = "part"
    quantity: float | None = None
    unit: str = ""


class Measure(msgspec.Struct, frozen=True, omit_defaults=True):
    """A measured characteristic. ``unit`` is UCUM; ``verdict`` empty: nobody judged it."""

    name: str
    value: float
    unit: str = ""
    lower: float | None = None
    upper: float | None = None
    nominal: float | None = None
    verdict: Verdict = ""

    @property
    def tolerance(self) -> Tolerance:
        """Its limits."""
        return Tolerance(self.lower, self.upper, self.nominal)

    @property
    def judged(self) -> Verdict:
        """What was said of it, else what its limits say."""
        if self.verdict or (self.lower is None and self.upper is None):
            return self.verdict
        low = self.lower is not None and self.value < self.lower
        high = self.upper is not None and self.value > self.upper
        return "fail" if low or high else "pass"


class TraceEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event; ``time`` is when it was over, ``start`` when it began (None: not known).

    Attributes:
        parts: what was made, worked on, measured, scrapped; of an assembly or packing what was put in (or taken out).
        parent: what they were put into.
        inputs: batches, tools and components that the parts took up.
        place: id of the machine's twin; a place of others as its own address.
        product, program, step: what was made by what, as the machine names them.
        role: task of who did it (operator, setter, inspector); never a person.
        settings: of the machine while it worked.
        reason: why it was scrapped or failed.
        source_document: report or file that it is from.
        other: members of a foreign event that have no place here, kept as they came.
    """

    kind: TraceKind
    time: int
    parts: tuple[str, ...]
    start: int | None = None
    parent: str = ""
    inputs: tuple[Used, ...] = ()
    place: str = ""
    product: str = ""
    program: str = ""
    step: str = ""
    role: str = ""
    settings: dict[str, Value] = {}
    measures: tuple[Measure, ...] = ()
    verdict: Verdict = ""
    reason: str = ""
    source_document: str = ""
    given_id: str = ""
    other: dict[str, Any] = {}

    @property
    def id(self) -> str:
        """Its own id, or one made of its content: the same event sent twice is one."""
        return self.given_id or f"urn:servitwin:event:{self.digest}"

    @property
    def digest(self) -> str:
        """SHA-256 over the JSON of its content with sorted names, hexadecimal."""
        own = msgspec.structs.replace(self, given_id="") if self.given_id else self
        return hashlib.sha256(_encode(own)).hexdigest()

    @property
    def flows(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(what went in, what came out): both empty where nothing became part of anything."""
        if self.kind in ("made", "operation"):
            return tuple(u.id for u in self.inputs), self.parts
        if self.kind in ("assembled", "packed") and self.parent:
            return (*self.parts, *(u.id for u in self.inputs)), (self.parent,)
        return (), ()

    @property
    def judged(self) -> Verdict:
        """Verdict on its parts: scrapped is failed; what was said; else what the measured values say."""
        if self.kind == "scrapped":
            return "fail"
        if self.verdict or not self.measures:
            return self.verdict
        verdicts = {m.judged for m in self.measures}
        return "fail" if "fail" in verdicts else "pass" if "pass" in verdicts else ""

    def kind_of(self, id: str) -> ObjectKind:
        """What an object of this event is, as far as this event tells."""
        if id == self.parent and self.kind in ("packed", "unpacked"):
            return "container"
        return next((u.kind for u in self.inputs if u.id == id), "part")


def check_events(events: Sequence[TraceEvent]) -> list[Fault]:
    """All faults of events that are to be kept together: each by itself, and circles among them."""
    faults = [f for i, e in enumerate(events) for f in _faults_of(e, f"events[{i}]")]
    return faults or _circles(events)


def _faults_of(event: TraceEvent, where: str) -> list[Fault]:
    found: list[Fault] = []

    def say(code: str, message: str, hint: str, member: str) -> None:
        found.append(Fault(f"trace:{code}", message, hint, f"{where}.{member}"))

    ids = [*event.parts, *(u.id for u in event.inputs), *([event.parent] if event.parent else [])]
    if not ids:
        say("nothing", "The event is about nothing", "Name at least one part, batch or parent", "parts")
    if len(ids) > MOST_OBJECTS:
        say("too-many", f"{len(ids)} objects in one event", f"At most {MOST_OBJECTS}: split it", "parts")
    inside, outside = event.flows
    if len(inside) * len(outside) > MOST_LINKS:
        message = f"{len(inside)} inputs into {len(outside)} parts at once"
        say("too-many", message, "Say which input went into which part: one event for each", "inputs")
    if any(not i or len(i) > LONGEST_ID or not i.isprintable() or " " in i for i in ids):
        say("id-invalid", "An id is empty, too long, or holds spaces", f"A URI of up to {LONGEST_ID} signs", "parts")
    if event.kind in _WITH_PARENT and not event.parent:
        say("parent-missing", f"What were the parts {event.kind} into?", "Name the parent", "parent")
    if event.kind not in _WITH_PARENT and not event.parts:
        say("parts-missing", "No part is named", "Name the parts", "parts")
    both = sorted(set(inside) & set(outside))
    if both:
        say(
            "circle", f"{both[0]} would be made of itself", "A part worked on again is no input: name it once", "inputs"
        )
    if not EARLIEST <= event.time <= LATEST or (event.start is not None and event.start > event.time):
        say("time-impossible", "It ends before it begins, or beyond the years that can be kept", "Correct it", "time")
    if any(m.value != m.value or m.value in (float("inf"), float("-inf")) for m in event.measures):
        say("value-not-finite", "A measured value is not a finite number", "Leave it out", "measures")
    return found


def _circles(events: Sequence[TraceEvent]) -> list[Fault]:
    """Faults for circles that these events make among themselves, by taking away what has no predecessor left."""
    after: dict[str, set[str]] = {}
    count: dict[str, int] = {}
    for event in events:
        inside, outside = event.flows
        for a in inside:
            for b in outside:
                if b not in after.setdefault(a, set()):
                    after[a].add(b)
                    count[b] = count.get(b, 0) + 1
    ready = [a for a in after if not count.get(a)]
    while ready:
        for b in after.pop(ready.pop(), ()):
            count[b] -= 1
            if not count[b]:
                ready.append(b)
    left = sorted(a for a in after if count.get(a))
    if not left:
        return []
    named = ", ".join(left[:3])
    message = f"By these events things are made of themselves: {named}"
    return [Fault("trace:circle", message, "Parts cannot go into what they were made of", "events")]


def require_valid(events: Sequence[TraceEvent]) -> None:
    """Raise all faults of :func:`check_events` as one error."""
    faults = check_events(events)
    if faults:
        raise InvalidInputError(faults)
