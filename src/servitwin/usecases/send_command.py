"""Send a command: allowed by risk, checked against the type and the machine's state, once per key, on the record."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, Protocol

import msgspec

from servitwin.domain.command import Command
from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError, ServitwinError
from servitwin.domain.instant import format_instant
from servitwin.domain.machine_type import CommandDefinition, MachineType, Parameter, Risk, SignalTest
from servitwin.domain.observation import CONNECTION, Quality
from servitwin.domain.party import Actor
from servitwin.domain.signal_test import holds
from servitwin.domain.twin import Twin
from servitwin.usecases.live_mirror import LiveMirror, LiveValue, apply_entries
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry
from servitwin.usecases.released_update import ReleasedUpdate

STATE = "_state"
RISKS: tuple[Risk, ...] = ("information", "setting", "motion", "safety")
DEFAULT_MAX_RISK: Risk = "motion"  # motion still needs local consent; safety is never sent
Publish = Callable[[str, bytes], None]
ParameterValue = float | str | bool


class CommandRequest(msgspec.Struct, frozen=True):
    """A command as ``ask.command`` takes it. ``twin`` is an id; ``actor`` is who the API knows the caller to be."""

    twin: str
    name: str
    actor: Actor
    parameters: dict[str, ParameterValue] = {}
    key: str = ""


class OpenCommands(Protocol):
    """Who waits for the answer and the effect of what was sent."""

    def watch(self, command: Command) -> None:
        """Wait for it from now on, before it is published."""
        ...


class LiveSignals:
    """Live values as the tests of a machine's control need them."""

    def __init__(self, registry: Registry, mirror: LiveMirror) -> None:
        self._registry, self._mirror = registry, mirror

    def value(self, uid: str, signal: str) -> LiveValue | None:
        """The latest value, or None if the signal was never heard."""
        return self._mirror.values(uid).get(signal)

    def holds(
        self, uid: str, test: SignalTest, now: int, parameters: Mapping[str, ParameterValue] | None = None
    ) -> bool | None:
        """Whether a test holds now; None where it cannot be known: never heard, unavailable, or silent too long."""
        latest = self.value(uid, test.signal)
        if latest is None:
            return None
        time, value, quality, _ = latest
        definition = self._registry.signals(uid, time).get(test.signal)
        gap = definition.reporting.max_gap if definition else None
        if value is None or quality == Quality.BAD or (gap is not None and now - time > gap):
            return None
        if definition is not None and definition.type == "condition":
            return holds(test, None, active=apply_entries({}, value if isinstance(value, str) else ""))
        accuracy = definition.accuracy if definition else None
        return holds(test, value, parameters=parameters, accuracy=accuracy)


