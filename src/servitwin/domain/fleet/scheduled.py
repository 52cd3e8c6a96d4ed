"""Transport tasks from a production plan: what has to be at a machine when its operation begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from servitwin.domain.fleet.transport import Task, TaskList
from servitwin.domain.schedule.problem import Order, Placement, predecessors

Change = Literal["planned", "moved", "retimed", "withdrawn"]


class Move(msgspec.Struct, frozen=True, omit_defaults=True):
    """Parts or material of an order that a plan wants at another machine.

    Attributes:
        id: the same from one plan to the next.
        order, operation: what it serves; the last move of an order (its parts are finished) names the last operation.
        origin: machine that has made it; empty: material, from the store.
        target: machine of the operation; empty: parts that are finished.
        ready: ns UTC from which it can be fetched; None: at any time.
        due: ns UTC at which the operation begins; None: nothing waits for it.
        load: what it is, in words.
    """

    id: str
    order: str
    operation: str
    origin: str
    target: str
    ready: int | None
    due: int | None
    load: str


class ScheduleStations(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where the machines of a party's plan stand on a map.

    Attributes:
        party: whose published plan it is.
        stations: machine -> station; a machine that is not listed has the station of its own name, or none.
        store: station from which material of first operations comes; empty: robots do not bring it.
        finished: station to which finished parts go; empty: robots do not take them away.
        lead_minutes: so long before its operation material is brought; finished parts are taken away within it.
    """

    party: str
    stations: dict[str, str] = {}
    store: str = ""
    finished: str = ""
    lead_minutes: float = 15.0


def moves_of(orders: Iterable[Order], placements: Iterable[Placement]) -> list[Move]:
    """What has to be moved for a plan, by order: material to first operations, parts on, finished parts away."""
    placed = {p.key: p for p in placements}
    found = []
    for order in orders:
        before = predecessors(order)
        parts = f"{order.quantity} {order.product or order.title or 'parts'} of {order.id}"
        followed = {b for names in before.values() for b in names}
        for operation in order.operations:
            here = placed.get((order.id, operation.id))
            if here is None:
                continue
            id = f"{order.id}/{operation.id}"
            made = [placed[order.id, b] for b in before[operation.id] if (order.id, b) in placed]
            if not before[operation.id] and operation.needs:
                load = ", ".join(f"{n.amount} {n.material}" for n in operation.needs) + f" for {order.id}"
                found.append(Move(id, order.id, operation.id, "", here.machine, None, here.start, load))
            for p in made:
                name = id if len(made) == 1 else f"{id} from {p.operation}"
                if p.machine != here.machine:
                    found.append(Move(name, order.id, operation.id, p.machine, here.machine, p.end, here.start, parts))
            if operation.id not in followed:
                load = f"finished: {parts}"
                found.append(Move(f"{id} away", order.id, operation.id, here.machine, "", here.end, None, load))
    return found


def tasks_of(moves: Iterable[Move], where: ScheduleStations, known: Callable[[str], bool]) -> list[Task]:
    """Tasks for those moves whose both ends have a station; ``known``: whether a station is on the map."""
    lead = int(where.lead_minutes * 60e9)
    tasks = []
    for m in moves:
        origin = where.stations.get(m.origin, m.origin) if m.origin else where.store
        target = where.stations.get(m.target, m.target) if m.target else where.finished
        if origin == target or not (origin and target and known(origin) and known(target)):
            continue
        due = m.due if m.due is not None else (m.ready or 0) + lead
        ready = m.ready if m.ready is not None else due - lead
        tasks.append(
            Task(m.id, origin, target, load=m.load, due=due, order=m.order, operation=m.operation, not_before=ready)
        )
    return tasks


def revise(
    tasks: TaskList, wanted: Sequence[Task], begun: Callable[[Task], bool], now: int
) -> list[tuple[Change, Task]]:
    """Bring the tasks of a schedule up to what a plan wants now; what was begun stays as it is.

    What a plan wants whose time was over before it was ever heard of is not asked for: it was done without robots.
    Parts that have been carried to a machine that the plan does not use any more are carried on from there.

    Args:
        tasks: of the fleet; changed in place.
        wanted: all that the plan wants, with ``created`` set.
        begun: whether a robot has picked up, or is released to.
        now: ns UTC.
    """
    changes: list[tuple[Change, Task]] = []
    kept: set[str] = set()
    for asked in wanted:
        task = _from_where_it_is(tasks, asked)
        if task is None:
            continue
        kept.add(task.id)
        before, over = tasks.find(task.id), task is asked and asked.due is not None and asked.due <= now
        change = _change(before, task, begun, over=over)
        if change == "retimed" and before is not None:
            before.due, before.not_before, before.load = task.due, task.not_before, task.load
            changes.append((change, before))
        elif change is not None:
            tasks.put(task)
            changes.append((change, task))
    for old in tasks.all():
        if old.order and old.id not in kept and old.state in ("waiting", "assigned") and not begun(old):
            old.state, old.ended, old.withdrawn = "cancelled", now, True
            old.reason = "the plan does not ask for it any more"
            changes.append(("withdrawn", old))
    return changes


def _from_where_it_is(tasks: TaskList, task: Task) -> Task | None:
    """The task as it is to be done now, from where its load was carried to so far; None: it is where it should be."""
    at, id = "", task.id
    while (before := tasks.find(id)) is not None and before.state == "done":
        at, id = before.target, f"{id} on"
    if not at:
        return task
    return None if at == task.target else msgspec.structs.replace(task, id=id, origin=at)


def _change(before: Task | None, task: Task, begun: Callable[[Task], bool], *, over: bool) -> Change | None:
    if before is None or (before.state == "cancelled" and before.withdrawn):
        return None if over else "planned"
    if before.state not in ("waiting", "assigned") or begun(before):
        return None
    if (before.origin, before.target) != (task.origin, task.target):
        return "moved"
    same = (before.due, before.not_before, before.load) == (task.due, task.not_before, task.load)
    return None if same else "retimed"


def in_words(changes: Sequence[tuple[Change, Task]]) -> str:
    """How many of which, and the first of them."""
    words: Mapping[Change, str] = {
        "planned": "new", "moved": "between other stations", "retimed": "at another time", "withdrawn": "withdrawn",
    }  # fmt: skip
    counts = [f"{n} {word}" for kind, word in words.items() if (n := sum(c == kind for c, _ in changes))]
    return ", ".join(counts)
