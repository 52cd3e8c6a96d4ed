"""Live state: the last value of each signal by (time, shard, seq, idx). A projection that can be rebuilt."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

import msgspec

from servitwin.domain.condition import Condition, format_condition
from servitwin.usecases.ingest.columns import Scalar
from servitwin.usecases.ingest.shapes import Shape
from servitwin.usecases.live_mirror import ENTRY_SEPARATOR, LiveValue, apply_entries

# Order (time, shard, seq, idx), value, quality, received.
Entry = tuple[tuple[int, int, int, int], Scalar, int, int]
# Order (time, shard, seq), received, values in order of the shape's names (a struct or a list), sample, samples.
_Kept = tuple[tuple[int, int, int], int, Any, int, int]


class LiveTwin:
    """Last values of one twin, and which of them nobody was told about yet.

    Messages that came in by a shape are kept whole, the latest of each shape, and taken apart when somebody asks.
    """

    __slots__ = ("_active", "_kept", "_values", "changed", "due", "id", "uid")

    def __init__(self, id: str, uid: str) -> None:
        self.id, self.uid = id, uid
        self._values: dict[str, Entry] = {}
        self._kept: dict[Shape, _Kept] = {}
        self._active: dict[str, dict[str, Condition]] = {}
        self.changed: set[str] = set()
        self.due = 0  # when it may be told again, ns

    def offer(self, signal: str, entry: Entry) -> None:
        """Take the entry if it is the latest."""
        held = self._values.get(signal)
        if held is None or held[0] < entry[0]:
            self._values[signal] = entry
            self.changed.add(signal)

    def offer_condition(self, signal: str, entry: Entry) -> None:
        """Take an entry of a condition signal: live state tells all that are active, one a line.

        An entry older than the latest one changes history alone; the active set is right again with the next one.
        """
        order, text, quality, received = entry
        held = self._values.get(signal)
        if held is not None and held[0] >= order:
            return
        active: dict[str, Condition] = {}
        if isinstance(text, str):
            active = apply_entries(self._active.get(signal, {}), text)
        self._active[signal] = active
        shown = ENTRY_SEPARATOR.join(format_condition(c) for c in active.values()) or "normal||||"
        self.offer(signal, (order, shown if isinstance(text, str) else None, quality, received))

    def recall(self, values: Mapping[str, LiveValue], conditions: Container[str]) -> None:
        """Take what history says after a start; whatever has been said since is newer, even at the same time."""
        for signal, (time, value, quality, received) in values.items():
            take = self.offer_condition if signal in conditions else self.offer
            take(signal, ((time, -1, -1, -1), value, quality, received))

    def keep(
        self,
        shape: Shape,
        time: int,
        shard: int,
        seq: int,
        received: int,
        values: Any,
        sample: int = 0,
        samples: int = 1,
    ) -> None:
        """Take the values of a message, or of one of its samples, if they are the latest of their shape."""
        held = self._kept.get(shape)
        order = (time, shard, seq)
        if held is None or held[0] < order:
            self._kept[shape] = (order, received, values, sample, samples)

    @property
    def stale(self) -> bool:
        """Whether there is something that nobody was told about."""
        return bool(self._kept or self.changed)

    def values(self) -> dict[str, Entry]:
        """The last entry of each signal."""
        if self._kept:
            kept, self._kept = self._kept, {}
            for shape, ((time, shard, seq), received, values, sample, samples) in kept.items():
                of_signals = values if isinstance(values, list) else msgspec.structs.astuple(values)
                for place, (name, value) in enumerate(zip(shape.names, of_signals, strict=True)):
                    self.offer(name, ((time, shard, seq, place * samples + sample), value, 0, received))
        return self._values

    def message(self, cut: dict[str, int], *, whole: bool) -> dict[str, Any]:
        """What is published on ``live.<twin>``: all values, or those that changed since the last such message."""
        values = self.values()
        names = values if whole else self.changed
        told = {n: (e[0][0], e[1], e[2], e[3]) for n, e in ((n, values[n]) for n in names)}
        if not whole:
            self.changed = set()
        return {"twin": self.id, "uid": self.uid, "cut": cut, "values": told}
