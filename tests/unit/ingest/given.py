"""A registry of few twins, and ways to look at what ingest made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from servitwin.connectors.mqtt import plugin as mqtt
from servitwin.domain.machine_key import MachineKey
from servitwin.domain.machine_type import MachineType
from servitwin.domain.observation import PackedRows, Rows
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.twin import Dated, Twin
from servitwin.usecases.ingest import Block, Ingest, Shared

NOW = 1_790_000_000_000_000_000
S = 10**9
MILL = MachineType(
    "mill",
    1,
    signals=(
        SignalDefinition("temperature", unit="Cel", limits=(-50, 200)),
        SignalDefinition("load", unit="kN"),
        SignalDefinition("mode", "text", values=("auto", "manual")),
        SignalDefinition("program", "text"),
        SignalDefinition("door", "flag"),
        SignalDefinition("axis", "condition"),
    ),
)
TWINS = (
    Twin("uid-1", "mill-1", "machine", type=(Dated("mill@1", 0),), commissioned=NOW - 1000 * S),
    Twin("uid-2", "mill-2", "machine", type=(Dated("mill@1", 0),)),
    Twin("uid-3", "free-1", "machine"),
)


class FewTwins:
    """Fulfils ``twins.Registry`` as the real one does, over what is listed here."""

    def __init__(self, twins: Sequence[Twin] = TWINS, keys: Sequence[MachineKey] = ()) -> None:
        self.twins = {t.id: t for t in twins}
        self.keys = list(keys)
        self.registered: list[Twin] = []  # in the records, and not read yet

    def reload(self) -> bool:
        fresh, self.registered = self.registered, []
        self.twins |= {t.id: t for t in fresh}
        return bool(fresh)

    def machine_keys(self, uid: str) -> Sequence[MachineKey]:
        return [k for k in self.keys if k.twin == uid]

    def by_id(self, id: str) -> Twin | None:
        return self.twins.get(id)

    def type_at(self, twin: Twin, at: int) -> MachineType | None:
        return MILL if twin.type_at(at) == "mill@1" else None

    def signals(self, uid: str, at: int) -> Mapping[str, SignalDefinition]:
        twin = next(t for t in self.twins.values() if t.uid == uid)
        return {s.name: s for s in MILL.signals} if twin.type_at(at) == "mill@1" else {}


class Feed:
    """One shard with messages counted up."""

    def __init__(
        self, shared: Shared | None = None, shard: int = 0, mappings: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        self.shared = shared or Shared(FewTwins())
        self.ingest = Ingest(shard, self.shared, [mqtt.connect({"mappings": list(mappings)})])
        self.seq = 0

    def raw(self, payload: Any, twin: str = "mill-1", received: int = NOW) -> tuple[int, bytes, bytes, int]:
        self.seq += 1
        content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return self.seq, f"$MQTT.msgs.servitwin.{twin}.observations".encode(), content, received

    def send(self, *payloads: Any, twin: str = "mill-1") -> Block:
        self.ingest.feed([self.raw(p, twin) for p in payloads])
        return self.ingest.take()


def rows_of(blocks: Sequence[Rows | PackedRows]) -> list[tuple[Any, ...]]:
    """Rows as plain tuples in order of (shard, seq, idx)."""
    out = []
    for block in blocks:
        r = block.unpack() if isinstance(block, PackedRows) else block
        for i in range(len(r)):
            text = r.text[i] if r.text is not None else None
            flag = int(r.flag[i]) if r.flag is not None else -1
            number = None if r.number[i] != r.number[i] else float(r.number[i])
            value = text if text is not None else bool(flag) if flag >= 0 else number
            out.append(
                (
                    int(r.shard[i]),
                    int(r.seq[i]),
                    int(r.idx[i]),
                    r.twins[r.twin[i]],
                    r.signals[r.signal[i]],
                    int(r.time[i]),
                    int(r.received[i]),
                    value,
                    int(r.quality[i]),
                    bool(r.replayed[i]),
                )
            )
    return sorted(out, key=lambda t: t[:3])


def values_of(block: Block) -> dict[str, Any]:
    """Signal to value."""
    return {r[4]: r[7] for r in rows_of(block.rows)}
