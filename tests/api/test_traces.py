"""Traced parts over the API: capture, lives, recalls, charts; rights follow the machine's ownership."""

from __future__ import annotations

import csv
import io
from random import Random

import msgspec
import pytest
from api_node import T0

from servitwin.domain.instant import HOUR, NS
from servitwin.domain.trace_event import Measure, TraceEvent, Used
from servitwin.domain.trace_id import batch_id, part_id
from servitwin.formats.epcis_writer import write_document

BATCH, TOOL, BOX = batch_id("H-17"), part_id("T04-3"), part_id("box-1")
COUNT = 60


def events():
    rng = Random(4)
    out = []
    for i in range(COUNT):
        at, part = T0 + i * 60 * NS, part_id(f"mill-1-{i:04}")
        used = (Used(BATCH if i < 40 else batch_id("H-18"), "batch", 1.0), Used(TOOL, "tool"))
        out.append(
            TraceEvent("made", at, (part,), start=at - 50 * NS, inputs=used, place="mill-1", product="lid",
                       program="O1", role="operator", settings={"feed.override": 100.0})
        )  # fmt: skip
        bore = 25 + rng.gauss(0, 0.004) + (0.02 if i > 50 else 0)
        found = Measure("bore", round(bore, 5), "mm", 24.98, 25.02, 25.0)
        out.append(TraceEvent("measured", at + NS, (part,), place="mill-1", product="lid", measures=(found,)))
    out.append(TraceEvent("packed", T0 + HOUR, tuple(part_id(f"mill-1-{i:04}") for i in range(10)), parent=BOX))
    return out


def send(client, found):
    body = msgspec.json.encode(write_document(found, T0))
    return client.post("/api/v1/epcis/v2/capture", content=body, headers={"Content-Type": "application/ld+json"})


@pytest.fixture(scope="module")
def traced(node):
    client = node.browser("adam")
    answer = send(client, events())
    assert answer.status_code == 202, answer.text
    assert answer.json() == {"captured": 2 * COUNT + 1, "known": 0, "withdrawn": 0, "not_matched": []}
    assert send(client, events()).json() == {"captured": 0, "known": 2 * COUNT + 1, "withdrawn": 0, "not_matched": []}
    client.close()


def test_a_part_is_found_and_its_life_is_told(traced, anna):
    listed = anna.get("/api/v1/parts", params={"q": "mill-1-0003"}).json()["items"]
    assert [p["name"] for p in listed] == ["mill-1-0003"] and listed[0]["verdict"] == "pass"
    life = anna.get(f"/api/v1/parts/{listed[0]['id']}/genealogy").json()
    made, measured, packed = life["events"]
    assert (made["machine"], made["program"], made["role"], made["settings"]) == (
        "mill-1",
        "O1",
        "operator",
        {"feed.override": 100.0},
    )
    assert {u["kind"] for u in made["inputs"]} == {"batch", "tool"} and measured["measures"][0]["verdict"] == "pass"
    assert packed["parent"] == BOX
    assert {k["source"] for k in life["up"]} == {BATCH, TOOL} and [k["target"] for k in life["down"]] == [BOX]
    told = anna.get(life["provenance"]).json()
    assert told["rule"] == "genealogy" and len(told["inputs"]) == 3


