"""Threads that want an owner's tail share its answers, and nobody gets one that was asked for before they came."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from servitwin.bootstrap.reader import _Together

PATIENCE_S = 10


def test_who_comes_during_a_question_is_answered_by_the_next_one() -> None:
    under_way, go_on = threading.Event(), threading.Event()
    asked: list[int] = []

    def ask(after: int) -> bytes:
        asked.append(after)
        if len(asked) == 1:
            under_way.set()
            assert go_on.wait(PATIENCE_S)
        return f"answer {len(asked)}".encode()

    together = _Together(ask)
    waiting = threading.Barrier(5)

    def come() -> bytes | None:
        waiting.wait(PATIENCE_S)
        return together(7)

    with ThreadPoolExecutor(6) as threads:
        first = threads.submit(together, 7)
        assert under_way.wait(PATIENCE_S)
        others = [threads.submit(come) for _ in range(4)]
        waiting.wait(PATIENCE_S)
        threading.Event().wait(0.2)  # all four stand before the lock
        go_on.set()
        assert first.result(PATIENCE_S) == b"answer 1"
        assert {o.result(PATIENCE_S) for o in others} == {b"answer 2"}
    assert asked == [7, 7]


def test_another_sequence_is_another_question() -> None:
    asked: list[int] = []

    def ask(after: int) -> None:
        asked.append(after)

    together = _Together(ask)
    for after in (3, 3, 9):
        assert together(after) is None
    assert asked == [3, 3, 9], "one after the other each is asked anew: what is there is not old"
