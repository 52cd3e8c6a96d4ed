"""Runs a structure of FMUs in sandboxes and shows what it does."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.system_structure import SystemStructure, system_faults
from servitwin.sdk.model_archive import MOST_BYTES, open_model
from servitwin.sdk.service import Plan
from servitwin.services.operation.co_simulation.master import Master, thinned
from servitwin.services.operation.co_simulation.process import Cancelled
from servitwin.services.operation.co_simulation.ssp import read_structure

STRUCTURE = "SystemStructure.ssd"


class Problem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked; see README.md. ``refine``: run again with half the step and say how far the two lie apart."""

    fmus: dict[str, str] = {}
    system: SystemStructure | None = None
    ssp: str = ""
    step: float | None = None
    stop: float | None = None
    show: tuple[str, ...] = ()
    seconds_of_cpu: int = 60
    memory_mb: int = 512
    refine: bool = False


def check(problem: Mapping[str, Any]) -> Sequence[Fault]:
    """All faults of a problem that can be found without running an FMU."""
    try:
        _read(problem)
    except InvalidInputError as e:
        return e.faults
    return []


def solve(problem: Mapping[str, Any], budget: int, seed: int, cancel: Callable[[], bool]) -> Iterator[Plan]:
    """See :class:`servitwin.sdk.service.PlannerPlugin`: one plan, the trace; nothing in it is left to chance.

    Raises:
        InvalidInputError: ``fmu:...``, ``system:...`` with the FMU that is to blame.
    """
    del seed
    asked, system, fmus = _read(problem)
    cpu_s = max(1, min(asked.seconds_of_cpu, int(budget / 1e9) + 1))
    try:
        found = _run(system, fmus, cpu_s, asked.memory_mb, cancel)
        if asked.refine:
            halved = msgspec.structs.replace(system, step=system.step / 2)
            finer = _run(halved, fmus, cpu_s, asked.memory_mb, cancel)
            found["step_error"] = _apart(found, finer)
    except Cancelled:
        return
    yield Plan(0.0, 0.0, found)


def _run(
    system: SystemStructure, fmus: Mapping[str, bytes], cpu_s: int, memory_mb: int, cancel: Callable[[], bool]
) -> dict[str, Any]:
    with Master(system, fmus, cpu_s, memory_mb, cancel) as master:
        rows = list(master.rows())
        written = master.written()
        if written:
            said = f"An FMU made files: {'; '.join(written)[:300]}"
            raise InvalidInputError(Fault("fmu:writes-files", said, "An FMU may write nothing", "fmus"))
        names = master.shown_names()
        shown = thinned(rows)
        return {
            "do": "co-simulate",
            "title": system.title,
            "times": [t for t, _ in shown],
            "columns": {n: [values[n] for _, values in shown] for n in names},
            "units": {n: _unit(master, n) for n in names},
            "step": system.step,
            "steps": len(rows) - 1,
            "fmus": {
                name: {**part.about, "variables": list(part.variables.values())[:500]}
                for name, part in master.parts.items()
            },
            "system": msgspec.to_builtins(system),
        }


def _unit(master: Master, name: str) -> str:
    part, _, variable = name.partition(".")
    unit: str = master.parts[part].variables[variable]["unit"]
    return unit


def _apart(coarse: Mapping[str, Any], fine: Mapping[str, Any]) -> dict[str, float]:
    """Largest distance of each shown number between the two runs, at times that both have."""
    place = {round(t, 9): i for i, t in enumerate(fine["times"])}
    found: dict[str, float] = {}
    for name, values in coarse["columns"].items():
        others = fine["columns"][name]
        pairs = [
            (a, others[place[round(t, 9)]])
            for t, a in zip(coarse["times"], values, strict=True)
            if round(t, 9) in place
        ]
        apart = [abs(a - b) for a, b in pairs if isinstance(a, int | float) and isinstance(b, int | float)]
        found[name] = max(apart, default=0.0)
    return found


def _read(problem: Mapping[str, Any]) -> tuple[Problem, SystemStructure, dict[str, bytes]]:
    try:
        asked = msgspec.convert(dict(problem), Problem, strict=False)
    except msgspec.ValidationError as e:
        hint = "See README.md of co_simulation"
        raise InvalidInputError(Fault("system:problem", f"This is no problem: {e}", hint, "problem")) from None
    faults = []
    if not 1 <= asked.seconds_of_cpu <= 600 or not 64 <= asked.memory_mb <= 1024:
        said = f"{asked.seconds_of_cpu} s of CPU and {asked.memory_mb} MB"
        faults.append(Fault("system:limits", said, "1 to 600 s, 64 to 1024 MB", "seconds_of_cpu"))
    fmus = {name: _decoded(text, f"fmus.{name}", faults) for name, text in asked.fmus.items()}
    system = asked.system
    if asked.ssp:
        system, packed = _package(_decoded(asked.ssp, "ssp", faults), asked.step)
        fmus = {**packed, **fmus}
    if system is None:
        hint = "Give system, or ssp"
        raise InvalidInputError([*faults, Fault("system:none", "There is no structure", hint, "system")])
    system = msgspec.structs.replace(
        system,
        step=asked.step if asked.step is not None else system.step,
        stop=asked.stop if asked.stop is not None else system.stop,
        show=asked.show or system.show,
    )
    faults += system_faults(system)
    faults += _opened(system, fmus)
    if faults:
        raise InvalidInputError(faults)
    return asked, system, fmus


def _decoded(text: str, where: str, faults: list[Fault]) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        faults.append(Fault("system:not-base64", "This is no base64", "Give the bytes of the file in base64", where))
        return b""


def _package(content: bytes, step: float | None) -> tuple[SystemStructure, dict[str, bytes]]:
    """Structure and FMUs of an SSP package, read in memory."""
    package = open_model(content, "ssp")
    if STRUCTURE not in package.names:
        raise InvalidInputError(Fault("ssp:no-structure", f"It holds no {STRUCTURE}", "Bring in an .ssp", "ssp"))
    fmus = {name: package.read(name) for name in package.names if name.endswith(".fmu")}
    return read_structure(package.read(STRUCTURE), step), fmus


def _opened(system: SystemStructure, fmus: Mapping[str, bytes]) -> list[Fault]:
    """What is wrong with the archives; each component unpacks its own, so that their sizes add up."""
    faults: list[Fault] = []
    size = 0
    for c in system.components:
        if c.fmu not in fmus:
            hint = f"Given are {', '.join(sorted(fmus)) or 'none'}"
            faults.append(Fault("fmu:missing", f"The FMU {c.fmu[:100]!r} of {c.name} is not there", hint, "fmus"))
            continue
        try:
            size += open_model(fmus[c.fmu], f"fmus.{c.name}", c.name).size
        except InvalidInputError as e:
            faults += e.faults
    if size > MOST_BYTES:
        said = f"The FMUs of all components unpack to {size} bytes; {MOST_BYTES} are taken at most"
        faults.append(Fault("fmu:too-large", said, "Leave out what a simulation does not need", "fmus"))
    return faults
