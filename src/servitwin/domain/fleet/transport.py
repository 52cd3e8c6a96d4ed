"""Transport tasks: what robots carry from where to where, and who does it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError

TaskState = Literal["waiting", "assigned", "loaded", "done", "failed", "cancelled"]
OPEN: frozenset[str] = frozenset({"waiting", "assigned", "loaded"})
KEPT_DONE = 500  # finished tasks remembered, so that their ids are not used again unseen


class Task(msgspec.Struct, omit_defaults=True):
    """One load from a place to another.

    Attributes:
        id: given by who asks; the same id with the same content counts once.
        origin: station or place where it is picked up; ``target``: where it is dropped.
        priority: a higher one goes first.
        due: ns UTC by which it should be there; None: no such time.
        robot: twin of the robot that does it.
        reason: why it waits, failed or goes to somebody else, in words.
        order, operation: of the production plan that it serves; empty: it was asked for by itself.
        not_before: ns UTC from which it can be fetched; None: at once.
        withdrawn: the plan that asked for it does not any more.
        late_told: it was told that it will probably be late.
    """

    id: str
    origin: str
    target: str
    priority: int = 0
    load: str = ""
    due: int | None = None
    created: int = 0
    state: TaskState = "waiting"
    robot: str = ""
    reason: str = ""
    started: int | None = None
    loaded: int | None = None
    ended: int | None = None
    order: str = ""
    operation: str = ""
    not_before: int | None = None
    withdrawn: bool = False
    late_told: bool = False

    def ripe(self, now: int) -> bool:
        """Whether it can be fetched already."""
        return self.not_before is None or self.not_before <= now

    @property
    def asked(self) -> tuple[object, ...]:
        """What was asked for, without how far it is."""
        return (self.origin, self.target, self.priority, self.load, self.due)


class TaskList:
    """Tasks of a fleet by id."""

    def __init__(self, tasks: Iterable[Task] = ()) -> None:
        self._tasks = {t.id: t for t in tasks}

    def add(self, task: Task, known: Callable[[str], bool]) -> bool:
        """Take a task on; False if it is there already with the same content.

        Args:
            task: new, in state ``waiting``.
            known: whether a station or place is on the map.

        Raises:
            InvalidInputError: all that is wrong with it.
            ConflictError: ``task:id-used`` with another content.
        """
        faults = []
        if not task.id or len(task.id) > 100:
            faults.append(Fault("task:id-wrong", f"{task.id[:40]!r} is no id", "1 to 100 characters", "id"))
        for key, place in (("from", task.origin), ("to", task.target)):
            if not known(place):
                message = f"{place[:60]!r} is no station or place of the map"
                faults.append(Fault("task:place-unknown", message, "GET /api/v1/fleets/{id} lists them", key))
        if not faults and task.origin == task.target:
            faults.append(Fault("task:goes-nowhere", "It ends where it begins", "Name two places", "to"))
        if faults:
            raise InvalidInputError(faults)
        before = self._tasks.get(task.id)
        if before is not None:
            if before.asked == task.asked:
                return False
            message = f"Task {task.id!r} is there with other content"
            raise ConflictError(Fault("task:id-used", message, "Use another id", "id"))
        self._tasks[task.id] = task
        done = [t.id for t in self._tasks.values() if t.state not in OPEN]
        for id in done[: max(0, len(done) - KEPT_DONE)]:
            del self._tasks[id]
        return True

    def find(self, id: str) -> Task | None:
        """The task of that id; None if there is none."""
        return self._tasks.get(id)

    def put(self, task: Task) -> None:
        """Take a task of a schedule on, in the place of one with its id."""
        self._tasks[task.id] = task

    def one(self, id: str) -> Task:
        """The task of that id.

        Raises:
            NotFoundError: ``task:unknown``.
        """
        task = self._tasks.get(id)
        if task is None:
            raise NotFoundError(Fault("task:unknown", f"There is no task {id[:60]!r}", "GET the list of tasks", "id"))
        return task

    def open(self) -> list[Task]:
        """Tasks that are not over, the most urgent first: by priority, due time, age."""
        return sorted(
            (t for t in self._tasks.values() if t.state in OPEN),
            key=lambda t: (-t.priority, t.due if t.due is not None else 2**63, t.created, t.id),
        )

    def all(self) -> list[Task]:
        """All that are remembered, oldest first."""
        return list(self._tasks.values())

    def of(self, robot: str) -> Task | None:
        """What a robot is doing."""
        return next((t for t in self._tasks.values() if t.robot == robot and t.state in ("assigned", "loaded")), None)


def assign(
    tasks: Sequence[Task],
    free: Mapping[str, int],
    place_of: Callable[[str], int],
    way: Callable[[int, int], bool],
    seconds: Callable[[str, int], float],
) -> tuple[dict[str, Task], list[Task]]:
    """Give waiting tasks to robots that are free: the most urgent task first, to the robot that is there soonest.

    Args:
        tasks: waiting, the most urgent first.
        free: place at which each robot that can take one is, or will be.
        place_of: number of the place of a station.
        way: whether there is one from a place to another.
        seconds: from now until a robot can be at a place; infinite where it cannot.

    Returns:
        Task of each robot that gets one, and the tasks that no free robot can get to or through.
    """
    left = dict(free)
    given: dict[str, Task] = {}
    unreachable = []
    for task in tasks:
        origin, target = place_of(task.origin), place_of(task.target)
        needed = sorted((seconds(robot, origin), robot) for robot in left)
        reach = [robot for s, robot in needed if s < math.inf]
        if not way(origin, target) or (free and not any(way(at, origin) for at in free.values())):
            unreachable.append(task)
        elif reach:
            given[reach[0]] = task
            del left[reach[0]]
    return given, unreachable
