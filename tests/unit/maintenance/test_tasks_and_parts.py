"""Tasks, parts, technicians, sites: when a task is due, when to order, and what is wrong with an entry."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.calendar import Calendar, Shift
from servitwin.domain.error import ConflictError, InvalidInputError, RefusedError
from servitwin.domain.instant import DAY, HOUR, format_instant
from servitwin.domain.job_sheet import JobSheet, close_sheet, tick, use_part
from servitwin.domain.maintenance_task import Interval, Life, MaintenanceTask, Step, age_hours, check_task, due_of
from servitwin.domain.recommendation import Recommendation, RecommendationStep, follow, next_step
from servitwin.domain.service_site import MachineWorth, ServiceSite, check_site
from servitwin.domain.spare_part import SparePart, arrival, check_part, order_quantity, reorder, reorder_point
from servitwin.domain.technician import Technician, check_technician, working_spans
from servitwin.domain.travel import Place, distances_m

NOW = 1_764_000_000 * 10**9
TASK = MaintenanceTask(
    "mill-1", "spindle", "Bearings", Interval("time", 90), 2.0, ("spindle",), Decimal(900), Decimal(9000), "EUR",
    last_done=format_instant(NOW - 88 * DAY),
)  # fmt: skip
PART = SparePart("Bearing", 3, Decimal(300), "EUR", 30, 12)


def test_a_task_is_due_by_time_by_count_and_by_condition() -> None:
    due = due_of(TASK, NOW)
    assert (due.due, due.earliest, due.latest) == (NOW + 2 * DAY, NOW - 5 * DAY, NOW + 9 * DAY)
    counted = msgspec.structs.replace(TASK, interval=Interval("count", 1000, "lifts", 50), count_at_last=200)
    assert due_of(counted, NOW, count=700).due == NOW + 10 * DAY
    assert due_of(counted, NOW).due < NOW, "88 days of 50 a day are more than a thousand"
    worn = msgspec.structs.replace(
        TASK, interval=Interval("condition", limit_hours=40), life=Life(2.5, 1000, hours_per_day=20)
    )
    assert due_of(worn, NOW, remaining_hours=140).due == NOW + 5 * DAY
    for task in (worn, msgspec.structs.replace(counted, last_done="")):
        with pytest.raises(InvalidInputError, match="not known"):
            due_of(task, NOW)
    assert age_hours(worn, NOW) == pytest.approx(88 * 20)


def test_every_fault_of_a_task_is_told_at_once() -> None:
    bad = MaintenanceTask(
        " ", "", "", Interval("count", -1, "", 0), 0.0, (), Decimal(-1), Decimal("NaN"), "XXQ", -1, 9e9,
        life=Life(0, -1, 25),
    )  # fmt: skip
    assert {f.code for f in check_task(bad)} == {
        "task:name-missing", "task:interval-invalid", "task:counter-missing", "task:cost-negative",
        "money:currency-unknown", "task:duration-invalid", "task:no-skill", "task:tolerance-invalid",
        "task:shape-invalid", "task:scale-invalid", "task:hours-a-day-invalid",
    }  # fmt: skip
    assert [f.code for f in check_task(msgspec.structs.replace(TASK, last_done=""))] == ["task:last-done-missing"]
    assert check_task(TASK) == []


@given(st.floats(0.01, 200), st.floats(0.5, 0.999))
def test_the_reorder_point_is_the_smallest_that_gives_the_service_level(mean: float, level: float) -> None:
    def below(count: int) -> float:
        return math.fsum(math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(count + 1))

    point = reorder_point(mean, level)
    assert below(point) >= level - 1e-9 and (point == 0 or below(point - 1) < level + 1e-9)


def test_an_order_is_proposed_when_the_shelf_runs_low() -> None:
    # 12 a year and 30 days: mean 0.986; P(D <= 2) = 0.92, P(D <= 3) = 0.98.
    assert reorder(PART, (), NOW).point == 3 and reorder(PART, (), NOW).order == 1
    full = msgspec.structs.replace(PART, stock=9)
    assert reorder(full, (), NOW).order == 0
    planned = [(NOW + 5 * DAY, 4), (NOW + 6 * DAY, 3), (NOW + 90 * DAY, 50)]
    short = reorder(full, planned, NOW)
    assert (short.available, short.order) == (2, 2) and "7 reserved" in short.why
    wanting = reorder(msgspec.structs.replace(PART, stock=0, pack=5), [(NOW, 8)], NOW)
    assert (wanting.available, wanting.order, wanting.cost.amount) == (-8, 15, Decimal(4500))
    economic = msgspec.structs.replace(PART, order_cost=Decimal(40), demand_per_year=24)
    assert order_quantity(economic) == round(math.sqrt(2 * 40 * 24 / 60)) == 6
    assert arrival(PART, 3, NOW) == NOW and arrival(PART, 4, NOW) == NOW + 30 * DAY
    unknown = msgspec.structs.replace(PART, lead_time_days=None)
    assert arrival(unknown, 4, NOW) is None and [f.code for f in check_part(unknown)] == ["part:no-lead-time"]


def test_a_part_with_impossible_figures_is_refused() -> None:
    bad = SparePart("x", -1, Decimal(-1), "E", -3, -1, 1.0, pack=0)
    assert {f.code for f in check_part(bad)} == {
        "money:currency-unknown", "part:cost-negative", "part:lead-time-invalid", "part:stock-negative",
        "part:demand-invalid", "part:service-level-invalid", "part:pack-invalid",
    }  # fmt: skip


def test_a_technician_works_in_shifts_of_the_own_zone_between_breaks() -> None:
    shift = Shift("day", (0, 1, 2, 3, 4, 5, 6), 7 * 60, 15 * 60, ((11 * 60, 11 * 60 + 30),))
    person = Technician("T", ("x",), Place(61, 24), Calendar("c", "Europe/Helsinki", (shift,)), Decimal(60), "EUR")
    day = NOW // DAY * DAY
    spans = working_spans(person, day, day + DAY)
    assert [(a - day, b - day) for a, b in spans] == [
        (5 * HOUR, 9 * HOUR), (9 * HOUR + HOUR // 2, 13 * HOUR),
    ]  # fmt: skip
    bad = Technician("T", (), Place(99, 24), Calendar("c", "Mars"), Decimal(-1), "EUR", van_capacity=-1)
    assert {f.code for f in check_technician(bad)} == {
        "calendar:time-zone-unknown", "technician:no-shift", "technician:no-skill", "travel:place-invalid",
        "technician:rate-negative", "technician:capacity-negative",
    }  # fmt: skip
    site = ServiceSite(
        "s", "c", Place(0, 200), {"m": MachineWorth(Decimal(-1))}, "??", Decimal(-1), Calendar("c", "Europe/Helsinki")
    )
    assert {f.code for f in check_site(site)} == {
        "travel:place-invalid", "money:currency-unknown", "site:cost-negative", "site:no-access",
    }  # fmt: skip


def test_distances_are_those_of_a_globe() -> None:
    helsinki, tampere = Place(60.1699, 24.9384), Place(61.4978, 23.7610)
    metres = distances_m([helsinki, tampere, helsinki])
    assert metres[0, 1] == pytest.approx(161_000, rel=0.01) and metres[0, 2] == 0
    assert distances_m([Place(0, 179.5), Place(0, -179.5)])[0, 1] == pytest.approx(111_195, rel=1e-3)


def some_recommendation(**more: Any) -> Recommendation:
    step = RecommendationStep("propose", "h", "maker", NOW, NOW + DAY, NOW + DAY + HOUR)
    item = Recommendation(
        "r", "mill-1", "spindle", "t", "Bearings", "maker", "acme", "maintenance_plan", "0.1.0", "", "least cost",
        NOW + DAY, NOW + 9 * DAY, "tea", "EUR", Decimal(1), Decimal(2), Decimal(3), (), (step,),
    )  # fmt: skip
    return msgspec.structs.replace(item, **more)


def by(party: str, action: str, **more: Any) -> RecommendationStep:
    return msgspec.convert(
        {"action": action, "by": "x", "by_party": party, "at": NOW + HOUR, **more}, RecommendationStep
    )


def test_windows_go_back_and_forth_and_only_who_is_waited_for_answers() -> None:
    item = some_recommendation()
    assert item.waiting_for == "acme"
    other = next_step(item, by("acme", "counter", start=NOW + 2 * DAY, end=NOW + 2 * DAY + HOUR))
    assert (other.status, other.waiting_for, other.window[0]) == ("countered", "maker", NOW + 2 * DAY)
    third = next_step(other, by("maker", "counter", start=NOW + 3 * DAY, end=NOW + 3 * DAY + HOUR))
    assert third.waiting_for == "acme"
    for party in ("maker", "stranger"):
        with pytest.raises(RefusedError, match="waited for"):
            next_step(third, by(party, "accept"))
    agreed = next_step(third, by("acme", "accept"))
    assert agreed.window[0] == NOW + 3 * DAY and agreed.waiting_for == ""
    with pytest.raises(ConflictError, match="not possible now"):
        next_step(agreed, by("acme", "refuse", text="no"))
    with pytest.raises(ConflictError, match="window is over"):
        next_step(item, by("acme", "accept", at=NOW + 2 * DAY))
    judged = next_step(next_step(agreed, by("maker", "done")), by("maker", "judge", found="good"))
    refused = next_step(item, by("acme", "refuse", text="We do it ourselves"))
    told = follow([judged, refused, item])
    assert (told.by_status, told.refused_by, told.countered, told.right) == (
        {"judged": 1, "refused": 1, "proposed": 1}, {"acme": 1}, 1, 0.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [(5, 5, "window-reversed"), (-9, -3, "window-past"), (1, 24 * 400, "window-long")],
)
def test_a_window_that_cannot_be_is_refused(start: int, end: int, code: str) -> None:
    with pytest.raises(InvalidInputError) as e:
        next_step(some_recommendation(), by("acme", "counter", start=NOW + start * HOUR, end=NOW + end * HOUR))
    assert e.value.fault.code == f"recommendation:{code}"


def test_a_sheet_closes_when_its_critical_steps_are_done() -> None:
    sheet = JobSheet("o", "m", "c", "t", "tea", procedure=(Step("Lock out", True), Step("Clean"), Step("Test", True)))
    with pytest.raises(ConflictError) as e:
        close_sheet(sheet, "tea", NOW)
    assert [f.where for f in e.value.faults] == ["procedure[1]", "procedure[3]"]
    for step in (3, 1, 1):
        sheet = tick(sheet, step, "tea", NOW, f"note {step}")
    assert [t.step for t in sheet.ticks] == [1, 3]
    closed = close_sheet(use_part(sheet, "seal", 2, "tea", NOW), "tea", NOW, proof="p")
    with pytest.raises(ConflictError, match="closed"):
        tick(closed, 2, "tea", NOW)
    with pytest.raises(InvalidInputError, match="0 pieces"):
        use_part(sheet, "seal", 0, "tea", NOW)
