"""EPCIS 2.0: what is written is read back the same; examples of the standard; bad documents are told whole."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.error import InvalidInputError
from servitwin.domain.trace_event import Measure, TraceEvent, Used
from servitwin.domain.trace_id import batch_id, check_gtin, part_id, place_id, short_name
from servitwin.formats.epcis_reader import read_document
from servitwin.formats.epcis_words import BIZ_STEP
from servitwin.formats.epcis_writer import write_document

NOW = 1_700_000_000_000_000_000
uris = st.integers(0, 50).map(lambda i: f"urn:epc:id:sgtin:614141.1123456.{i}")
texts = st.text(st.characters(categories=["L", "N"]), max_size=8)
numbers = st.floats(-1e6, 1e6).map(lambda v: v + 0.0)
measures = st.builds(
    Measure, texts.filter(bool), numbers, st.sampled_from(["mm", "um", "Cel", "", "N.m"]), st.none() | numbers,
    st.none() | numbers, st.none() | numbers, st.sampled_from(["", "pass", "fail"]),
)  # fmt: skip
batches = st.builds(
    Used, st.just(batch_id("H7", "614141.1123456")), st.just("batch"), st.floats(0, 1e15), st.sampled_from(["", "kg"])
)
tools = st.builds(Used, st.just("urn:servitwin:obj:T1"), st.just("tool"))


@st.composite
def trace_events(draw) -> TraceEvent:
    kind = draw(st.sampled_from([*BIZ_STEP, "observed"]))
    parent = "urn:epc:id:sscc:4012345.0000000111" if kind in ("assembled", "packed", "unpacked") else ""
    return TraceEvent(
        kind, NOW + draw(st.integers(0, 10**15)), tuple(draw(st.lists(uris, min_size=1, max_size=3, unique=True))),
        start=draw(st.none() | st.just(NOW - 5)), parent=parent,
        inputs=tuple(draw(st.lists(batches, max_size=1)) + draw(st.lists(tools, max_size=1))),
        place=draw(st.sampled_from(["", "mill-1", "urn:epc:id:sgln:4012345.00011.987"])),
        product=draw(texts), program=draw(texts), step=draw(texts), role=draw(st.sampled_from(["", "operator"])),
        settings=draw(st.dictionaries(texts, st.booleans() | numbers | texts, max_size=2)),
        measures=tuple(draw(st.lists(measures, max_size=3))), verdict=draw(st.sampled_from(["", "pass", "fail"])),
        reason=draw(texts), source_document=draw(texts),
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(trace_events(), max_size=4))
def test_written_and_read_back_is_the_same(events) -> None:
    document = msgspec.json.encode(write_document(events, NOW))
    assert read_document(document).events == tuple(events)


def test_every_written_event_has_what_the_standard_requires() -> None:
    made = TraceEvent(
        "made", NOW, ("urn:x:p",), inputs=(Used("urn:x:b", "batch", 1.0), Used("urn:x:t", "tool")), place="mill-1"
    )
    measured = TraceEvent(
        "measured", NOW, ("urn:x:p",), measures=(Measure("bore", 25.001, "mm", 24.98, 25.02),), verdict="pass"
    )
    packed = TraceEvent("packed", NOW, ("urn:x:p",), parent="urn:x:c")
    document = write_document([made, measured, packed], NOW)
    assert document["type"] == "EPCISDocument" and document["schemaVersion"] == "2.0"
    assert document["@context"][0] == "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
    a, b, c = document["epcisBody"]["eventList"]
    assert (a["type"], a["inputQuantityList"], a["outputEPCList"]) == (
        "TransformationEvent", [{"epcClass": "urn:x:b", "quantity": 1.0}], ["urn:x:p"],
    )  # fmt: skip
    assert "action" not in a and a["readPoint"] == {"id": "urn:servitwin:loc:mill-1"}
    assert (b["type"], b["action"], b["bizStep"], b["disposition"]) == (
        "ObjectEvent",
        "OBSERVE",
        "inspecting",
        "conformant",
    )
    report = b["sensorElementList"][0]["sensorReport"][0]
    assert (report["type"], report["value"], report["uom"]) == ("Length", 25.001, "MMT")
    assert (c["type"], c["action"], c["parentID"], c["childEPCs"]) == (
        "AggregationEvent",
        "ADD",
        "urn:x:c",
        ["urn:x:p"],
    )
    for event in (a, b, c):
        assert {"type", "eventID", "eventTime", "eventTimeZoneOffset"} <= event.keys()
        assert all(":" in k or k.isidentifier() for k in event)


# Shaped after the examples 9.6.1 to 9.6.4 of the EPCIS standard, with words in their three spellings.
FOREIGN = {
    "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"example": "https://ns.example.com/epcis/"}],
    "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2013-06-04T14:59:02.099+02:00",
    "epcisBody": {"eventList": [
        {"type": "TransformationEvent", "eventTime": "2013-10-31T14:58:56.591Z", "eventTimeZoneOffset": "+02:00",
         "inputEPCList": ["urn:epc:id:sgtin:4012345.011122.25"],
         "outputEPCList": ["urn:epc:id:sgtin:4012345.077889.25"],
         "inputQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.011111.4444", "quantity": 10, "uom": "KGM"}],
         "transformationID": "urn:epc:id:gdti:0614141.12345.400", "bizStep": "urn:epcglobal:cbv:bizstep:commissioning",
         "readPoint": {"id": "urn:epc:id:sgln:4012345.00001.0"}, "example:myField": "kept"},
        {"type": "AggregationEvent", "eventID": "ni:///sha-256;87b5f18a69993f0052046d4687dfacdf48f?ver=CBV2.0",
         "eventTime": "2013-06-08T14:58:56.591Z", "eventTimeZoneOffset": "+02:00", "action": "ADD",
         "parentID": "urn:epc:id:sscc:0614141.1234567890", "childEPCs": ["urn:epc:id:sgtin:4012345.077889.25"],
         "bizStep": "https://ref.gs1.org/cbv/BizStep-receiving"},
        {"type": "ObjectEvent", "eventTime": "2019-04-02T15:00:00.000+01:00", "eventTimeZoneOffset": "+01:00",
         "action": "OBSERVE", "epcList": ["urn:epc:id:sgtin:4012345.077889.25"], "bizStep": "inspecting",
         "sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": 26.0, "uom": "CEL"},
                                                  {"type": "Humidity", "stringValue": "wet"}]}]},
    ]},
}  # fmt: skip


def test_events_of_others_are_read_and_kept_whole() -> None:
    made, packed, measured = read_document(json.dumps(FOREIGN).encode()).events
    assert made.kind == "made" and made.inputs[1] == Used(
        "urn:epc:class:lgtin:4012345.011111.4444", "batch", 10.0, "kg"
    )
    assert made.other == {"transformationID": "urn:epc:id:gdti:0614141.12345.400", "example:myField": "kept"}
    assert packed.kind == "packed" and packed.id.startswith("ni:///") and packed.other["bizStep"].endswith("receiving")
    assert measured.measures == (Measure("Temperature", 26.0, "Cel"),) and measured.other["servitwin:reports"]
    again = read_document(json.dumps(write_document([made, packed, measured], NOW)).encode()).events
    assert again == (made, packed, measured)


def test_an_error_declaration_withdraws() -> None:
    event = FOREIGN["epcisBody"]["eventList"][1]  # type: ignore[index]
    declared = {**event, "errorDeclaration": {"declarationTime": "2020-01-01T00:00:00Z", "reason": "did_not_occur"}}
    found = read_document(json.dumps(declared).encode())
    assert found.events == () and found.withdrawn == (event["eventID"],)


def test_a_bad_document_is_told_whole() -> None:
    bad = json.loads(json.dumps(FOREIGN))
    first, second, third = bad["epcisBody"]["eventList"]
    first["eventTime"] = "yesterday"
    del second["action"]
    third["epcList"] = [5]
    bad["epcisBody"]["eventList"] += [{"type": "TransactionEvent"}, 7, {"type": "ObjectEvent", "action": "ADD"}]
    with pytest.raises(InvalidInputError) as told:
        read_document(json.dumps(bad).encode())
    assert [(f.code, f.where.split(".")[0]) for f in told.value.faults] == [
        ("epcis:member-wrong", "eventList[0]"), ("epcis:member-missing", "eventList[1]"),
        ("epcis:member-wrong", "eventList[2]"), ("epcis:event-type", "eventList[3]"),
        ("epcis:member-wrong", "eventList[4]"), ("epcis:member-missing", "eventList[5]"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("readPoint", "urn:epc:id:sgln:4012345.00011.987"), ("bizLocation", {"id": None}), ("errorDeclaration", 5),
        ("eventTimeZoneOffset", "+99:99"), ("quantityList", [{"epcClass": "urn:x", "quantity": -1}]),
        ("quantityList", [{"epcClass": "urn:x", "quantity": 1e308}]),
    ],
)  # fmt: skip
def test_a_member_that_is_not_as_the_standard_has_it_is_told_and_never_left_out(member: str, value: object) -> None:
    event = {
        "type": "ObjectEvent", "action": "OBSERVE", "epcList": ["urn:epc:id:sgtin:4012345.011111.1"],
        "eventTime": "2020-01-01T00:00:00Z", "eventTimeZoneOffset": "+00:00", member: value,
    }  # fmt: skip
    with pytest.raises(InvalidInputError) as told:
        read_document(json.dumps(event).encode())
    (fault,) = told.value.faults
    assert (fault.code, fault.where, bool(fault.hint)) == ("epcis:member-wrong", f"eventList[0].{member}", True)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "epcis:not-json"), (b"[]", "epcis:not-a-document"), (b'{"type": "x"}', "epcis:not-a-document"),
        (b'{"type": "EPCISDocument", "schemaVersion": "1.2"}', "epcis:version"),
        (b'{"type": "EPCISDocument", "schemaVersion": "2.0", "epcisBody": {}}', "epcis:not-a-document"),
        (b"[" * 100_000, "epcis:not-json"), (b"\xff\xfe", "epcis:not-json"),
    ],
)  # fmt: skip
def test_what_is_no_document_is_told(content, code) -> None:
    with pytest.raises(InvalidInputError) as told:
        read_document(content)
    assert told.value.fault.code == code


def test_ids() -> None:
    assert part_id("a b/1") == "urn:servitwin:obj:a%20b%2F1" and short_name(part_id("a b/1")) == "a b/1"
    assert part_id("77", "614141.1123456") == "urn:epc:id:sgtin:614141.1123456.77"
    assert short_name("urn:epc:id:sgtin:614141.1123456.a.7") == "a.7"
    assert part_id("https://id.gs1.org/01/1/21/5") == "https://id.gs1.org/01/1/21/5"
    assert place_id("") == "" and not check_gtin("614141.1123456", "gtin") and check_gtin("614141.12", "gtin")
