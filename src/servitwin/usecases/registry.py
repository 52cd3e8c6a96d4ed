"""Registry: twins and their types in memory, for everything that asks about them at every message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from servitwin.domain.calendar import Calendar
from servitwin.domain.machine_key import MachineKey
from servitwin.domain.machine_type import MachineType
from servitwin.domain.signal import Reporting, SignalDefinition
from servitwin.domain.twin import Aggregate, Twin, value_at
from servitwin.usecases.ports import Records

Signals = Mapping[str, SignalDefinition]
_NO_SIGNALS: Signals = MappingProxyType({})


class _Snapshot(NamedTuple):
    """All of one reading of the records; replaced as a whole, so that other threads never see half of it."""

    revision: int
    by_id: dict[str, Twin]
    by_uid: dict[str, Twin]
    types: dict[str, MachineType]
    type_signals: dict[str, Signals]
    children: dict[str, list[Twin]]  # every twin that ever was part of that id
    calendars: dict[str, Calendar | None]
    keys: dict[str, tuple[MachineKey, ...]]


class Registry:
    """Twins by id and uid, with their types shared: thousands of twins of one type hold it once.

    It holds what the records held at the last :meth:`reload`; whoever hears ``changed.twins`` or ``changed.types``
    calls it. Reading is safe from other threads while one reloads.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._snapshot = _Snapshot(-1, {}, {}, {}, {}, {}, {}, {})
        self.reload()

    @property
    def revision(self) -> int:
        """``twins_revision`` of the records when they were read."""
        return self._snapshot.revision

    def reload(self) -> bool:
        """Read the records again if they have changed; whether they had."""
        revision = self._records.twins_revision()
        if revision == self._snapshot.revision:
            return False
        types = {t.reference: t for t in self._records.machine_types()}
        twins = self._records.twins()
        children: dict[str, list[Twin]] = {}
        for twin in twins:
            for parent in {p.value for p in twin.parent}:
                children.setdefault(parent, []).append(twin)
        self._snapshot = _Snapshot(
            revision,
            {t.id: t for t in twins},
            {t.uid: t for t in twins},
            types,
            {ref: MappingProxyType({s.name: s for s in t.signals}) for ref, t in types.items()},
            children,
            {name: self._records.calendar(name) for name in {t.calendar for t in twins if t.calendar}},
            self._records.machine_keys(),
        )
        return True

    def by_id(self, id: str) -> Twin | None:
        """The twin with that id, a retired one too."""
        return self._snapshot.by_id.get(id)

    def by_uid(self, uid: str) -> Twin | None:
        """The twin with that uid, a retired one too."""
        return self._snapshot.by_uid.get(uid)

    def twins(self, *, retired: bool = False, simulated: bool = False) -> Sequence[Twin]:
        """Twins in order of id; retired ones, and those that run a model instead of an asset, only if asked for."""
        return [
            t
            for t in self._snapshot.by_id.values()
            if (retired or t.retired is None) and (simulated or not t.simulates)
        ]

    def types(self) -> Mapping[str, MachineType]:
        """All machine types by ``name@version``."""
        return MappingProxyType(self._snapshot.types)

    def type_at(self, twin: Twin, at: int) -> MachineType | None:
        """The machine type in force for that twin at that instant (ns UTC); None for groups."""
        reference = twin.type_at(at)
        return None if reference is None else self._snapshot.types.get(reference)

    def signals(self, uid: str, at: int) -> Signals:
        """Signals of a twin by name: those of its type at that instant, and its aggregates."""
        snapshot = self._snapshot
        twin = snapshot.by_uid.get(uid)
        if twin is None:
            return _NO_SIGNALS
        reference = twin.type_at(at)
        own = _NO_SIGNALS if reference is None else snapshot.type_signals.get(reference, _NO_SIGNALS)
        if not twin.aggregates:
            return own
        return MappingProxyType({**own, **{a.name: aggregate_signal(a) for a in twin.aggregates}})

    def machine_keys(self, uid: str) -> Sequence[MachineKey]:
        """Keys of a machine in the order in which they were registered, revoked ones included."""
        return self._snapshot.keys.get(uid, ())

    def children(self, id: str, at: int) -> Sequence[Twin]:
        """Twins that were part of that twin at that instant, in order of id."""
        candidates = self._snapshot.children.get(id, ())
        return [t for t in candidates if is_alive(t, at) and value_at(t.parent, at) == id]

    def descendants(self, id: str, at: int) -> Sequence[Twin]:
        """Children, their children and so on, each once, parents before their parts."""
        found: dict[str, Twin] = {}
        queue = [id]
        while queue:
            for child in self.children(queue.pop(0), at):
                if child.uid not in found and child.id != id:
                    found[child.uid] = child
                    queue.append(child.id)
        return list(found.values())

    def calendar(self, name: str) -> Calendar | None:
        """The calendar of that name, or None."""
        known = self._snapshot.calendars
        return known[name] if name in known else self._records.calendar(name)


def aggregate_signal(aggregate: Aggregate) -> SignalDefinition:
    """An aggregate as the signal of the group twin that it is to everyone who reads it."""
    return SignalDefinition(
        name=aggregate.name,
        unit=aggregate.unit,
        title=aggregate.title,
        reporting=Reporting("on-change", None),
    )


def is_alive(twin: Twin, at: int) -> bool:
    """Whether the twin was not yet retired at that instant."""
    return twin.retired is None or at < twin.retired
