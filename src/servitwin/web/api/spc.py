"""Statistical process control: charts, capability and yield of what was measured."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Query, Response

from servitwin.domain.instant import DAY, parse_duration
from servitwin.domain.spc_chart import Line
from servitwin.domain.spc_rule import RULE_SETS
from servitwin.usecases.chart_quality import ChartQuality, ChartQuestion, QualityChart, YieldChart
from servitwin.web.api.answers import answer, at, full, provenance_url, range_of
from servitwin.web.api.callers import Me, Parts, known_twin
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.spc import CharacteristicList, SpcChart, YieldAnswer
from servitwin.web.api.trace_parts import sight
from servitwin.web.api.traces import From

router = router_of("quality")
_EVER = 100 * 366 * DAY
Rules = Literal["nelson", "western-electric"]


@router.get("/spc/characteristics", response_model=CharacteristicList)
def list_characteristics(parts: Parts, me: Me, from_: From = None, to: str | None = None) -> Response:
    """What was measured of which product, as far as the caller may see it."""
    start, end = range_of(from_, to, parts.now(), _EVER)
    found = _charts(parts, me).characteristics(start, end)
    return answer({"items": [{**full(c), "last": at(c.last)} for c in found]})


@router.get("/spc/chart", response_model=SpcChart)
def read_spc_chart(
    parts: Parts,
    me: Me,
    product: Annotated[str, Query(max_length=200)],
    characteristic: Annotated[str, Query(max_length=200)],
    machine: Annotated[str, Query(max_length=63)] = "",
    from_: From = None,
    to: str | None = None,
    kind: Annotated[
        Literal["xbar-r", "xbar-s", "individuals"] | None,
        Query(description="without it: as the parts were measured"),
    ] = None,
    size: Annotated[int, Query(ge=0, le=100, description="values in a subgroup; 0: as measured")] = 0,
    rules: Rules = "nelson",
    baseline: Annotated[int, Query(ge=2, le=10_000, description="first subgroups that the limits rest on")] = 25,
) -> Response:
    """Control chart and capability of one characteristic; points that break a rule say which."""
    start, end = range_of(from_, to, parts.now(), _EVER)
    twin = known_twin(parts, me, machine).uid if machine else None
    question = ChartQuestion(product, characteristic, start, end, twin, kind, size, rules, baseline)
    where = provenance_url(
        "spc", product=product, characteristic=characteristic, machine=machine, from_=at(start), to=at(end)
    )
    return answer(_chart(_charts(parts, me).chart(question), rules, where))


@router.get("/spc/yield", response_model=YieldAnswer)
def read_yield(
    parts: Parts,
    me: Me,
    machine: Annotated[str, Query(max_length=63)] = "",
    from_: From = None,
    to: str | None = None,
    every: Annotated[str, Query(description="length of a point's window")] = "1h",
) -> Response:
    """First pass yield by machine and rolled over all, failed parts over time as a p chart, and why they failed."""
    start, end = range_of(from_, to, parts.now(), DAY)
    twin = known_twin(parts, me, machine).uid if machine else None
    found = _charts(parts, me).yields(start, end, twin, max(1, parse_duration(every)))
    where = provenance_url("spc", machine=machine, from_=at(start), to=at(end))
    return answer(_yields(found, where))


def _charts(parts: WebParts, me: Me) -> ChartQuality:
    return ChartQuality(parts.records, sight(parts, me))


def _rules(name: str) -> list[dict[str, Any]]:
    return [{"name": r.name, "says": r.says, "length": r.length} for r in RULE_SETS[name]]


def _line(line: Line) -> dict[str, Any]:
    return {"centre": line.centre, "lower": line.lower, "upper": line.upper}


def _chart(c: QualityChart, rules: str, where: str) -> dict[str, Any]:
    points = [
        {
            "start": at(s.start), "end": at(s.end), "parts": list(s.parts), "value": p.value,
            "sigmas": p.sigmas if math.isfinite(p.sigmas) else None, "rules": list(p.rules), "spread": q.value,
            "spread_rules": list(q.rules),
        }
        for s, p, q in zip(c.samples, c.location, c.spread, strict=True)
    ]  # fmt: skip
    return {
        "product": c.question.product, "characteristic": c.question.characteristic, "unit": c.unit,
        "kind": c.limits.kind, "size": c.limits.size, "groups": c.limits.groups, "measured": c.measured,
        "tolerance": full(c.tolerance), "location": _line(c.limits.location), "spread": _line(c.limits.spread),
        "points": points, "rules": _rules(rules),
        "capability": None if c.capability is None else full(c.capability), "warnings": full(c.warnings),
        "provenance": where,
    }  # fmt: skip


def _yields(y: YieldChart, where: str) -> dict[str, Any]:
    points = [
        {
            "start": at(s), "failed": failed, "entered": entered, "value": p.value, "line": _line(p.line),
            "rules": list(p.rules),
        }
        for s, (failed, entered), p in zip(y.starts, y.counts, y.points, strict=False)
    ]  # fmt: skip
    steps = [{"step": name, **msgspec.structs.asdict(found)} for name, found in y.steps.items()]
    return {
        "steps": steps, "rolled": y.rolled, "points": points, "reasons": y.reasons, "rules": _rules("nelson")[:4],
        "warnings": full(y.warnings), "provenance": where,
    }  # fmt: skip
