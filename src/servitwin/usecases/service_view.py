"""What a service gets to know about the twin it works on: calendar and shifts, gaps, changes, and learnt models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from servitwin.domain.calendar_shift import shift_intervals
from servitwin.domain.instant import DAY
from servitwin.domain.machine_change import MachineChange
from servitwin.domain.observation import CONNECTION
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import Gap
from servitwin.domain.twin import Twin, value_at
from servitwin.sdk.manifest import Manifest
from servitwin.sdk.service import LearntModel, TwinView
from servitwin.usecases.jobs import in_use
from servitwin.usecases.machine_time import calendar_name
from servitwin.usecases.ports import Files, Records
from servitwin.usecases.registry import Registry


class ServiceViews:
    """Makes views for steps."""

    def __init__(self, registry: Registry, records: Records, files: Files | None, operator: Callable[[], str]) -> None:
        """``files``: where learnt models are (none: services get none); ``operator``: who operates the node."""
        self._registry, self._records, self._files, self._operator = registry, records, files, operator

    def view(
        self,
        twin: Twin,
        manifest: Manifest,
        start: int,
        end: int,
        changes: tuple[MachineChange, ...],
        gaps: tuple[Gap, ...],
    ) -> TwinView:
        """The twin with the calendar that holds for it (its own or inherited), and the shifts around the step.

        Learnt models are those that the twin's owner uses; of trainers that it has none of, the operator's.
        """
        name = calendar_name(self._registry, twin, start)
        calendar = self._registry.calendar(name) if name else None
        shifts = tuple(shift_intervals(calendar, start - DAY, end)) if calendar is not None else ()
        known = msgspec.structs.replace(twin, calendar=name if calendar is not None else "")
        models = self._models(twin, manifest, start)
        return TwinView(known, self._registry.type_at(twin, start), gaps, shifts, models, changes)

    def _models(self, twin: Twin, manifest: Manifest, at: int) -> dict[str, LearntModel]:
        found = {}
        for trainer in manifest.artefacts:
            owner = value_at(twin.owner, at) or ""
            for party in (owner, self._operator()):
                artefact = in_use(self._records, trainer, party)
                content = None if artefact is None or self._files is None else self._files.get(artefact.digest)
                if artefact is not None and content is not None:
                    found[trainer] = LearntModel(artefact.digest, content)
                    break
        return found


def signals_read(
    registry: Registry, manifest: Manifest, twin: Twin, parameters: Mapping[str, Any], at: int
) -> list[str]:
    """Signals the manifest declares, by name or semantic id; parameters may name further ones, in lists too.

    ``*`` reads all, and whether the twin was connected.
    """
    signals: Mapping[str, SignalDefinition] = registry.signals(twin.uid, at)
    wanted = set(manifest.reads) | set(_texts(parameters))
    if "*" in wanted:
        return [*signals, CONNECTION]
    return [name for name, s in signals.items() if name in wanted or s.semantic in wanted]


def _texts(value: Any) -> Iterator[str]:
    """All texts in plain data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)
