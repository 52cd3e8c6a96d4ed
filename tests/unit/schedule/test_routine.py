"""Minutes of routine: Welch against a published example and scipy, what makes sides unlike, what is refused."""

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from scipy import stats

from servitwin.domain.register import body_faults
from servitwin.domain.schedule.routine import (
    KINDS,
    ROUTINE_STUDY,
    SHIFT_ROUTINE,
    RoutineKind,
    RoutineStudy,
    ShiftRoutine,
    entry_id,
    kind_faults,
    side_of,
)
from servitwin.domain.schedule.routine_change import Moments, change_of, freedom, welch

ONE = RoutineStudy(kinds=(RoutineKind("log", "Log"),), rate="60", currency="EUR")
MINUTES = st.lists(st.integers(0, 480), min_size=5, max_size=40)


def shifts(minutes, shift="early", place="m1", products=("pin",)):
    return [
        ShiftRoutine(place, f"2026-01-{n + 1:02d}", shift, "2026-01-01T06:00:00Z", 480, {"log": m}, products=products)
        for n, m in enumerate(minutes)
    ]


def test_welch_gives_the_published_example():
    # NIST/SEMATECH e-Handbook, two-sample t-test of AUTO83B.DAT without the assumption of equal variances.
    japan, usa = Moments(79, 30.48101, 6.107710), Moments(249, 20.14458, 6.414700)
    assert freedom(usa, japan) == pytest.approx(136.8750, abs=1e-3)
    found = welch(usa, japan)
    error = found.half / stats.t.ppf(0.975, 136)
    assert found.mean / error == pytest.approx(12.94627, abs=1e-4)
    assert found.clear and found.low == pytest.approx(10.33643 - 1.977561 * 0.798413, abs=1e-3)


@given(MINUTES, MINUTES)
def test_the_interval_holds_that_of_an_independent_program_and_is_hardly_wider(before, after):
    found = welch(Moments.of(before), Moments.of(after))
    assert found.mean == pytest.approx(np.mean(after) - np.mean(before))
    if np.ptp(before) == 0 and np.ptp(after) == 0:
        assert found.half == 0
        return
    other = stats.ttest_ind(after, before, equal_var=False).confidence_interval(0.95)
    assert found.low <= other.low + 1e-6 and other.high <= found.high + 1e-6
    # Rounding the degrees of freedom down costs most where there are few: 4 in place of just below 5.
    assert found.high - found.low <= (other.high - other.low) * 1.09


@given(MINUTES, MINUTES)
def test_turning_the_sides_round_turns_the_difference_round(before, after):
    there, back = (change_of(a, b, ONE) for a, b in ((shifts(before), shifts(after)), (shifts(after), shifts(before))))
    assert there.total.difference.mean == pytest.approx(-back.total.difference.mean)
    assert there.total.difference.low == pytest.approx(-back.total.difference.high)
    assert there.money.per_shift == -back.money.per_shift
    assert abs(there.money.low.amount + back.money.high.amount) <= Decimal("0.01")  # ends are rounded floats


def test_minutes_become_money_only_at_a_stated_rate():
    found = change_of(shifts([30, 40, 50, 60, 70]), shifts([10, 20, 30, 40, 50]), ONE)
    assert found.total.difference.mean == -20
    assert str(found.money.per_shift) == "20.00 EUR"
    assert found.money.low.amount < Decimal(20) < found.money.high.amount
    assert change_of(shifts([30] * 5), shifts([10] * 5), RoutineStudy(kinds=ONE.kinds)).money is None


@pytest.mark.parametrize(("first", "second"), [(0, 0), (4, 9), (9, 4)])
def test_too_few_shifts_on_a_side_give_no_difference_and_say_why(first, second):
    found = change_of(shifts([30] * first), shifts([10] * second), ONE)
    assert found.total.difference is None and found.money is None
    assert found.total.refused.code == "routine:too-few-shifts"
    assert str(first) in found.total.refused.message and str(second) in found.total.refused.message


def test_sides_of_other_shifts_products_and_kinds_are_told():
    before, after = shifts([30, 31, 32, 33, 34]), shifts([20, 21, 22, 23, 24], "night", products=("bolt",))
    assert [(f.code, f.where) for f in change_of(before, after, ONE).warnings] == [
        ("routine:sides-differ", "shift"), ("routine:sides-differ", "product"),
    ]  # fmt: skip
    mixed = [*shifts([20, 21, 22, 23]), *shifts([24], "night")]
    assert change_of(before, mixed, ONE).warnings == ()  # a fifth of them others: that is chance
    unknown = change_of(before, shifts([20, 21, 22, 23, 24], products=()), ONE)
    assert [f.code for f in unknown.warnings] == ["routine:products-unknown"]
    wider = RoutineStudy(kinds=(*ONE.kinds, RoutineKind("tools", "Tools")))
    asked_more = [replace(s, minutes={**s.minutes, "tools": 5}) for s in shifts([20, 21, 22, 23, 24])]
    found = change_of(before, asked_more, wider)
    assert [f.code for f in found.warnings] == ["routine:kinds-differ"]
    assert found.kinds[0].difference.mean == -10 and found.kinds[1].refused.where == "tools"


