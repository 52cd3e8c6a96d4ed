"""Machine types: a machine described once, versioned, and instantiated per serial number."""

from __future__ import annotations

from typing import Literal

import msgspec

from servitwin.domain.reason import ReasonChoice
from servitwin.domain.requirement import LikelyCause, Requirement
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import State

Risk = Literal["information", "setting", "motion", "safety"]
Scalar = float | int | str | bool


class DocumentReference(msgspec.Struct, frozen=True, omit_defaults=True):
    """A document of the machine type (VDI 2770 category in ``category``)."""

    title: str
    file: str
    category: str = ""
    language: str = "en"


class Component(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of the machine that can fail, wear and be replaced by itself. ``path`` is unique in the type."""

    path: str
    title: str = ""
    requirements: tuple[Requirement, ...] = ()
    causes: tuple[LikelyCause, ...] = ()
    documents: tuple[DocumentReference, ...] = ()
    service_parts: tuple[str, ...] = ()


class Parameter(msgspec.Struct, frozen=True, omit_defaults=True):
    """A parameter of a command, checked before anything is sent."""

    name: str
    type: Literal["number", "text", "flag"] = "number"
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()
    required: bool = True


class SignalTest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A test on one signal: true if the value is one of ``equals``, or lies above / below the bound (exclusive).

    ``parameter`` compares with the command's parameter of that name, within the signal's accuracy.
    For a condition signal ``equals`` holds levels (``fault``, ``warning``): true while any active entry has one.
    """

    signal: str
    equals: tuple[Scalar, ...] = ()
    above: float | None = None
    below: float | None = None
    parameter: str = ""


class CommandDefinition(msgspec.Struct, frozen=True, omit_defaults=True):
    """A command that machines of this type accept.

    Attributes:
        risk: information < setting < motion < safety. Motion needs local consent; safety is never sent by us.
        timeout: nanoseconds until an unacknowledged command counts as timed out.
        effect: what must be seen in a named signal after the acknowledgement, within ``effect_within`` ns.
        kind: ``update`` installs a release: it is sent only with the signed statement of a passed gate, for the package
            that its text parameter ``digest`` names.
        refused_when: further tests under which the command is refused (beside local, maintenance, safety stop).
    """

    name: str
    risk: Risk
    title: str = ""
    parameters: tuple[Parameter, ...] = ()
    timeout: int = 10_000_000_000
    effect: SignalTest | None = None
    effect_within: int = 30_000_000_000
    refused_when: tuple[SignalTest, ...] = ()
    kind: Literal["control", "update"] = "control"


class StateRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """If all tests hold the machine is in ``state``; the first rule that applies decides.

    ``cause`` (a code such as ``fault:spindle``) and ``party`` only where the rule really knows them.
    """

    when: tuple[SignalTest, ...]
    state: State
    cause: str = ""
    party: str = ""


class StateMapping(msgspec.Struct, frozen=True, omit_defaults=True):
    """How observations become state intervals.

    Attributes:
        word: signal whose value is kept as the machine's own word for the state.
        needs: signals without a known value of which the state is ``unknown``.
        otherwise: state where no rule applies.
    """

    rules: tuple[StateRule, ...]
    word: str = ""
    needs: tuple[str, ...] = ()
    otherwise: State = State.UNKNOWN


class Production(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which signals count parts, and how long a part ideally takes (ISO 22400-2 PRI), seconds per part."""

    total: str = ""  # cumulative counter of all parts; a value lower than the last one is a reset
    good: str = ""
    scrap: str = ""
    product: str = ""  # text signal naming the product in work
    ideal_cycle_s: dict[str, float] = {}  # product -> seconds; "" is the default for any product


class ControlModes(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tests that say who has the machine in hand; commands are refused while one of these holds."""

    local: tuple[SignalTest, ...] = ()
    maintenance: tuple[SignalTest, ...] = ()
    safety_stop: tuple[SignalTest, ...] = ()
    consent: tuple[SignalTest, ...] = ()  # local consent for motion; none declared means never given


class MachineType(msgspec.Struct, frozen=True, omit_defaults=True):
    """A machine type in one version. A published version never changes: a change is a new version."""

    name: str
    version: int
    title: str = ""
    manufacturer: str = ""
    semantic: str = ""
    signals: tuple[SignalDefinition, ...] = ()
    components: tuple[Component, ...] = ()
    commands: tuple[CommandDefinition, ...] = ()
    states: StateMapping | None = None
    production: Production | None = None
    modes: ControlModes = ControlModes()
    requirements: tuple[Requirement, ...] = ()
    causes: tuple[LikelyCause, ...] = ()
    documents: tuple[DocumentReference, ...] = ()
    model_3d: str = ""
    reasons: tuple[ReasonChoice, ...] = ()  # what an operator taps for a stop; empty: those of every machine
    registered_from: str = ""  # where it was derived from, if nobody wrote it (``Devices.xml``, ``data``)

    @property
    def reference(self) -> str:
        """``name@version``, the form in which twins refer to it."""
        return f"{self.name}@{self.version}"

    def signal(self, name: str) -> SignalDefinition | None:
        """The signal of that full name, or None."""
        return next((s for s in self.signals if s.name == name), None)
