"""The simulator's connection: steps its machines once a second, publishes, hears commands and faults."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from servitwin.connectors.simulator.defects import Defect, FaultSpec, mend
from servitwin.connectors.simulator.key import machine_key
from servitwin.connectors.simulator.link import Link
from servitwin.connectors.simulator.long_past import long_past
from servitwin.connectors.simulator.machine import Outputs, cooled
from servitwin.connectors.simulator.physics import ambient
from servitwin.connectors.simulator.plant import LocalTime, Machine, Plant, SimulatorConfig, past_range
from servitwin.connectors.simulator.report import Reporter, backfill
from servitwin.connectors.simulator.store import Past, Store
from servitwin.domain.command import Command
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import DAY, NS, format_instant, parse_instant
from servitwin.sdk.connector import Batch, DecodeFault, Discovered
from servitwin.sdk.release_statement import refusal_of_update
from servitwin.sdk.signed_payload import public_text

log = logging.getLogger(__name__)

SAVE_EVERY = 5 * NS
LONGEST_STEP = 5 * NS  # after a longer silence of the process the machines count as switched off meanwhile
UPDATE = "update-software"
REMEMBERED = 200  # commands answered before: a second copy gets the same answer and is not carried out again


class SimulatorConnector:
    """Runs the machines of one configuration. ``now`` gives ns UTC, ``new_id`` a fresh session name."""

    def __init__(self, config: SimulatorConfig, now: Callable[[], int], new_id: Callable[[], str]) -> None:
        self._config = config
        self._now = now
        self._new_id = new_id
        self._local = LocalTime(config.time_zone)
        self._machines = {c.twin: Machine(c) for c in config.machines}
        self._reporters = {t: Reporter(m.model.periodic) for t, m in self._machines.items()}
        self._links: dict[str, Link] = {}
        self._connections: dict[str, int] = {}
        self._public: dict[str, str] = {}  # public keys of machines that sign
        self._shown: dict[str, Outputs] = {}  # own machines' outputs and neighbours' counters
        self._answered: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._store: Store | None = None
        self._saved = 0
        self._last = 0
        self._lives = False  # from the first step on; before that the past is filled in

    # -- Runner -----------------------------------------------------------------------------------------------
    async def run(self, stop: asyncio.Event) -> None:
        """See :class:`servitwin.sdk.connector.Runner`."""
        folder = Path(self._config.folder)
        store = self._store = Store(folder)
        loop = asyncio.get_running_loop()
        session = self._new_id()
        for twin, machine in self._machines.items():
            hears = {link.twin for link in machine.config.hears.values()} - self._machines.keys()
            self._links[twin] = Link(
                twin, self._config.broker, self._config.user, self._config.password, folder, session,
                tuple(sorted(hears)),
                lambda t, n, p: _later(loop, self._on_command, t, n, p),
                lambda t, p: _later(loop, self._on_neighbour, t, p),
                self._key(folder, twin),
            )  # fmt: skip
        for link in self._links.values():
            link.open()
        try:
            if await asyncio.to_thread(self._past, store, stop):
                self._resume(store)
                await self._live(store, stop)
        finally:
            await self.close()

    def _key(self, folder: Path, twin: str) -> Ed25519PrivateKey | None:
        if not self._config.sign:
            return None
        key = machine_key(folder, twin)
        self._public[twin] = public_text(key)
        log.info("%s signs with the public key %s", twin, self._public[twin])
        return key

    async def _live(self, store: Store, stop: asyncio.Event) -> None:
        """Step once a second until ``stop``."""
        self._last = self._now()
        self._lives = True
        while not stop.is_set():
            now = self._now()
            try:
                await asyncio.wait_for(stop.wait(), (NS - now % NS) / NS)
            except TimeoutError:
                self._tick(store, self._now())
        self._save(store, self._now())

    def _tick(self, store: Store, now: int) -> None:
        passed = now - self._last
        if passed <= 0:
            return
        if passed > LONGEST_STEP:
            self._cool(passed, now)
            passed = NS
        self._last = now
        messages = {}
        counted = now - self._saved >= SAVE_EVERY
        for twin, machine in self._machines.items():
            outputs, events = machine.step(now, passed / NS * self._config.speed, self._local, self._heard(machine))
            for event in events:
                if event.kind != "state":
                    log.info("%s: %s: %s", twin, event.kind, event.text)
            self._shown[twin] = outputs
            counted = counted or self._reporters[twin].counted(outputs)
            self._follow_network(twin)
            messages[twin] = self._reporters[twin].message(now, outputs)
        if counted:  # before anybody hears of it: a counter that was told never goes back
            self._save(store, now)
        for twin, message in messages.items():
            self._links[twin].offer(message)

    def _heard(self, machine: Machine) -> dict[str, float]:
        heard = {}
        for name, link in machine.config.hears.items():
            value = self._shown.get(link.twin, {}).get(link.signal)
            if isinstance(value, int | float):
                heard[name] = float(value)
        return heard

    def _follow_network(self, twin: str) -> None:
        """Cut or restore the connection as the fault ``network`` says."""
        link = self._links[twin]
        if "network" in self._machines[twin].state.defects:
            link.cut()
        else:
            link.restore()
        if link.connections != self._connections.get(twin):
            self._connections[twin] = link.connections
            self._reporters[twin].start_over()

    # -- state and past ---------------------------------------------------------------------------------------
    def _save(self, store: Store, now: int) -> None:
        for machine in self._machines.values():
            store.save(machine.config, machine.state, now)
        self._saved = now

    def _resume(self, store: Store) -> None:
        """Go on where the last process stopped; the time between stays a gap, the machines have cooled."""
        now = self._now()
        for twin, machine in self._machines.items():
            kept = store.load(machine.config)
            if kept is not None:
                state, saved = kept
                broken = machine.state.defects  # from the tray, while the past was being filled in
                state.defects = {**state.defects, **broken}
                self._machines[twin] = Machine(machine.config, state)
                if now - saved > LONGEST_STEP:
                    self._machines[twin].state = cooled(state, (now - saved) / NS, self._hall(now))
        self._save(store, now)

    def _cool(self, passed: int, now: int) -> None:
        for machine in self._machines.values():
            machine.state = cooled(machine.state, passed / NS, self._hall(now))

    def _hall(self, now: int) -> float:
        return ambient(self._local.at(now)[1])

    def _past(self, store: Store, stop: asyncio.Event) -> bool:
        """Fill in the past once; whether it is complete. Runs beside the event loop."""
        past = store.past()
        if past is None:
            end = self._now()
            _, start = past_range(self._config, end)
            past = Past(start, end, done=self._config.backfill_days <= 0)
            store.save_past(past)
        if past.done:
            return True
        own = self._config.machines
        self._tell_long_past(past, stop)
        plant = Plant([*own, *self._config.neighbours], self._config.time_zone)
        counts = dict.fromkeys(self._machines, 0)
        for twin, message in backfill(plant, own, past.start, past.end, stop.is_set):
            counts[twin] += 1
            # The same session and sequence at every try: what came through before counts once.
            self._links[twin].offer_as(message, f"past-{past.start}-{past.end}", counts[twin], journal=False)
        while any(link.pending for link in self._links.values()) and not stop.is_set():
            time.sleep(0.05)
        if stop.is_set():
            return False
        for config in own:
            store.save(config, plant.machines[config.twin].state, past.end)
        store.save_past(msgspec.structs.replace(past, done=True))
        log.info("past filled in from %s to %s", format_instant(past.start), format_instant(past.end))
        return True

    def _tell_long_past(self, past: Past, stop: asyncio.Event) -> None:
        """What is known of the months before the detailed past."""
        start = past.start - self._config.history_days * DAY
        for config in self._config.machines if self._config.history_days else ():
            messages = long_past(config, start, past.start, self._config.time_zone)
            for number, message in enumerate(messages, 1):
                if stop.is_set():
                    return
                session = f"long-past-{start}-{past.start}"
                self._links[config.twin].offer_as(message, session, number, journal=False)

    # -- commands ---------------------------------------------------------------------------------------------
    def _on_command(self, twin: str, name: str, payload: bytes) -> None:
        try:
            message = msgspec.json.decode(payload, type=dict[str, Any])
            command_id = str(message["id"])
        except (msgspec.DecodeError, KeyError) as e:
            log.warning("%s: command %s not understood: %s", twin, name, e)
            return
        answer = self._answered.get(command_id)
        if answer is None:
            answer = self._answered[command_id] = self._carry_out(twin, name, message)
            while len(self._answered) > REMEMBERED:
                self._answered.popitem(last=False)
        self._links[twin].acknowledge(command_id, answer)

    def _carry_out(self, twin: str, name: str, message: Mapping[str, Any]) -> dict[str, Any]:
        if not self._lives:
            return {"status": "rejected", "reason": "the machine is starting up"}
        expires = message.get("expires")
        try:
            end = parse_instant(expires) if isinstance(expires, str) else expires
        except InvalidInputError:
            end = 0
        if isinstance(end, int) and end < self._now():
            return {"status": "rejected", "reason": "the command had expired when it arrived"}
        parameters = message.get("parameters") or {}
        if name == UPDATE:
            return self._install(twin, parameters, str(message.get("release") or ""))
        why = self._machines[twin].command(name, parameters)
        return {"status": "rejected", "reason": why} if why else {"status": "done"}

    def _install(self, twin: str, parameters: Mapping[str, Any], statement: str) -> dict[str, Any]:
        """Install an update: only with the statement of a passed gate by somebody whose releases the machine takes."""
        machine = self._machines[twin]
        package, version = str(parameters.get("digest", "")), str(parameters.get("version", ""))
        why, body = refusal_of_update(
            statement, machine.model.machine_type, package, version, self._config.trusted_keys
        )
        if not why:
            why = machine.command(UPDATE, {"version": version})
        for name, setting in (body.get("settings") or {}).items() if not why else ():
            why = why or machine.command(name, setting)
        if why:
            log.warning("%s: update to %s refused: %s", twin, version[:80], why)
            return {"status": "rejected", "reason": why}
        return {"status": "done"}

    def _on_neighbour(self, twin: str, payload: bytes) -> None:
        """Take over a neighbour's latest values; its past and what cannot be read do not matter here."""
        try:
            message = msgspec.json.decode(payload, type=dict[str, Any])
        except msgspec.DecodeError:
            return
        values = message.get("values")
        if isinstance(values, dict) and "times" not in message:
            self._shown.setdefault(twin, {}).update(values)

    # -- faults -----------------------------------------------------------------------------------------------
    def faults(self) -> list[dict[str, Any]]:
        """Every fault that can be broken and mended here, with whether it is there now."""
        return [
            _row(t, spec, m.state.defects.get(spec.name)) for t, m in self._machines.items() for spec in m.model.faults
        ]

    def control(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """``{"do": "list"}``, or ``{"do": "inject" | "mend", "twin", "fault"}``; answers the catalogue or faults."""
        do, twin, name = message.get("do", "list"), message.get("twin"), message.get("fault")
        if do == "status":
            return {"machines": {t: self._status(t) for t in self._machines}}
        if do == "list":
            return {"faults": self.faults()}
        machine = self._machines.get(str(twin))
        spec = next((s for s in machine.model.faults if s.name == name), None) if machine else None
        if do not in ("inject", "mend") or machine is None or spec is None:
            fault = Fault(
                "simulator:fault-unknown",
                f"{do!r} {name!r} of {twin!r} is not in the catalogue",
                "Ask for the list; do is list, status, inject or mend",
            )
            return {"faults": [], "errors": [msgspec.to_builtins(fault)]}
        defects = machine.state.defects
        if do == "inject":
            if name not in defects or defects[spec.name].under_repair:
                defects = {**defects, spec.name: Defect(since=self._now())}
        else:
            defects = mend(spec, defects)
        machine.state = msgspec.structs.replace(machine.state, defects=defects)
        log.info("%s: %s %s", twin, do, name)
        return {"faults": self.faults()}

    def _status(self, twin: str) -> dict[str, Any]:
        link = self._links.get(twin)
        if link is None:
            return {"connected": False, "pending": 0, "dropped": 0, "refused": "", "public_key": ""}
        return {
            "connected": link.connected,
            "pending": link.pending,
            "dropped": link.dropped,
            "refused": link.refused,
            "public_key": self._public.get(twin, ""),
        }

    # -- Connector --------------------------------------------------------------------------------------------
    def decode(self, topic: str, payload: bytes, received: int) -> tuple[Sequence[Batch], Sequence[DecodeFault]]:
        """The machines speak servitwin's own form, which ingest reads itself: nothing is left to decode here."""
        where = f"{topic} ({len(payload)} bytes)"
        return (), (DecodeFault(Fault("topic:unknown", "The simulator decodes no topic", where=where)),)

    async def observations(self) -> AsyncIterator[tuple[str, bytes]]:
        """Nothing: the machines publish by themselves."""
        nothing: tuple[tuple[str, bytes], ...] = ()
        for message in nothing:
            yield message

    async def send(self, command: Command) -> None:
        """Carry out a command as if it had come over MQTT."""
        for twin in self._machines:
            if twin == command.twin:
                message = {"id": command.id, "parameters": command.parameters, "expires": command.expires}
                self._on_command(twin, command.name, msgspec.json.encode(message))

    async def discover(self) -> Sequence[Discovered]:
        """The configured machines."""
        return [
            Discovered(t, f"Simulated {m.config.model}", f"SIM-{m.config.seed:05d}", m.config.model)
            for t, m in self._machines.items()
        ]

    async def close(self) -> None:
        """See :class:`servitwin.sdk.connector.Connector`."""
        links, self._links = self._links, {}
        await asyncio.gather(*(asyncio.to_thread(link.close) for link in links.values()))


def _row(twin: str, spec: FaultSpec, defect: Defect | None) -> dict[str, Any]:
    return {
        "twin": twin,
        "fault": spec.name,
        "title": spec.title,
        "component": spec.component,
        "see": spec.see,
        "active": defect is not None,
        "repairing": defect is not None and defect.under_repair,
        "severity": round(defect.severity, 2) if defect else 0.0,
        "cause": "" if defect is None else "wear" if defect.by_wear else "tray",
        "since": format_instant(defect.since) if defect else None,
    }


def _later(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *arguments: Any) -> None:
    """Call on the event loop's thread; a loop that has ended needs no more messages."""
    try:
        loop.call_soon_threadsafe(function, *arguments)
    except RuntimeError:
        log.debug("message after the end dropped")