class SendCommand:
    """Decides about one command at a time and sends it; nothing here waits."""

    def __init__(
        self,
        records: Records,
        registry: Registry,
        live: LiveSignals,
        open_commands: OpenCommands,
        publish: Publish,
        now: Callable[[], int],
        new_id: Callable[[], str],
        released: ReleasedUpdate,
    ) -> None:
        self._records = records
        self._released = released
        self._registry = registry
        self._live = live
        self._open = open_commands
        self._publish = publish
        self._now = now
        self._new_id = new_id

    def send(self, request: CommandRequest) -> Command:
        """The command as sent, as refused (status ``refused`` with its reason), or as it was under the same key.

        Raises:
            NotFoundError: ``command:unknown`` or ``twin:unknown``.
            InvalidInputError: ``command:parameter-...``, all at once.
            ConflictError: ``command:key-used`` for a key that stands for another command.
        """
        now = self._now()
        twin, machine_type, definition = self._find(request, now)
        earlier = self._records.command_by_key(twin.uid, request.key) if request.key else None
        if earlier is not None:
            return _same_or_conflict(earlier, request)
        faults = check_parameters(definition, request.parameters)
        if faults:
            raise InvalidInputError(faults)
        command = Command(
            id=self._new_id(),
            twin=twin.uid,
            name=request.name,
            parameters=dict(request.parameters),
            issuer="person" if request.actor.kind == "person" else "program",
            issued_by=request.actor.id,
            issued=now,
            status="sent",
            key=request.key,
            effect_signal=definition.effect.signal if definition.effect else "",
        )
        refusal = self._refusal(command, twin, machine_type, definition, request.actor)
        statement = ""
        if refusal is None and definition.kind == "update":
            statement, refusal = self._released.statement(machine_type, request.parameters)
        if refusal is not None:
            command = msgspec.structs.replace(
                command, status="refused", reason=refusal.code, reason_text=f"{refusal.message}. {refusal.hint}"
            )
            self._records.save_command(command)
            self._record(request.actor, "command.refused", twin, command)
            return command
        command = msgspec.structs.replace(
            command, sent=now, expires=now + definition.timeout, held_before=self._held_before(command, definition, now)
        )
        # On the record first: if this process dies now the command times out, it is never sent twice.
        self._records.save_command(command)
        self._open.watch(command)
        self._record(request.actor, "command.send", twin, command)
        self._publish(f"servitwin.{twin.id}.commands.{command.name}", wire_form(command, statement))
        return command

    def handle(self, payload: bytes) -> bytes:
        """Answer a request of ``ask.command``: the command as JSON, or ``{"faults": [...], "error": kind}``."""
        try:
            request = msgspec.json.decode(payload, type=CommandRequest)
        except msgspec.DecodeError as e:
            hint = "Send twin, name, actor, and parameters and key if there are any"
            return _refused("invalid", [Fault("command:wrong-shape", str(e), hint)])
        try:
            return msgspec.json.encode(self.send(request))
        except NotFoundError as e:
            return _refused("not-found", e.faults)
        except ConflictError as e:
            return _refused("conflict", e.faults)
        except ServitwinError as e:
            return _refused("invalid", e.faults)

    def _find(self, request: CommandRequest, now: int) -> tuple[Twin, MachineType, CommandDefinition]:
        twin = self._registry.by_id(request.twin)
        if twin is None or twin.retired is not None:
            raise NotFoundError(
                Fault("twin:unknown", f"There is no twin {request.twin[:80]!r}", "Look into the list", "twin")
            )
        machine_type = self._registry.type_at(twin, now)
        commands = machine_type.commands if machine_type else ()
        definition = next((c for c in commands if c.name == request.name), None)
        if machine_type is None or definition is None:
            known = ", ".join(c.name for c in commands) or "none"
            raise NotFoundError(
                Fault(
                    "command:unknown", f"{twin.id} knows no command {request.name[:80]!r}", f"It knows: {known}", "name"
                )
            )
        return twin, machine_type, definition

    def _record(self, actor: Actor, action: str, twin: Twin, command: Command) -> None:
        detail = {"command": command.id, "name": command.name, "parameters": command.parameters}
        if command.reason:
            detail["reason"] = command.reason
        self._records.audit(actor, action, twin.id, command.issued, detail)
        tell(self._records, self._publish, twin.id, command, command.issued)

    # -- may it be sent now? ----------------------------------------------------------------------------------
    def _refusal(
        self, command: Command, twin: Twin, machine_type: MachineType, definition: CommandDefinition, actor: Actor
    ) -> Fault | None:
        """Why it may not be sent now; the gravest reason first."""
        now = command.issued
        if definition.risk == "safety":
            return Fault(
                "command:safety", "Safety functions are never commanded from here", "Use the machine's own controls"
            )
        if actor.kind == "machine":
            return Fault("command:issuer", "A machine may not command machines", "Let a person or a program do it")
        highest = self._max_risk(command.issuer, twin.id)
        if RISKS.index(definition.risk) > RISKS.index(highest):
            return Fault(
                "command:risk-not-allowed",
                f"A {command.issuer} may send up to {highest} here, and {definition.name} is {definition.risk}",
                "Ask the administrator for it, or do it at the machine",
            )
        return self._mode_refusal(twin, machine_type, now) or (
            self._test_refusal(definition.refused_when, command, twin.uid)
            or (self._motion_refusal(twin, machine_type, now) if definition.risk == "motion" else None)
        )

    def _max_risk(self, issuer: Literal["person", "program"], twin: str) -> Risk:
        """Highest risk allowed: setting ``commands.max_risk.<issuer>.<twin>``, else without the twin, else motion."""
        for key in (f"commands.max_risk.{issuer}.{twin}", f"commands.max_risk.{issuer}"):
            value = self._records.setting(key)
            if value is not None:
                return next((r for r in RISKS[:3] if r == value), "information")
        return DEFAULT_MAX_RISK

    def _mode_refusal(self, twin: Twin, machine_type: MachineType, now: int) -> Fault | None:
        modes = machine_type.modes
        if self._any(modes.safety_stop, twin.uid, now):
            return Fault(
                "command:safety-stop", "The machine is in safety stop", "Release it at the machine, then send again"
            )
        state = self._state(twin.uid)
        if self._any(modes.maintenance, twin.uid, now) or state in ("repair", "preventive"):
            return Fault("command:maintenance", "Somebody works on the machine", "Wait until the work is finished")
        if self._any(modes.local, twin.uid, now):
            return Fault(
                "command:local-control", "The machine is in local mode", "Switch it to automatic at the machine"
            )
        return None

    def _motion_refusal(self, twin: Twin, machine_type: MachineType, now: int) -> Fault | None:
        """Motion needs a known state, modes that are known not to hold, and consent given at the machine."""
        uid = twin.uid
        connection = self._live.value(uid, CONNECTION)
        modes = machine_type.modes
        known = all(
            self._live.holds(uid, t, now) is not None for t in (*modes.local, *modes.maintenance, *modes.safety_stop)
        )
        if self._state(uid) in ("", "unknown") or not known or (connection is not None and connection[1] == "offline"):
            return Fault(
                "command:state-unknown",
                "It is not known what the machine does now",
                "Motion is sent only to a machine that is connected and reports its state",
            )
        if not modes.consent or not all(self._live.holds(uid, t, now) for t in modes.consent):
            return Fault(
                "command:no-local-consent",
                "Nobody at the machine has consented to motion from outside",
                "Ask the operator to give the release at the machine",
            )
        return None

    def _test_refusal(self, tests: Iterable[SignalTest], command: Command, uid: str) -> Fault | None:
        for test in tests:
            if self._live.holds(uid, test, command.issued, command.parameters):
                latest = self._live.value(uid, test.signal)
                shown = latest[1] if latest else None
                return Fault(
                    "command:refused-by-type",
                    f"{command.name} is not allowed while {test.signal} is {shown}",
                    "Wait until that has changed",
                    test.signal,
                )
        return None

    def _any(self, tests: Iterable[SignalTest], uid: str, now: int) -> bool:
        return any(self._live.holds(uid, t, now) for t in tests)

    def _state(self, uid: str) -> str:
        latest = self._live.value(uid, STATE)
        return str(latest[1]) if latest is not None and latest[1] is not None else ""

    def _held_before(self, command: Command, definition: CommandDefinition, now: int) -> bool | None:
        if definition.effect is None:
            return None
        return self._live.holds(command.twin, definition.effect, now, command.parameters)


