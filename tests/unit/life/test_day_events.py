"""Days and events as they come: any split gives the same days, an event is where a text begins."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.day_events import DayEvents, EventOf
from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.observation import Observation

START = 20_000 * DAY
EVENTS = {"error:e5": EventOf("alarm", "e5"), "renewed:pump": EventOf("part")}


def observations(seed: int):
    rng = np.random.default_rng(seed)
    times = np.sort(rng.integers(START, START + 9 * DAY, 80)).tolist()
    load = [Observation(t, float(rng.normal()), seq=k) for k, t in enumerate(times)]
    alarm = [Observation(t + 1, str(rng.choice(["ok", "Fault|e5|", "Fault|e4|"])), seq=k) for k, t in enumerate(times)]
    part = [Observation(t + 2, float(k // 30), seq=k) for k, t in enumerate(times)]
    return {"load": load, "alarm": alarm, "part": part}


def run(seen, marks):
    days = DayEvents(["load"], EVENTS, None)
    found = []
    for before, mark in zip([0, *marks], marks, strict=False):
        part = {n: [o for o in rows if before <= o.time < mark] for n, rows in seen.items()}
        found += list(days.take(part, mark))
    return found, days.machine(["load"], ["e5"], ["pump"])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(0, 10 * DAY), max_size=6))
def test_any_split_gives_the_same_days(seed: int, cuts: list[int]) -> None:
    end = START + 10 * DAY
    whole = run(observations(seed), [end])
    assert run(observations(seed), [*sorted(START + c for c in set(cuts)), end]) == whole
    assert whole[0] == sorted(whole[0]) and whole[0][-1] == end


def test_events_begin_and_are_not_repeated() -> None:
    seen = {"alarm": [Observation(START + h * HOUR, text, seq=h) for h, text in enumerate(
        ["ok", "Fault|e5|", "Fault|e5|again", "ok", "e5", "e4"]
    )], "load": [Observation(START, 2.0), Observation(START + HOUR, 4.0, seq=1)]}  # fmt: skip
    ends, machine = run(seen, [START + DAY + 1])
    assert ends == [START + DAY]
    assert machine.means == [[3.0]]
    np.testing.assert_allclose(machine.errors["e5"], [1 / 24, 4 / 24], atol=1e-6)


def test_a_machine_that_was_gone_begins_anew() -> None:
    seen = {"load": [Observation(START, 1.0), Observation(START + 2000 * DAY, 3.0, seq=1)]}
    ends, machine = run(seen, [START + 2001 * DAY])
    assert len(ends) <= 2 and machine.means[-1] == [3.0]