def test_pages_go_on_without_loss(traced, anna):
    seen, cursor = [], None
    while True:
        query = {"limit": 25, "product": "lid", **({"cursor": cursor} if cursor else {})}
        page = anna.get("/api/v1/parts", params=query).json()
        seen += [p["name"] for p in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [f"mill-1-{i:04}" for i in reversed(range(COUNT))]


def test_recalls_in_both_directions(traced, anna):
    down = anna.get("/api/v1/recalls", params={"id": BATCH}).json()
    assert (down["parts"], down["count"]) == (40, 41)  # and the box
    assert {i["steps"] for i in down["items"]} == {1, 2}
    up = anna.get("/api/v1/recalls", params={"id": BOX, "direction": "up"}).json()
    assert {i["kind"] for i in up["items"]} == {"part", "batch", "tool"} and up["parts"] == 10
    hours = {"machine": "mill-1", "from": T0 + 50 * 60 * NS, "to": T0 + 70 * 60 * NS}
    found = anna.get("/api/v1/recalls", params=hours).json()
    bad = {e.parts[0] for e in events() if e.judged == "fail"}
    assert found["parts"] == 10 and found["failed"] == len(bad) >= 2
    text = anna.get("/api/v1/recalls", params={"id": BATCH, "form": "csv"}).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 42 and rows[0]["id"] == BATCH


def test_charts_capability_and_yield(traced, anna):
    named = anna.get("/api/v1/spc/characteristics").json()["items"]
    assert [(c["product"], c["name"], c["values"]) for c in named] == [("lid", "bore", COUNT)]
    chart = anna.get("/api/v1/spc/chart", params={"product": "lid", "characteristic": "bore"}).json()
    assert chart["kind"] == "individuals" and chart["groups"] == 25 and len(chart["points"]) == COUNT
    assert "nelson-1" in {r for p in chart["points"][51:] for r in p["rules"]}
    cpk = chart["capability"]["cpk"]
    assert cpk["low"] < cpk["value"] < cpk["high"]
    assert anna.get(chart["provenance"]).json()["rule"] == "spc"
    means = anna.get(
        "/api/v1/spc/chart", params={"product": "lid", "characteristic": "bore", "kind": "xbar-r", "size": 5}
    ).json()
    assert len(means["points"]) == 12 and means["warnings"][0]["code"] == "spc:few-groups"
    shares = anna.get("/api/v1/spc/yield", params={"from": T0 - HOUR, "to": T0 + 2 * HOUR, "every": "10m"}).json()
    failed = sum(p["failed"] for p in shares["points"])
    assert shares["steps"][0]["entered"] == COUNT and shares["steps"][0]["good"] == COUNT - failed and failed >= 4


def test_who_may_read_the_machine_reads_what_batches_tools_and_boxes_are(traced, anna, olga, adam):
    grant = adam.post(
        "/api/v1/grants", json={"grantee": "other", "twin": "mill-1", "action": "read", "purpose": "service"}
    ).json()
    part = part_id("mill-1-0020")
    theirs, ours = (c.get(f"/api/v1/parts/{part}/genealogy").json() for c in (olga, anna))
    assert {o["name"]: o["kind"] for o in theirs["objects"]} == {"H-17": "batch", "T04-3": "tool"}
    assert theirs["objects"] == ours["objects"]
    recalled = olga.get("/api/v1/recalls", params={"id": part, "direction": "up"}).json()
    assert {i["name"]: i["kind"] for i in recalled["items"] if i["steps"]} == {"H-17": "batch", "T04-3": "tool"}
    adam.delete(f"/api/v1/grants/{grant['id']}")


def test_others_see_nothing_of_it_and_change_nothing(traced, anna, olga, node):
    part = part_id("mill-1-0003")
    assert olga.get("/api/v1/parts").json()["items"] == []
    assert olga.get(f"/api/v1/parts/{part}/genealogy").json()["code"] == "part:unknown"
    assert olga.get("/api/v1/recalls", params={"id": BATCH}).status_code == 404
    assert olga.get("/api/v1/spc/characteristics").json()["items"] == []
    assert olga.get("/api/v1/epcis/v2/events").json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"] == []
    before = anna.get(f"/api/v1/parts/{part}/genealogy").json()
    # Somebody else claims that the part was scrapped, that it holds theirs, and that the machine says so.
    claim = [
        TraceEvent("scrapped", T0 + 5, (part,), place="mill-1", reason="envy"),
        TraceEvent("made", T0 + 6, (BATCH,), inputs=(Used(part),), place="mill-1"),
    ]
    answer = send(olga, claim)
    assert answer.status_code == 202, answer.text  # for olga mill-1 is a place like any other
    assert anna.get(f"/api/v1/parts/{part}/genealogy").json() == {**before, "withheld": True}
    mine = olga.get(f"/api/v1/parts/{part}/genealogy").json()
    assert [e["kind"] for e in mine["events"]] == ["scrapped", "made"] and mine["withheld"] is True
    assert anna.get("/api/v1/recalls", params={"id": BATCH}).json()["parts"] == 40


def test_events_come_out_as_they_went_in(traced, anna):
    seen, query = [], {"perPage": 50, "EQ_readPoint": "urn:servitwin:loc:mill-1"}
    answer = anna.get("/api/v1/epcis/v2/events", params=query)
    while True:
        seen += answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        if "link" not in answer.headers:
            break
        answer = anna.get(answer.headers["link"].split(">")[0][1:])
    assert {e["eventID"] for e in seen} == {e.id for e in events() if e.place} and len(seen) == 2 * COUNT
    about = anna.get("/api/v1/epcis/v2/events", params={"MATCH_anyEPC": BOX}).json()
    assert about["epcisBody"]["queryResults"]["resultsBody"]["eventList"][0]["type"] == "AggregationEvent"


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/recalls", {}, "recall:start-missing"),
        ("/recalls", {"id": "urn:x:never"}, "part:unknown"),
        ("/recalls", {"id": "a b"}, "trace:id-invalid"),
        ("/recalls", {"machine": "mill-99"}, "twin:unknown"),
        ("/parts", {"cursor": "bm9wZQ"}, "page:cursor-not-understood"),
        ("/parts", {"machine": "nobody"}, "twin:unknown"),
        ("/spc/chart", {"product": "lid", "characteristic": "nose"}, "spc:nothing-measured"),
        ("/spc/chart", {"product": "lid", "characteristic": "bore", "to": T0 + 2 * NS}, "spc:not-enough-data"),
        ("/spc/yield", {"from": 0, "every": "1m"}, "spc:too-many-windows"),
        ("/provenance", {"kind": "trace"}, "provenance:incomplete"),
    ],
)
def test_bad_questions_are_told(traced, anna, path, query, code):
    answer = anna.get(f"/api/v1{path}", params=query)
    assert answer.json()["code"] == code, answer.text


