"""What proves a repair, and where the count begins."""

import pytest

from servitwin.domain.instant import NS as S
from servitwin.domain.requirement import RepairRule
from servitwin.proof.monitor.pieces import NEVER
from servitwin.proof.monitor.trace import Piece, Verdict
from servitwin.proof.monitor.trigger import Occurrence
from servitwin.proof.repair import recurrence_bound, repair_progress
from servitwin.usecases.judge_requirement import kept_from


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


def pieces(*stretches):
    return [Piece(a * S, b * S, Verdict(verdict), 0.0, 0.0, a * S) for a, b, verdict in stretches]


@pytest.mark.parametrize(
    ("found", "begin"),
    [
        ([(10, 90, "true")], 10),
        ([(10, 40, "false"), (40, 90, "true")], 40),
        ([(10, 20, "inconclusive"), (20, 40, "false"), (40, 90, "true")], 40),
        ([(10, 20, "true"), (20, 30, "false"), (30, 90, "true")], 10),
        ([(10, 20, "true"), (20, 30, "inconclusive"), (30, 90, "true")], 30),
        ([(10, 90, "false")], 90),
        ([], 10),
    ],
    ids=["kept", "went on", "not judged, then went on", "again", "not judged", "goes on", "nothing"],
)
def test_the_count_begins_where_the_requirement_is_kept(found, begin):
    assert kept_from(pieces(*found), 10 * S) == begin * S


def test_what_may_still_be_decided_breaks_nothing():
    waits = Piece(50 * S, 60 * S, Verdict.INCONCLUSIVE, 0.0, 0.0, NEVER)
    assert kept_from([*pieces((10, 50, "true")), waits, *pieces((60, 90, "true"))], 10 * S) == 10 * S
