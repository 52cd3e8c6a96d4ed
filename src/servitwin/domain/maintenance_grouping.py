"""Opportunistic grouping: tasks that share a visit share its set-up (the drive, the lock-out, the scaffold).

Each task has a window and costs something for each day that it is done before or after its best time. Which visits to
make, and which task in which, so that set-ups and shifts together cost least, is solved exactly: the cost of a task
rises to both sides of its best time, so of the visits made the best for it is the last one before or the first one
after that time. So the total is a sum over neighbouring visits, and a shortest path over possible visit times finds
the least (facility location on a line; the idea of grouping within windows follows Wildeman, Dekker and Smit 1997).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import DAY
from servitwin.domain.observation import Floats

MOST_TASKS = 200


class GroupTask(msgspec.Struct, frozen=True):
    """A task that may join a visit: times in ns UTC, what a day too early or too late costs."""

    id: str
    earliest: int
    best: int
    latest: int
    early_per_day: float = 0.0
    late_per_day: float = 0.0


class GroupVisit(msgspec.Struct, frozen=True):
    """Tasks that are done in one visit at ``at`` (ns UTC); ``shift_cost``: of doing them not at their best times."""

    at: int
    tasks: tuple[str, ...]
    shift_cost: float


class Grouping(msgspec.Struct, frozen=True):
    """Visits in order of time, what they cost in all, and what each task by itself at its best time would cost."""

    visits: tuple[GroupVisit, ...]
    cost: float
    one_by_one: float

    @property
    def saving(self) -> float:
        """What grouping saves; never negative."""
        return self.one_by_one - self.cost


def group(tasks: Sequence[GroupTask], set_up: float) -> Grouping:
    """The grouping that costs least; ``set_up``: what each visit costs beside its tasks.

    Raises:
        InvalidInputError: every fault of the tasks (``grouping:...``).
    """
    faults = _faults(tasks, set_up)
    if faults:
        raise InvalidInputError(faults)
    if not tasks:
        return Grouping((), 0.0, 0.0)
    # An optimum exists at best times and window ends: between them every cost is linear in the visit's time.
    times = np.unique(np.array([t for x in tasks for t in (x.earliest, x.best, x.latest)], np.int64))
    costs = np.stack([_cost(task, times) for task in tasks])
    best = np.array([t.best for t in tasks])
    count = len(times)
    least, before = np.full(count + 1, np.inf), np.full(count + 1, -1)
    for j in range(count + 1):  # the last visit at j; count: no visit any more
        served = best < times[j] if j < count else np.ones(len(tasks), np.bool_)
        own = costs[:, j] if j < count else np.full(len(tasks), np.inf)
        for i in range(-1, j):
            between = served & (best >= times[i]) if i >= 0 else served
            other = costs[between, i] if i >= 0 else np.full(int(between.sum()), np.inf)
            total = (least[i] if i >= 0 else 0.0) + float(np.minimum(own[between], other).sum())
            if total < least[j]:
                least[j], before[j] = total, i
        if j < count:
            least[j] += set_up
    chosen, j = [], int(before[count])
    while j >= 0:
        chosen.append(j)
        j = int(before[j])
    return _told(tasks, times, costs, sorted(chosen), set_up)


def _told(
    tasks: Sequence[GroupTask], times: np.ndarray[tuple[int], np.dtype[np.int64]], costs: Floats, chosen: list[int],
    set_up: float,
) -> Grouping:  # fmt: skip
    where = np.array(chosen)[np.argmin(costs[:, chosen], axis=1)]
    visits = []
    for place in chosen:
        members = np.flatnonzero(where == place)
        if len(members):
            names = tuple(tasks[int(m)].id for m in members)
            visits.append(GroupVisit(int(times[place]), names, float(costs[members, place].sum())))
    total = sum(v.shift_cost for v in visits) + set_up * len(visits)
    return Grouping(tuple(visits), total, set_up * len(tasks))


def _cost(task: GroupTask, times: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
    days = (times - task.best) / DAY
    cost = np.where(days < 0, -days * task.early_per_day, days * task.late_per_day)
    return np.where((times < task.earliest) | (times > task.latest), np.inf, cost)


def _faults(tasks: Sequence[GroupTask], set_up: float) -> list[Fault]:
    faults = []
    if not 0 <= set_up < np.inf:
        faults.append(Fault("grouping:cost-negative", f"{set_up} is no cost of a visit", "Zero or more", "set_up"))
    if len(tasks) > MOST_TASKS:
        message = f"{len(tasks)} tasks are too many for one grouping"
        faults.append(Fault("grouping:too-many", message, f"At most {MOST_TASKS}: group each site by itself", "tasks"))
    for n, task in enumerate(tasks):
        if not task.earliest <= task.best <= task.latest:
            message = f"The window of {task.id} does not hold its best time"
            faults.append(Fault("grouping:window-reversed", message, "earliest <= best <= latest", f"tasks[{n}]"))
        if not (0 <= task.early_per_day < np.inf and 0 <= task.late_per_day < np.inf):
            message = f"A day's shift of {task.id} costs less than nothing"
            faults.append(Fault("grouping:cost-negative", message, "Zero or more", f"tasks[{n}]"))
    return faults
