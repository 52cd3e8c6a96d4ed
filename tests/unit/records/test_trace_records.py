"""Traced objects in the records: any order, twice, replaced by late data; links as brute force has them."""

from __future__ import annotations

import pytest

from servitwin.domain.error import ConflictError
from servitwin.domain.kept_trace import KeptTrace, ObjectQuery
from servitwin.domain.trace_event import Measure, TraceEvent, Used

MADE = [
    TraceEvent(
        "made", 10 * i, (f"urn:x:p{i}",), product="lid", inputs=(Used("urn:x:b1", "batch"), Used("urn:x:t1", "tool"))
    )
    for i in range(1, 6)
]
MEASURED = TraceEvent("measured", 55, ("urn:x:p5",), product="lid", measures=(Measure("d", 9.0, "mm", 0, 8),))
PACKED = TraceEvent("packed", 60, ("urn:x:p1", "urn:x:p5"), parent="urn:x:c1")
ALL = [KeptTrace(e, "mill", "kivi") for e in (*MADE, MEASURED, PACKED)]
EVERYTHING = ObjectQuery(None, {}, kind=None)


def content(records):
    return (
        [(o.object, o.twin, o.party) for o in records.find_trace_objects(EVERYTHING)],
        sorted(
            (k.link.source, k.link.target)
            for k in records.trace_links(["urn:x:b1", "urn:x:p1", "urn:x:p5"], "down", 1000)
        ),
    )


def test_order_and_repetition_change_nothing(records):
    assert records.add_traces(ALL) == 7
    assert records.add_traces(ALL) == 0
    first = content(records)
    assert ("urn:x:p5", "urn:x:c1") in first[1] and ("urn:x:b1", "urn:x:p3") in first[1] and len(first[1]) == 7
    p5 = records.trace_objects(["urn:x:p5"])[0].object
    assert (p5.kind, p5.product, p5.made, p5.verdict) == ("part", "lid", 50, "fail")
    assert {o.object.kind for o in records.trace_objects(["urn:x:b1", "urn:x:t1", "urn:x:c1"])} == {
        "batch",
        "tool",
        "container",
    }
    records.withdraw_traces("kivi", [k.event.id for k in ALL])
    assert content(records) == ([o for o in content(records)[0] if o[0].id in ("urn:x:b1", "urn:x:t1")], [])
    for one in reversed(ALL):
        records.add_traces([one])
    assert content(records) == first


def test_late_data_replace_what_a_stretch_said(records):
    derived = [KeptTrace(e, "mill", "kivi", "service:mill:1") for e in MADE[:3]]
    assert records.replace_traces("service:mill:1", derived) == (3, 0)
    assert records.replace_traces("service:mill:1", derived) == (0, 0)
    assert records.replace_traces(
        "service:mill:1", [*derived[:2], KeptTrace(MADE[3], "mill", "kivi", "service:mill:1")]
    ) == (1, 1)
    assert [k.link.target for k in records.trace_links(["urn:x:b1"], "down", 1000)] == [
        "urn:x:p1",
        "urn:x:p2",
        "urn:x:p4",
    ]
    assert records.trace_objects(["urn:x:p3"]) == []


def test_an_id_with_another_content_is_refused_whole(records):
    one = TraceEvent("made", 1, ("urn:x:a",), given_id="ni:///x")
    other = TraceEvent("made", 2, ("urn:x:a",), given_id="ni:///x")
    records.add_traces([KeptTrace(one, "", "kivi")])
    with pytest.raises(ConflictError) as told:
        records.add_traces([KeptTrace(MADE[0], "", "kivi"), KeptTrace(other, "", "kivi")])
    assert told.value.fault.code == "trace:event-conflict"
    assert records.traces_about(["urn:x:p1"]) == []
    assert records.add_traces([KeptTrace(other, "", "lumo")]) == 1  # events of others stay apart


def test_lists_go_from_new_to_old_and_go_on(records):
    records.add_traces(ALL)
    ask = ObjectQuery(None, {}, limit=2)
    found = []
    while page := records.find_trace_objects(ask):
        found += [o.object.id for o in page]
        last = page[-1].object
        ask = ObjectQuery(None, {}, limit=2, after=(last.made or 0, last.id))
    assert found == [f"urn:x:p{i}" for i in (5, 4, 3, 2, 1)]
    mine = ObjectQuery("kivi", {"mill": ((0, 35),)})
    assert [o.object.id for o in records.find_trace_objects(mine)] == [f"urn:x:p{i}" for i in (3, 2, 1)]
    assert [o.object.id for o in records.find_trace_objects(ObjectQuery(None, {}, name="p4"))] == ["urn:x:p4"]
    assert records.find_trace_objects(ObjectQuery(None, {}, verdict="fail"))[0].object.id == "urn:x:p5"
    between = records.traces_between(15, 45, twin="mill", kind="made")
    assert [k.event.time for k in between] == [20, 30, 40]
