"""Trace events as a GS1 EPCIS 2.0 document (JSON-LD).

Written after the standard's text (EPCIS 2.0 chapters 7 and 10, CBV 2.0). What EPCIS has no member for, such as program,
role, tolerance and tools, is written as user extension with our prefix, so that reading back gives the same event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from servitwin.domain.instant import format_instant
from servitwin.domain.trace_event import Measure, TraceEvent, Used
from servitwin.domain.trace_id import place_id
from servitwin.formats.epcis_words import (
    BIZ_STEP,
    CONTEXT,
    DISPOSITION,
    MEASUREMENTS,
    NAMESPACE,
    OF_VERDICT,
    PREFIX,
)


def write_document(events: Sequence[TraceEvent], created: int) -> dict[str, Any]:
    """An ``EPCISDocument`` of these events, created at that instant (ns UTC)."""
    return {
        "@context": [CONTEXT, {PREFIX: NAMESPACE}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": format_instant(created),
        "epcisBody": {"eventList": [write_event(e) for e in events]},
    }


def write_event(event: TraceEvent, recorded: int | None = None) -> dict[str, Any]:
    """One event without ``@context``; ``recorded``: when it was captured (ns UTC)."""
    out: dict[str, Any] = {"type": "", "eventID": event.id, "eventTime": format_instant(event.time)}
    out["eventTimeZoneOffset"] = "+00:00"
    if recorded is not None:
        out["recordTime"] = format_instant(recorded)
    if event.kind in BIZ_STEP:
        out["bizStep"] = BIZ_STEP[event.kind]
    disposition = OF_VERDICT.get(event.verdict) or DISPOSITION.get(event.kind)
    if disposition:
        out["disposition"] = disposition
    if event.place:
        out["readPoint"] = {"id": place_id(event.place)}
    _objects(event, out)
    if event.measures:
        metadata = {"time": format_instant(event.time)}
        out["sensorElementList"] = [{"sensorMetadata": metadata, "sensorReport": [_report(m) for m in event.measures]}]
    _extensions(event, out)
    out.update({k: v for k, v in event.other.items() if k != "type"})
    return out


def _objects(event: TraceEvent, out: dict[str, Any]) -> None:
    """What the event is about, by its type; inputs that the type has no member for go to an extension."""
    left = list(event.inputs)
    if event.kind in ("assembled", "packed", "unpacked"):
        out["type"] = event.other.get("type", "AggregationEvent")
        out["action"] = "DELETE" if event.kind == "unpacked" else "ADD"
        out |= {"parentID": event.parent, "childEPCs": list(event.parts)}
    elif event.kind == "made" and any(u.kind != "tool" for u in left):
        out["type"] = "TransformationEvent"
        inputs = [u.id for u in left if u.kind in ("part", "container")]
        quantities = [_quantity(u) for u in left if u.kind == "batch"]
        out |= {"inputEPCList": inputs} if inputs else {}
        out |= {"inputQuantityList": quantities} if quantities else {}
        out["outputEPCList"] = list(event.parts)
        left = [u for u in left if u.kind == "tool"]
    else:
        out["type"] = "ObjectEvent"
        out["action"] = {"made": "ADD", "scrapped": "DELETE"}.get(event.kind, "OBSERVE")
        out["epcList"] = list(event.parts)
    if left:
        out[f"{PREFIX}:inputs"] = [msgspec.to_builtins(u) for u in left]


def _quantity(used: Used) -> dict[str, Any]:
    out: dict[str, Any] = {"epcClass": used.id}
    if used.quantity is not None:
        out["quantity"] = used.quantity
        known = MEASUREMENTS.get(used.unit)
        if known and used.unit != "1":
            out["uom"] = known[1]
    return out


def _report(measure: Measure) -> dict[str, Any]:
    kind, code = MEASUREMENTS.get(measure.unit, (f"{NAMESPACE}Characteristic", ""))
    out: dict[str, Any] = {"type": kind, "value": measure.value}
    if code:
        out["uom"] = code
    named = {
        "characteristic": measure.name,
        "unit": measure.unit,
        "lowerLimit": measure.lower,
        "upperLimit": measure.upper,
        "nominal": measure.nominal,
        "verdict": measure.verdict,
    }
    return out | {f"{PREFIX}:{k}": v for k, v in named.items() if v not in (None, "")}


def _extensions(event: TraceEvent, out: dict[str, Any]) -> None:
    said = {
        "kind": event.kind,
        "startTime": None if event.start is None else format_instant(event.start),
        "product": event.product,
        "program": event.program,
        "operation": event.step,
        "operatorRole": event.role,
        "settings": event.settings,
        "reason": event.reason,
        "document": event.source_document,
    }
    out.update({f"{PREFIX}:{k}": v for k, v in said.items() if v})
