"""Hypotheses are ranked by weight and sign; who made a machine wait."""

import pytest

from servitwin.domain.likely_cause import rank_causes, stopped_by
from servitwin.domain.requirement import LikelyCause, RepairRule
from servitwin.domain.state_time import State, StateInterval
from servitwin.proof.monitor.trace import Verdict
from servitwin.proof.monitor.trigger import Occurrence
from servitwin.proof.repair import recurrence_bound, repair_progress

WORN = LikelyCause("worn", "Lining worn", 5, ("holds",), "brake.lining < 3")
OILY = LikelyCause("oily", "Oil on the lining", 2)
OTHER = LikelyCause("cable", "Cable broken", 9, ("starts",))
S = 10**9


def test_causes_that_cannot_explain_it_are_left_out():
    ranked = rank_causes([WORN, OILY, OTHER], "holds", {})
    assert [(h.name, round(h.weight, 3)) for h in ranked] == [("worn", 0.714), ("oily", 0.286)]


def test_signs_move_the_rank_and_say_so():
    seen = rank_causes([OILY, WORN], "holds", {"worn": "true"})
    assert seen[0].name == "worn" and seen[0].weight == pytest.approx(50 / 52)
    assert "its sign was seen: brake.lining < 3" in seen[0].because
    missed = rank_causes([WORN, OILY], "holds", {"worn": "false"})
    assert missed[0].name == "oily" and missed[1].weight == pytest.approx(0.5 / 2.5)


def states(*pieces):
    return [StateInterval(a * S, b * S, s) for a, b, s in pieces]


def test_the_machine_that_stopped_first_leads():
    line = {
        "cell": states((0, 50, State.PRODUCING), (50, 90, State.STARVED)),
        "mill-1": states((0, 30, State.PRODUCING), (30, 90, State.FAILED)),
        "mill-2": states((0, 40, State.PRODUCING), (40, 90, State.FAILED)),
        "mill-3": states((0, 90, State.PRODUCING)),
    }
    found = stopped_by("cell", line, {"mill-1": "Mill 1"}, 60 * S)
    assert [(h.name, h.title) for h in found] == [("mill-1", "Mill 1"), ("mill-2", "mill-2")]
    assert sum(h.weight for h in found) == pytest.approx(1)
    assert stopped_by("mill-1", line, {}, 60 * S) == (), "a failed machine blames nobody"
    assert stopped_by("cell", line, {}, 10 * S) == (), "a producing machine waits for nobody"


def occurrence(start, end, verdict="true"):
    return Occurrence(start * S, end * S, Verdict(verdict))


def test_not_yet_proven_one_of_three_then_proven():
    rule = RepairRule("load > 4", 3)
    one = repair_progress(rule, [occurrence(10, 20)], 0, 100 * S)
    assert (one.proven, one.missing, one.occurrences) == (False, "1 of 3 occurrences", 1)
    running = [occurrence(10, 20), occurrence(30, 40), occurrence(50, 100)]
    assert repair_progress(rule, running, 0, 100 * S).missing == "2 of 3 occurrences"
    done = repair_progress(rule, [occurrence(n, n + 5) for n in (10, 20, 30)], 0, 100 * S)
    assert done.proven and done.bound == pytest.approx(0.6316, abs=1e-4)


def test_unclear_occurrences_count_for_nothing_and_a_violation_forbids_it():
    rule = RepairRule("load > 4", 2)
    unclear = repair_progress(rule, [occurrence(1, 2), occurrence(3, 4, "inconclusive")], 0, 9 * S)
    assert (unclear.proven, unclear.unclear) == (False, 1)
    failed = repair_progress(rule, [occurrence(1, 2), occurrence(3, 4), occurrence(5, 6, "false")], 0, 9 * S)
    assert not failed.proven and failed.missing == "violated again in 1 of 3 occurrences"


def test_without_a_condition_an_hour_counts():
    rule = RepairRule()
    assert repair_progress(rule, [occurrence(0, 1800)], 0, 1800 * S, conditioned=False).missing == "1800 of 3600 s"
    assert repair_progress(rule, [occurrence(0, 3600)], 0, 3601 * S, conditioned=False).proven


@pytest.mark.parametrize(("n", "bound"), [(0, 1.0), (1, 0.95), (3, 0.6316), (100, 0.0295), (300, 0.00994)])
def test_the_bound_is_about_three_over_n(n, bound):
    assert recurrence_bound(n) == pytest.approx(bound, rel=1e-2)
