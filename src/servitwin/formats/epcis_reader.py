"""Reads GS1 EPCIS 2.0 (JSON-LD) documents, query results and single events into trace events, with all faults at once.

ObjectEvent, AggregationEvent, TransformationEvent and AssociationEvent are understood; a TransactionEvent only links
to papers and makes no genealogy, so it is refused by name. Members that have no place here are kept as they came.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_instant
from servitwin.domain.schedule.delivery_word import LONGEST_REF, DeliveryWord, is_reference
from servitwin.domain.trace_event import Measure, TraceEvent, TraceKind, Used, check_events
from servitwin.domain.trace_id import twin_of_place
from servitwin.formats.epcis_deliveries import read_delivery
from servitwin.formats.epcis_words import (
    ACTIONS,
    BIZ_STEP,
    DISPOSITION,
    EVENT_TYPES,
    OF_VERDICT,
    PREFIX,
    READ_TYPES,
    UNIT_OF_CODE,
    VERDICT_OF,
    short_word,
)

MOST_EVENTS = 20_000
MOST_QUANTITY = 1e15
_OFFSET = re.compile(r"[+-](0\d|1[0-3]):[0-5]\d\Z|[+-]14:00\Z", re.ASCII)
_OURS = (
    "kind",
    "startTime",
    "product",
    "program",
    "operation",
    "operatorRole",
    "settings",
    "reason",
    "document",
    "inputs",
)
_READ = frozenset(
    {
        "@context", "eventID", "eventTime", "eventTimeZoneOffset", "recordTime", "action", "epcList", "parentID",
        "childEPCs", "inputEPCList", "inputQuantityList", "outputEPCList", "readPoint", "sensorElementList",
        "errorDeclaration", "type", *(f"{PREFIX}:{n}" for n in _OURS),
    }
)  # fmt: skip


class Captured(msgspec.Struct, frozen=True):
    """What a document says: events to keep, ids of events that it declares never to have been right, and deliveries.

    ``deliveries``: what its events say of deliveries, those that are withdrawn among them.
    """

    events: tuple[TraceEvent, ...]
    withdrawn: tuple[str, ...] = ()
    deliveries: tuple[DeliveryWord, ...] = ()


class _WrongError(Exception):
    """One fault of an event."""

    def __init__(self, code: str, message: str, hint: str, member: str = "") -> None:
        super().__init__(message)
        self.code, self.hint, self.member = code, hint, member


def read_document(content: bytes) -> Captured:
    """Events of a document.

    Raises:
        InvalidInputError: ``epcis:not-json``, ``epcis:not-a-document``, ``epcis:event-type``, ``epcis:member-missing``,
            ``epcis:member-wrong``, ``epcis:too-many`` and what :func:`check_events` finds.
    """
    try:
        root = msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError) as e:
        raise InvalidInputError(Fault("epcis:not-json", str(e), "Send EPCIS 2.0 as JSON-LD; XML is not read")) from None
    listed = _event_list(root)
    if len(listed) > MOST_EVENTS:
        message = f"{len(listed)} events in one document"
        raise InvalidInputError(Fault("epcis:too-many", message, f"At most {MOST_EVENTS}: send several documents"))
    faults: list[Fault] = []
    events: list[TraceEvent] = []
    withdrawn: list[str] = []
    deliveries: list[DeliveryWord] = []
    for i, raw in enumerate(listed):
        try:
            event = _event(raw)
            delivery = read_delivery(raw, event)
        except _WrongError as e:
            where = ".".join(n for n in (f"eventList[{i}]", e.member) if n)
            faults.append(Fault(e.code, str(e), e.hint, where))
            continue
        except InvalidInputError as e:
            faults += [msgspec.structs.replace(f, where=f"eventList[{i}].{f.where}") for f in e.faults]
            continue
        deliveries += [] if delivery is None else [delivery]
        if "errorDeclaration" in raw:
            withdrawn.append(event.id)
        else:
            events.append(event)
    faults = faults or check_events(events)
    if faults:
        raise InvalidInputError(faults)
    return Captured(tuple(events), tuple(withdrawn), tuple(deliveries))


def _event_list(root: Any) -> Sequence[Any]:
    hint = "An EPCISDocument with epcisBody.eventList, an EPCISQueryDocument, or one event"
    if not isinstance(root, dict):
        raise InvalidInputError(Fault("epcis:not-a-document", "That is no JSON object", hint))
    kind = root.get("type", root.get("isA"))
    if kind in EVENT_TYPES:
        return [root]
    if kind not in ("EPCISDocument", "EPCISQueryDocument"):
        raise InvalidInputError(Fault("epcis:not-a-document", f"The type is {str(kind)[:80]!r}", hint, "type"))
    version = str(root.get("schemaVersion", ""))
    if not version.startswith("2."):
        message = f"schemaVersion is {version[:20]!r}"
        raise InvalidInputError(Fault("epcis:version", message, "EPCIS 2.0 is read", "schemaVersion"))
    body = root.get("epcisBody")
    if kind == "EPCISQueryDocument" and isinstance(body, dict):
        results = body.get("queryResults")
        body = results.get("resultsBody") if isinstance(results, dict) else None
    listed = body.get("eventList") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        raise InvalidInputError(
            Fault("epcis:not-a-document", "There is no list of events", hint, "epcisBody.eventList")
        )
    return listed


def _event(raw: Any) -> TraceEvent:
    if not isinstance(raw, dict):
        raise _WrongError("epcis:member-wrong", "An event is no object", "Write each event as a JSON object")
    kind_of_event = raw.get("type", raw.get("isA"))
    if kind_of_event not in READ_TYPES:
        hint = "A TransactionEvent makes no genealogy: leave it out" if kind_of_event == "TransactionEvent" else ""
        raise _WrongError(
            "epcis:event-type", f"{str(kind_of_event)[:80]!r}", hint or f"One of {', '.join(READ_TYPES)}", "type"
        )
    offset = raw.get("eventTimeZoneOffset")
    if not isinstance(offset, str):
        raise _WrongError("epcis:member-missing", "eventTimeZoneOffset is missing", "As +02:00", "eventTimeZoneOffset")
    if not _OFFSET.match(offset):
        raise _WrongError("epcis:member-wrong", f"{offset[:20]!r} is no offset", "As +02:00", "eventTimeZoneOffset")
    if "errorDeclaration" in raw and not isinstance(raw["errorDeclaration"], dict):
        hint = "An object with declarationTime, and a reason"
        raise _WrongError("epcis:member-wrong", "errorDeclaration is no object", hint, "errorDeclaration")
    transformation = kind_of_event == "TransformationEvent"
    action = "ADD" if transformation else raw.get("action")
    if action not in ACTIONS:
        raise _WrongError("epcis:member-missing", "There is no action", f"One of {', '.join(ACTIONS)}", "action")
    kind = _kind(raw, str(kind_of_event), action)
    parts, inputs, parent = _objects(raw, str(kind_of_event))
    measures, unread = _measures(raw)
    start = _text(raw, f"{PREFIX}:startTime")
    settings = raw.get(f"{PREFIX}:settings", {})
    if not isinstance(settings, dict) or not all(isinstance(v, str | float | int | bool) for v in settings.values()):
        raise _WrongError("epcis:member-wrong", "Settings are no names with values", "Text, numbers, flags", "settings")
    disposition = short_word(_text(raw, "disposition"))
    verdict = VERDICT_OF.get(disposition, "")
    return TraceEvent(
        kind, _time(raw, "eventTime"), tuple(parts), start=_instant(start, f"{PREFIX}:startTime") if start else None,
        parent=parent, inputs=tuple(inputs), place=_place(raw), product=_text(raw, f"{PREFIX}:product"),
        program=_text(raw, f"{PREFIX}:program"), step=_text(raw, f"{PREFIX}:operation"),
        role=_text(raw, f"{PREFIX}:operatorRole"), settings=settings, measures=tuple(measures), verdict=verdict,
        reason=_text(raw, f"{PREFIX}:reason"), source_document=_text(raw, f"{PREFIX}:document"),
        given_id=_given(raw), other=_other(raw, kind, str(kind_of_event), disposition) | unread,
    )  # fmt: skip


def _given(raw: Mapping[str, Any]) -> str:
    """The id that came with it; one of ours is made of the content and need not be kept."""
    given = _text(raw, "eventID")
    if given and not is_reference(given):
        hint = f"At most {LONGEST_REF} printable signs"
        raise _WrongError("epcis:member-wrong", "The id of the event is too long or not printable", hint, "eventID")
    return "" if given.startswith("urn:servitwin:event:") else given


def _kind(raw: Mapping[str, Any], kind_of_event: str, action: str) -> TraceKind:
    said = raw.get(f"{PREFIX}:kind")
    if said in (*BIZ_STEP, "observed"):
        return cast(TraceKind, said)
    step = short_word(_text(raw, "bizStep"))
    if kind_of_event in ("AggregationEvent", "AssociationEvent"):
        if action == "DELETE":
            return "unpacked"
        return "assembled" if step == "assembling" or kind_of_event == "AssociationEvent" else "packed"
    if kind_of_event == "TransformationEvent" or action == "ADD":
        return "made"
    if action == "DELETE":
        return "scrapped"
    return "measured" if step == "inspecting" or raw.get("sensorElementList") else "observed"


def _objects(raw: Mapping[str, Any], kind_of_event: str) -> tuple[list[str], list[Used], str]:
    """Parts, inputs and parent; classes without serial numbers count as batches."""
    inputs = [_used(u) for u in _list(raw, f"{PREFIX}:inputs")]
    if kind_of_event == "TransformationEvent":
        inputs = [Used(i) for i in _ids(raw, "inputEPCList")] + _batches(raw, "inputQuantityList") + inputs
        return _ids(raw, "outputEPCList") + [u.id for u in _batches(raw, "outputQuantityList")], inputs, ""
    if kind_of_event == "ObjectEvent":
        return _ids(raw, "epcList") + [u.id for u in _batches(raw, "quantityList")], inputs, ""
    children = _ids(raw, "childEPCs") + [u.id for u in _batches(raw, "childQuantityList")]
    return children, inputs, _text(raw, "parentID")


def _used(raw: Any) -> Used:
    try:
        return msgspec.convert(raw, Used)
    except msgspec.ValidationError as e:
        raise _WrongError("epcis:member-wrong", str(e), "id, kind, quantity, unit", f"{PREFIX}:inputs") from None


def _list(raw: Mapping[str, Any], name: str) -> list[Any]:
    value = raw.get(name, [])
    if not isinstance(value, list):
        raise _WrongError("epcis:member-wrong", f"{name} is no list", "Write a list", name)
    return value


def _ids(raw: Mapping[str, Any], name: str) -> list[str]:
    value = _list(raw, name)
    if not all(isinstance(v, str) for v in value):
        raise _WrongError("epcis:member-wrong", f"{name} holds something else than URIs", "A list of URIs", name)
    return list(value)


def _batches(raw: Mapping[str, Any], name: str) -> list[Used]:
    out = []
    for entry in _list(raw, name):
        if not isinstance(entry, dict) or not isinstance(entry.get("epcClass"), str):
            raise _WrongError(
                "epcis:member-wrong", f"{name} has an entry without epcClass", "epcClass, quantity, uom", name
            )
        quantity = entry.get("quantity")
        if quantity is not None and (isinstance(quantity, bool) or not isinstance(quantity, int | float)):
            raise _WrongError("epcis:member-wrong", "A quantity is no number", "Write a number", name)
        if quantity is not None and not 0 <= quantity <= MOST_QUANTITY:
            hint = f"Zero to {MOST_QUANTITY:g}"
            raise _WrongError("epcis:member-wrong", f"{quantity} is no quantity of anything", hint, name)
        unit = UNIT_OF_CODE.get(str(entry.get("uom", "")), "")
        out.append(Used(entry["epcClass"], "batch", None if quantity is None else float(quantity), unit))
    return out


def _measures(raw: Mapping[str, Any]) -> tuple[list[Measure], dict[str, Any]]:
    """Numbers of the sensor reports; reports that hold no number are kept as they came."""
    found, unread = [], []
    for element in _list(raw, "sensorElementList"):
        reports = element.get("sensorReport") if isinstance(element, dict) else None
        if not isinstance(reports, list) or not all(isinstance(r, dict) for r in reports):
            raise _WrongError(
                "epcis:member-wrong", "A sensor element has no sensorReport", "A list", "sensorElementList"
            )
        for r in reports:
            value = r.get("value")
            if isinstance(value, bool) or not isinstance(value, int | float):
                unread.append(r)
                continue
            found.append(_measure(r, float(value)))
    return found, {f"{PREFIX}:reports": unread} if unread else {}


def _measure(r: Mapping[str, Any], value: float) -> Measure:
    numbers = {}
    for name, member in (("lower", "lowerLimit"), ("upper", "upperLimit"), ("nominal", "nominal")):
        limit = r.get(f"{PREFIX}:{member}")
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int | float)):
            raise _WrongError("epcis:member-wrong", f"{member} is no number", "Write a number", "sensorElementList")
        numbers[name] = None if limit is None else float(limit)
    unit = _text(r, f"{PREFIX}:unit") or UNIT_OF_CODE.get(str(r.get("uom", "")), "")
    name = _text(r, f"{PREFIX}:characteristic") or short_word(str(r.get("type", ""))) or "value"
    verdict = r.get(f"{PREFIX}:verdict", "")
    return Measure(name, value, unit, verdict=verdict if verdict in ("pass", "fail") else "", **numbers)


def _other(raw: Mapping[str, Any], kind: TraceKind, kind_of_event: str, disposition: str) -> dict[str, Any]:
    """Members that the event has no place for, and words that writing it back would not give."""
    kept = {k: v for k, v in raw.items() if k not in _READ and k not in ("bizStep", "disposition", "isA")}
    for name in ("outputQuantityList", "quantityList", "childQuantityList"):
        kept.pop(name, None)  # they count as parts
    step = short_word(_text(raw, "bizStep"))
    if step and step != BIZ_STEP.get(kind):
        kept["bizStep"] = raw["bizStep"]
    if disposition and disposition not in (*OF_VERDICT.values(), DISPOSITION.get(kind)):
        kept["disposition"] = raw["disposition"]
    if kind_of_event == "AssociationEvent":
        kept["type"] = kind_of_event
    return kept


def _place(raw: Mapping[str, Any]) -> str:
    for name in ("readPoint", "bizLocation"):
        value = raw.get(name)
        if value is None:
            continue
        if not isinstance(value, dict) or not isinstance(value.get("id"), str):
            raise _WrongError("epcis:member-wrong", f"{name} is no place", 'Write it as {"id": URI}', name)
        return twin_of_place(value["id"])
    return ""


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name, "")
    if not isinstance(value, str):
        raise _WrongError("epcis:member-wrong", f"{name} is no text", "Write text", name)
    return value


def _time(raw: Mapping[str, Any], name: str) -> int:
    text = _text(raw, name)
    if not text:
        raise _WrongError("epcis:member-missing", f"{name} is missing", "RFC 3339 with an offset", name)
    return _instant(text, name)


def _instant(text: str, name: str) -> int:
    try:
        return parse_instant(text)
    except InvalidInputError as e:
        raise _WrongError("epcis:member-wrong", e.fault.message, e.fault.hint, name) from None
