"""How soon a new plan can be read over the API after a breakdown: a whole node, registers, a published plan.

Run: ``python benchmarks/schedule.py breakdown-api``. The clock runs from before the breakdown is told (``POST
/registers/blocked_times``) until the answer of ``GET /schedules/{job}`` is there whole: told, asked for, assembled,
searched, checked, kept, heard of by the event stream, read with all its reasons. Nothing is asked for beforehand, and
no two breakdowns are the same problem.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from servitwin.domain.instant import NS, format_instant
from servitwin.domain.schedule.problem import ScheduleProblem
from tests.conftest import Node

TYPE = """machine_type: mill
version: 1
title: Mill
signals:
  execution: {type: text, title: Execution, reporting: {mode: on-change}}
"""
PARTY = "shop"
SEARCH_S = 20.0
AFTER_S = 5.0


def breakdown_over_api(shop: ScheduleProblem) -> None:
    """One machine after the other is down for sixteen hours, from now on, by the clock."""
    with tempfile.TemporaryDirectory() as folder:
        node = Node(Path(folder) / "node")
        node.start()
        try:
            client = httpx.Client(
                base_url=f"{node.web}/api/v1", headers={"Authorization": f"Bearer {node.token}"}, timeout=120
            )
            with client, Heard(node) as heard:
                _measure(client, heard, shop)
        finally:
            node.stop()


def _measure(client: httpx.Client, heard: Heard, shop: ScheduleProblem) -> None:
    _fill(client, shop)
    job, _ = _ask(client, heard, SEARCH_S)
    heard.wait(job, "done")
    _call(client, "POST", f"/schedules/{job}/publish", json={"party": PARTY})
    count = sum(len(o.operations) for o in shop.orders)
    print(f"| breakdown over the API, {count} operations | told | asked | plan kept | read | in all | moved |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    worst = 0.0
    for machine in ("m3", "m6", "m10", "m1", "m13"):
        began = time.monotonic()
        now = datetime.now(UTC)
        body = {"machine": machine, "start": _text(now), "end": _text(now + timedelta(hours=16)), "kind": "down"}
        entry = {"id": "broken", **body, "why": "spindle"}
        _call(client, "POST", "/registers/blocked_times", json=[entry], params={"party": PARTY})
        told = time.monotonic()
        job, asked = _ask(client, heard, AFTER_S)
        kept = heard.wait(job, "first")
        plan = _call(client, "GET", f"/schedules/{job}", params={"party": PARTY})
        read = time.monotonic()
        assert not any(p["machine"] == machine and _in(p, now) for p in plan["operations"]), machine
        heard.wait(job, "done")
        worst = max(worst, read - began)
        moved = plan["figures"]["moved"]
        print(
            f"| {machine} | {told - began:.2f} s | {asked - told:.2f} s | {kept - asked:.2f} s | {read - kept:.2f} s "
            f"| {read - began:.2f} s | {moved} |",
            flush=True,
        )
    print(f"| slowest (at least 2 s, aim 0.5 s); load average {os.getloadavg()[0]:.1f} | | | | | {worst:.2f} s | |\n")


def _in(placed: dict[str, Any], now: datetime) -> bool:
    """Whether it begins while the machine is down; what ran when it broke goes on afterwards."""
    begin = datetime.fromisoformat(placed["start"]) - timedelta(seconds=placed["setup_s"])
    return not placed["started"] and now < begin < now + timedelta(hours=16)


def _ask(client: httpx.Client, heard: Heard, budget_s: float) -> tuple[str, float]:
    body = {"budget_s": budget_s, "seed": 1, "horizon_days": 60, "party": PARTY}
    job = _call(client, "POST", "/schedules", json=body)["id"]
    return job, time.monotonic()


def _call(client: httpx.Client, method: str, path: str, **more: Any) -> Any:
    answer = client.request(method, path, **more)
    assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
    return answer.json()


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _fill(client: httpx.Client, shop: ScheduleProblem) -> None:
    """The shop as a company would tell it: machine type, plant, registers."""
    yaml = {"Content-Type": "application/yaml"}
    _call(client, "POST", "/machine-types", content=TYPE, headers=yaml)
    lines = ["plant: hall", f"parties: {{{PARTY}: {{name: Shop, kind: customer}}}}", "calendars:"]
    for name, days, first, last in (("always", "daily", "00:00", "24:00"), ("two", "mon-fri", "06:00", "22:00")):
        lines += [f"  {name}:", "    time_zone: UTC"]
        lines += [f'    shifts: {{day: {{days: {days}, from: "{first}", to: "{last}"}}}}']
    lines += ["twins:"]
    for m in shop.machines:
        calendar = "two" if m.windows else "always"
        lines += [f"  {m.id}: {{type: mill@1, owner: {PARTY}, calendar: {calendar}, commissioned: 2024-01-01}}"]
    _call(client, "POST", "/plants", content="\n".join(lines), headers=yaml)
    now = time.time_ns()
    routings, orders = [], []
    for order in shop.orders:
        steps = [
            {
                "id": o.id,
                "ways": [{"machine": m.machine, "per_piece_s": m.duration / NS} for m in o.modes],
                "family": o.family,
                "pausable": o.pausable,
            }
            for o in order.operations
        ]
        routings.append({"id": f"p-{order.id}", "steps": steps})
        due = format_instant(now + (order.due or 0))
        orders.append({"id": order.id, "product": f"p-{order.id}", "quantity": 1, "due": due, "weight": order.weight})
    places = []
    for m in shop.machines:
        changes = [{"before": s.before, "after": s.after, "minutes": s.duration / NS / 60} for s in m.setups]
        places.append({"id": m.id, "family": m.family, "changeovers": changes})
    for kind, entries in (("routings", routings), ("workplaces", places), ("orders", orders)):
        _call(client, "POST", f"/registers/{kind}", json=entries, params={"party": PARTY})


class Heard:
    """Listens to the event stream as a page does, and knows when each job had its first plan and when it was over."""

    def __init__(self, node: Node) -> None:
        self._client = httpx.Client(
            base_url=f"{node.web}/api/v1", headers={"Authorization": f"Bearer {node.token}"}, timeout=None
        )
        self._at: dict[tuple[str, str], float] = {}
        self._news = threading.Condition()
        self._over = False

    def __enter__(self) -> Heard:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True

    def wait(self, job: str, what: str) -> float:
        """When ``first`` or ``done`` was heard of a job; waits for it."""
        with self._news:
            assert self._news.wait_for(lambda: (job, what) in self._at, 180), f"{what} of job {job} was not heard"
            return self._at[job, what]

    def _listen(self) -> None:
        only = {"topics": "happened"}
        with contextlib.suppress(httpx.RemoteProtocolError), self._client.stream("GET", "/events", params=only) as told:
            for line in told.iter_lines():
                if self._over:
                    return
                if line.startswith("data:"):
                    self._take(json.loads(line[5:]))

    def _take(self, event: dict[str, Any]) -> None:
        if event.get("kind") != "job":
            return
        data, now = event["data"], time.monotonic()
        with self._news:
            if data["plans"]:
                self._at.setdefault((data["job"], "first"), now)
            if data["state"] not in ("waiting", "running"):
                self._at.setdefault((data["job"], "done"), now)
            self._news.notify_all()
