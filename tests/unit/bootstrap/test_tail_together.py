"""Threads that want an owner's tail share its answers, and nobody gets one that was asked for before they came."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from servitwin.bootstrap import reader
from servitwin.bootstrap.reader import _Together

PATIENCE_S = 10


def test_who_comes_during_a_question_is_answered_by_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    under_way, go_on, all_came = threading.Event(), threading.Event(), threading.Event()
    ticks = itertools.count(1)

    def tick() -> int:
        now = next(ticks)
        if now == 6:  # the first came and asked, the other four came
            all_came.set()
        return now

    monkeypatch.setattr(reader, "time", SimpleNamespace(monotonic_ns=tick))
    asked: list[int] = []

    def ask(after: int) -> bytes:
        asked.append(after)
        if len(asked) == 1:
            under_way.set()
            assert go_on.wait(PATIENCE_S)
        return f"answer {len(asked)}".encode()

    together = _Together(ask)
    with ThreadPoolExecutor(6) as threads:
        first = threads.submit(together, 7)
        assert under_way.wait(PATIENCE_S)
        others = [threads.submit(together, 7) for _ in range(4)]
        assert all_came.wait(PATIENCE_S)
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
