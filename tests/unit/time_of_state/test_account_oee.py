"""OEE of machines, lines and factories by shift, product and cause."""

from __future__ import annotations

import pytest
from account_plant import DAY_START as D
from account_plant import plant, twin

from servitwin.domain.instant import DAY, HOUR, MINUTE
from servitwin.domain.reason import Reason
from servitwin.domain.state_time import State
from servitwin.usecases.account_oee import oee


def works(history, id, *, per_part=2 * MINUTE, good=0.9, start=D + 6 * HOUR, end=D + 22 * HOUR, product=""):
    """A machine that is active from start to end and reports a part every so often."""
    history.add(id, "execution", (D, "READY"), (start, "ACTIVE"), (end, "READY"))
    history.add(
        id, "total", (start, 0.0), *((t, (t - start) / per_part) for t in range(start + per_part, end + 1, per_part))
    )
    history.add(
        id,
        "good",
        (start, 0.0),
        *((t, good * (t - start) / per_part) for t in range(start + per_part, end + 1, per_part)),
    )
    if product:
        history.add(id, "product", (D, product))


def test_a_machine_by_shift_adds_up_to_the_whole():
    history, records, registry = plant()
    works(history, "mill-1")
    answer = oee(history, registry, records, registry.by_id("mill-1"), D, D + DAY, by="shift")
    total = answer.oee
    assert (total.called, total.availability, total.performance, total.flags) == ("OEE", 1.0, 0.5, ())
    assert total.quality == pytest.approx(0.9)
    assert total.oee == pytest.approx(0.45)
    assert [g.key for g in answer.groups] == ["early", "late"]
    for field in ("planned_busy", "production", "ideal", "ideal_good"):
        assert sum(getattr(g.oee.terms, field) for g in answer.groups) == getattr(total.terms, field)
    assert ("mill-1", "total") in answer.basis.inputs
    assert answer.basis.rule == "oee-iso22400"


def test_products_have_their_own_cycles_and_time():
    history, records, registry = plant()
    works(history, "mill-1", product="bolt")
    history.add("mill-1", "product", (D + 14 * HOUR, "shaft"))
    answer = oee(history, registry, records, registry.by_id("mill-1"), D, D + DAY, by="product")
    found = {g.key: g.oee for g in answer.groups}
    assert found["bolt"].performance == 0.25
    assert found["shaft"].performance == 0.5
    assert sum(g.terms.planned_busy for g in found.values()) == answer.oee.terms.planned_busy


def test_causes_of_lost_time_are_attributed_only_where_a_rule_knows_them():
    history, records, registry = plant()
    works(history, "mill-1")
    history.add("mill-1", "system", (D + 8 * HOUR, "fault|7||"), (D + 12 * HOUR, "normal|||"))
    history.add("mill-1", "execution", (D + 20 * HOUR, "WAIT"))
    answer = oee(history, registry, records, registry.by_id("mill-1"), D, D + DAY, by="cause")
    assert [(c.key, c.party, c.state, c.duration, c.share) for c in answer.causes] == [
        ("fault:system", "maker", State.FAILED, 4 * HOUR, 0.25),
        ("", "", State.STARVED, 2 * HOUR, 0.125),
    ]
    # An operator says of an hour of the fault that the power had failed, and that nobody sent material.
    for start, end, cause, party in ((9, 10, "power-failure", ""), (20, 22, "no-material", "customer")):
        said = Reason(cause, "mill-1", D + start * HOUR, D + end * HOUR, cause, party, "otto", "customer", D + DAY)
        records.said.append(said)
    answer = oee(history, registry, records, registry.by_id("mill-1"), D, D + DAY, by="cause")
    assert [(c.key, c.party, c.state, c.duration) for c in answer.causes] == [
        ("fault:system", "maker", State.FAILED, 3 * HOUR),
        ("no-material", "customer", State.STARVED, 2 * HOUR),
        ("power-failure", "maker", State.FAILED, 1 * HOUR),
    ]


def test_a_line_is_its_good_output_at_the_pace_of_its_constraint():
    history, records, registry = plant()
    works(history, "mill-1", good=1.0)
    works(history, "mill-2", good=1.0)
    works(history, "saw-1", per_part=MINUTE, good=0.5)
    answer = oee(history, registry, records, registry.by_id("line-1"), D, D + DAY)
    made = 2 * 16 * 30
    saw_good = 0.5 * 16 * 60
    assert answer.oee.terms.planned_busy == 2 * 16 * HOUR
    assert sum(answer.oee.terms.made.values()) == made
    assert answer.oee.oee == pytest.approx(saw_good * 60 / (2 * 16 * 3600))
    assert any("saw" in text for text in answer.oee.assumed)
    assert any("Constraint of the line: mill-1, mill-2" in text for text in answer.oee.assumed)
    assert set(answer.children) == {"mill-1", "mill-2", "saw-1"}


def test_a_factory_sums_lines_and_machines_and_leaves_out_what_makes_no_parts():
    history, records, registry = plant()
    for id in ("mill-1", "mill-2"):
        works(history, id, good=1.0)
    works(history, "saw-1", per_part=MINUTE, good=1.0)
    history.add("crane-1", "execution", (D, "READY"))
    line = oee(history, registry, records, registry.by_id("line-1"), D, D + DAY).oee
    factory = oee(history, registry, records, registry.by_id("plant"), D, D + DAY)
    assert factory.oee.oee == line.oee
    assert "crane-1 counts no parts and is left out" in factory.oee.assumed
    assert factory.children["crane-1"].called == "utilisation"
    assert factory.children["crane-1"].availability == 0.0


def test_two_lines_are_weighted_by_their_time_and_not_averaged():
    twins = [
        twin("f", "factory", calendar="two-shifts"),
        twin("saw-1", "machine", "saw@1", "f"),
        twin("saw-2", "machine", "saw@1", "f"),
    ]
    history, records, registry = plant(twins=twins)
    works(history, "saw-1", per_part=MINUTE, good=1.0)
    works(history, "saw-2", per_part=MINUTE, good=1.0, start=D + 21 * HOUR)
    history.add("saw-2", "execution", (D + 1, None), (D + 21 * HOUR, "ACTIVE"))
    factory = oee(history, registry, records, registry.by_id("f"), D, D + DAY)
    one, two = (factory.children[i].terms for i in ("saw-1", "saw-2"))
    assert two.planned_busy == HOUR
    assert factory.oee.oee == (one.ideal_good + two.ideal_good) / (one.planned_busy + two.planned_busy)


def test_a_line_without_cycles_and_an_empty_range_have_no_oee():
    twins = [twin("l", "line"), twin("crane-1", "machine", "crane@1", "l")]
    history, records, registry = plant(twins=twins)
    answer = oee(history, registry, records, registry.by_id("l"), D, D + DAY, by="product")
    assert (answer.oee.oee, answer.oee.reason, answer.groups) == (None, "no-time", ())
    assert "constraint is not known" in answer.oee.assumed[0]
    history, records, registry = plant()
    works(history, "mill-1")
    past = oee(history, registry, records, registry.by_id("mill-1"), D + 2 * DAY, D + 3 * DAY, now=D)
    assert (past.oee.oee, past.end) == (None, D + 2 * DAY)
