"""Problems for tests: published instances and small ones of our own."""

from __future__ import annotations

import random
from pathlib import Path

from servitwin.domain.schedule.build import Builder, rankings
from servitwin.domain.schedule.grid import Grid
from servitwin.domain.schedule.problem import (
    Arrival,
    Blocked,
    Crew,
    Machine,
    Material,
    Mode,
    Need,
    Objective,
    Operation,
    Order,
    Placement,
    ScheduleProblem,
    Setup,
    Transport,
)


def job_shop(path: Path) -> ScheduleProblem:
    """An instance of JSPLIB: pairs of machine and duration per job; one tick is one unit of time."""
    rows = [line.split() for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    count, machines = int(rows[0][0]), int(rows[0][1])
    orders, total = [], 0
    for n, row in enumerate(rows[1 : count + 1]):
        pairs = [(int(row[2 * i]), int(row[2 * i + 1])) for i in range(machines)]
        total += sum(d for _, d in pairs)
        orders.append(Order(f"j{n}", tuple(Operation(str(i), (Mode(f"m{m}", d),)) for i, (m, d) in enumerate(pairs))))
    return ScheduleProblem(0, total, tuple(Machine(f"m{m}") for m in range(machines)), tuple(orders), tick=1)


def flexible(path: Path) -> ScheduleProblem:
    """An instance of the flexible job shop, machines counted from 0: alternatives per operation."""
    rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
    count, machines = int(rows[0][0]), int(rows[0][1])
    orders, total = [], 0
    for n, row in enumerate(rows[1 : count + 1]):
        values = [int(v) for v in row]
        at, operations = 1, []
        for k in range(values[0]):
            ways = values[at]
            modes = tuple(Mode(f"m{values[at + 1 + 2 * i]}", values[at + 2 + 2 * i]) for i in range(ways))
            at += 1 + 2 * ways
            total += max(m.duration for m in modes)
            operations.append(Operation(str(k), modes))
        orders.append(Order(f"j{n}", tuple(operations)))
    return ScheduleProblem(0, total, tuple(Machine(f"m{m}") for m in range(machines)), tuple(orders), tick=1)


def small(seed: int, orders: int = 3, horizon: int = 400) -> ScheduleProblem:
    """A random small shop with shifts, blocked time, set-ups, people, stock, transport, pauses."""
    chance = random.Random(seed)
    windows = tuple((at, at + 14) for at in range(0, horizon, 20))
    machines = []
    for m in range(3):
        blocked = ()
        if chance.random() < 0.4:
            at = chance.randrange(5, 30)
            blocked = (Blocked(at, at + chance.randrange(1, 12), "maintenance", "oil"),)
        setups = ()
        if chance.random() < 0.6:
            setups = tuple(Setup(a, b, chance.randrange(0, 4)) for a in "abc" for b in "abc" if a != b)
        machines.append(
            Machine(
                f"m{m}",
                windows=windows if chance.random() < 0.6 else None,
                blocked=blocked,
                setups=setups,
                family=chance.choice(["", "a"]),
            )
        )
    crews = (
        Crew("early", ("mill",), 1, windows=tuple((at, at + 12) for at in range(0, horizon, 20))),
        Crew("all", ("mill", "saw"), chance.randrange(1, 3)),
    )
    made = []
    for n in range(orders):
        operations = []
        for k in range(chance.randrange(1, 4)):
            modes = tuple(
                Mode(f"m{m}", chance.randrange(1, 9), chance.choice(["", "", "mill", "saw"]), chance.randrange(0, 3))
                for m in chance.sample(range(3), chance.randrange(1, 3))
            )
            needs = (Need("bar", chance.randrange(1, 3)),) if chance.random() < 0.3 else ()
            after = None if k == 0 or chance.random() < 0.7 else ()
            operations.append(Operation(str(k), modes, after, chance.choice("abc"), needs, chance.random() < 0.4))
        due = chance.randrange(5, 60)
        made.append(Order(f"o{n}", tuple(operations), release=chance.choice([None, 4]), due=due, weight=n + 1))
    return ScheduleProblem(
        0,
        horizon,
        tuple(machines),
        tuple(made),
        tick=1,
        crews=crews,
        materials=(Material("bar", stock=1, arrivals=(Arrival(17, 30),)),),
        transport=(Transport("*", "m2", 3), Transport("m0", "m1", 1)),
        objective=Objective(makespan=1, tardiness=3, setup=1, flow=0),
    )


def plan_of(problem: ScheduleProblem, ranking: int = 0) -> tuple[Placement, ...]:
    """A plan of the builder."""
    grid = Grid(problem)
    spots = Builder(grid).build(rankings(grid, 1)[ranking])
    assert spots is not None
    return grid.placements(spots)