def test_shifts_that_all_said_the_same_are_doubted():
    found = change_of(shifts([30] * 6), shifts([20] * 6), ONE)
    assert found.total.difference.half == 0
    assert [f.code for f in found.warnings] == ["routine:no-spread"]


def test_a_kind_that_was_dropped_from_the_list_is_still_told():
    found = change_of(shifts([30] * 5), shifts([20] * 5), RoutineStudy(kinds=(RoutineKind("tools", "Tools"),)))
    assert [k.kind for k in found.kinds] == ["tools", "log"]
    assert found.kinds[0].before.count == 0 and found.kinds[1].difference.mean == -10


def test_the_side_is_what_was_said_else_by_the_day():
    one = shifts([1])[0]
    assert (side_of(one, "2026-01-01"), side_of(one, "2026-01-02"), side_of(one, "")) == ("after", "before", None)
    assert side_of(replace(one, period="before"), "2025-01-01") == "before"


@given(st.text(min_size=1, max_size=60))
def test_every_name_of_a_shift_gives_an_id_that_a_register_takes(name):
    place = "m" * 63
    id = entry_id(place, "2026-01-01", name)
    body = {
        "place": place, "day": "2026-01-01", "shift": name, "begins": "2026-01-01T06:00:00Z", "shift_minutes": 480,
        "minutes": {"log": 3},
    }  # fmt: skip
    assert body_faults(SHIFT_ROUTINE, id, body) == []
    assert id == entry_id(place, "2026-01-01", name) and id != entry_id(place, "2026-01-01", name + "x")


def codes(kind, body):
    return [f.code for f in body_faults(kind, "x", body)]


def test_what_cannot_be_is_refused_with_every_fault():
    good = {"place": "m1", "day": "2026-01-01", "shift": "early", "begins": "2026-01-01T06:00:00Z",
            "shift_minutes": 480, "minutes": {"log": 480}}  # fmt: skip
    assert codes(SHIFT_ROUTINE, good) == []
    assert codes(SHIFT_ROUTINE, good | {"minutes": {"log": 481}}) == ["routine:more-than-the-shift"]
    assert codes(SHIFT_ROUTINE, good | {"minutes": {"log": -1, "x": 500}}) == ["routine:minutes-negative"]
    assert codes(SHIFT_ROUTINE, good | {"minutes": {}}) == ["routine:nothing-said"]
    assert codes(SHIFT_ROUTINE, good | {"day": "1.1.2026", "begins": "dawn", "shift_minutes": 0}) == [
        "routine:no-day", "time:not-rfc3339", "routine:shift-length",
    ]  # fmt: skip
    assert codes(SHIFT_ROUTINE, good | {"by": "otto"}) == ["register:shape"]  # there is no field for a person
    assert codes(ROUTINE_STUDY, {}) == []
    bad = {
        "since": "soon", "rate": "-1", "currency": "EURO", "places": [{"place": "m1", "since": "2026-13-01"}],
        "kinds": [{"id": "a", "title": "A"}, {"id": "a", "title": "B"}, {"id": "Ä", "title": "C"}],
    }  # fmt: skip
    assert codes(ROUTINE_STUDY, bad) == [
        "routine:no-day", "routine:no-day", "routine:kind-twice", "routine:kind-invalid", "money:currency-unknown",
        "routine:rate-invalid",
    ]  # fmt: skip
    assert codes(ROUTINE_STUDY, {"kinds": []}) == ["routine:no-kinds"]
    assert codes(ROUTINE_STUDY, {"rate": "NaN"}) == codes(ROUTINE_STUDY, {"rate": "much"}) == ["routine:rate-invalid"]
    assert codes(ROUTINE_STUDY, {"rate": "1e30"}) == ["routine:rate-invalid"]  # more than money can be
    assert codes(ROUTINE_STUDY, {"rate": "1e15"}) == []
    faults = kind_faults({"log": 1}, KINDS)
    assert faults[0].code == "routine:kind-unknown" and "what-next" in faults[0].hint
    assert [f.code for f in faults[1:]] == ["routine:kind-missing"] * len(KINDS)


def test_moments_of_none_and_one_are_finite():
    assert Moments.of([]) == Moments(0, 0.0, 0.0) and Moments.of([7]) == Moments(1, 7.0, 0.0)
    assert math.isfinite(welch(Moments.of([1, 2]), Moments.of([1, 2])).half)
