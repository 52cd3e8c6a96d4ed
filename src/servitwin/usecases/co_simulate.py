"""Set-ups simulated before a machine runs them, and compared with the machine afterwards."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import numpy as np

from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError
from servitwin.domain.expected_trace import Compared, Drawn, Expected, compare, drawn, expected_faults
from servitwin.domain.finding import FoundSignal, Severity
from servitwin.domain.fmu import KeptFmu
from servitwin.domain.instant import NS
from servitwin.domain.job import Job
from servitwin.domain.party import Actor
from servitwin.domain.register import RegisterEntry
from servitwin.domain.system_structure import SystemStructure
from servitwin.domain.twin import Twin
from servitwin.sdk.finding import ServiceFinding
from servitwin.sdk.model_archive import open_model
from servitwin.usecases.jobs import Jobs
from servitwin.usecases.ports import Files, HistoryReader
from servitwin.usecases.registers import Registers

FMUS = "fmus"
SERVICE = "co_simulation"
VERSION = "1.0.0"
CODE = "co-simulation:deviation"
MOST_BYTES = 8 * 2**20
_HEAD = 20_000  # bytes of a description that its version and name are looked for in
_DESCRIPTION, _STRUCTURE = "modelDescription.xml", "SystemStructure.ssd"
_VERSION = re.compile(rb'fmiVersion\s*=\s*["\']([0-9][0-9.a-z-]{0,20})["\']')
_NAME = re.compile(rb'(?:modelName|name)\s*=\s*["\']([^"\']{1,200})["\']')


class SetUp(msgspec.Struct, frozen=True):
    """What is simulated: a structure with FMUs by their ids in the register, or an SSP package by its id."""

    system: SystemStructure | None = None
    fmus: dict[str, str] = {}
    ssp: str = ""
    step: float | None = None
    stop: float | None = None
    show: tuple[str, ...] = ()
    refine: bool = False
    budget_s: float = 120.0
    title: str = ""


class Watched(msgspec.Struct, frozen=True):
    """A signal of the machine, what was simulated for it (``component.variable``), and the tolerance."""

    signal: str
    shown: str
    within: float = 0.0
    share: float = 0.0
    early_late: float = 0.0
    lasting: float = 0.0
    component: str = ""
    severity: Severity = "medium"


class CoSimulate:
    """Models and set-ups, for one caller at a time."""

    def __init__(self, registers: Registers, jobs: Jobs, files: Files, history: HistoryReader) -> None:
        self._registers, self._jobs, self._files, self._history = registers, jobs, files, history

    def keep(self, actor: Actor, id: str, content: bytes, title: str = "") -> RegisterEntry:
        """Keep an FMU or SSP package in the register of the caller's company; nothing of it is run.

        Raises:
            InvalidInputError: ``fmu:description`` for what is neither, and as
                :func:`servitwin.sdk.model_archive.open_model`.
        """
        if len(content) > MOST_BYTES:
            raise InvalidInputError(Fault("fmu:too-large", f"A model may have {MOST_BYTES} bytes", "Divide it", id))
        kind, name, version = _looked_at(content, id)
        kept = KeptFmu(kind, self._files.put(content), len(content), title or name, version)  # type: ignore[arg-type]
        return self._registers.put(actor, FMUS, id, msgspec.to_builtins(kept))

    def ask(self, actor: Actor, setup: SetUp) -> Job:
        """Have a set-up simulated; what is wrong with it, or with an FMU, is found by the job.

        Raises:
            NotFoundError: ``register:entry-unknown`` for a model that is not in the caller's register.
        """
        problem: dict[str, Any] = {
            "fmus": {name: self._content(actor, id) for name, id in setup.fmus.items()},
            "step": setup.step, "stop": setup.stop, "show": list(setup.show), "refine": setup.refine,
            "seconds_of_cpu": max(1, min(600, int(setup.budget_s))),
        }  # fmt: skip
        if setup.system is not None:
            problem["system"] = msgspec.to_builtins(setup.system)
        if setup.ssp:
            problem["ssp"] = self._content(actor, setup.ssp)
        return self._jobs.ask(SERVICE, problem, actor, budget_s=setup.budget_s, about=f"set-up {setup.title}".strip())

    def compare(
        self, actor: Actor, job: str, twin: Twin, name: str, begin: int, watched: Sequence[Watched]
    ) -> list[tuple[Compared, Drawn]]:
        """Compare a machine with its simulated set-up that began at ``begin`` (ns UTC), and both courses for a chart.

        Raises:
            NotFoundError: ``job:unknown``.
            ConflictError: ``setup:not-simulated``.
            InvalidInputError: ``setup:nothing-watched``, ``setup:not-shown``, ``expected:...``, all at once.
        """
        asked = self._jobs.one(actor, job)
        plan = self._jobs.result(asked) if asked.service == SERVICE else None
        if plan is None:
            hint = "Wait until the job is done, or have the set-up simulated"
            raise ConflictError(Fault("setup:not-simulated", f"The job {job} has no simulated trace", hint, "id"))
        if not watched:
            hint = "Name a signal of the machine with the simulated variable"
            raise InvalidInputError(Fault("setup:nothing-watched", "No signal is compared", hint, "signals"))
        faults: list[Fault] = []
        expected: list[Expected] = []
        for i, one in enumerate(watched):
            column = plan["columns"].get(one.shown)
            if column is None:
                shown = ", ".join(plan["columns"])
                said = f"{one.shown[:100]!r} was not simulated"
                faults.append(Fault("setup:not-shown", said, f"Simulated were {shown}", f"signals[{i}].shown"))
                continue
            made = _expected(one, plan["times"], column)
            faults += expected_faults(made, f"signals[{i}]")
            expected.append(made)
        if faults:
            raise InvalidInputError(faults)
        return [self._compared(twin, name, begin, e) for e in expected]

    def _compared(self, twin: Twin, name: str, begin: int, expected: Expected) -> tuple[Compared, Drawn]:
        start = begin + int(expected.times[0] * NS)
        end = begin + int(expected.times[-1] * NS) + 1
        series = self._history.series(twin.uid, expected.signal, start, end)
        values = series.number if series.number is not None else np.full(len(series.time), np.nan)
        found = compare(expected, twin.uid, name, begin, series.time, values)
        return found, drawn(expected, begin, series.time, values)

    def _content(self, actor: Actor, id: str) -> str:
        kept = msgspec.convert(self._registers.one(actor, FMUS, id).body, KeptFmu)
        content = self._files.get(kept.file)
        if content is None:
            raise NotFoundError(Fault("file:missing", f"The file of {id} is gone", "Restore a backup", "fmus"))
        return base64.b64encode(content).decode()


def _expected(one: Watched, times: Sequence[float], column: Sequence[Any]) -> Expected:
    pairs = [(t, float(v)) for t, v in zip(times, column, strict=True) if isinstance(v, int | float)]
    return Expected(
        one.signal, tuple(t for t, _ in pairs), tuple(v for _, v in pairs), one.within, one.share, one.early_late,
        one.lasting, one.component, one.severity,
    )  # fmt: skip


def _looked_at(content: bytes, id: str) -> tuple[str, str, str]:
    """Kind, name and FMI version of a model file, from a look at its description as text."""
    archive = open_model(content, id)
    inside = next((n for n in (_DESCRIPTION, _STRUCTURE) if n in archive.names), "")
    head = archive.read(inside, _HEAD) if inside else b""
    version = _VERSION.search(head)
    if not inside or (inside == _DESCRIPTION and version is None):
        said = f"It holds neither a readable {_DESCRIPTION} nor a {_STRUCTURE}"
        raise InvalidInputError(Fault("fmu:description", said, "Bring in an FMU or an SSP package", id))
    name = _NAME.search(head)
    title = name[1].decode("utf-8", "replace") if name else id
    if inside == _STRUCTURE:
        return "ssp", title, ""
    assert version is not None
    return "fmu", title, version[1].decode()


def as_service_findings(name: str, compared: Sequence[Compared]) -> list[ServiceFinding]:
    """Deviations in the form in which services tell what they found; one case for each set-up."""
    told = []
    for one in compared:
        for f in one.findings:
            apart = -f.least if f.least is not None else 0.0
            text = f"{one.signal} did not follow the set-up {name}: up to {apart:.4g} beyond its tolerance"
            severity: Literal["low", "medium", "high"] = "high" if f.severity == "safety" else f.severity
            told.append(
                ServiceFinding(
                    CODE, f.start, text[:500], (FoundSignal(one.signal),), f.end, f.component,
                    severity, name[:100], (), one.signal,
                )
            )  # fmt: skip
    return told
