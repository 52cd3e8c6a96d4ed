"""Traced parts as the API shows them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from servitwin.domain.genealogy import Link, TraceObject
from servitwin.domain.party import Actor
from servitwin.domain.trace_event import Measure, TraceEvent
from servitwin.domain.trace_id import short_name
from servitwin.usecases.keep_deliveries import KeepDeliveries
from servitwin.usecases.keep_trace import KeepTrace
from servitwin.usecases.trace_parts import Life, Recall, TraceParts
from servitwin.usecases.trace_sight import TraceSight
from servitwin.web.api.answers import at
from servitwin.web.api.parts import WebParts


def sight(parts: WebParts, me: Actor) -> TraceSight:
    """What the caller may see of traced parts."""
    return TraceSight(parts.authoriser, parts.registry, me)


def tracer(parts: WebParts, me: Actor) -> TraceParts:
    """Questions about parts for one caller."""
    return TraceParts(parts.records, sight(parts, me))


def keeper(parts: WebParts, told: list[tuple[str, bytes]], deliveries: KeepDeliveries) -> KeepTrace:
    """The use case that captures; what has to be published afterwards is put into ``told``."""
    return KeepTrace(
        parts.records, parts.registry, parts.authoriser, parts.audit,
        lambda subject, payload: told.append((subject, payload)), parts.now, deliveries,
    )  # fmt: skip


def summary(o: TraceObject) -> dict[str, Any]:
    """An object in a list."""
    return {
        "id": o.id, "name": short_name(o.id), "kind": o.kind, "product": o.product, "machine": o.place,
        "made": at(o.made), "verdict": o.verdict, "reason": o.reason,
    }  # fmt: skip


def shown_event(e: TraceEvent) -> dict[str, Any]:
    """An event with every member."""
    return {
        "id": e.id, "kind": e.kind, "time": at(e.time), "start": at(e.start),
        "parts": list(e.parts), "parent": e.parent,
        "inputs": [
            {"id": u.id, "name": short_name(u.id), "kind": u.kind, "quantity": u.quantity, "unit": u.unit}
            for u in e.inputs
        ],
        "machine": e.place, "product": e.product, "program": e.program, "step": e.step, "role": e.role,
        "settings": dict(e.settings), "measures": [_measure(m) for m in e.measures], "verdict": e.judged,
        "reason": e.reason, "document": e.source_document,
    }  # fmt: skip


def _measure(m: Measure) -> dict[str, Any]:
    return {
        "name": m.name, "value": m.value, "unit": m.unit, "lower": m.lower, "upper": m.upper, "nominal": m.nominal,
        "verdict": m.judged,
    }  # fmt: skip


def _links(links: Iterable[Link]) -> list[dict[str, str]]:
    return [{"source": k.source, "target": k.target, "event": k.event} for k in links]


def shown_life(life: Life, provenance: str) -> dict[str, Any]:
    """The genealogy of one object."""
    return {
        "object": summary(life.object),
        "objects": [summary(o) for o in life.objects.values()],
        "up": _links(life.up.links),
        "down": _links(life.down.links),
        "events": [shown_event(e) for e in life.events],
        "around": [shown_event(e) for e in life.around],
        "circles": _links(dict.fromkeys([*life.up.circles, *life.down.circles])),
        "withheld": life.withheld,
        "cut_off": life.up.cut_off or life.down.cut_off,
        "provenance": provenance,
    }


def shown_recall(recall: Recall, direction: str, limit: int, provenance: str) -> dict[str, Any]:
    """A recall: counts over all, the nearest ``limit`` objects."""
    begun = set(recall.start)
    reached = [o.object for o in recall.objects if o.object.id not in begun or o.object.made is not None]
    made = [o for o in reached if o.kind == "part"]
    return {
        "start": list(recall.start)[:100],
        "direction": direction,
        "count": len(reached),
        "parts": len(made),
        "failed": sum(o.verdict == "fail" for o in made),
        "items": [{**summary(o), "steps": recall.depth[o.id]} for o in reached[:limit]],
        "withheld": recall.withheld,
        "cut_off": recall.cut_off,
        "provenance": provenance,
    }


COLUMNS = ("id", "name", "kind", "product", "machine", "made", "verdict", "reason", "steps")


def recall_csv(recall: Recall) -> str:
    """All objects of a recall as CSV (RFC 4180)."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for o in recall.objects:
        row = {**summary(o.object), "steps": recall.depth[o.object.id]}
        writer.writerow([_harmless(row[c]) for c in COLUMNS])
    return out.getvalue()


def _harmless(value: object) -> object:
    """A text that a spreadsheet would take for a formula is written as text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def names_of(ids: Sequence[str]) -> str:
    """A few names, for sentences."""
    shown = ", ".join(short_name(i) for i in ids[:3])
    return shown if len(ids) <= 3 else f"{shown} and {len(ids) - 3} more"
