"""Twins at an instant of the past say the same as the accounts of time around it."""

from __future__ import annotations

import pytest
from account_plant import DAY_START as D
from test_real_engines import plant_with, sent

from servitwin.domain.instant import DAY, HOUR, MINUTE
from servitwin.usecases.account_time import states
from servitwin.usecases.look_back import look_back


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    return plant_with(tmp_path_factory.mktemp("plant"), [sent()])


@pytest.mark.parametrize("moment", [D - HOUR, D + 17 * MINUTE, D + 5 * HOUR + 1, D + 20 * HOUR, D + 3 * DAY])
def test_state_of_a_moment_is_the_interval_that_holds_it(plant, moment):
    history, registry, records = plant
    found = look_back(history, registry, records, registry.twins(), moment)
    for twin in registry.twins():
        then = found[twin.uid]
        if twin.kind != "machine":
            assert (then.state, then.since, then.alarms) == (None, None, ())
            continue
        whole = states(history, registry, records, twin, D - 10 * DAY, moment + DAY).intervals
        if then.state is None:
            assert registry.type_at(twin, moment).states is None
            continue
        holding = next(i for i in whole if i.start <= moment < i.end)
        assert (then.state.state, then.state.word, then.state.cause, then.since) == (
            holding.state, holding.word, holding.cause, holding.start,
        ), twin.id  # fmt: skip


def test_alarms_of_a_moment_are_those_active_then(plant):
    history, registry, records = plant
    mill = registry.by_id("mill-1")

    def codes(moment):
        return {(a.code, a.start) for a in look_back(history, registry, records, [mill], moment)[mill.uid].alarms}

    raised = D + 3 * HOUR
    assert codes(raised - 1) == set()
    assert codes(raised + MINUTE) == {("1", raised), ("2", raised)}
    assert codes(raised + HOUR) == {("1", raised)}
    assert codes(raised + 2 * HOUR) == set()
