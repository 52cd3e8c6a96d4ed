"""What a service says of parts is kept with its outcome, replaced by late data, and told while it is fresh."""

from __future__ import annotations

import msgspec
import pytest

from servitwin.domain.error import InvalidInputError
from servitwin.domain.genealogy import reach
from servitwin.domain.instant import HOUR
from servitwin.domain.trace_event import TraceEvent, Used
from servitwin.domain.twin import Dated, Twin
from servitwin.engines.records import SqlRecords, migrate
from servitwin.sdk.service import Outcome
from servitwin.usecases.keep_results import keep_results, traces_of

NOW = 1_800_000_000 * 10**9
MILL = Twin("uid-1", "mill-1", "machine", owner=(Dated("aurora", 0, NOW - HOUR), Dated("kivi", NOW - HOUR)))


@pytest.fixture
def records(tmp_path):
    url = f"sqlite:///{tmp_path}/records.db"
    migrate(url)
    opened = SqlRecords(url)
    yield opened
    opened.close()


def said(*found: TraceEvent) -> Outcome:
    results = [{"trace": msgspec.to_builtins(e)} for e in found]
    return Outcome([{"oee": 1}, *results])


def keep(records: SqlRecords, outcome: Outcome) -> tuple[Outcome, list[tuple[str, bytes]]]:
    traces = traces_of(outcome, MILL, "step 1", "operator", NOW)
    with records.together():
        return keep_results(records, outcome, MILL, traces, "step 1", NOW)


def test_parts_are_kept_for_the_owner_of_that_time_and_counted_in_the_outcome(records):
    old = TraceEvent("made", NOW - 2 * HOUR, ("urn:x:a",), inputs=(Used("urn:x:b", "batch"),), place="mill-1")
    new = TraceEvent("made", NOW - 60, ("urn:x:c",), inputs=(Used("urn:x:b", "batch"),), place="mill-1")
    kept, told = keep(records, said(old, new))
    assert kept.results == [{"oee": 1}, {"traced": {"events": 2}}]
    assert {o.party for o in records.trace_objects(["urn:x:a"])} == {"aurora"}
    assert {o.party for o in records.trace_objects(["urn:x:c"])} == {"kivi"}
    [(subject, payload)] = told
    assert subject == "happened" and msgspec.json.decode(payload)["kind"] == "parts-traced"
    assert msgspec.json.decode(payload)["data"] == {"events": 1, "failed": 0}  # what is long over calls nobody

    late, told = keep(records, said(new))
    assert late.results[-1] == {"traced": {"events": 1}} and records.trace_objects(["urn:x:a"]) == []


def test_an_event_that_cannot_be_right_takes_no_other_with_it(records):
    wrong = TraceEvent("packed", NOW, ("urn:x:a",), parent="urn:x:a", place="mill-1")
    right = TraceEvent("packed", NOW, ("urn:x:a",), parent="urn:x:p", place="mill-1")
    kept, _ = keep(records, said(wrong, right))
    assert kept.results[-1] == {"traced": {"events": 1}}
    with pytest.raises(InvalidInputError) as told:
        traces_of(Outcome([{"trace": {"kind": "stolen"}}]), MILL, "s", "", NOW)
    assert told.value.fault.code == "trace:result-wrong-shape"


def test_more_than_a_recall_may_name_is_cut_off_and_says_so(records):
    found = [TraceEvent("made", NOW + i, (f"urn:x:p{i}",), inputs=(Used("urn:x:b", "batch"),)) for i in range(40)]
    keep(records, said(*found))
    step = lambda ids: [k.link for k in records.trace_links(ids, "down", 25)]  # noqa: E731
    reached = reach(["urn:x:b"], step, "down", most=10)
    assert len(reached.depth) == 10 and reached.cut_off
