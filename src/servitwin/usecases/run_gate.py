"""Gates that wait: one at a time, each by a process of its own that ends; only a passed one is stated and signed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from servitwin.domain.canonical_json import canonical
from servitwin.domain.error import Fault, NotFoundError, ServitwinError
from servitwin.domain.kept_controller import KeptController
from servitwin.domain.machine_type import MachineType
from servitwin.domain.release import Gate, GatePolicy, GateStep, Release
from servitwin.domain.twin import Twin
from servitwin.proof.controller.conformance_report import Seen
from servitwin.proof.log.statement import Subject
from servitwin.usecases.check_controller import Checked, Limits, check_controller, read
from servitwin.usecases.gate_steps import Rehearsals, Rehearse, controller_step, replayed_step
from servitwin.usecases.judge_requirement import JudgeRequirement
from servitwin.usecases.keep_controller import text_of
from servitwin.usecases.ports import Files, HistoryReader, Records
from servitwin.usecases.registry import Registry
from servitwin.usecases.requirement_set import demands_of_type
from servitwin.usecases.rounds import Rounds
from servitwin.usecases.state_evidence import StateEvidence

RULE = "servitwin-gate@1"
LONGEST_S = 3600.0
_PATIENCE = 4.0  # times the seconds of the policy, for a check that another process does
Observe = Callable[[Twin, Sequence[str], int, int], Sequence[Seen]]


class RunGate:
    """Takes a release through the gate.

    Args:
        records: where gates wait.
        files: where results go.
        registry: machines and types.
        history: recordings.
        rehearse: a simulation of a machine of that type by itself; None where nothing can simulate it.
        observe: observations of a machine in [start, end).
        operator: the party that operates this node.
        clock: seconds that only grow; now: ns UTC.
        wait: pauses for a moment, while another process does the check that is needed here.
    """

    def __init__(
        self,
        records: Records,
        files: Files,
        registry: Registry,
        history: HistoryReader,
        rehearse: Callable[[str], Rehearse | None],
        observe: Observe,
        operator: Callable[[], str],
        clock: Callable[[], float],
        now: Callable[[], int],
        wait: Callable[[], None],
    ) -> None:
        self._wait = wait
        self._records, self._files, self._registry, self._history = records, files, registry, history
        self._rehearse, self._observe, self._operator = rehearse, observe, operator
        self._clock, self._now = clock, now

    def run_next(self) -> Gate | None:
        """Take the release that waits longest through the gate; None if none waits."""
        waiting = self._records.gates(state="waiting", limit=1)
        if not waiting:
            return None
        gate = self._keep(msgspec.structs.replace(waiting[0], state="running", began=self._now()))
        try:
            release = self._records.release(gate.release)
            if release is None:
                raise NotFoundError(Fault("release:unknown", f"There is no release {gate.release}"))
            for step in self._steps(release, gate.policy):
                gate = self._keep(msgspec.structs.replace(gate, steps=(*gate.steps, step)))
        except ServitwinError as e:
            return self._keep(msgspec.structs.replace(gate, state="failed", fault=e.fault, ended=self._now()))
        except MemoryError:
            fault = Fault("gate:out-of-memory", "The gate needed more memory than it may have", "Divide the model")
            return self._keep(msgspec.structs.replace(gate, state="failed", fault=fault, ended=self._now()))
        return self._decide(release, gate)

    def _keep(self, gate: Gate) -> Gate:
        with self._records.together("releases"):
            self._records.save_gate(gate)
            step = gate.steps[-1].name if gate.steps and gate.state == "running" else ""
            data = {"release": gate.release, "gate": gate.id, "state": gate.state, "step": step}
            self._records.add_event("release", gate.release, self._now(), data)
        return gate

    def _steps(self, release: Release, policy: GatePolicy) -> Any:
        machine_type = self._records.machine_type(release.machine_type, release.type_version)
        if machine_type is None:
            said = f"There is no {release.machine_type}@{release.type_version} any more"
            raise NotFoundError(Fault("machine-type:unknown", said))
        twins = self._machines(machine_type)
        checked, evidence, settled = self._check(release, policy, twins)
        yield controller_step(release, policy, checked, evidence)
        before = self._in_force(release)
        now = before.settings if before is not None else {}
        rehearsals = Rehearsals(machine_type, policy, now, release.settings, self._rehearse(machine_type.name))
        yield rehearsals.monitored()
        present = {d.name: d.digest for t in twins[:1] for d in self._present(t)}
        judge = JudgeRequirement(self._history, self._registry, self._records)
        demands = [d for d in demands_of_type(machine_type) if d.formula is not None]
        yield replayed_step(judge, twins, present, demands, policy, settled, checked)
        yield rehearsals.compared()

    def _machines(self, machine_type: MachineType) -> list[Twin]:
        found = [
            t
            for t in self._registry.twins()
            if (own := self._registry.type_at(t, self._now())) is not None and own.name == machine_type.name
        ]
        return sorted(found, key=lambda t: t.id)

    def _present(self, twin: Twin) -> Any:
        own = self._registry.type_at(twin, self._now())
        return demands_of_type(own) if own is not None else []

    def _in_force(self, release: Release) -> Release | None:
        """The newest release of the type before this one that passed and was not taken back."""
        earlier = [r for r in self._records.releases(release.machine_type) if r.at < release.at and not r.withdrawn]
        return next((r for r in earlier if any(g.state == "passed" for g in self._records.gates(r.id))), None)

    def _check(
        self, release: Release, policy: GatePolicy, twins: Sequence[Twin]
    ) -> tuple[Checked | None, str, int]:  # fmt: skip
        """The check of the controller's model, its address, and until when recordings are judged."""
        now = self._now()
        if not release.controller:
            return None, "", now
        name, _, version = release.controller.rpartition("@")
        kept = next((c for c in self._records.controllers(name) if str(c.version) == version), None)
        if kept is None:
            raise NotFoundError(Fault("controller:unknown", f"There is no {release.controller} any more"))
        source = text_of(self._files, kept)
        signals = sorted({o.signal for o in read(source).observe})
        seen: list[Seen] = []
        start = now - int(policy.recorded_hours * 3_600_000_000_000)
        for twin in twins[: policy.machines]:
            known = [s for s in signals if s in self._registry.signals(twin.uid, now)]
            seen = list(self._observe(twin, known, start, now)) if known else []
            if seen:
                break
        present = None if seen else self._done_before(kept, policy)
        if present is not None:
            return msgspec.json.decode(self._files.get(present) or b"", type=Checked), present, now
        limits = Limits(policy.seconds, policy.depth)
        found = check_controller(source, self._clock, observations=seen or None, limits=limits)
        bare = msgspec.structs.replace(found, obligations={}, obligations_of_older={})
        return bare, self._files.put(msgspec.json.encode(bare)), now

    def _done_before(self, kept: KeptController, policy: GatePolicy) -> str | None:
        """A finished check of the same text that searched at least as deep; one that is under way is waited for."""
        until = self._clock() + _PATIENCE * policy.seconds
        while self._clock() < until and any(
            c.state in ("waiting", "running") and c.depth >= policy.depth
            for c in self._records.checks_of_controller(kept.name, kept.version)
        ):
            self._wait()
        for check in self._records.checks_of_controller(kept.name, kept.version):
            if check.state == "done" and check.result and check.depth >= policy.depth and self._files.get(check.result):
                return check.result
        return None

    def _decide(self, release: Release, gate: Gate) -> Gate:
        """Passed only if every step that the policy needs passed (or is of no meaning for this type)."""
        good = {s.name for s in gate.steps if s.outcome in ("passed", "not-needed")}
        passed = set(gate.policy.needs) <= good and not any(s.outcome == "failed" for s in _needed(gate))
        ended = self._now()
        gate = msgspec.structs.replace(gate, state="passed" if passed else "blocked", ended=ended)
        record = {"rule": RULE, "release": release, "gate": gate}
        address = self._files.put(canonical(record))
        gate = msgspec.structs.replace(gate, record=address)
        if not passed:
            return self._keep(gate)
        with self._records.together("releases"):
            present = self._records.release(release.id)
            if present is not None and present.withdrawn is not None:  # taken back while it was tried
                said = f"{release.id} was taken back while it was tried"
                fault = Fault("release:withdrawn", said, "Bring in a new version", "id")
                return self._keep(msgspec.structs.replace(gate, state="blocked", fault=fault))
            evidence = StateEvidence(self._records, self._operator)
            statement = evidence.state("release", Subject(), ended, statement_body(release, gate), release.party)
            return self._keep(msgspec.structs.replace(gate, statement=statement))


