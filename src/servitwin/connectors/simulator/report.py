"""What a machine says and when: fast signals at every step, the rest when they change and now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from servitwin.connectors.simulator.defects import Event
from servitwin.connectors.simulator.machine import WORDS, Outputs, Value
from servitwin.connectors.simulator.plant import MachineConfig, Plant
from servitwin.domain.instant import HOUR, NS, format_instant

HEARTBEAT = 30 * NS  # unchanged signals are said again this often, so that silence means loss
COUNTERS = ("flow.", "parts.", "lifts.")
PAST_STEP = 20 * NS
PAST_CHUNK = 2 * HOUR


def _still(name: str) -> bool:
    """Whether a signal is said when it changes alone.

    Repeating a condition would raise its alarm again; what is said of a finished part is said once.
    """
    return name.endswith(".condition") or name.startswith("part.")


class Reporter:
    """Chooses from a machine's outputs what has to be said now."""

    def __init__(self, periodic: frozenset[str]) -> None:
        self._periodic = periodic
        self._said: Outputs = {}
        self._whole_at = 0

    def start_over(self) -> None:
        """Say everything with the next message: who listens may have missed what was said."""
        self._said = {}

    def counted(self, outputs: Outputs) -> bool:
        """Whether a cumulative counter moved since it was last said."""
        return any(outputs[n] != self._said.get(n) for n in outputs if n.startswith(COUNTERS))

    def message(self, now: int, outputs: Outputs) -> dict[str, Any]:
        """The message of this step, without session and sequence."""
        whole = now - self._whole_at >= HEARTBEAT
        if whole:
            self._whole_at = now
        values = {
            n: v
            for n, v in outputs.items()
            if n in self._periodic or v != self._said.get(n) or (whole and not _still(n))
        }
        self._said.update(values)
        return {"time": format_instant(now // 1_000_000 * 1_000_000), "values": values}


class _Columns:
    """Collects a machine's past as columns: the fast signals share their times, each other signal has its own."""

    def __init__(self, periodic: frozenset[str]) -> None:
        self._periodic = periodic
        self._said: dict[str, tuple[int, Value]] = {}
        self._start()

    def _start(self) -> None:
        self._times: list[int] = []
        self._fast: dict[str, list[Value]] = {}
        self._slow: dict[str, tuple[list[int], list[Value]]] = {}

    def add(self, now: int, outputs: Outputs, events: Sequence[Event]) -> None:
        """Take one step that ended at ``now``; the control's words are told at the time they changed."""
        for event in events:
            if event.kind == "state":
                at = now - PAST_STEP + int(event.offset_s * 1000) * 1_000_000
                for name, word in zip(WORDS, event.words, strict=True):
                    self._tell(name, at, word)
        self._times.append(now)
        for name, value in outputs.items():
            if name in self._periodic:
                self._fast.setdefault(name, []).append(value)
                continue
            self._tell(name, now, value)

    def _tell(self, name: str, at: int, value: Value) -> None:
        before, said = self._said.get(name, (0, None))
        if value != said or (at - before >= HEARTBEAT and not _still(name)):
            times, values = self._slow.setdefault(name, ([], []))
            if times and times[-1] == at:
                values[-1] = value
            else:
                times.append(at)
                values.append(value)
            self._said[name] = (at, value)

    def take(self) -> list[dict[str, Any]]:
        """The messages of what was collected, and start again."""
        messages = [{"times": self._times, "values": self._fast, "replayed": True}] if self._times else []
        messages += [
            {"times": times, "values": {name: values}, "replayed": True} for name, (times, values) in self._slow.items()
        ]
        self._start()
        return messages


def backfill(
    plant: Plant, own: Sequence[MachineConfig], start: int, end: int, stop: Callable[[], bool]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Run the plant from ``start`` to ``end`` (ns UTC) in coarse steps: (twin, message) of the machines ``own``.

    The same plant, seeds and times give the same messages in the same order, so that a second try counts once.
    """
    columns = {c.twin: _Columns(plant.machines[c.twin].model.periodic) for c in own}
    chunk = start // PAST_CHUNK
    for now in range(start - start % PAST_STEP + PAST_STEP, end, PAST_STEP):
        if stop():
            return
        events = plant.step(now, PAST_STEP / NS)
        if now // PAST_CHUNK != chunk:
            chunk = now // PAST_CHUNK
            for twin, part in columns.items():
                yield from ((twin, m) for m in part.take())
        for twin, part in columns.items():
            part.add(now, plant.machines[twin].show(), events[twin])
    for twin, part in columns.items():
        yield from ((twin, m) for m in part.take())
