"""Plans go through files unchanged; what is wrong with a file is told with its line, all at once."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import HOUR, MINUTE, format_instant, parse_instant
from servitwin.domain.schedule.check import check_plan
from servitwin.domain.schedule.problem import Crew, Machine, Mode, Need, Operation, Order, Placement, ScheduleProblem
from servitwin.formats.job_order import job_list
from servitwin.formats.read_plan import ReadPlan
from servitwin.formats.schedule_csv import plan_to_csv
from servitwin.formats.schedule_files import CSV, JSON, read_plan

T0 = parse_instant("2026-03-02T06:00:00Z")
names = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=8).filter(
    lambda text: text == text.strip() != "" and "/" not in text
)
placements = st.builds(
    Placement,
    names,
    names,
    names,
    st.integers(T0, T0 + 90 * 24 * HOUR),
    st.integers(T0 + 91 * 24 * HOUR, T0 + 99 * 24 * HOUR),
    st.integers(0, 10**17),
    st.one_of(st.just(""), names),
    st.booleans(),
)
plans = st.lists(placements, min_size=1, max_size=6, unique_by=lambda p: p.key)


def ordered(plan: list[Placement]) -> tuple[Placement, ...]:
    return tuple(sorted(plan, key=lambda p: (p.start, p.order, p.operation)))


def faults_of(content: bytes | str, media: str = CSV) -> list[Fault]:
    with pytest.raises(InvalidInputError) as told:
        read_plan(content.encode() if isinstance(content, str) else content, media)
    return list(told.value.faults)


@given(plans)
def test_a_table_loses_nothing(plan: list[Placement]) -> None:
    assert read_plan(plan_to_csv(plan).encode(), CSV).placements == ordered(plan)


def test_a_table_may_come_from_a_spreadsheet() -> None:
    plan = [Placement("K 1, left", "10", 'm "1"', T0, T0 + HOUR, 90 * MINUTE, "day", True)]
    table = plan_to_csv(plan)
    assert read_plan(b"\xef\xbb\xbf" + table.encode(), CSV).placements == tuple(plan)
    simple = plan_to_csv([Placement("a", "10", "m1", T0, T0 + HOUR)])
    assert read_plan(simple.replace(",", ";").encode(), CSV).placements[0].machine == "m1"


def problem() -> ScheduleProblem:
    steps = (
        Operation("10", (Mode("m1", HOUR, "mill"),), needs=(Need("bar", 3),), title="Mill"),
        Operation("20", (Mode("m2", 2 * HOUR),)),
    )
    machines = (Machine("m1"), Machine("m2"))
    return ScheduleProblem(T0, T0 + 99 * HOUR, machines, (Order("a", steps),), crews=(Crew("day", ("mill",)),))


PLAN = (
    Placement("a", "10", "m1", T0 - MINUTE, T0 + 59 * MINUTE, 0, "day", True),
    Placement("a", "20", "m2", T0 + HOUR, T0 + 3 * HOUR, 1_500_000_000),
)


def test_a_job_list_of_the_companion_specification_loses_nothing() -> None:
    written = msgspec.json.encode(job_list(problem(), PLAN, T0))
    assert read_plan(written, JSON).placements == PLAN
    plain = msgspec.json.encode([entry["JobOrder"] for entry in job_list(problem(), PLAN, T0)])
    read = read_plan(plain, JSON).placements
    assert [p.started for p in read] == [False, False], "a job order without a state has not begun"


def test_a_plan_as_the_api_gives_it_is_read() -> None:
    told = [
        {"order": p.order, "operation": p.operation, "machine": p.machine, "start": format_instant(p.start),
         "end": format_instant(p.end), "setup_s": p.setup / 1e9, "crew": p.crew, "started": p.started, "waits": []}
        for p in PLAN
    ]  # fmt: skip
    assert read_plan(msgspec.json.encode({"id": "x", "operations": told}), JSON).placements == PLAN
    told[1]["end"], told[0]["setup_s"] = "tomorrow", "long"
    faults = faults_of(msgspec.json.encode({"operations": told}), JSON)
    assert [(f.where, f.code) for f in faults] == [
        ("operations[0]", "plan-file:shape"),
        ("operations[1]", "time:not-rfc3339"),
    ]


def test_every_fault_of_a_table_is_told_with_its_line() -> None:
    head = "order,operation,machine,start,end,setup_s,crew,started\n"
    good = "a,10,m1,2026-03-02T06:00:00Z,2026-03-02T07:00:00Z,,,\n"
    lines = [
        good,
        "\n",
        good.replace("06:00", "26:00"),
        good.replace(",,,", ",nan,,"),
        good.replace(",,,", ",-1,,").replace("10", "11"),
        good.replace(",,,", ",,,perhaps").replace("10", "12"),
        good.replace("a,", ",", 1),
        "a,13,m1\n",
        good,
    ]
    faults = faults_of(head + "".join(lines))
    assert [(f.line, f.code) for f in faults] == [
        (4, "time:not-rfc3339"),
        (5, "schedule-csv:value"),
        (6, "schedule-csv:value"),
        (7, "schedule-csv:value"),
        (8, "schedule-csv:empty"),
        (9, "schedule-csv:cells"),
        (10, "plan-file:twice"),
    ]
    assert "line 2" in faults[-1].message
    assert all(f.hint for f in faults)


@pytest.mark.parametrize(
    ("content", "media", "code", "line"),
    [
        ("", CSV, "schedule-csv:columns", 1),
        ("order,start\n", CSV, "schedule-csv:columns", 1),
        ("order,operation,machine,start,end,end\n", CSV, "schedule-csv:columns", 1),
        ("order,operation,machine,start,end\n", CSV, "plan-file:empty", None),
        ('order,operation,machine,start,end\na,"10,m1', CSV, "schedule-csv:not-csv", 2),
        (b"order,operation,machine,start,end\n\xff", CSV, "plan-file:not-utf-8", 2),
        ("[", JSON, "plan-file:not-json", None),
        ("[]", JSON, "plan-file:empty", None),
        ("{}", JSON, "plan-file:shape", None),
        ("3", JSON, "plan-file:shape", None),
        ("[3]", JSON, "job-list:shape", None),
        ('[{"JobOrder": {"JobOrderID": "x"}}]', JSON, "job-list:incomplete", None),
        ("<plan/>", "application/xml", "plan-file:media-type", None),
    ],
)
def test_files_that_are_no_plan_are_refused_in_words(
    content: str | bytes, media: str, code: str, line: int | None
) -> None:
    fault = faults_of(content, media)[0]
    assert (fault.code, fault.line) == (code, line)
    assert fault.hint


def test_a_job_names_what_is_wrong_in_it() -> None:
    jobs = job_list(problem(), PLAN, T0)
    jobs[0]["JobOrder"]["StartTime"] = "soon"
    jobs[1]["JobOrder"]["JobOrderParameters"] = [{"ID": "setup_seconds", "Value": "long"}]
    faults = faults_of(msgspec.json.encode(jobs), JSON)
    assert [f.where for f in faults] == ["jobs[0].StartTime", "jobs[1].JobOrderParameters"]


def test_what_the_check_finds_leads_back_into_the_file() -> None:
    wrong = (PLAN[0], msgspec.structs.replace(PLAN[1], setup=0, start=T0, end=T0 + 2 * HOUR))
    read: ReadPlan = read_plan(plan_to_csv(wrong).encode(), CSV)
    faults = read.located(check_plan(problem(), read.placements))
    found = {(f.line, f.where, f.code) for f in faults}
    assert (3, "line 3: a/20", "plan:too-early-for-routing") in found, found
