"""What counts: by formula, party, burden of proof, claims, budgets, gaps and calendars."""

from __future__ import annotations

from decimal import Decimal
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
