"""Service tool_wear: which class of wear a tool is in, by tools that somebody looked at."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import HOUR, NS, parse_duration
from servitwin.domain.observation import Floats
from servitwin.domain.remaining_life.use_rows import RowSpec, RowState, UseRows
from servitwin.domain.wear_class import WearQuality, judge_wear, wear_class
from servitwin.sdk.service import Outcome, Parameters, ServiceBatch, TwinView

ABSURD = 1e15


class KnownTool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool that was looked at: means of its signals and of how it was run, and what was seen."""

    id: str
    signals: list[float]
    worn: bool
    given: list[float] = []


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters; see README.md."""

    signals: list[str]
    tools: list[KnownTool]
    given: list[str] = []
    component: str = "tool"
    confidence: float = 0.8
    every: str = "5m"
    in_use: str = ""
    renewed: str = ""


class Known(msgspec.Struct, frozen=True):
    """Tools as arrays, with how good words from them are."""

    signals: Floats
    worn: Any
    given: Floats
    quality: WearQuality


def check(parameters: Parameters) -> Sequence[Fault]:
    """All faults of the parameters."""
    try:
        wanted = msgspec.convert(dict(parameters), Wanted)
    except msgspec.ValidationError as e:
        hint = "Give signals and tools; README.md tells their form"
        return [Fault("tool-wear:parameters", str(e), hint, "parameters")]
    faults = []
    columns = [*wanted.signals, *wanted.given]
    if not wanted.signals or len(set(columns)) < len(columns):
        hint = "Name at least one signal, each once"
        faults.append(Fault("tool-wear:signals", f"signals are {wanted.signals}", hint, "signals"))
    if not 0.5 <= wanted.confidence <= 0.99:
        message = f"confidence is {wanted.confidence}"
        faults.append(Fault("tool-wear:confidence", message, "From 0.5 to 0.99", "confidence"))
    try:
        if parse_duration(wanted.every) < NS:
            faults.append(Fault("tool-wear:every", f"every is {wanted.every}", "At least one second", "every"))
    except InvalidInputError as e:
        faults.append(Fault(e.fault.code, e.fault.message, e.fault.hint, "every"))
    ids = [tool.id for tool in wanted.tools]
    for k, tool in enumerate(wanted.tools):
        where = f"tools[{k}]"
        if not all(abs(v) < ABSURD for v in (*tool.signals, *tool.given)):
            faults.append(Fault("tool-wear:tool-absurd", f"Tool {tool.id!r} has absurd means", "Measure it", where))
        if (len(tool.signals), len(tool.given)) != (len(wanted.signals), len(wanted.given)):
            hint = f"Give {len(wanted.signals)} means of signals and {len(wanted.given)} of how it was run"
            faults.append(Fault("tool-wear:tool-shape", f"Tool {tool.id!r} has others", hint, where))
        if ids.index(tool.id) != k:
            faults.append(Fault("tool-wear:tool-twice", f"Tool {tool.id!r} comes twice", "Give it once", where))
    if not faults:
        try:
            _known(wanted)
        except InvalidInputError as e:
            faults += e.faults
    return faults


def open(view: TwinView, parameters: Parameters, snapshot: bytes | None) -> Evaluator:
    """An evaluator at its start or at a snapshot."""
    memory = msgspec.msgpack.decode(snapshot, type=RowState) if snapshot else RowState()
    return Evaluator(view, parameters, memory)


class Evaluator:
    """Counts use into rows; after each one it compares the tool with those that were looked at."""

    def __init__(self, view: TwinView, parameters: Parameters, memory: RowState) -> None:
        self._wanted, self._memory = msgspec.convert(dict(parameters), Wanted), memory
        self._known = _known(self._wanted)
        self._use = UseRows(_spec(self._wanted, view), memory)

    def step(self, batch: ServiceBatch, watermark: int) -> Outcome:
        """What the signals tell of the tool after each stretch of use that was complete by the watermark."""
        outcome = Outcome()
        for part in self._use.take(batch.observations):
            if part.ended is None:
                outcome.results.append({"tool_wear": self._told(part.rows, part.time)})
                hours = self._use.spec.every / HOUR
                outcome.usage["machine_hours"] = outcome.usage.get("machine_hours", 0.0) + hours
        return outcome

    def snapshot(self) -> bytes:
        """What the next step needs."""
        return msgspec.msgpack.encode(self._memory)

    def _told(self, rows: Floats, time: int) -> dict[str, Any]:
        wanted, known = self._wanted, self._known
        place = {"component": wanted.component, "time": time, "life": self._memory.life, "since": self._memory.since}
        place |= {"confidence": wanted.confidence, "judged": msgspec.to_builtins(known.quality)}
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of a column without any value: told below
            mean = np.nanmean(rows, 0)
        names = (*wanted.signals, *wanted.given)
        lost = [n for n, v in zip(names, mean.tolist(), strict=True) if not abs(v) < ABSURD]
        if lost:
            message = f"Nothing that can be used was measured of {', '.join(lost)} while this tool was in use"
            doubt = Fault("tool-wear:not-measured", message, "Look at the sensor and its connection", lost[0])
            nothing = {
                "possible": [],
                "chances": {},
                "text": f"I do not know: nothing usable of {lost[0]} was measured",
            }
            return {**place, **nothing, "doubts": [msgspec.to_builtins(doubt)]}
        k = len(wanted.signals)
        said = wear_class(known.signals, known.worn, known.given, mean[:k], mean[k:], wanted.confidence)
        return {**place, **msgspec.to_builtins(said), "doubts": []}


def _spec(wanted: Wanted, view: TwinView) -> RowSpec:
    columns = (*wanted.signals, *wanted.given)
    gaps: Mapping[str, int | None] = {s.name: s.reporting.max_gap for s in view.type.signals} if view.type else {}
    held = {n: gaps.get(n) for n in (*columns, wanted.in_use) if n}
    return RowSpec(columns, parse_duration(wanted.every), wanted.in_use, wanted.renewed, held)


def _known(wanted: Wanted) -> Known:
    signals = np.array([tool.signals for tool in wanted.tools], np.float64).reshape(len(wanted.tools), -1)
    given = np.array([tool.given for tool in wanted.tools], np.float64).reshape(len(wanted.tools), len(wanted.given))
    worn = np.array([tool.worn for tool in wanted.tools], np.bool_)
    return Known(signals, worn, given, judge_wear(signals, worn, given, wanted.confidence))
