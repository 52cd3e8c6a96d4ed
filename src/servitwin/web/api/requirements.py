"""Requirements of machines: which there are, what they say, how they would have done, and their verdicts."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

from fastapi import Path, Query, Response

from servitwin.domain.case import CaseStanding
from servitwin.domain.error import Fault, InvalidInputError, NotFoundError
from servitwin.domain.formula.token import place_of
from servitwin.domain.formula.tree import LOGIC
from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.requirement import RepairRule, Requirement
from servitwin.domain.twin import Twin
from servitwin.proof.monitor.trace import Piece, Verdict
from servitwin.proof.repair import demanded
from servitwin.usecases.requirement_set import Demand
from servitwin.web.api.answers import answer, at, cut_out, range_of
from servitwin.web.api.callers import Me, Parts, permitted_twin, readable_span
from servitwin.web.api.case_parts import CaseParts, Cases
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.requirement import (
    FormulaAnswer,
    FormulaIn,
    RequirementIn,
    RequirementsAnswer,
    RequirementShape,
    TryAnswer,
    TryIn,
    VerdictsAnswer,
)

router = router_of("requirements")
_MOST_SHOWN = 1000
_RECENT = 30 * DAY
Name = Annotated[str, Path(max_length=200)]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}\Z", re.ASCII)


@router.get("/twins/{id}/requirements", response_model=RequirementsAnswer)
def list_requirements(parts: Parts, cases: Cases, me: Me, id: str) -> Response:
    """Requirements of a machine type and those added to this machine, with what is certain about each now."""
    twin = permitted_twin(parts, me, id, "read")
    now = parts.now()
    standings = cases.act.list(me, twins=[twin.uid])
    items = [_demand_out(parts, cases, twin, d, standings, now) for d in cases.set.of(twin, now)]
    return answer({"twin": twin.id, "items": items})


@router.put("/twins/{id}/requirements/{name}", response_model=RequirementShape)
def save_requirement(parts: Parts, cases: Cases, me: Me, id: str, name: Name, body: RequirementIn) -> Response:
    """Add a requirement to a machine, or change one that was added."""
    twin = permitted_twin(parts, me, id, "configure")
    if not _NAME.match(name):
        raise InvalidInputError(
            Fault("requirement:name-wrong", "A name has letters, digits, `_`, `-` and `.`", "Choose another", "name")
        )
    rule = RepairRule(body.repair.when, body.repair.times, int(body.repair.lasting_s * 1e9))
    requirement = Requirement(name, body.text, body.formula, body.severity, rule)
    demand = cases.save.save(twin, requirement, me)
    standings = cases.act.list(me, twins=[twin.uid])
    return answer(_demand_out(parts, cases, twin, demand, standings, parts.now()))


@router.delete("/twins/{id}/requirements/{name}", status_code=204)
def remove_requirement(parts: Parts, cases: Cases, me: Me, id: str, name: Name) -> Response:
    """Take back a requirement that was added; what it found stays."""
    twin = permitted_twin(parts, me, id, "configure")
    cases.save.remove(twin, name, me)
    return Response(status_code=204)


@router.post("/twins/{id}/requirements/check", response_model=FormulaAnswer)
def check_formula(parts: Parts, cases: Cases, me: Me, id: str, body: FormulaIn) -> Response:
    """Read a formula as it is written: what it says, or every fault at its characters."""
    twin = permitted_twin(parts, me, id, "read")
    demand = _draft(parts, cases, twin, body)
    checked = demand.checked
    faults = [_fault_out(body.formula, f) for f in checked.faults]
    return answer(
        {
            "words": demand.words,
            "signals": list(checked.signals),
            "horizon_s": checked.future / 1e9,
            "faults": faults,
        }
    )


@router.post("/twins/{id}/requirements/try", response_model=TryAnswer)
def try_formula(parts: Parts, cases: Cases, me: Me, id: str, body: TryIn) -> Response:
    """How often a formula would have been violated in a stretch of history."""
    twin = permitted_twin(parts, me, id, "read")
    demand = _draft(parts, cases, twin, body)
    if demand.formula is None:
        raise InvalidInputError(demand.checked.faults)
    start, end = range_of(str(body.from_), str(body.to), parts.now(), DAY)
    start, end = _readable(parts, me, twin, demand, start, end)
    found = cases.judge.try_out(twin, demand.formula, start, end, parts.now())
    return answer(
        {
            "from": at(start),
            "to": at(end),
            "violations": [_piece_out(p) for p in found.violations[:_MOST_SHOWN]],
            "count": len(found.violations),
            "triggered": found.triggered,
            "seconds": found.seconds,
        }
    )


@router.get("/twins/{id}/verdicts", response_model=VerdictsAnswer)
def read_verdicts(
    parts: Parts,
    cases: Cases,
    me: Me,
    id: str,
    requirement: Annotated[str, Query(description="full name of the requirement")],
    from_: Annotated[str | None, Query(alias="from", description="default: a day before `to`")] = None,
    to: Annotated[str | None, Query(description="default: now")] = None,
) -> Response:
    """Verdicts of a requirement over a stretch of history, by the same monitor that watches it live."""
    twin = permitted_twin(parts, me, id, "read")
    start, end = range_of(from_, to, parts.now(), DAY)
    demand = cases.set.find(twin, requirement, min(end, parts.now()))
    if demand is None or demand.formula is None:
        raise NotFoundError(
            Fault(
                "requirement:unknown",
                f"{twin.id} has no requirement {requirement[:80]!r}",
                f"One of: {', '.join(d.name for d in cases.set.of(twin, parts.now()))}",
                "requirement",
            )
        )
    start, end = _readable(parts, me, twin, demand, start, end)
    cut = parts.history.cut()
    pieces = cases.judge.verdicts(twin, demand.formula, start, end, parts.now(), cut)
    return answer(
        {
            "twin": twin.id,
            "requirement": demand.name,
            "digest": demand.digest,
            "logic": LOGIC,
            "from": at(start),
            "to": at(end),
            "pieces": [_piece_out(p) for p in pieces],
            "cut": cut_out(cut),
        }
    )


def _draft(parts: WebParts, cases: CaseParts, twin: Twin, body: FormulaIn) -> Demand:
    name = f"{body.component}.draft" if body.component else "draft"
    return cases.set.demand(twin, Requirement(name, "", body.formula), parts.now())


def _readable(parts: WebParts, me: Me, twin: Twin, demand: Demand, start: int, end: int) -> tuple[int, int]:
    """The part of the range in which the caller may read every signal of the formula."""
    for signal in demand.checked.signals:
        start, end = readable_span(parts, me, twin, signal if signal != "state" else "", start, end)
    return start, end


def _demand_out(
    parts: WebParts, cases: CaseParts, twin: Twin, d: Demand, standings: list[CaseStanding], now: int
) -> dict[str, Any]:
    mine = [s for s in standings if s.case.requirement == d.name]
    current = next((s for s in mine if s.open), None)
    verdict, since = _verdict_now(cases, twin, d, now)
    r = d.requirement
    times, lasting = demanded(r.repair, conditioned=d.condition is not None)
    return {
        "name": d.name,
        "component": d.component,
        "text": r.text,
        "formula": r.formula,
        "words": d.words,
        "severity": r.severity,
        "signals": list(d.checked.signals),
        "source": d.source,
        "horizon_s": d.checked.future / 1e9,
        "digest": d.digest,
        "verdict": verdict,
        "since": at(since),
        "violations_30d": sum(1 for s in mine for f in s.findings if f.start >= now - _RECENT),
        "case": current.case.id if current else None,
        "repair": {"when": d.condition_text, "times": times, "lasting_s": lasting / 1e9},
    }


def _verdict_now(cases: CaseParts, twin: Twin, d: Demand, now: int) -> tuple[str | None, int | None]:
    """The last verdict that is certain, and since when; looks back an hour more than a verdict may wait."""
    if d.formula is None:
        return None, None
    start = now - min(d.checked.future, DAY) - HOUR
    pieces = cases.judge.verdicts(twin, d.formula, start, now, now)
    last = next((p for p in reversed(pieces) if p.verdict is not Verdict.INCONCLUSIVE), pieces[0] if pieces else None)
    return (last.verdict.value, last.start) if last is not None else (None, None)


def _piece_out(p: Piece) -> dict[str, Any]:
    return {
        "from": at(p.start),
        "to": at(p.end),
        "verdict": p.verdict.value,
        "least": p.least if math.isfinite(p.least) else None,
        "most": p.most if math.isfinite(p.most) else None,
    }


def _fault_out(formula: str, f: Fault) -> dict[str, Any]:
    place = place_of(formula, f)
    word = re.match(r"[A-Za-z0-9_.]+|\S", formula[place:])
    end = place + (word.end() if word else 1)
    return {"code": f.code, "message": f.message, "hint": f.hint, "from": place, "to": min(end, len(formula) + 1)}
