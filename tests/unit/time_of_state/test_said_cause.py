"""What people say of a stop: it cuts intervals and loses none, the later word holds, producing time takes none."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.reason import Reason
from servitwin.domain.said_cause import with_reasons
from servitwin.domain.state_time import State, StateInterval


def reason(start: int, end: int, cause: str) -> Reason:
    return Reason(cause, "mill-1", start, end, cause, "", "otto", "kivi", 0)


STOPPED = [
    StateInterval(0, 10, State.PRODUCING), StateInterval(10, 30, State.FAILED, "E-104"),
    StateInterval(30, 40, State.SETUP),
]  # fmt: skip


def test_a_reason_holds_where_it_was_said_and_the_machines_word_stays() -> None:
    found = [(i.start, i.end, i.cause, r and r.cause) for i, r in with_reasons(STOPPED, [reason(5, 20, "no-material")])]
    assert found == [
        (0, 10, "", None), (10, 20, "E-104", "no-material"), (20, 30, "E-104", None), (30, 40, "", None),
    ]  # fmt: skip


def test_of_two_words_the_later_one_holds() -> None:
    said = [reason(10, 40, "no-material"), reason(15, 20, "tool-broken")]
    found = [(i.start, i.end, r and r.cause) for i, r in with_reasons(STOPPED, said)]
    assert found[1:] == [
        (10, 15, "no-material"), (15, 20, "tool-broken"), (20, 30, "no-material"), (30, 40, "no-material"),
    ]  # fmt: skip


_stretches = st.lists(st.tuples(st.integers(1, 20), st.sampled_from(list(State))), max_size=12)
_words = st.lists(st.tuples(st.integers(-5, 150), st.integers(1, 60)), max_size=8)


@given(_stretches, _words)
def test_no_time_is_lost_and_each_instant_has_the_last_word_said_of_it(
    stretches: list[tuple[int, State]], words: list[tuple[int, int]]
) -> None:
    intervals, at = [], 0
    for length, state in stretches:
        intervals.append(StateInterval(at, at + length, state))
        at += length
    reasons = [reason(start, start + length, str(n)) for n, (start, length) in enumerate(words)]
    pieces = list(with_reasons(intervals, reasons))
    assert [i.start for i, _ in pieces] == [0, *(i.end for i, _ in pieces)][: len(pieces)]
    assert sum(i.duration for i, _ in pieces) == at
    for interval, held in pieces:
        for instant in range(interval.start, interval.end):
            over = [r for r in reasons if r.start <= instant < r.end]
            wanted = over[-1] if over and interval.state is not State.PRODUCING else None
            assert held is wanted
