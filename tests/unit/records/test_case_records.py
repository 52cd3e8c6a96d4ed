"""Cases and requirements of twins in the records, and where cases stand."""

import pytest

from servitwin.domain.case import (
    Acknowledged,
    Case,
    CaseStep,
    Closed,
    Ended,
    Found,
    Repaired,
    Shelved,
    Verified,
    Withdrawn,
    case_standing,
)
from servitwin.domain.case_check import check_step
from servitwin.domain.error import ConflictError, InvalidInputError, RefusedError
from servitwin.domain.finding import Finding
from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.requirement import Requirement

FIRST = Finding("u1", "brake.holds", "sha256:0", "brake", "high", start=10 * HOUR, determined=10 * HOUR + 1)
CASE = Case("c1", "u1", "brake.holds", "sha256:0", "brake", "high", 10 * HOUR)


def steps(*bodies, start=10 * HOUR):
    return [CaseStep("c1", n, start + n * HOUR, "ann", body) for n, body in enumerate(bodies, 1)]


def stands(*bodies):
    return case_standing(CASE, steps(*bodies), 10**18)


def test_records_keep_cases_and_their_steps(records):
    first = steps(Found(FIRST))
    assert records.add_case(CASE, first)
    assert not records.add_case(CASE, first), "a case is opened once"
    assert records.add_case_step(CaseStep("c1", 2, 20 * HOUR, "ann", Acknowledged()))
    assert not records.add_case_step(CaseStep("c1", 2, 20 * HOUR, "bob", Acknowledged())), "a number is taken once"
    [(case, kept)] = records.cases(["u1"])
    assert case == CASE
    assert [s.body for s in kept] == [Found(FIRST), Acknowledged()]
    assert records.cases(["u2"]) == []
    assert len(records.cases(id="c1")) == 1


def test_requirements_of_a_twin_are_replaced_and_taken_back(records):
    records.add_requirement("u1", Requirement("cool", "stays cool", "t < 80"), 1, "ann")
    records.add_requirement("u1", Requirement("cool", "stays cooler", "t < 70"), 2, "ann")
    assert [r.formula for r in records.requirements("u1")["u1"]] == ["t < 70"]
    records.add_requirement("u1", Requirement("cool", "", ""), 3, "ann")
    assert records.requirements() == {}


def test_from_violation_to_proof():
    assert stands(Found(FIRST)).alarm == "unacknowledged"
    assert stands(Found(FIRST), Acknowledged()).alarm == "acknowledged"
    assert stands(Found(FIRST), Ended(FIRST.id, 11 * HOUR)).alarm == "returned"
    mended = Repaired("brake", "lining", "part", "Timo", 12 * HOUR)
    after = stands(Found(FIRST), Ended(FIRST.id, 11 * HOUR), mended)
    assert (after.status, after.repair) == ("repaired", mended)
    done = stands(Found(FIRST), Ended(FIRST.id, 11 * HOUR), mended, Verified(12 * HOUR, 15 * HOUR, 3, 3, 0.63))
    assert (done.status, done.open, done.alarm) == ("verified", False, "normal")


def test_a_violation_after_the_repair_says_that_it_did_not_hold():
    mended = Repaired("brake", "lining", "part", "Timo", 12 * HOUR)
    again = Finding("u1", "brake.holds", "sha256:0", "brake", "high", start=14 * HOUR, determined=14 * HOUR)
    now = stands(Found(FIRST), Ended(FIRST.id, 11 * HOUR), mended, Found(again))
    assert (now.status, now.recurred, now.repair, now.active) == ("violated", 1, None, True)
    assert now.found.finding == again


def test_late_observations_take_a_case_back():
    now = stands(Found(FIRST), Withdrawn(FIRST.id))
    assert (now.status, now.findings, now.found) == ("closed", (), None)


def test_a_case_of_the_past_is_as_it_was():
    all_steps = steps(Found(FIRST), Acknowledged(), Closed("a mistake"))
    assert case_standing(CASE, all_steps, 12 * HOUR).status == "violated"
    assert case_standing(CASE, all_steps, 13 * HOUR).status == "closed"


def test_what_people_may_not_do():
    now = case_standing(CASE, steps(Found(FIRST)), 10**18)
    at = 20 * HOUR

    def step(body, number=2):
        return CaseStep("c1", number, at, "ann", body)

    with pytest.raises(ConflictError, match="Somebody else"):
        check_step(now, step(Acknowledged(), number=1))
    with pytest.raises(InvalidInputError) as e:
        check_step(now, step(Shelved(at + 8 * DAY, "holiday")))
    assert e.value.fault.code == "case:shelf-too-long"
    with pytest.raises(InvalidInputError) as e:
        check_step(now, step(Closed("  ")))
    assert e.value.fault.code == "case:reason-missing"
    for done_at, code in ((at + 1, "case:repair-in-future"), (9 * HOUR, "case:repair-before-violation")):
        with pytest.raises(InvalidInputError) as e:
            check_step(now, step(Repaired("brake", "lining", "part", "Timo", done_at)))
        assert e.value.fault.code == code
    over = case_standing(CASE, steps(Found(FIRST), Closed("done")), 10**18)
    with pytest.raises(ConflictError) as conflict:
        check_step(over, step(Acknowledged(), number=3))
    assert conflict.value.fault.code == "case:over"


def test_safety_is_never_put_aside():
    safe = Case("c1", "u1", "brake.holds", "sha256:0", "brake", "safety", 10 * HOUR)
    now = case_standing(safe, steps(Found(FIRST)), 10**18)
    with pytest.raises(RefusedError) as e:
        check_step(now, CaseStep("c1", 2, 20 * HOUR, "ann", Shelved(21 * HOUR, "noise")))
    assert e.value.fault.code == "case:safety-not-shelved"


def test_where_monitors_stand_is_kept_and_thinned_out(records):
    for minute in range(1, 7):
        records.save_monitors([("u1", minute, "{}", b"%d" % minute), ("u2", minute, "{}", b"x")], [])
    assert records.monitors_at(4, ["u1", "u3"]) == {"u1": (4, "{}", b"4")}
    records.save_monitors([("u1", 7, "{}", b"7")], [(0, 5)])
    assert records.monitors_at(3, ["u1"]) == {}, "of [0, 5) only the last is kept"
    assert records.monitors_at(4, ["u1", "u2"]) == {"u1": (4, "{}", b"4"), "u2": (4, "{}", b"x")}
    records.forget_monitors("u1", 5)
    assert records.monitors_at(10, ["u1"])["u1"][0] == 5
