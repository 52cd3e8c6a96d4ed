"""Technicians' routes after ten seconds against ten minutes, and maintenance placed into a month of production.

``python benchmarks/maintenance.py [SECONDS]``: length of the long search, default 600.
"""

from __future__ import annotations

import random
import sys
import time
from typing import Any

from servitwin.domain.instant import HOUR, NS
from servitwin.sdk.service import Plan
from servitwin.services.maintenance.maintenance_plan import plugin as placing
from servitwin.services.maintenance.visit_routes import plugin as routing

T0 = 1_764_000_000 // 86_400 * 86_400 * NS
SKILLS = ("mechanics", "hydraulics", "electrics", "controls", "crane-inspection")


def visits(count: int, technicians: int, seed: int) -> dict[str, Any]:
    """A week of service in a country of 300 by 250 km, with windows of half a day to two days."""
    draw = random.Random(seed)

    def place() -> dict[str, float]:
        return {"lat": 61.0 + draw.uniform(-1.3, 1.3), "lon": 24.5 + draw.uniform(-2.3, 2.3)}

    made = []
    for n in range(count):
        day, length = draw.randrange(5), draw.choice([4, 8, 8, 32, 56])
        begin = T0 + day * 24 * HOUR + (6 if length > 8 else draw.choice([6, 8, 10])) * HOUR
        made.append(
            {
                "id": f"v{n}", "place": place(), "work_s": draw.choice([1800, 3600, 5400, 7200]),
                "windows": [[begin, begin + length * HOUR]],
                "skills": draw.sample(SKILLS, draw.choice([0, 1, 1, 1, 2])), "priority": draw.choice([1, 2, 3, 3, 4]),
            }
        )  # fmt: skip
    people = [
        {
            "id": f"t{n}", "skills": draw.sample(SKILLS, 3), "base": place(), "rate_per_hour": "68",
            "rate_per_km": "0.45",
            "shifts": [[T0 + d * 24 * HOUR + 6 * HOUR, T0 + d * 24 * HOUR + 15 * HOUR] for d in range(5)],
        }
        for n in range(technicians)
    ]  # fmt: skip
    return {"currency": "EUR", "visits": made, "technicians": people}


def month(tasks: int, technicians: int, seed: int) -> dict[str, Any]:
    """Four weeks of a hall: eight machines in two shifts, orders on them, tasks with windows of one to two weeks."""
    draw = random.Random(seed)
    names = [f"m{n}" for n in range(8)]

    def at(hours: float) -> int:
        return T0 + round(hours * HOUR)

    machines = []
    for name in names:
        taken = []
        for d in range(28):
            begin = 24 * d + draw.uniform(0, 8)
            taken.append({"start": at(begin), "end": at(begin + draw.uniform(4, 8)), "order": f"o{d}"})
        working = [[at(24 * d), at(24 * d + 16)] for d in range(28)]
        cost = str(draw.choice([80, 150, 400]))
        machines.append(
            {"machine": name, "currency": "EUR", "busy_cost_per_hour": cost, "working": working, "taken": taken}
        )
    made = []
    for n in range(tasks):
        a = draw.uniform(0, 14) * 24
        made.append(
            {
                "id": f"t{n}", "machine": draw.choice(names), "duration_s": draw.choice([1, 2, 4]) * 3600,
                "earliest": at(a), "latest": at(a + 24 * draw.choice([7, 14])), "site": "hall",
                "waiting": [[at(a), 0.0], [at(a + 24 * 14), float(draw.choice([50, 300, 900]))]],
            }
        )  # fmt: skip
    people = [
        {
            "id": f"p{n}",
            "skills": [],
            "shifts": [[at(24 * d + 6), at(24 * d + 14)] for d in range(28)],
            "rate_per_hour": "60",
        }
        for n in range(technicians)
    ]
    return {
        "now": T0, "currency": "EUR", "machines": machines, "tasks": made, "technicians": people, "visit_cost": "180",
        "visit_s": 1800,
    }  # fmt: skip


def run(long: float = 600.0) -> None:
    """Print both tables."""
    problem = visits(200, 15, 1)
    print(f"| 200 visits, 15 technicians, 5 days | value | left out | gap to the best of {long:g} s |")
    print("| --- | --- | --- | --- |")
    found = []
    for seconds, seed in ((10.0, 1), (10.0, 2), (10.0, 3), (long, 4)):
        last = list(routing.solve(problem, round(seconds * NS), seed, lambda: False))[-1]
        found.append((seconds, seed, last.value, len(last.plan["left_out"])))
    best = min(value for _, _, value, _ in found)
    for seconds, seed, value, left in found:
        print(f"| {seconds:g} s, seed {seed} | {value:.0f} | {left} | {100 * (value / best - 1):.2f} % |", flush=True)
    print("\n| tasks, technicians, four weeks | first plan | after 20 s | bound | gap | one by one at once |")
    print("| --- | --- | --- | --- | --- | --- |")
    for tasks, people in ((24, 3), (60, 4)):
        began = time.monotonic()
        first: tuple[float, float] | None = None
        newest: Plan | None = None
        for plan in placing.solve(month(tasks, people, 7), 20 * NS, 1, lambda: False):
            if first is None:
                first = (plan.value, time.monotonic() - began)
            newest = plan
        assert first is not None and newest is not None
        gap = 100 * (1 - newest.bound / newest.value)
        alone = newest.plan["at_once"]
        print(
            f"| {tasks}, {people} | {first[0]:.0f} ({first[1]:.2f} s) | {newest.value:.0f} | {newest.bound:.0f} "
            f"| {gap:.1f} % | {alone:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    run(float(sys.argv[1]) if len(sys.argv) > 1 else 600.0)
