"""For planners whose library searches in one long call: its answers as an iterator, the newest first."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


def newest(work: Callable[[Callable[[T], None], threading.Event], None], name: str) -> Iterator[T]:
    """What ``work(put, closed)`` puts while it runs in a thread of its own; answers that were overtaken are skipped.

    ``work`` ends soon after ``closed`` is set, which happens when the caller stops listening. What it raises is raised
    here.
    """
    found: queue.Queue[tuple[T] | BaseException | None] = queue.Queue()
    closed = threading.Event()

    def run() -> None:
        try:
            work(lambda item: found.put((item,)), closed)
        except BaseException as e:  # noqa: BLE001 - handed to the thread that waits
            found.put(e)
        found.put(None)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        over = False
        while not over:
            items = [found.get()]
            while not found.empty():
                items.append(found.get())
            over = items[-1] is None
            answers = [i for i in items if isinstance(i, tuple)]
            if answers:
                yield answers[-1][0]
            for item in items:
                if isinstance(item, BaseException):
                    raise item
    finally:
        closed.set()
        thread.join()
