"""Who may drive where now: places are given to one robot at a time and taken back once it has left them.

The plan in steps says who comes first; how fast robots really are, nobody knows. So a robot is released only into
places that nobody holds and that nobody who comes earlier in the plan still has to pass: whatever is late, nobody meets
(action dependency graph, Hoenig et al. 2019, "Persistent and robust execution of MAPF schedules").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


class RightOfWay:
    """Places held by robots: in the order in which each will leave them, the last one is as far as it may drive."""

    def __init__(self) -> None:
        self.held: dict[str, list[int]] = {}
        self._holder: dict[int, str] = {}

    def holder(self, place: int) -> str | None:
        """Who holds a place."""
        return self._holder.get(place)

    def take(self, robot: str, places: Sequence[int]) -> list[int]:
        """Give a robot the places it stands on or is released to (at a first report, after a restart).

        Returns:
            The places that another robot holds: a contradiction that somebody has to look at. They stay the other's.
        """
        self.give_back(robot)
        mine = [p for p in dict.fromkeys(places) if self._holder.get(p, robot) == robot]
        for p in mine:
            self._holder[p] = robot
        self.held[robot] = mine
        return [p for p in dict.fromkeys(places) if p not in mine]

    def give_back(self, robot: str) -> None:
        """The robot has left the map, or begins anew."""
        for p in self.held.pop(robot, ()):
            if self._holder.get(p) == robot:
                del self._holder[p]

    def extend(self, robot: str, place: int) -> None:
        """Release the robot one place further; the caller has made sure that it is free."""
        if self._holder.setdefault(place, robot) != robot:
            raise ValueError(f"place {place} is held by {self._holder[place]}")
        self.held.setdefault(robot, []).append(place)

    def left(self, robot: str, place: int) -> list[int]:
        """The robot has come to ``place``: what it held before that is free again. Returns what became free.

        A place that it will come through once more stays held.
        """
        mine = self.held.get(robot, [])
        if place not in mine:
            return []
        at = mine.index(place)
        self.held[robot] = mine[at:]
        free = [p for p in mine[:at] if p not in self.held[robot]]
        for p in free:
            del self._holder[p]
        return free

    def shorten(self, robot: str, place: int) -> list[int]:
        """The robot's order was cancelled and it stands at ``place``: it holds that alone. Returns what became free."""
        before = self.held.get(robot, [])
        self.take(robot, [place])
        return [p for p in before if p != place]

    def release(
        self,
        plan: Mapping[str, Sequence[int]],
        *,
        ahead: int,
        fewer: Mapping[str, int] | None = None,
        still: Iterable[str] = (),
        closed: frozenset[int] = frozenset(),
    ) -> dict[str, list[int]]:
        """How much further each robot may drive now along its plan.

        Args:
            plan: for each robot its place at steps 1, 2, ... (the place itself where it waits); step 0 is the last
                place it holds.
            ahead: most places held in front of the one a robot is at.
            fewer: robots that get fewer: who is slow would keep places from others for long.
            still: robots that get nothing now.
            closed: places that nobody may be released into.

        Returns:
            For each robot that may go on: places in order, already held for it.
        """
        waiting = set(still)
        pending: dict[int, str] = {}  # places that somebody who may not go on yet passes first
        given: dict[str, list[int]] = {}
        ends = {robot: held[-1] for robot, held in self.held.items() if held}
        for step in range(max(map(len, plan.values()), default=0)):
            moves = [(r, path[step]) for r, path in plan.items() if step < len(path) and r in ends]
            for robot, place in moves:
                if place == ends[robot]:
                    continue
                blocked = (
                    robot in waiting
                    or place in closed
                    or self._holder.get(place, robot) != robot
                    or pending.get(place, robot) != robot
                    or len(self.held[robot]) > (fewer or {}).get(robot, ahead)
                    or place in self.held[robot]
                )
                ends[robot] = place
                if blocked:
                    waiting.add(robot)
                    pending.setdefault(place, robot)
                    continue
                self.extend(robot, place)
                given.setdefault(robot, []).append(place)
        return given
