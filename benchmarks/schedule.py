"""Schedules: gaps to the best known on published shops, and how soon a new plan stands after a breakdown.

Run: ``python benchmarks/schedule.py [ta|mk|breakdown|breakdown-api] [instance ...]``. Instances are those of
``shared/data`` whose number is odd; ``SERVITWIN_SCHEDULE_EACH=4`` takes every fourth. Two threads; seed 1; nothing was
tuned per instance. ``breakdown`` is the planner alone, ``breakdown-api`` the same shop on a whole node as a user of its
API meets it: see ``benchmarks/schedule_api.py``.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path

import msgspec

from servitwin.domain.instant import DAY, HOUR, MINUTE
from servitwin.domain.schedule.change import compare, reality
from servitwin.domain.schedule.problem import (
    Blocked,
    Machine,
    Mode,
    Objective,
    Operation,
    Order,
    Placement,
    SchedulePlan,
    ScheduleProblem,
    Setup,
)
from servitwin.services.operation.schedule.plugin import solve

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.unit.schedule.instances import flexible, job_shop  # noqa: E402 (the tests' readers of the same files)

DATA = Path(os.environ.get("SERVITWIN_SHARED_DATA", ROOT.parent / "shared" / "data"))
S = 1_000_000_000
GROUPS = {"ta": ("jobshop", job_shop, 60.0), "mk": ("flexible_jobshop", flexible, 30.0)}


def gaps(group: str, names: list[str]) -> None:
    folder, read, budget_s = GROUPS[group]
    known = {i["name"]: i for i in json.loads((DATA / folder / "instances.json").read_text())}
    each = int(os.environ.get("SERVITWIN_SCHEDULE_EACH", "1"))
    chosen = names or [n for n in known if n.startswith(group) and n[2:].isdigit() and int(n[2:]) % 2][::each]
    print(f"| {group}, {budget_s:.0f} s | found | bound | best known | gap | first answer | used |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    found = []
    for name in chosen:
        about = known[name]
        began, first, best = time.monotonic(), 0.0, None
        problem = msgspec.to_builtins(read(DATA / folder / about["path"]))
        for plan in solve(problem, int(budget_s * S), 1, lambda: False):
            first, best = first or time.monotonic() - began, plan
        assert best is not None
        gap = best.value / about["ub"] - 1
        found.append(gap)
        used = time.monotonic() - began
        row = f"| {name} | {best.value:.0f} | {best.bound:.0f} | {about['ub']} | {gap:.2%}"
        print(f"{row} | {first:.2f} s | {used:.0f} s |", flush=True)
    print(f"| mean of {len(found)} | | | | {sum(found) / len(found):.2%} | | |\n", flush=True)


def big_shop(seed: int, orders: int = 200, machines: int = 20) -> ScheduleProblem:
    """Orders of five to ten operations on machines with shifts, set-ups of four families, due over three weeks."""
    chance = random.Random(seed)
    start, end = 0, 60 * DAY
    windows = tuple((d * DAY + 6 * HOUR, d * DAY + 22 * HOUR) for d in range(60) if d % 7 < 5)
    setups = tuple(Setup(a, b, 20 * MINUTE) for a in "abcd" for b in "abcd" if a != b)
    shops = tuple(
        Machine(f"m{m}", windows=None if m % 3 else windows, setups=setups if m % 2 else (), family="a")
        for m in range(machines)
    )
    made = []
    for n in range(orders):
        family = chance.choice("abcd")
        operations = []
        for k in range(chance.randrange(5, 11)):
            first = chance.randrange(machines)
            others = [first, (first + 1) % machines] if chance.random() < 0.3 else [first]
            length = chance.randrange(20, 180) * MINUTE
            operations.append(
                Operation(f"{10 * (k + 1)}", tuple(Mode(f"m{m}", length) for m in others), family=family, pausable=True)
            )
        due = chance.randrange(2, 21) * DAY
        made.append(Order(f"o{n}", tuple(operations), due=due, weight=chance.randrange(1, 4)))
    goal = Objective(makespan=1, tardiness=20, setup=2)
    return ScheduleProblem(start, end, shops, tuple(made), objective=goal)


def breakdown() -> None:
    """A machine fails on the second day for sixteen hours; the plan in force was searched for 20 s."""
    shop = big_shop(1)
    plan: tuple[Placement, ...] = ()
    began = time.monotonic()
    for each in solve(msgspec.to_builtins(shop), 20 * S, 1, lambda: False):
        plan = msgspec.convert(each.plan, SchedulePlan).placements
        if time.monotonic() - began < 5:
            print(f"| plan in force, after {time.monotonic() - began:.2f} s | value {each.value:.0f} |", flush=True)
    count = len(plan)
    print(
        f"\n| breakdown, 200 orders ({count} operations), 20 machines | first answer | value | moved | other machine |"
    )
    print("| --- | --- | --- | --- | --- |", flush=True)
    for machine in ("m3", "m6", "m10"):
        now = DAY + 9 * HOUR
        broken = tuple(
            msgspec.structs.replace(m, blocked=(Blocked(now, now + 16 * HOUR, "down", "spindle"),))
            if m.id == machine
            else m
            for m in shop.machines
        )
        left = tuple(o for o in shop.orders)
        running = [p for p in plan if p.begin < now]
        facts = [
            msgspec.structs.replace(p, end=max(p.end, now + 16 * HOUR + p.end - now))
            if p.machine == machine and p.end > now
            else p
            for p in running
        ]
        asked = reality(msgspec.structs.replace(shop, machines=broken, orders=left), plan, now, started=facts)
        began = time.monotonic()
        for n, each in enumerate(solve(msgspec.to_builtins(asked), 10 * S, 1, lambda: False)):
            after = msgspec.convert(each.plan, SchedulePlan).placements
            if n == 0:
                first = time.monotonic() - began
                c = compare(asked, plan, after)
                machines = sum(m.machine != m.machine_before for m in c.moved)
                print(
                    f"| {machine}, first | {first:.2f} s | {each.value:.0f} | {len(c.moved)} | {machines} |", flush=True
                )
        c = compare(asked, plan, after)
        machines = sum(m.machine != m.machine_before for m in c.moved)
        print(f"| {machine}, best of 10 s | | {each.value:.0f} | {len(c.moved)} | {machines} |", flush=True)


def main() -> None:
    wanted = sys.argv[1:2] or ["ta", "mk", "breakdown", "breakdown-api"]
    for name in wanted:
        if name == "breakdown":
            breakdown()
        elif name == "breakdown-api":
            from benchmarks.schedule_api import breakdown_over_api

            breakdown_over_api(big_shop(1))
        else:
            gaps(name, sys.argv[2:])


if __name__ == "__main__":
    main()
