"""Hypotheses are ranked by weight and sign; who made a machine wait."""

import pytest

from servitwin.domain.likely_cause import rank_causes, stopped_by
from servitwin.domain.requirement import LikelyCause
from servitwin.domain.state_time import State, StateInterval

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
