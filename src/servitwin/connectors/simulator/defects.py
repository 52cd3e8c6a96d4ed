"""Faults that components of a simulated machine can have: how they develop, stop the machine and are mended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

import msgspec

from servitwin.connectors.simulator.physics import happens

WARN_AT = 0.4  # severity from which the machine itself raises a warning
AT_REST = 0.3  # a fault does not get beyond this while the machine rests: it shows itself at work


class FaultSpec(msgspec.Struct, frozen=True):
    """One fault of a model.

    Attributes:
        name, title, component: what it is and where; ``see``: what a visitor will see.
        code, text: native code and text of the condition; ``condition``: its signal (empty: none).
        develop_s: seconds from the first trace to full severity when a person causes it; wear takes ten times as long.
        repair_s: seconds a repair takes after a person asks for it.
        per_hour: how often it comes by itself in an hour of running.
        trips: whether the machine stops at full severity.
        switch: no wear but a position of a switch: at once there, at once gone, no repair.
    """

    name: str
    title: str
    component: str
    see: str
    code: str = ""
    text: str = ""
    condition: str = ""
    develop_s: float = 60.0
    repair_s: float = 25.0
    per_hour: float = 0.0
    trips: bool = True
    switch: bool = False


class Defect(msgspec.Struct):
    """A fault that is there now. ``severity`` 0 to 1; times in seconds, ``since`` in ns UTC."""

    severity: float = 0.0
    since: int = 0
    by_wear: bool = False
    waits_s: float = 0.0  # until a technician comes, once tripped by wear
    repair_left_s: float = 0.0
    under_repair: bool = False


class Event(msgspec.Struct, frozen=True):
    """Something that happened in a step: ``fault`` (at full severity now), ``repaired``, or ``state``.

    A ``state`` has the seconds since the start of the step and the control's words from then on.
    """

    kind: str
    fault: str = ""
    text: str = ""
    offset_s: float = 0.0
    words: tuple[str, str, str] = ("", "", "")


SWITCHES = (
    FaultSpec(
        "network",
        "Network of the machine is cut",
        "network",
        "The machine works on unseen, its state becomes unknown; when mended, the missing data arrive late",
        switch=True,
    ),
    FaultSpec(
        "local-mode",
        "Operator takes the machine in hand (local mode)",
        "control",
        "The control shows MANUAL and every remote command is refused",
        switch=True,
    ),
    FaultSpec(
        "emergency-stop",
        "Emergency stop is pressed",
        "control",
        "All motion ends at once, remote commands are refused until it is released",
        switch=True,
    ),
)


def develop(
    specs: Sequence[FaultSpec], defects: Mapping[str, Defect], dt: float, running: bool, now: int, rng: Random
) -> tuple[dict[str, Defect], list[Event]]:
    """The defects after ``dt`` seconds: old ones grow, new ones come by wear, repairs go on and end."""
    after: dict[str, Defect] = {}
    events: list[Event] = []
    if running:
        after = _by_wear(specs, defects, dt, now, rng)
    if not defects:
        return after, events
    for spec in specs:
        old = defects.get(spec.name)
        if old is None:
            continue
        defect = msgspec.structs.replace(old)
        if spec.switch:
            defect.severity = 1.0
        elif defect.under_repair:
            defect.repair_left_s -= dt
            if defect.repair_left_s <= 0.0:
                events.append(Event("repaired", spec.name, spec.title))
                continue
        else:
            was = defect.severity
            pace = spec.develop_s * (10.0 if defect.by_wear else 1.0)
            defect.severity = max(was, min(1.0 if running else AT_REST, was + dt / pace))
            if was < 1.0 <= defect.severity:
                events.append(Event("fault", spec.name, spec.title))
            if defect.severity >= 1.0 and defect.by_wear:
                defect.waits_s -= dt
                defect.under_repair = defect.waits_s <= 0.0
        after[spec.name] = defect
    return after, events


def _by_wear(
    specs: Sequence[FaultSpec], defects: Mapping[str, Defect], dt: float, now: int, rng: Random
) -> dict[str, Defect]:
    """At most one new defect by wear in this step, chosen by how often each comes."""
    rates = [s.per_hour for s in specs]
    if not happens(rng, sum(rates), dt):
        return {}
    spec = rng.choices(specs, rates)[0]
    if spec.name in defects:
        return {}
    waits, repair = rng.uniform(120.0, 600.0), rng.uniform(300.0, 1200.0)
    return {spec.name: Defect(since=now, by_wear=True, waits_s=waits, repair_left_s=repair)}


def mend(spec: FaultSpec, defects: Mapping[str, Defect]) -> dict[str, Defect]:
    """The defects after a person asked for the repair: switches go back at once, the rest takes its time."""
    after = dict(defects)
    defect = after.pop(spec.name, None)
    if defect is not None and not spec.switch:
        left = defect.repair_left_s if defect.under_repair else spec.repair_s
        after[spec.name] = msgspec.structs.replace(defect, under_repair=True, repair_left_s=min(left, spec.repair_s))
    return after


def severity(defects: Mapping[str, Defect], name: str) -> float:
    """How bad that fault is now, 0 if it is not there."""
    defect = defects.get(name)
    return defect.severity if defect else 0.0


def tripped(specs: Sequence[FaultSpec], defects: Mapping[str, Defect]) -> bool:
    """Whether any fault has stopped the machine."""
    return bool(defects) and any(s.trips and not s.switch and severity(defects, s.name) >= 1.0 for s in specs)


def repairing(defects: Mapping[str, Defect]) -> bool:
    """Whether a technician works on the machine."""
    return bool(defects) and any(d.under_repair for d in defects.values())


def conditions(specs: Sequence[FaultSpec], defects: Mapping[str, Defect]) -> dict[str, str]:
    """Text of each condition signal, ``level|code|native severity|qualifier|text``; the worst fault of each speaks."""
    if not defects:
        return {s.condition: "normal||||" for s in specs if s.condition}
    worst: dict[str, tuple[float, FaultSpec]] = {s.condition: (0.0, s) for s in reversed(specs) if s.condition}
    for spec in specs:
        bad = severity(defects, spec.name)
        if spec.condition and bad > worst[spec.condition][0]:
            worst[spec.condition] = (bad, spec)
    said = {}
    for signal, (bad, spec) in worst.items():
        if bad >= 1.0 and spec.trips:
            said[signal] = f"fault|{spec.code}|2|HIGH|{spec.text}"
        elif bad >= WARN_AT:
            said[signal] = f"warning|{spec.code}|1|HIGH|{spec.text}"
        else:
            said[signal] = "normal||||"
    return said
