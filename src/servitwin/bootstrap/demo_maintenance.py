"""The demo's maintenance: tasks, parts, technicians, the site, recommendations of the past year, signed baselines."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML

from servitwin.domain.agreement import PartyKey, Signature, signed_text
from servitwin.domain.canonical_json import digest
from servitwin.domain.instant import DAY, HOUR, format_instant
from servitwin.domain.recommendation import Found, Recommendation, RecommendationStep
from servitwin.domain.register import RegisterEntry, body_faults
from servitwin.domain.savings import Baseline, Estimate
from servitwin.formats.signature import key_id
from servitwin.usecases.follow_recommendation import KIND, RULE
from servitwin.usecases.ports import Records, SigningKeys
from servitwin.usecases.register_kinds import KINDS

_PROVIDER, _CUSTOMER, _ZONE = "aurora", "kivi", "Europe/Helsinki"
_MAINTENANCE = ("technicians", "service-sites", "spare-parts", "maintenance-tasks")
# Task, days ago, what became of it, what was found: a year that had its refusals, too.
_PAST: tuple[tuple[str, int, str, Found | None], ...] = (
    ("crane-1-brake", 290, "judged", "worn"), ("crane-1-brake", 190, "judged", "near_failure"),
    ("crane-1-brake", 98, "judged", "worn"), ("mill-1-coolant", 70, "judged", "good"),
    ("cell-1-belt", 155, "judged", "worn"), ("mill-2-axis", 181, "judged", "good"),
    ("mill-3-spindle", 140, "refused", None), ("mill-2-coolant", 40, "countered", "worn"),
)  # fmt: skip


def add_demo_maintenance(records: Records, keys: SigningKeys, file: Path, now: int) -> list[str]:
    """Fill the registers of the manufacturer, once; returns what to tell the visitor."""
    if records.register_entries("maintenance-tasks", [_PROVIDER], limit=1):
        return []
    said = YAML(typ="safe", pure=True).load(file.read_text("utf-8"))
    bodies = {
        "technicians": {id: _technician(t) for id, t in said["technicians"].items()},
        "service-sites": said["sites"],
        "spare-parts": {id: {"currency": "EUR", **p} for id, p in said["parts"].items()},
        "maintenance-tasks": {id: _task(t, now) for id, t in said["tasks"].items()},
    }
    kinds = {k.name: k for k in KINDS}
    for kind in _MAINTENANCE:
        faults = [f for id, body in bodies[kind].items() for f in body_faults(kinds[kind], id, body)]
        if faults:
            raise ValueError(f"{file.name}: {faults[0]}")  # a file of ours: tests read it
        records.add_register_entries(
            [RegisterEntry(kind, id, _PROVIDER, 1, now, "hanna", body) for id, body in bodies[kind].items()]
        )
    records.add_register_entries([_past(bodies["maintenance-tasks"], *row, now) for row in _PAST])
    _sign_baselines(records, keys, now)
    counts = ", ".join(f"{len(bodies[k])} {k}" for k in _MAINTENANCE)
    return [f"demo maintenance of {_PROVIDER}: {counts}"]


def _technician(said: dict[str, Any]) -> dict[str, Any]:
    days, (start, end) = said.pop("days"), (_minute(h) for h in said.pop("hours"))
    shift = {"name": "day", "days": days, "start": start, "end": end}
    return {**said, "currency": "EUR", "calendar": {"name": "shifts", "time_zone": _ZONE, "shifts": [shift]}}


def _task(said: dict[str, Any], now: int) -> dict[str, Any]:
    done = format_instant((now - said.pop("done_days_ago") * DAY) // HOUR * HOUR)
    steps = [{"text": s.lstrip("!"), **({"critical": True} if s[0] == "!" else {})} for s in said.pop("procedure")]
    return {
        "interval": {"by": "time", "every": said.pop("every")}, "duration_hours": said.pop("hours"),
        "planned_cost": said.pop("planned"), "failure_cost": said.pop("failure"), "currency": "EUR",
        "parts": [{"part": p, "quantity": n} for p, n in said.pop("parts", {}).items()], "procedure": steps,
        "last_done": done, **said,
    }  # fmt: skip


def _minute(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def _past(tasks: dict[str, Any], task: str, ago: int, end: str, found: Found | None, now: int) -> RegisterEntry:
    """A recommendation of the past with its steps."""
    begin, body = now - ago * DAY, tasks[task]
    length = round(body["duration_hours"] * HOUR)
    steps = [RecommendationStep("propose", "hanna", _PROVIDER, begin, begin + 9 * DAY, begin + 9 * DAY + length)]
    if end == "refused":
        text = "The mill runs a rush order; we do it ourselves"
        steps.append(RecommendationStep("refuse", "paula", _CUSTOMER, begin + DAY, text=text))
    else:
        if end == "countered":
            later = begin + 11 * DAY
            text = "Not during the night shift"
            steps.append(RecommendationStep("counter", "paula", _CUSTOMER, begin + DAY, later, later + length, text))
            steps.append(RecommendationStep("accept", "hanna", _PROVIDER, begin + 2 * DAY))
        else:
            steps.append(RecommendationStep("accept", "paula", _CUSTOMER, begin + DAY))
        steps.append(RecommendationStep("done", "timo", _PROVIDER, begin + 12 * DAY))
        steps.append(RecommendationStep("judge", "timo", _PROVIDER, begin + 12 * DAY + HOUR, found=found))
    item = Recommendation(
        f"demo-{task}-{ago}", body["twin"], body["component"], task, body["title"], _PROVIDER, _CUSTOMER,
        "maintenance_plan", "0.1.0", "", RULE, begin + 9 * DAY, begin + 16 * DAY, "timo", "EUR",
        Decimal(body["planned_cost"]), Decimal(body["planned_cost"]) * 2, Decimal(body["planned_cost"]) * 3, (),
        tuple(steps),
    )  # fmt: skip
    plain: dict[str, Any] = msgspec.to_builtins(item)
    return RegisterEntry(KIND, item.id, _PROVIDER, 1, steps[-1].at, steps[-1].by, plain)


def _sign_baselines(records: Records, keys: SigningKeys, now: int) -> None:
    """How it was before the service, signed by both parties, for the contracts that both have signed."""
    for id, hours, visits in (("crane-98", "260", "9"), ("mills-m10", "520", "14")):
        if records.baselines(id) or not any(c.contract.id == id for c in records.contracts()):
            continue
        baseline = Baseline(
            id, 1, "EUR", _about(hours), _about("240"), _about(visits), _about("780"),
            "Visits and stops of the two years before the contract, from Kivi's maintenance records",
        )  # fmt: skip
        records.add_baseline(baseline, now)
        whole = digest(baseline)
        for party, by in ((_PROVIDER, "hanna"), (_CUSTOMER, "petra")):
            public, signature = keys.sign(party, signed_text("baseline", whole))
            records.save_party_key(PartyKey(key_id(public), party, public, now))
            records.add_signature(Signature(whole, party, key_id(public), signature, by, now))


def _about(value: str) -> Estimate:
    likely = Decimal(value)
    return Estimate(likely * Decimal("0.8"), likely, likely * Decimal("1.25"))