def test_an_event_that_has_not_happened_yet_is_refused_with_its_document(traced, node, adam, anna):
    now = node.parts.now()
    ahead = [
        TraceEvent("made", now + 23 * HOUR, (part_id("ahead-1"),)),
        TraceEvent("made", now + 26 * HOUR, (part_id("ahead-2"),)),
    ]
    answer = send(adam, ahead)
    assert (answer.status_code, answer.json()["code"]) == (400, "trace:in-future"), answer.text
    assert [f["where"] for f in answer.json()["faults"]] == ["events[1].time"] and answer.json()["hint"]
    assert anna.get("/api/v1/parts", params={"q": "ahead"}).json()["items"] == []
    assert send(adam, ahead[:1]).json()["captured"] == 1, "a clock wrong by its time zone loses nothing"


def test_bad_documents_leave_nothing_behind(traced, adam, anna):
    good = TraceEvent("made", T0, (part_id("lost-1"),), place="mill-1")
    wrong = TraceEvent("made", T0, (part_id("lost-2"),), inputs=(Used(part_id("lost-2")),))
    answer = send(adam, [good, wrong])
    assert answer.status_code == 400 and answer.json()["code"] == "trace:circle", answer.text
    assert anna.get("/api/v1/parts", params={"q": "lost"}).json()["items"] == []
    assert (
        adam.post("/api/v1/epcis/v2/capture", content=b"<xml/>", headers={"Content-Type": "application/xml"}).json()[
            "code"
        ]
        == "epcis:not-json"
    )
    assert send(anna, []).status_code in (202, 403)
