"""What all simulated machines have in common: state, inputs, outputs, and the control's switches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any, ClassVar, Protocol, TypeVar

import msgspec

from servitwin.connectors.simulator.defects import Defect, Event, FaultSpec, conditions, repairing, severity, tripped
from servitwin.connectors.simulator.physics import relax

Value = float | int | str | bool
Outputs = dict[str, Value]


WORDS = ("execution", "functional_mode", "wait_state")


class MachineState(msgspec.Struct, kw_only=True):
    """State that every machine has; serialisable as JSON.

    ``phase`` is what it works at, in the model's own words, ``left_s`` the seconds until that ends; ``heard`` keeps
    the last known cumulative counters of the neighbours, ``pause_left_s`` an operator's pause. ``name`` is the
    machine's twin, ``feeds`` the neighbour's twin behind each counter.
    """

    name: str = ""
    feeds: dict[str, str] = {}

    steps: int = 0
    phase: str = "idle"
    left_s: float = 0.0
    powered: bool = True
    words: tuple[str, str, str] = ("", "", "")  # what the control says of itself, see WORDS
    power_kw: float = 0.0
    energy_kwh: float = 0.0
    stopped: bool = False  # stopped by command or after a fault, waits for a start
    pause_left_s: float = 0.0
    heard: dict[str, float] = {}
    defects: dict[str, Defect] = {}


State = TypeVar("State", bound=MachineState)
Worked = TypeVar("Worked")


class Inputs(msgspec.Struct, frozen=True):
    """What reaches a machine from outside in one step.

    ``heard``: the neighbours' cumulative counters under this machine's own names (``delivered``, ``removed``);
    a name that is configured nowhere is an endless supply or sink.
    """

    now: int  # ns UTC at the end of the step
    staffed: bool = True
    ambient: float = 20.0  # Cel
    heard: Mapping[str, float] = {}


class Model(Protocol):
    """A kind of machine: pure and deterministic, no clock, no input or output."""

    name: ClassVar[str]
    faults: ClassVar[tuple[FaultSpec, ...]]
    state_type: ClassVar[type[MachineState]]
    periodic: ClassVar[frozenset[str]]  # signals that are reported at every step
    machine_type: ClassVar[str]  # name of the type that the demo's files give it
    links: ClassVar[tuple[str, ...]]  # names of neighbours' counters that can be configured

    def fresh(self, rng: Random) -> Any:
        """The state of a machine that has just been put into use."""
        ...

    def advance(self, state: Any, dt: float, inputs: Inputs, rng: Random) -> tuple[Any, list[Event]]:
        """The state ``dt`` seconds later, and what happened; ``state`` is unchanged."""
        ...

    def counters(self, state: Any) -> dict[str, int]:
        """Cumulative counters that neighbours hear, by signal."""
        ...

    def show(self, state: Any, rng: Random) -> Outputs:
        """What the sensors show in that state; ``rng`` is their noise."""
        ...

    def command(self, state: Any, name: str, parameters: Mapping[str, Any]) -> tuple[Any, str]:
        """The state after a command and "", or the unchanged state and why it was refused."""
        ...


def refusal(state: MachineState) -> str:
    """Why the control takes no remote command now; empty if it does."""
    if severity(state.defects, "emergency-stop"):
        return "emergency stop is pressed"
    if severity(state.defects, "local-mode"):
        return "the machine is in local mode"
    if repairing(state.defects):
        return "a technician works on the machine"
    return ""


def note_words(state: MachineState, words: tuple[str, str, str], offset_s: float, events: list[Event]) -> None:
    """The control says ``words`` from ``offset_s`` seconds into the step on: an event if that is a change."""
    if repairing(state.defects):
        words = (words[0], "MAINTENANCE", words[2])
    if words != state.words:
        state.words = words
        events.append(Event("state", offset_s=offset_s, words=words))


def begin_step(state: State, inputs: Inputs) -> State:
    """The state to work on in a step: a copy that has counted it and heard the neighbours."""
    return msgspec.structs.replace(state, heard={**state.heard, **inputs.heard}, steps=state.steps + 1)


def stretches(
    state: MachineState,
    dt: float,
    go_on: Callable[[float], tuple[float, Worked]],
    words: Callable[[str], tuple[str, str, str]],
    events: list[Event],
) -> Iterator[tuple[str, float, Worked]]:
    """Go through a step of ``dt`` seconds from one change of phase to the next.

    Args:
        state: changed by ``go_on``.
        dt: length of the step, s.
        go_on: takes the seconds that are left; says how many it used and what was done in them.
        words: what the control says of itself in a phase, see :data:`WORDS`; changes become events.
        events: what happened, added to.

    Yields:
        The phase, the seconds used, and what was done in them.
    """
    left = dt
    while left > 1e-9:
        phase = state.phase
        used, worked = go_on(left)
        if used > 0.0:
            note_words(state, words(phase), dt - left, events)
        yield phase, used, worked
        left -= used


def commanded(
    state: State,
    name: str,
    parameters: Mapping[str, Any],
    faults: tuple[FaultSpec, ...],
    own: Mapping[str, Callable[[State, Mapping[str, Any]], str]],
) -> tuple[State, str]:
    """See :meth:`Model.command`; every control knows stop (after the work in hand), start and reset-alarm.

    ``own``: the model's other commands, or its way of one of these; each changes the state that it is given and
    answers "", or why it does not.
    """
    why = refusal(state)
    if why:
        return state, why
    after = msgspec.structs.replace(state)
    if name in own:
        why = own[name](after, parameters)
    elif name == "stop":
        after.stopped = True
    elif name in ("start", "reset-alarm"):
        if stands(after, faults):
            why = "the fault is still there: it has to be repaired"
        after.stopped = False
    else:
        why = f"unknown command {name!r}"
    return (state, why) if why else (after, "")


def set_percent(field: str, low: int, high: int) -> Callable[[MachineState, Mapping[str, Any]], str]:
    """A command that sets a field of the state to its parameter ``percent`` (low to high, both allowed)."""

    def carry_out(state: MachineState, parameters: Mapping[str, Any]) -> str:
        percent = parameters.get("percent")
        if isinstance(percent, bool) or not isinstance(percent, int | float) or not low <= percent <= high:
            return f"percent must be {low} to {high}"
        setattr(state, field, float(percent))
        return ""

    return carry_out


def control_outputs(state: MachineState, faults: tuple[FaultSpec, ...], powered: bool) -> Outputs:
    """Signals of the control, named as MTConnect names them (Part 2: Execution, ControllerMode, FunctionalMode ...)."""
    local = severity(state.defects, "local-mode") > 0
    pressed = severity(state.defects, "emergency-stop") > 0
    return {
        **dict(zip(WORDS, state.words, strict=True)),
        "power_state": "ON" if powered else "OFF",
        "controller_mode": "MANUAL" if local else "AUTOMATIC",
        "emergency_stop": "TRIGGERED" if pressed else "ARMED",
        "remote_consent": powered and not (local or pressed or repairing(state.defects)),
        **conditions(faults, state.defects),
    }


def stands(state: MachineState, faults: tuple[FaultSpec, ...]) -> bool:
    """Whether a fault, a repair or the emergency stop keeps the machine from moving."""
    return tripped(faults, state.defects) or repairing(state.defects) or severity(state.defects, "emergency-stop") > 0


def cooled(state: MachineState, seconds: float, ambient: float) -> MachineState:
    """The state after a time switched off: everything warm has cooled towards the hall, nothing else has changed."""
    warm = {n: getattr(state, n) for n in state.__struct_fields__ if n.endswith("_temp")}
    return msgspec.structs.replace(state, **{n: relax(t, ambient, seconds, 900.0) for n, t in warm.items()})
