"""Service part_trace: trace events of the parts that a machine finishes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.instant import NS
from servitwin.domain.observation import Observation
from servitwin.domain.trace_event import Measure, TraceEvent, Used, Value, Verdict
from servitwin.domain.trace_id import batch_id, check_gtin, part_id
from servitwin.sdk.service import Outcome, Parameters, ServiceBatch, TwinView

NAMES = ("tolerances", "gtins")
PART = "mtconnect:PART_UNIQUE_ID"
MEASURED = "servitwin:MEASURED"
ONE_OF = {
    "mtconnect:PART_STATUS": "status",
    "mtconnect:PART_KIND_ID": "product",
    "mtconnect:PROGRAM": "program",
    "mtconnect:TOOL_ASSET_ID": "tool",
    "servitwin:MATERIAL_BATCH": "batch",
    "servitwin:OPERATOR_ROLE": "role",
    "servitwin:SCRAP_REASON": "reason",
    "servitwin:CYCLE_TIME": "cycle",
    "servitwin:CONTAINER": "container",
}
SETTINGS = ("mtconnect:PATH_FEEDRATE_OVERRIDE", "servitwin:SETTING")
VERDICTS: Mapping[str, Verdict] = {"PASS": "pass", "FAIL": "fail"}
LONGEST_WORD = 200


class Memory(msgspec.Struct):
    """What is kept between steps: the value that holds of each signal, and the part that was told last."""

    held: dict[str, Value | None] = {}
    last: str = ""


def check(parameters: Parameters) -> Sequence[Fault]:
    """All faults of the parameters."""
    faults = [
        Fault("part_trace:parameter-unknown", f"There is no parameter {n!r}", f"One of {', '.join(NAMES)}", n)
        for n in parameters
        if n not in NAMES
    ]
    tolerances = parameters.get("tolerances", {})
    if not isinstance(tolerances, Mapping) or not all(_is_tolerance(t) for t in tolerances.values()):
        hint = "{signal: {product: [lower, upper]}} or {signal: [lower, upper]}, lower below upper, null: no limit"
        faults.append(Fault("part_trace:tolerances", "Tolerances are not understood", hint, "tolerances"))
    gtins = parameters.get("gtins", {})
    if not isinstance(gtins, Mapping):
        faults.append(Fault("part_trace:gtins", "gtins is no map", "{product: GTIN}", "gtins"))
    else:
        faults += [f for p, g in gtins.items() for f in check_gtin(str(g), f"gtins.{p}")]
    return faults


def _is_tolerance(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_pair(v) for v in value.values())
    return _is_pair(value)


def _is_pair(value: Any) -> bool:
    if not isinstance(value, list | tuple) or len(value) != 2:
        return False
    low, high = value
    if any(v is not None and (isinstance(v, bool) or not isinstance(v, int | float)) for v in value):
        return False
    return low is None or high is None or low < high


def open(view: TwinView, parameters: Parameters, snapshot: bytes | None) -> Evaluator:
    """An evaluator at its start or at a snapshot."""
    return Evaluator(view, parameters, msgspec.json.decode(snapshot, type=Memory) if snapshot else Memory())


class Evaluator:
    """Goes through observations in order and tells each part once it is finished."""

    def __init__(self, view: TwinView, parameters: Parameters, memory: Memory) -> None:
        signals = view.type.signals if view.type is not None else ()
        self._place = view.twin.id
        self._part = next((s.name for s in signals if s.semantic == PART), None)
        self._named = {ONE_OF[s.semantic]: s.name for s in signals if s.semantic in ONE_OF}
        self._measured = {s.name: s.unit for s in signals if s.semantic == MEASURED}
        self._settings = [s.name for s in signals if s.semantic in SETTINGS]
        self._tolerances: Mapping[str, Any] = parameters.get("tolerances", {})
        self._gtins: Mapping[str, str] = parameters.get("gtins", {})
        self._memory = memory

    def step(self, batch: ServiceBatch, watermark: int) -> Outcome:
        """Events of the parts that were finished before the watermark."""
        outcome = Outcome()
        for at, values in _by_time(batch.observations):
            self._memory.held.update(values)
            part = self._memory.held.get(self._part or "")
            if self._part not in values or not isinstance(part, str) or not part or part == self._memory.last:
                continue
            if len(part) > LONGEST_WORD or not part.isprintable():
                continue
            self._memory.last = part
            outcome.results += [{"trace": msgspec.to_builtins(e)} for e in self._events(part, at)]
            outcome.usage["parts"] = outcome.usage.get("parts", 0.0) + 1
        return outcome

    def snapshot(self) -> bytes:
        """What the next step needs."""
        return msgspec.json.encode(self._memory)

    def _events(self, serial: str, at: int) -> Iterator[TraceEvent]:
        product = self._text("product")
        gtin = self._gtins.get(product, "")
        parts = (part_id(serial, gtin),)
        container, status = self._text("container"), VERDICTS.get(self._text("status"), "")
        cycle = self._memory.held.get(self._named.get("cycle", ""))
        long = isinstance(cycle, int | float) and not isinstance(cycle, bool) and 0 < cycle < 1e6
        start = at - int(float(cycle) * NS) if long and cycle is not None else None
        reason = self._text("reason") if status == "fail" else ""
        if "container" not in self._named:
            yield TraceEvent(
                "made", at, parts, start=start, inputs=tuple(self._inputs(gtin)), place=self._place, product=product,
                program=self._text("program"), role=self._text("role"), settings=self._set(), verdict=status,
                reason=reason,
            )  # fmt: skip
        elif container and status != "fail":
            yield TraceEvent("packed", at, parts, parent=part_id(container), place=self._place)
        measures = tuple(self._measures(product))
        if measures:
            yield TraceEvent("measured", at, parts, place=self._place, product=product, measures=measures)
        if status == "fail":
            yield TraceEvent("scrapped", at, parts, place=self._place, product=product, reason=reason)

    def _inputs(self, gtin: str) -> Iterator[Used]:
        batch, tool = self._text("batch"), self._text("tool")
        if batch:
            yield Used(batch_id(batch, gtin), "batch", 1.0)
        if tool:
            yield Used(part_id(tool), "tool")

    def _measures(self, product: str) -> Iterator[Measure]:
        for name, unit in self._measured.items():
            value = self._memory.held.get(name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            given = self._tolerances.get(name, (None, None))
            pair = given.get(product, (None, None)) if isinstance(given, Mapping) else given
            lower, upper = (None if v is None else float(v) for v in pair)
            nominal = None if lower is None or upper is None else round((lower + upper) / 2, 9)
            yield Measure(name.removeprefix("part."), float(value), unit, lower, upper, nominal)

    def _set(self) -> dict[str, Value]:
        return {n: v for n in self._settings if (v := self._memory.held.get(n)) is not None}

    def _text(self, role: str) -> str:
        value = self._memory.held.get(self._named.get(role, ""))
        usable = isinstance(value, str) and len(value) <= LONGEST_WORD and value.isprintable()
        return str(value).strip() if usable else ""


def _by_time(observations: Mapping[str, Sequence[Observation]]) -> Iterator[tuple[int, dict[str, Value | None]]]:
    """Values of all signals that were said at one time together, in order of time; the last one of a time holds."""
    rows = [(o.time, o.shard, o.seq, o.idx, name, o.value) for name, series in observations.items() for o in series]
    rows.sort(key=lambda r: r[:5])
    now: dict[str, Value | None] = {}
    at: int | None = None
    for row in rows:
        if at is not None and row[0] != at:
            yield at, now
            now = {}
        at = row[0]
        now[row[4]] = row[5]
    if at is not None:
        yield at, now
