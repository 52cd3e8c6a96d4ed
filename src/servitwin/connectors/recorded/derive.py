"""What a recording itself shows of a machine: items that the device model does not know, and when it can have begun."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import msgspec

from servitwin.connectors.recorded.devices import Device, kind_and_unit, modes, signal_name, type_name
from servitwin.connectors.recorded.states import state_mapping
from servitwin.connectors.recorded.tables import instant_or_text
from servitwin.domain.instant import DAY, format_instant
from servitwin.domain.machine_type import MachineType
from servitwin.domain.signal import SignalDefinition

_OUTLIER_YEARS = 366 * DAY
_OUTLIER_SHARE = 0.01


class Survey(msgspec.Struct):
    """What one pass over a machine's files showed."""

    items: dict[str, str]  # data item -> MTConnect type as the file says, empty if it does not
    conditions: set[str]  # items that speak as conditions do
    numbers: set[str]  # items of unknown type that only ever had numbers
    days: dict[int, int]  # first instant of a UTC day -> number of observations
    last: tuple[str, int] = ("", 0)  # the day counted last, as text and as its first instant

    def count(self, stamp: str) -> None:
        """Count an observation for its day; one whose time cannot be read counts for none."""
        if stamp[:10] != self.last[0]:
            time = instant_or_text(stamp)
            if not isinstance(time, int):
                return
            self.last = (stamp[:10], time - time % DAY)
        self.days[self.last[1]] = self.days.get(self.last[1], 0) + 1


def derive_type(
    name: str, device: Device | None, survey: Survey, note: Callable[[str], None]
) -> tuple[MachineType, Mapping[str, str]]:
    """Type of a machine and the signal of each data item: the model's, and from the data what it does not know."""
    signal_of = dict(device.signal_of) if device else {}
    known = set(signal_of.values())
    extra: list[SignalDefinition] = []
    for item, item_type in sorted(survey.items.items()):
        if item in signal_of:
            if device and signal_of[item] != item:
                note(f"{name}: data item {item} is signal {signal_of[item]} by its id in Devices.xml")
            continue
        signal = signal_name(item) or "_"
        while signal in known:
            signal += "_"
        if signal != item:
            note(f"{name}: data item {item!r} becomes signal {signal}")
        known.add(signal)
        signal_of[item] = signal
        extra.append(_from_data(signal, item_type, item, survey))
    if device and not extra:
        return device.type, signal_of
    base = device.type if device else MachineType(type_name(name) or "machine", 1, title=name)
    signals = (*base.signals, *extra)
    if device:
        note(f"{name}: not in Devices.xml, derived from the data: {', '.join(s.name for s in extra)}")
    own = msgspec.structs.replace(
        base,
        name=type_name(base.name, name) if device else base.name,
        signals=signals,
        states=state_mapping(signals),
        modes=modes(signals),
        registered_from="Devices.xml and data" if device else "data",
    )
    return own, signal_of


def _from_data(name: str, item_type: str, item: str, survey: Survey) -> SignalDefinition:
    if item in survey.numbers:
        return SignalDefinition(name=name, type="number", unit="1")
    kind, unit = kind_and_unit("CONDITION" if item in survey.conditions else "EVENT", item_type, "")
    return SignalDefinition(name=name, type=kind, unit=unit, semantic=f"mtconnect:{item_type}" if item_type else "")


def commissioned(model_created: int | None, survey: Survey) -> tuple[int | None, str]:
    """When the machine can first have spoken, and why we think so.

    The device model's own creation time, if hardly anything is older; a model that was saved later says nothing
    about the past. Otherwise the day after the last hole of more than a year before which hardly anything lies: a
    clock that lost its time may have started in 1970 and in 2002 before somebody set it.
    """
    total = sum(survey.days.values())
    if model_created is not None:
        older = sum(n for day, n in survey.days.items() if day + DAY <= model_created)
        if older <= _OUTLIER_SHARE * total:
            return model_created, f"its device model was made at {format_instant(model_created)}"
    before, begin, why = 0, None, "nothing tells when the machine was commissioned"
    days = sorted(survey.days)
    for earlier, day in itertools.pairwise(days):
        before += survey.days[earlier]
        if before > _OUTLIER_SHARE * total:
            break
        if day - earlier > _OUTLIER_YEARS:
            begin = day
            why = f"{before} of {total} observations lie more than a year before {format_instant(day)}"
    return begin, why