def check_parameters(definition: CommandDefinition, given: Mapping[str, ParameterValue]) -> list[Fault]:
    """All faults of a command's parameters at once."""
    known = {p.name: p for p in definition.parameters}
    faults = [
        Fault(
            "command:parameter-unknown",
            f"{definition.name} has no parameter {name[:80]!r}",
            f"It has: {', '.join(known) or 'none'}",
            f"parameters.{name[:80]}",
        )
        for name in given
        if name not in known
    ]
    for name, parameter in known.items():
        if name not in given:
            if parameter.required:
                hint = f"Give a {parameter.type}"
                faults.append(Fault("command:parameter-missing", f"{name} is missing", hint, f"parameters.{name}"))
            continue
        problem = _parameter_fault(parameter, given[name])
        if problem:
            code, message, hint = problem
            faults.append(Fault(code, message, hint, f"parameters.{name}"))
    return faults


def _parameter_fault(parameter: Parameter, value: ParameterValue) -> tuple[str, str, str] | None:
    kinds: dict[str, type | tuple[type, ...]] = {"number": (int, float), "text": str, "flag": bool}
    fits = isinstance(value, kinds[parameter.type]) and (parameter.type == "flag" or not isinstance(value, bool))
    if not fits or (isinstance(value, float) and not math.isfinite(value)):
        return "command:parameter-type", f"{parameter.name} must be a {parameter.type}", f"It was {value!r:.80}"
    if isinstance(value, str):
        if parameter.values and value not in parameter.values:
            return "command:parameter-value", f"{value[:80]!r} is no value of it", f"Use {', '.join(parameter.values)}"
    elif not isinstance(value, bool):
        low, high = parameter.minimum, parameter.maximum
        if (low is not None and value < low) or (high is not None and value > high):
            return "command:parameter-range", f"{value} {parameter.unit} is outside", f"Use {low} to {high}"
    return None


def wire_form(command: Command, statement: str = "") -> bytes:
    """A command as the machine gets it; an update with the signed statement that it passed the gate."""
    return msgspec.json.encode(
        {
            **({"release": statement} if statement else {}),
            "id": command.id,
            "name": command.name,
            "parameters": command.parameters,
            "issued": format_instant(command.issued),
            "expires": format_instant(command.expires or command.issued),
        }
    )


def tell(records: Records, publish: Publish, twin: str, command: Command, at: int) -> None:
    """Put a step in a command's life into the event table and tell whoever listens. ``twin`` is its id."""
    data = {"command": command.id, "name": command.name, "status": command.status, "reason": command.reason}
    number = records.add_event("command", twin, at, data)
    event = {"id": number, "kind": "command", "subject": twin, "at": at, "data": data}
    publish("happened", msgspec.json.encode(event))


def _same_or_conflict(earlier: Command, request: CommandRequest) -> Command:
    if earlier.name == request.name and earlier.parameters == request.parameters:
        return earlier
    raise ConflictError(
        Fault(
            "command:key-used",
            f"Key {request.key!r} stands for another command of this twin ({earlier.name})",
            "Use a new key for a new command",
            "key",
        )
    )


def _refused(kind: str, faults: Iterable[Fault]) -> bytes:
    return msgspec.json.encode({"faults": list(faults), "error": kind})
