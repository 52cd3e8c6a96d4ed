"""The recorded batch as trace events: machine, program, tools and measured values of each part.

The recording names no material batch and no person, so that none is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from servitwin.connectors.recorded.qif import PartResult
from servitwin.domain.trace_event import TraceEvent, Used, Value, Verdict
from servitwin.domain.trace_id import part_id
from servitwin.sdk.recording import RecordedLine

PROGRAM, TOOL = "Program_Name_Running", "Current_Tool"
OVERRIDES = ("Feed_Override", "Rapid_Override", "Spindle_Override")


class OperationRun(NamedTuple):
    """An operation on one part by one machine, [start, end] as recorded."""

    part: str
    operation: str
    twin: str
    instance: int
    start: int
    end: int


def batch_part(product: str, instance: int) -> str:
    """Id of a part of the batch."""
    return part_id(f"nist-mtc-{product.lower()}-{instance:02}")


def batch_traces(
    runs: Sequence[OperationRun],
    lines: Mapping[str, Sequence[RecordedLine]],
    results: Mapping[tuple[str, int], PartResult],
) -> Iterator[TraceEvent]:
    """Events of all parts: the first operation makes a part, the later ones work on it, its inspection follows.

    Args:
        runs: all operations.
        lines: of each machine, by time.
        results: inspections by product and instance.
    """
    seen: set[tuple[str, int]] = set()
    last: dict[tuple[str, int], OperationRun] = {}
    for run in sorted((r for r in runs if r.end > r.start), key=lambda r: (r.start, r.end)):
        key = (run.part, run.instance)
        part = batch_part(*key)
        program, tools, settings = _what_it_used(run, lines.get(run.twin, ()))
        yield TraceEvent(
            "operation" if key in seen else "made", run.end, (part,), start=run.start,
            inputs=tuple(Used(part_id(f"{run.twin}-tool-{t}"), "tool") for t in tools),
            place=run.twin, product=run.part, program=program, step=run.operation, settings=settings,
            source_document="operations.csv",
        )  # fmt: skip
        seen.add(key)
        if key not in last or run.end > last[key].end:
            last[key] = run
    verdicts: dict[bool | None, Verdict] = {True: "pass", False: "fail"}
    for key, result in sorted(results.items()):
        # The report is dated weeks later, without a zone: the inspection follows the last operation that is recorded.
        at = last[key].end + 1 if key in last else None
        if at is not None:
            yield TraceEvent(
                "measured", at, (batch_part(*key),), product=key[0], measures=result.measures, role="inspector",
                verdict=verdicts.get(result.passed, ""), source_document=result.report,
            )  # fmt: skip


def _what_it_used(run: OperationRun, lines: Sequence[RecordedLine]) -> tuple[str, list[str], dict[str, Value]]:
    """Last program that was named, tools in order, and the largest overrides, from the machine's own words."""
    program = ""
    tools: dict[str, None] = {}
    largest: dict[str, float] = {}
    for line in lines:
        if not isinstance(line.time, int) or line.time > run.end:
            continue
        if line.signal == PROGRAM and line.value not in ("", "UNAVAILABLE"):
            program = line.value
        if line.time < run.start:
            continue
        number = _number(line.value)
        if line.signal == TOOL and number:
            tools[f"{number:g}"] = None
        elif line.signal in OVERRIDES and number is not None:
            name = f"{line.signal} (largest)"
            largest[name] = max(number, largest.get(name, number))
    return program, list(tools), dict(largest)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
