"""The solver's answers against plain enumeration on random small controllers."""

import time

import pytest
from hypothesis import HealthCheck, Phase, assume, given, note, settings

from servitwin.proof.controller.check import Check
from tests.unit.controller.small import controllers, shortest

# Budgets count processor time: a busy machine makes these slow, not wrong.
pytestmark = pytest.mark.timeout(1200)


# Not shrunk: each try costs a proof, and the controller that failed is printed as it is.
FEW = settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@FEW
@given(controllers())
def test_violated_and_proven_agree_with_enumeration_and_runs_are_shortest(controller):
    agrees(controller)


@pytest.mark.long
@settings(FEW, max_examples=300)
@given(controllers())
def test_many_agree_with_enumeration(controller):
    agrees(controller)


def agrees(controller):
    expected, states = shortest(controller)
    assume(expected is not None)
    report = Check(controller).report(time.process_time, seconds=60)
    for answer in report.answers:
        note(f"{answer.name}: {answer.outcome}, expected {expected[answer.name]}, {answer.formula}")
        if expected[answer.name] is None:
            assert answer.outcome == "proven"
            assert answer.proof is not None and answer.proof.rechecked >= 1
        else:
            assert answer.outcome == "violated"
            assert len(answer.counterexample.steps) - 1 == expected[answer.name]
    reached = {
        (r.name, value) for r in controller.regions for s, _ in states.values() for value in [s[r.name]]
    }  # fmt: skip
    unreachable = {f.subject for f in report.findings if f.kind == "state-unreachable"}
    assert report.unsettled == ()
    assert report.reached.states == len(reached)
    assert len(unreachable) == report.reached.states_of - len(reached)
