"""A watch over requirements on a real history and real records, with the clock in the test's hand."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from servitwin.domain.case import CaseStanding, CaseStep, Repaired, case_standing
from servitwin.domain.instant import NS
from servitwin.domain.machine_type import MachineType, SignalTest, StateMapping, StateRule
from servitwin.domain.observation import CONNECTION, Rows
from servitwin.domain.requirement import Requirement
from servitwin.domain.signal import Reporting, SignalDefinition
from servitwin.domain.state_time import State
from servitwin.domain.twin import Dated, Twin
from servitwin.engines.history import DeltaWriter, DuckReader
from servitwin.engines.records import SqlRecords, migrate
from servitwin.usecases.join_alarms import JoinAlarms
from servitwin.usecases.keep_cases import KeepCases
from servitwin.usecases.registry import Registry
from servitwin.usecases.requirement_set import RequirementSet
from servitwin.usecases.state_evidence import StateEvidence
from servitwin.usecases.watch_requirements import WatchRequirements

UID = "019a0000-0000-7000-8000-000000000001"
T0 = 1_790_000_000 * NS
SIGNALS = (
    SignalDefinition("heat", "number", "Cel"),
    SignalDefinition("fan", "text", values=("ON", "OFF")),
    SignalDefinition("beat", "number", "1", reporting=Reporting("periodic", 10 * NS)),
    SignalDefinition("trouble", "condition"),
    SignalDefinition("fan.alarm", "flag", component="fan"),
)
COOLS = Requirement(
    "cools", "A hot machine has its fan on within a minute.", "heat > 80 Cel -> eventually[0s, 60s](fan is ON)"
)
BELOW = Requirement("below", "Never above 100 degrees.", "heat < 100 Cel")
STATES = StateMapping(
    (StateRule((SignalTest("fan", ("ON",)),), State.PRODUCING),), needs=("fan",), otherwise=State.STANDBY
)


def kind(version: int, *requirements: Requirement, signals: tuple[SignalDefinition, ...] = SIGNALS) -> MachineType:
    return MachineType("oven", version, signals=signals, requirements=requirements, states=STATES)


class Bench:
    """Times are seconds after :data:`T0`."""

    def __init__(self, folder: Path, *requirements: Requirement) -> None:
        self.folder = folder
        url = f"sqlite:///{folder / 'records.db'}"
        migrate(url)
        self.records = SqlRecords(url)
        self.records.add_machine_type(kind(1, *requirements))
        self.save(Twin(UID, "oven-1", "machine", type=(Dated("oven@1", 0),)))
        self._seq = itertools.count(1)
        self._ids = itertools.count(1)
        self.told: list[str] = []
        self.start()

    def save(self, twin: Twin) -> None:
        self.records.save_twin(twin)

    def start(self) -> None:
        """A new process: nothing is known but what is on disk."""
        history = DuckReader(self.folder / "history", define=self._define, threads=1)
        self.registry = registry = Registry(self.records)
        evidence = StateEvidence(self.records, lambda: "maker")
        self.cases = cases = KeepCases(
            history,
            registry,
            self.records,
            evidence,
            lambda s, _: self.told.append(s),
            lambda: f"c{next(self._ids)}",
            history.cut,
            lambda: 0.0,  # judging takes no time: a busy machine postpones nothing
        )
        self.demands = demands = RequirementSet(registry, self.records)
        self.watch = WatchRequirements(history, registry, self.records, demands, cases)
        self.alarms = JoinAlarms(history, registry, self.records, cases)

    def _define(self, twin: str, signal: str) -> SignalDefinition | None:
        known = {s.name: s for s in (*SIGNALS, SignalDefinition(CONNECTION, "text"))}
        return known.get(signal) if twin == UID else None

    def hear(self, *said: tuple[float, str, Any]) -> None:
        """Observations that are committed now, whatever their time is."""
        n = len(said)
        time = np.array([T0 + int(t * NS) for t, _, _ in said], np.int64)
        signals = sorted({s for _, s, _ in said})
        seq = np.array([next(self._seq) for _ in said], np.int64)
        rows = Rows(
            twins=[UID],
            signals=signals,
            twin=np.zeros(n, np.int32),
            signal=np.array([signals.index(s) for _, s, _ in said], np.int32),
            time=time,
            received=time,
            number=np.array([v if isinstance(v, float) else np.nan for *_, v in said]),
            text=[v if isinstance(v, str) else None for *_, v in said],
            flag=np.array([int(v) if isinstance(v, bool) else -1 for *_, v in said], np.int8),
            quality=np.zeros(n, np.uint8),
            replayed=np.zeros(n, np.bool_),
            shard=np.zeros(n, np.int32),
            seq=seq,
            idx=np.zeros(n, np.int32),
        )
        writer = DeltaWriter(self.folder / "history", shard=0, now=lambda: T0)
        writer.commit([rows], [], {"S/1/0": int(seq.max())}, {})

    def until(self, second: float) -> int:
        """One round of the watch, everything before that second judged."""
        self.registry.reload()
        now = T0 + int((second + 3) * NS)
        watched = self.watch.advance(now)
        self.alarms.advance(now)
        return watched

    def prove(self, second: float) -> int:
        """Look at that second whether repairs are proven."""
        return self.cases.prove_repairs(self.demands, T0 + int(second * NS))

    def repair(self, case: str, second: float, said: float | None = None) -> None:
        """A person says at ``said`` that the machine was mended at a second."""
        [(_, steps)] = self.records.cases(id=case)
        body = Repaired("", "fan", "part", "ann", T0 + int(second * NS))
        at = T0 + int((second if said is None else said) * NS)
        assert self.records.add_case_step(CaseStep(case, len(steps) + 1, at, "ann", body))

    def standings(self) -> list[CaseStanding]:
        return [case_standing(c, steps, T0 + 10**6 * NS) for c, steps in self.records.cases([UID])]

    def found(self, requirement: str) -> list[tuple[float, float | None]]:
        """Violations of a requirement as seconds, in all of its cases."""
        return sorted(
            ((f.start - T0) / NS, None if f.end is None else (f.end - T0) / NS)
            for s in self.standings()
            if s.case.requirement == requirement
            for f in s.findings
        )  # fmt: skip

    def steps(self) -> Mapping[str, int]:
        """How many steps of each kind all cases have."""
        kinds: dict[str, int] = {}
        for _, steps in self.records.cases([UID]):
            for step in steps:
                name = type(step.body).__name__
                kinds[name] = kinds.get(name, 0) + 1
        return kinds
