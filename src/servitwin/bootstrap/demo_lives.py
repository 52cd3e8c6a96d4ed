"""The demo's remaining lives: mills' tools are followed and taught from, the crane's hoist and brake are counted."""

from __future__ import annotations

from servitwin.domain.instant import DAY, parse_instant
from servitwin.domain.party import Grant
from servitwin.domain.twin import Dated
from servitwin.usecases.assign_service import Assignment, assignments, keep_assignments
from servitwin.usecases.life_teachers import PURPOSE
from servitwin.usecases.ports import Records

_MILLS, _CRANE = ("mill-1", "mill-2", "mill-3"), "crane-1"
_TOOL = {
    "component": "tool",
    "settings": ["spindle.speed", "feed.rate"],
    "signals": ["spindle.load", "spindle.vibration", "axis.load", "spindle.temperature", "power"],
    "every": "1m",
    "in_use": "spindle.speed",
    "renewed": "tool.number",
    "warn": 20.0,
    "preventive_cost": "38.00",
    "failure_cost": "210.00",
    "currency": "EUR",
}
# Built for ISO 4301 group M5; its first year and a half was recorded by nobody.
_HOIST = {
    "component": "hoist",
    "brake": "brake",
    "load": "load_cell.load",
    "motion": "hoist.speed",
    "rated_load": 12.5,
    "group": "M5",
    "full_load_stops": 1_000_000.0,
    "before": {"years": 1.5, "recording": "unknown"},
}
# The customer agreed that its mills teach the maker's models; of its crane it did not.
_GRANTS = tuple(
    Grant(
        f"demo-teaches-{mill}", "kivi", "aurora", mill, "read", Dated("aurora", parse_instant("2024-03-01T00:00:00Z")),
        purpose=PURPOSE,
    )
    for mill in _MILLS
)  # fmt: skip


def add_demo_lives(records: Records, now: int) -> list[str]:
    """Follow the components, once; returns what to tell the visitor."""
    present = assignments(records)
    if any(a.service == "remaining_life" for a in present):
        return []
    known = {t.id: t.uid for t in records.twins()}
    since = now // DAY * DAY - 3 * DAY  # as far back as the demo fills in what machines said
    wanted = [Assignment("remaining_life", known[m], since, _TOOL) for m in _MILLS if m in known]
    if _CRANE in known:
        wanted.append(Assignment("load_spectrum", known[_CRANE], since, _HOIST))
    keep_assignments(records, [*present, *wanted])
    there = {g.id for g in records.grants(now)}
    for grant in _GRANTS:
        if grant.id not in there:
            records.save_grant(grant)
    return ["demo remaining lives: tools of the mills (learnt once ten have worn out), hoist and brake of the crane"]
