"""What counts: by formula, party, burden of proof, claims, budgets, gaps and calendars."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.contract import ExclusionTerm, GapTerm, Rounding
from servitwin.domain.contract_period import period_of
from servitwin.domain.guarantee_time import RULES, Category
from servitwin.domain.instant import HOUR
from servitwin.domain.reason import Reason
from servitwin.domain.settlement import MachineFacts, settle
from servitwin.domain.state_time import State, StateInterval
from servitwin.domain.state_time_span import Spans
from servitwin.domain.time_table import TimeTable
from tests.unit.contract.samples import at, claim, contract, decide, guarantee, hours, march, stand

S = State
WEEK = 744.0  # hours of March


def month(stop: float, state: State = S.FAILED, **known: str) -> list[StateInterval]:
    """March with one stop in the middle that lasts so many hours."""
    return hours((300, S.PRODUCING), (stop, state, known), (WEEK - 300 - stop, S.PRODUCING))


def total(result: Any, category: Category) -> float:
    return float(result.totals[category.name.lower()] / HOUR)


def test_every_nanosecond_lies_in_one_category() -> None:
    result = march(month(10))
    assert sum(result.totals.values()) == WEEK * HOUR
    assert (total(result, Category.AVAILABLE), total(result, Category.UNAVAILABLE)) == (734, 10)


@pytest.mark.parametrize(
    ("party", "burden", "category", "rule"),
    [
        ("maker", "provider", Category.UNAVAILABLE, "responsible-party"),
        ("plant", "provider", Category.EXCLUDED, "responsible-party"),
        ("grid", "provider", Category.EXCLUDED, "responsible-party"),
        ("", "provider", Category.UNAVAILABLE, "burden-of-proof"),
        ("", "customer", Category.EXCLUDED, "burden-of-proof"),
    ],
)
def test_a_state_is_not_a_liability(party: str, burden: Any, category: Category, rule: str) -> None:
    result = march(month(10, party=party), contract(guarantee(burden_of_proof=burden)))
    assert total(result, category) == 10
    stop = result.time.table.start.tolist().index(at(300))
    assert RULES[result.time.rule[stop]] == rule


@pytest.mark.parametrize(
    ("author", "responsible", "excluded"),
    [("plant", "plant", 10), ("maker", "plant", 0), ("maker", "maker", 0), ("plant", "grid", 10), ("maker", "grid", 0)],
)
def test_a_reason_in_ones_own_favour_is_no_fact(author: str, responsible: str, excluded: float) -> None:
    reason = Reason("r1", "crane", at(300), at(310), "operator-error", responsible, "someone", author, at(311))
    assert total(march(month(10), reasons=[reason]), Category.EXCLUDED) == excluded


def test_an_accepted_claim_leaves_out_the_stop_and_no_running_time() -> None:
    accepted = stand(claim("access_refused", 295, 305), decide("accept"))
    result = march(month(10), standings=[accepted])
    assert total(result, Category.EXCLUDED) == 5
    assert total(result, Category.UNAVAILABLE) == 5
    assert total(result, Category.AVAILABLE) == 734


def test_a_part_is_accepted_and_the_rest_counts() -> None:
    minute = 1 / 60
    stop = month(24 * minute)
    part = stand(claim("access_refused", 300, 300 + 24 * minute), decide("accept_part", (300, 300 + 9 * minute)))
    result = march(stop, standings=[part])
    assert round(total(result, Category.EXCLUDED) * 60) == 9
    assert round(total(result, Category.UNAVAILABLE) * 60) == 15


def test_planned_work_beyond_its_budget_counts() -> None:
    terms = guarantee(exclusions=(ExclusionTerm("planned_work", Decimal(6)),))
    accepted = stand(claim("planned_work", 300, 310), decide("accept"), terms=terms)
    result = march(month(10, S.PREVENTIVE), contract(terms), standings=[accepted])
    assert (total(result, Category.EXCLUDED), total(result, Category.UNAVAILABLE)) == (6, 4)


def test_overlapping_claims_take_the_ground_of_higher_priority_and_spare_the_budget() -> None:
    terms = guarantee(exclusions=(ExclusionTerm("force_majeure"), ExclusionTerm("planned_work", Decimal(6))))
    storm = stand(claim("force_majeure", 300, 304, id="x1"), decide("accept"), terms=terms)
    other = claim("planned_work", 300, 310, id="x2")
    work = stand(other, replace_id(decide("accept"), "x2"), terms=terms)
    result = march(month(10, S.PREVENTIVE), contract(terms), standings=[work, storm])
    assert (total(result, Category.EXCLUDED), total(result, Category.UNAVAILABLE)) == (10, 0)


def replace_id(step: Any, id: str) -> Any:
    return msgspec.structs.replace(step, exclusion=id)


def test_the_customer_proves_a_failure_where_the_burden_is_its_own() -> None:
    terms = guarantee(burden_of_proof="customer")
    proven = stand(claim("provider_failure", 300, 310, "plant"), decide("accept", party="maker"), terms=terms)
    result = march(month(10), contract(terms), standings=[proven])
    assert total(result, Category.UNAVAILABLE) == 10


GAP = {"reason": "no-data"}


@pytest.mark.parametrize(
    ("rule", "telemetry", "around", "category"),
    [
        ("pro_rata", "provider", "running", Category.EXCLUDED),
        ("pro_rata", "provider", "stopped", Category.UNAVAILABLE),
        ("available", "provider", "running", Category.EXCLUDED),
        ("available", "provider", "stopped", Category.UNAVAILABLE),
        ("unavailable", "provider", "running", Category.UNAVAILABLE),
        ("unavailable", "customer", "running", Category.AVAILABLE),
        ("unavailable", "customer", "stopped", Category.EXCLUDED),
        ("pro_rata", "customer", "running", Category.AVAILABLE),
        ("available", "neither", "stopped", Category.AVAILABLE),
        ("unavailable", "neither", "running", Category.UNAVAILABLE),
    ],
)
def test_a_gap_is_never_to_the_gain_of_who_lost_the_data(
    rule: Any, telemetry: Any, around: str, category: Category
) -> None:
    state = S.PRODUCING if around == "running" else S.FAILED
    time = hours((300, S.PRODUCING), (10, state), (20, S.UNKNOWN, GAP), (10, state), (404, S.PRODUCING))
    terms = contract(guarantee(gaps=GapTerm(rule, telemetry)))
    without = march(hours((300, S.PRODUCING), (10, state), (434, S.PRODUCING)), terms)
    result = march(time, terms)
    change = total(result, category) - total(without, category)
    assert change == 20 if category is Category.EXCLUDED else total(result, category) >= 20
    assert sum(result.totals.values()) == WEEK * HOUR


def test_a_month_of_silence_counts_against_who_runs_the_telemetry() -> None:
    assert total(march([]), Category.UNAVAILABLE) == WEEK
    assert total(march([], contract(guarantee(gaps=GapTerm(telemetry="customer")))), Category.AVAILABLE) == WEEK


NEITHER = GapTerm("pro_rata", "neither")


def share(intervals: Any, terms: Any, **facts: Any) -> Any:
    """Down share of March as a fraction."""
    found = march(intervals, terms, **facts).time.down_share
    return None if found is None else Fraction(found).limit_denominator(10_000)


def test_silence_that_counts_for_nobody_is_down_as_often_as_what_is_known() -> None:
    gap = (44, S.UNKNOWN, {})
    around = hours((300, S.PRODUCING), (10, S.FAILED), (100, S.PRODUCING), gap, (WEEK - 454, S.PRODUCING))
    assert share(around, contract(guarantee(gaps=NEITHER))) == Fraction(10, 700)
    as_available = contract(guarantee(gaps=GapTerm("available", "neither")))
    assert share(around, as_available) == Fraction(10, 744)
    assert share(hours((WEEK, S.UNKNOWN, {})), contract(guarantee(gaps=NEITHER))) is None
    left_out = month(10, party="plant")
    assert share(left_out, contract(guarantee(gaps=NEITHER))) == 0  # known, and no fault of the service


def planned_weeks(telemetry: State, *planned_week: tuple[float, State]) -> tuple[list[StateInterval], Spans]:
    """Four weeks of 40 planned hours, and 128 in which the state is ``telemetry``; the rest of March is silent."""
    weeks = [part for _ in range(4) for part in (*planned_week, (128, telemetry))]
    planned = Spans.of([(at(168 * n), at(168 * n + 40)) for n in range(4)])
    return hours(*weeks, (72, telemetry)), planned


def test_unplanned_time_makes_a_year_whether_the_machine_was_watched_or_not() -> None:
    terms = contract(guarantee(basis="planned", gaps=NEITHER))
    found = []
    for telemetry in (S.UNKNOWN, S.OFF):
        intervals, planned = planned_weeks(telemetry, (30, S.PRODUCING), (4, S.FAILED), (6, S.PRODUCING))
        found.append(share(intervals, terms, planned=planned))
    assert found == [Fraction(16, 744)] * 2  # 4 h of each of the four planned weeks, of all hours of March
    # Half of each planned week is silent too, without a party that lost it: what is known stands for it.
    intervals, planned = planned_weeks(S.UNKNOWN, (10, S.PRODUCING), (4, S.FAILED), (6, S.PRODUCING), (20, S.UNKNOWN))
    assert share(intervals, terms, planned=planned) == Fraction(32, 744)
    intervals, planned = planned_weeks(S.OFF, (40, S.UNKNOWN))
    assert share(intervals, terms, planned=planned) is None  # unplanned time alone says nothing of planned time


def test_time_before_the_clock_and_of_another_contract_does_not_dilute_the_hours_down() -> None:
    late = contract(acceptance="required")
    half = hours((300, S.PRODUCING), (72, S.FAILED), (300, S.PRODUCING), (72, S.FAILED))
    assert share(half, late, accepted_at=at(372)) == Fraction(72, 372)
    assert share(half, late) is None
    shadowed = Spans.of([(at(372), at(WEEK))])
    assert share(half, contract(), shadowed=shadowed) == Fraction(72, 372)
    planned = Spans.of([(at(300), at(WEEK))])  # unplanned before the clock starts is not of the clock's time either
    assert share(half, contract(guarantee(basis="planned"), acceptance="required"), accepted_at=at(372),
                 planned=planned) == Fraction(72, 372)  # fmt: skip


def test_time_to_come_has_no_part_in_the_share_planned_or_not() -> None:
    to_come = hours((100, S.PRODUCING), (10, S.FAILED), (90, S.PRODUCING), (544, S.UNKNOWN, {"reason": "not-yet"}))
    assert share(to_come, contract()) == Fraction(10, 200)
    terms = contract(guarantee(basis="planned"))
    assert share(to_come, terms, planned=Spans.of([(at(0), at(150))])) == Fraction(10, 200)


def test_planned_time_alone_counts_where_the_contract_says_so() -> None:
    planned = Spans.of([(at(0), at(305))])
    result = march(month(10), contract(guarantee(basis="planned")), planned=planned)
    assert (total(result, Category.OUTSIDE), total(result, Category.UNAVAILABLE)) == (WEEK - 305, 5)


def test_the_clock_starts_with_acceptance() -> None:
    terms = contract(acceptance="required")
    assert total(march(month(10), terms), Category.OUTSIDE) == WEEK
    assert total(march(month(10), terms, accepted_at=at(305)), Category.UNAVAILABLE) == 5


def test_degraded_running_counts_by_the_agreed_part() -> None:
    time = hours((344, S.PRODUCING), (400, S.PRODUCING, {"word": "TWO_OF_FOUR"}))
    result = march(time, contract(guarantee(degraded={"TWO_OF_FOUR": Decimal(50)})))
    assert result.numerator / HOUR == 544
    assert result.denominator / HOUR == WEEK


def test_own_words_and_named_formulas_judge_the_same_time_differently() -> None:
    time = hours((300, S.PRODUCING, {"word": "ACTIVE"}), (100, S.STANDBY, {"word": "STOPPED"}), (344, S.OFF))
    by_word = march(time, contract(guarantee(formula="words@1", words=("ACTIVE",))))
    assert (by_word.numerator, by_word.denominator) == (300 * HOUR, 400 * HOUR)
    m10 = march(time, contract(guarantee(formula="en15341-m10@1")))
    assert m10.numerator == m10.denominator == 400 * HOUR
    iso = march(time, contract(guarantee(formula="iso22400@1")))
    assert (iso.numerator, iso.denominator) == (300 * HOUR, 744 * HOUR)


@pytest.mark.parametrize(("crossing", "first", "second"), [("split", 4, 6), ("first", 10, 0)])
def test_a_stop_over_the_exit_point_is_split_or_follows_the_first_contract(
    crossing: Any, first: float, second: float
) -> None:
    """A stop from four hours before the end of March to six hours after it, under two contracts in a row."""
    time = hours((740, S.PRODUCING), (2, S.FAILED), (8, S.REPAIR), (710, S.PRODUCING))
    terms = guarantee(crossing=crossing)
    table = TimeTable.of(time)
    before = contract(terms, end="2026-04-01")
    after = contract(terms, start="2026-04-01", id="next")
    found = [
        settle(c, period_of(c, p), [MachineFacts("crane", table)], [], []).machines[0].totals["unavailable"] / HOUR
        for c, p in ((before, "2026-03"), (after, "2026-04"))
    ]
    assert found == [first, second]


def test_a_contract_of_higher_rank_takes_its_time() -> None:
    result = march(month(10), shadowed=Spans.of([(at(304), at(400))]))
    assert (total(result, Category.UNAVAILABLE), total(result, Category.OUTSIDE)) == (4, 96)


STATES = st.sampled_from([s for s in State])
STRETCH = st.tuples(st.integers(1, 200), STATES, st.sampled_from(["", "maker", "plant", "grid"]))
CLAIMED = st.tuples(st.integers(0, 700), st.integers(1, 200), st.sampled_from(["force_majeure", "planned_work"]))


@given(st.lists(STRETCH, max_size=12), st.lists(CLAIMED, max_size=4), st.sampled_from(["provider", "customer"]))
def test_any_time_and_claims_sum_to_the_whole_and_claims_never_hurt_who_makes_them(
    stretches: list[tuple[int, State, str]], claims: list[tuple[int, int, str]], burden: Any
) -> None:
    time = hours(*((float(n), s, {"party": p}) for n, s, p in stretches))
    terms = contract(guarantee(burden_of_proof=burden, rounding=Rounding(None)))
    standings = [
        stand(claim(kind, a, min(a + n, 744), id=f"x{i}"), replace_id(decide("accept"), f"x{i}"))
        for i, (a, n, kind) in enumerate(claims)
    ]
    without, result = march(time, terms), march(time, terms, standings=standings)
    assert sum(result.totals.values()) == WEEK * HOUR
    assert result.worth.credit.amount <= without.worth.credit.amount
    assert result.totals["available"] == without.totals["available"] or result.totals["excluded"]
    pieces = result.time.table
    assert pieces.start[0] == at(0)
    assert pieces.end[-1] == at(WEEK)
    assert (pieces.start[1:] == pieces.end[:-1]).all()
