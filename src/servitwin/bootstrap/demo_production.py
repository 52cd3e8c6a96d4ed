"""The demo's production: orders, routings and material of Kivi Castings, and the plan that holds, some hours under way.

Files of ``examples/demo/production`` say times in hours from the start of the plan (``due_in_h``): a demo has no date.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from servitwin.domain.error import InvalidInputError
from servitwin.domain.instant import DAY, HOUR, format_instant
from servitwin.domain.register import RegisterEntry, RegisterKind, body_faults
from servitwin.domain.schedule.assemble import Shop, assemble
from servitwin.domain.schedule.build import Builder, rankings
from servitwin.domain.schedule.check import check_plan
from servitwin.domain.schedule.delivery_word import DeliveryWord
from servitwin.domain.schedule.faults import problem_faults
from servitwin.domain.schedule.grid import Grid
from servitwin.domain.schedule.master_data import PLANS, PRODUCTION_KINDS, KeptPlan
from servitwin.domain.schedule.measure import measure
from servitwin.formats.epcis_reader import read_document
from servitwin.usecases.plan_production import HORIZON_DAYS, PUBLISHED, plain
from servitwin.usecases.ports import Records
from servitwin.usecases.production_shop import ProductionShop
from servitwin.usecases.registry import Registry

PARTY = "kivi"
UNDER_WAY = 5 * HOUR
_IN_H = "_in_h"


def add_demo_production(records: Records, folder: Path, now: int) -> list[str]:
    """Enter the demo's production and publish a plan of it, once; returns what to tell the visitor."""
    if records.register_entries("orders", [PARTY]):
        return []
    start = (now - UNDER_WAY) // HOUR * HOUR
    entries = []
    for kind in PRODUCTION_KINDS:
        file = folder / f"{kind.name}.json"
        for body in json.loads(file.read_text("utf-8")) if file.exists() else ():
            told = _timed(body, start)
            id = str(told.pop("id"))
            if kind.name == "materials":
                told["as_of"] = format_instant(start)
            entries.append(_entry(kind, id, told, start))
    records.add_register_entries(entries)
    records.add_delivery_words(_said(folder / "deliveries.json", start, now))
    shop = ProductionShop(records, Registry(records)).read(PARTY, start, start + HORIZON_DAYS * DAY, {})
    plan = _plan(shop, start)
    records.add_register_entries([_entry(PLANS, PUBLISHED, plain(plan), start)])
    return [f"demo production: {len(shop.orders)} orders, a plan under way (place Plan)"]


def _said(file: Path, start: int, now: int) -> list[DeliveryWord]:
    """What events of the demo say of its deliveries, each by its party."""
    words = []
    for told in json.loads(file.read_text("utf-8")):
        event = json.dumps(_timed(told["event"], start)).encode()
        words += [
            msgspec.structs.replace(w, party=told["party"], received=now) for w in read_document(event).deliveries
        ]
    return words


def _timed(value: Any, start: int) -> Any:
    """``due_in_h: 4`` becomes ``due: ...Z``; ``in_h`` alone becomes ``time``."""
    if isinstance(value, list):
        return [_timed(v, start) for v in value]
    if not isinstance(value, Mapping):
        return value
    found: dict[str, Any] = {}
    for name, inner in value.items():
        if name == "in_h":
            found["time"] = format_instant(start + round(inner * HOUR))
        elif name.endswith(_IN_H):
            found[name.removesuffix(_IN_H)] = format_instant(start + round(inner * HOUR))
        else:
            found[name] = _timed(inner, start)
    return found


def _entry(kind: RegisterKind, id: str, body: dict[str, Any], at: int) -> RegisterEntry:
    faults = body_faults(kind, id, body)
    if faults:
        raise InvalidInputError(faults)  # files of ours: tests read them
    return RegisterEntry(kind.name, id, PARTY, 1, at, "paula", body)


def _plan(shop: Shop, start: int) -> KeptPlan:
    """The best of a few quick plans: the visitor asks for a better one."""
    problem, faults = assemble(shop, start, start + HORIZON_DAYS * DAY)
    faults += problem_faults(problem)
    if faults:
        raise InvalidInputError(faults)
    grid = Grid(problem)
    made = [spots for r in rankings(grid, 1) if (spots := Builder(grid).build(r)) is not None]
    plans = [grid.placements(s) for s in made]
    best = min(plans, key=lambda p: measure(problem, p).value)
    faults = check_plan(problem, best)
    if faults:
        raise InvalidInputError(faults)
    return KeptPlan(msgspec.structs.replace(problem, before=()), best, "Week plan", "", "published by the demo")
