"""When ingest tells live values less often: by how much comes in, not by how much waits for its commit."""

from __future__ import annotations

from servitwin.bootstrap.live_pace import MOST, MOST_LOADED, LivePace

MS = 10**6


def told(rate: int, seconds: float) -> set[int]:
    """What it answers over that time at a steady rate of messages a second."""
    pace = LivePace(0)
    return {pace.most(ms * MS, rate * ms // 1000, 8 * rate * ms // 1000) for ms in range(0, int(seconds * 1000), 5)}


def test_five_thousand_messages_a_second_are_told_however_long_it_is_since_the_last_commit() -> None:
    assert told(5_000, 30) == {MOST}
    assert MOST * 200 >= 5_000, "rounds of 5 ms keep up with it"


def test_a_flood_is_told_less_often_and_all_again_when_it_is_over() -> None:
    assert told(30_000, 2) == {MOST, MOST_LOADED}
    pace = LivePace(0)
    assert pace.most(1000 * MS, 30_000, 30_000) == MOST_LOADED
    assert pace.most(1100 * MS, 30_000, 30_000) == MOST_LOADED, "a pause between two blocks is no end of the flood"
    assert pace.most(2000 * MS, 30_500, 30_500) == MOST


def test_batches_are_a_flood_by_their_values() -> None:
    pace = LivePace(0)
    assert pace.most(1000 * MS, 1_000, 800_000) == MOST_LOADED
