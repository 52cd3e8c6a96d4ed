"""Watch commands that were sent: acknowledged or not, in time or not, and whether their effect is really seen."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import msgspec

from servitwin.domain.command import Command
from servitwin.domain.instant import NS
from servitwin.domain.machine_type import CommandDefinition
from servitwin.usecases.live_mirror import LiveMessage
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry
from servitwin.usecases.send_command import LiveSignals, Publish, tell

log = logging.getLogger("servitwin.commands")

CLOCK_TOLERANCE = 5 * NS  # a machine's clock may be so far behind ours and its observation still count as later
_SET_BACK = "The node's clock was set back: how long it has waited is not known"
_EFFECT_WITHIN = 30 * NS  # where the type that declared it is gone


class Acknowledgement(msgspec.Struct, frozen=True):
    """What a machine answers."""

    status: str
    reason: str = ""


class WatchCommands:
    """Holds the open commands in memory; the records hold them for the next process.

    ``changed(twin uid)`` is called whenever a command of that twin came to an end of its life.
    """

    def __init__(
        self, records: Records, registry: Registry, live: LiveSignals, publish: Publish, changed: Callable[[str], None]
    ) -> None:
        self._records = records
        self._registry = registry
        self._live = live
        self._publish = publish
        self._changed = changed
        self._open: dict[str, Command] = {c.id: c for c in records.open_commands()}

    def watch(self, command: Command) -> None:
        """See :class:`servitwin.usecases.send_command.OpenCommands`."""
        self._open[command.id] = command

    def acknowledged(self, twin_id: str, command_id: str, payload: bytes, now: int) -> None:
        """Take an acknowledgement; one that is late, doubled or of another twin changes nothing."""
        command = self._open.get(command_id)
        twin = self._registry.by_id(twin_id)
        if command is None or twin is None or command.twin != twin.uid or command.status != "sent":
            log.info("an acknowledgement of %s for %s is not expected", twin_id, command_id)
            return
        try:
            answer = msgspec.json.decode(payload, type=Acknowledgement)
        except msgspec.DecodeError as e:
            log.warning("an acknowledgement of %s cannot be read: %s", twin_id, e)
            return
        if command.expires is not None and now > command.expires:
            self._end(command, now, status="timed_out", reason="command:timed-out", text="It was acknowledged too late")
        elif answer.status == "rejected":
            self._end(command, now, status="rejected", reason="command:rejected", text=answer.reason, answered=now)
        elif answer.status == "done":
            accepted = msgspec.structs.replace(command, status="acknowledged", answered=now)
            self._keep(accepted, now)
            if not accepted.effect_signal:
                self._open.pop(command.id, None)
                self._changed(command.twin)
        else:
            log.warning("an acknowledgement of %s has status %r: done or rejected expected", twin_id, answer.status)

    def heard(self, message: LiveMessage, now: int) -> None:
        """Look whether new values show the effect of an acknowledged command."""
        for command in self._waiting_for_effect(message.uid):
            value = message.values.get(command.effect_signal)
            if value is not None:
                self._look(command, value[0], value[3], now)

    def tick(self, now: int) -> None:
        """End what has waited too long, and what nobody can say of how long it has waited."""
        for command in list(self._open.values()):
            set_back = (command.answered or command.issued) > now + CLOCK_TOLERANCE
            if command.status == "sent" and (set_back or (command.expires is not None and now > command.expires)):
                text = _SET_BACK if set_back else "The machine did not acknowledge in time"
                self._end(command, now, status="timed_out", reason="command:timed-out", text=text)
            elif command.status == "acknowledged" and (
                set_back or now > (command.answered or now) + self._within(command)
            ):
                text = _SET_BACK if set_back else _missed(command)
                self._end(command, now, status="without_effect", reason="command:without-effect", text=text)

    def _look(self, command: Command, time: int, received: int, now: int) -> None:
        """Evidence is a change: false when sent, true in an observation made and received after the acknowledgement."""
        definition = self._definition(command)
        answered = command.answered or now
        if definition is None or definition.effect is None or received < answered or time < answered - CLOCK_TOLERANCE:
            return
        if command.held_before is not False or received > answered + definition.effect_within:
            return
        if self._live.holds(command.twin, definition.effect, now, command.parameters):
            self._end(command, now, status="effective", effect_seen=received)

    def _end(
        self,
        command: Command,
        now: int,
        *,
        status: str,
        reason: str = "",
        text: str = "",
        answered: int | None = None,
        effect_seen: int | None = None,
    ) -> None:
        ended = msgspec.structs.replace(
            command,
            status=status,
            reason=reason,
            reason_text=text,
            answered=answered or command.answered,
            effect_seen=effect_seen,
        )
        self._keep(ended, now)
        self._open.pop(command.id, None)
        self._changed(command.twin)

    def _keep(self, command: Command, now: int) -> None:
        if command.id in self._open:
            self._open[command.id] = command
        self._records.save_command(command)
        twin = self._registry.by_uid(command.twin)
        tell(self._records, self._publish, twin.id if twin else command.twin, command, now)

    def _waiting_for_effect(self, uid: str) -> Iterable[Command]:
        return [c for c in self._open.values() if c.twin == uid and c.status == "acknowledged" and c.effect_signal]

    def _definition(self, command: Command) -> CommandDefinition | None:
        twin = self._registry.by_uid(command.twin)
        machine_type = self._registry.type_at(twin, command.issued) if twin else None
        return next((c for c in machine_type.commands if c.name == command.name), None) if machine_type else None

    def _within(self, command: Command) -> int:
        definition = self._definition(command)
        return definition.effect_within if definition else _EFFECT_WITHIN


def _missed(command: Command) -> str:
    if command.held_before:
        return f"{command.effect_signal} showed it already before: no change proves that it worked"
    if command.held_before is None:
        return f"It was not known what {command.effect_signal} was before: no change could be seen"
    return f"Acknowledged, but {command.effect_signal} did not show it in time"
