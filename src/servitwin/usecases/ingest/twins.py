"""Twins as ingest sees them: what has to be known at every message, held ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from servitwin.domain.instant import LATEST
from servitwin.domain.machine_key import MachineKey
from servitwin.domain.machine_type import MachineType
from servitwin.domain.observation import CONNECTION
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.twin import Twin
from servitwin.sdk.payload import SESSION_LENGTH
from servitwin.usecases.ingest.columns import Names
from servitwin.usecases.ingest.live import LiveTwin
from servitwin.usecases.ingest.sessions import Ledger, Session, Sessions
from servitwin.usecases.ingest.shapes import Shape

_CONNECTION = SignalDefinition(CONNECTION, "text", values=("online", "offline"))
# The epoch of GPS time: no recording is older, and a clock that was never set says 1970.
EARLIEST_CLOCK = 315_964_800_000_000_000
_NO_SHAPE = 1 << 30  # tries that were made, so to speak: none is left


class Registry(Protocol):
    """What ingest needs of ``usecases.registry.Registry``."""

    def by_id(self, id: str) -> Twin | None:
        """The twin with that id."""
        ...

    def reload(self) -> bool:
        """Read the records again if they have changed; whether they had."""
        ...

    def type_at(self, twin: Twin, at: int) -> MachineType | None:
        """Its machine type at an instant."""
        ...

    def signals(self, uid: str, at: int) -> Mapping[str, SignalDefinition]:
        """Its signals at an instant, aggregates included."""
        ...

    def machine_keys(self, uid: str) -> Sequence[MachineKey]:
        """Keys with which its gateway signs, or signed."""
        ...


class TwinSlot:
    """One twin with its code in the rows, live values, sessions and the shape its payloads had last."""

    __slots__ = (
        "_by_reference",
        "_registry",
        "code",
        "fast_from",
        "fast_until",
        "keys",
        "live",
        "low",
        "reference",
        "session",
        "session_name",
        "sessions",
        "shape",
        "tries",
        "twin",
    )

    def __init__(self, twin: Twin, registry: Registry, code: int, live: LiveTwin, sessions: Sessions) -> None:
        self.twin, self.code, self.live, self.sessions = twin, code, live, sessions
        self._registry = registry
        self._by_reference: dict[str, Mapping[str, SignalDefinition] | None] = {}
        self.shape: Shape | None = None
        self.keys = registry.machine_keys(twin.uid)
        # What may have to be signed is looked at message by message: it never goes by a shape.
        self.tries = _NO_SHAPE if self.keys else 0
        self.session_name: str | None = None
        self.session: Session | None = None
        self.low = max(twin.commissioned or EARLIEST_CLOCK, EARLIEST_CLOCK)
        self.reference = max(twin.type, key=lambda d: d.start).value if twin.type else ""
        # Between these one type holds, whichever it is: such a time needs no look-up.
        changed = max((d.start for d in twin.type), default=0) if len(twin.type) > 1 else self.low
        ends = [d.end for d in twin.type if d.end is not None and d.end > changed]
        self.fast_from = max(self.low, changed)
        self.fast_until = min([twin.retired or LATEST, *ends])

    def signals_at(self, at: int) -> Mapping[str, SignalDefinition] | None:
        """Signals by name at that time; None if the twin has no machine type, and any signal is taken."""
        held = self.fast_from <= at < self.fast_until
        reference = self.reference if held else self.twin.type_at(at) or ""
        if reference not in self._by_reference:
            signals = self._registry.signals(self.twin.uid, at)
            known = self._registry.type_at(self.twin, at) is not None or bool(signals)
            self._by_reference[reference] = {**signals, CONNECTION: _CONNECTION} if known else None
        return self._by_reference[reference]

    def is_condition(self, name: str, at: int) -> bool:
        """Whether the signal of that name is a set of conditions at that time."""
        definition = (self.signals_at(at) or {}).get(name)
        return definition is not None and definition.type == "condition"

    def enter(self, name: str) -> Session | None:
        """The session of that name, which the next message probably has as well."""
        known = len(name) <= SESSION_LENGTH
        self.session_name, self.session = name, self.sessions.get(name) if known else None
        return self.session


class Slots:
    """Slots by twin id; made anew when the registry has changed, live values and sessions stay."""

    def __init__(self, registry: Registry, names: Names, ledger: Ledger) -> None:
        self._registry, self._names, self._ledger = registry, names, ledger
        self._by_id: dict[str, TwinSlot | None] = {}
        self.live: dict[str, LiveTwin] = {}

    def by_id(self, id: str) -> TwinSlot | None:
        """The slot of a twin; None if there is no such twin."""
        if id in self._by_id:
            return self._by_id[id]
        twin = self._registry.by_id(id)
        if twin is None and self._registry.reload():  # registered a moment ago: its first message may be faster
            twin = self._registry.by_id(id)
        slot = None
        if twin is not None:
            live = self.live.get(twin.uid)
            if live is None:
                live = self.live[twin.uid] = LiveTwin(twin.id, twin.uid)
            slot = TwinSlot(twin, self._registry, self._names.code(twin.uid), live, self._ledger.of(twin.uid))
        elif len(self._by_id) > 100_000:
            self._by_id.clear()  # somebody makes up names
        self._by_id[id] = slot
        return slot

    def forget(self) -> None:
        """Ask the registry again from now on."""
        self._by_id.clear()