def _needed(gate: Gate) -> list[GateStep]:
    return [s for s in gate.steps if s.name in gate.policy.needs]


def statement_body(release: Release, gate: Gate) -> dict[str, Any]:
    """What the statement of a passed gate says; ``record`` is the digest of the gate's whole record."""
    return {
        "release": release.id,
        "machine_type": release.machine_type,
        "type_version": release.type_version,
        "version": release.version,
        "artefact": release.artefact,
        "controller": release.controller,
        "settings": release.settings,
        "gate": gate.id,
        "record": gate.record,
        "steps": [{"name": s.name, "outcome": s.outcome} for s in gate.steps],
    }


def gate_rounds(records: Records, start: Callable[[], Awaitable[bytes]], now: Callable[[], int]) -> Rounds:
    """Rounds that take waiting releases through the gate; ``start`` runs the process for one."""

    def close_interrupted() -> int:
        stuck = records.gates(state="running")
        for gate in stuck:
            fault = Fault("gate:interrupted", "The gate ended before it was done", "Ask again")
            records.save_gate(msgspec.structs.replace(gate, state="failed", fault=fault, ended=now()))
        return len(stuck)

    return Rounds(start, lambda: bool(records.gates(state="waiting", limit=1)), close_interrupted, LONGEST_S)
