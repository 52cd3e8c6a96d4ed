"""Independent check of what robots do: shares no code with planner and master, so that it cannot share a mistake.

Three forms: :func:`check_steps` looks at a plan in steps, :func:`check_moves` at one whose ways last several steps,
:class:`DrivenCheck` follows what robots report as they drive.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Sequence

import msgspec

from servitwin.domain.instant import NS

SLACK = 1.25  # times the highest speed: positions are measured, clocks are read at different moments
JITTER_M = 0.35  # metres of measurement between two reports that are close in time


class Conflict(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that must not happen.

    Attributes:
        kind: ``place`` (two at one place), ``pass`` (two through each other), ``way`` (where there is none), ``closed``
            (a closed place entered), ``distance`` (too near), ``speed`` (faster than possible).
        robots: who.
        step: number of the step, or ns UTC of the report.
        where: the place or places.
    """

    kind: str
    robots: tuple[str, ...]
    step: int
    where: str
    detail: str = ""


def check_steps(
    paths: Sequence[Sequence[str]], ways: Collection[tuple[str, str]], closed: Collection[str] = ()
) -> list[Conflict]:
    """All conflicts of a plan in steps.

    Args:
        paths: for each robot its place at steps 0, 1, 2, ...; all of equal length.
        ways: pairs of places between which a robot may drive in one step (standing still is always permitted).
        closed: places that nobody may be at.

    Returns:
        Conflicts of places, of passing through each other, of ways that are none (an obstacle, or faster than one
        place a step), of closed places entered.
    """
    found = []
    names = [str(i) for i in range(len(paths))]
    for step in range(max(map(len, paths), default=0)):
        there: dict[str, int] = {}
        for i, path in enumerate(paths):
            place = path[step]
            if place in there:
                found.append(Conflict("place", (names[there[place]], names[i]), step, place))
            there[place] = i
            if step and place != path[step - 1]:
                if (path[step - 1], place) not in ways:
                    found.append(Conflict("way", (names[i],), step, f"{path[step - 1]} to {place}"))
                if place in closed:
                    found.append(Conflict("closed", (names[i],), step, place))
        if step:
            came = {(path[step - 1], path[step]): i for i, path in enumerate(paths) if path[step - 1] != path[step]}
            for (a, b), i in came.items():
                j = came.get((b, a))
                if j is not None and i < j:
                    found.append(Conflict("pass", (names[i], names[j]), step, f"{a} and {b}"))
    return found


def check_moves(
    held: Sequence[Sequence[tuple[str, ...]]],
    ways: Collection[tuple[str, str]],
    least: Callable[[int, str, str], int],
    closed: Collection[str] = (),
) -> list[Conflict]:
    """All conflicts of a plan whose ways last several steps.

    Args:
        held: for each robot what it holds at steps 0, 1, 2, ...: the place where it stands, or both ends of the way it
            is on, the one behind first. All of equal length; at step 0 everybody stands.
        ways: pairs of places between which a robot may drive.
        least: steps that a robot needs for a way at least: robot, from, to.
        closed: places that nobody may enter.

    Returns:
        Conflicts of places held by two, of passing through each other, of ways that are none, of closed places entered,
        and of ways driven in fewer steps than the robot needs.
    """
    found = []
    on_way: dict[int, tuple[str, str, int]] = {}  # robot -> from, to, step at which it began
    for step in range(max(map(len, held), default=0)):
        holder: dict[str, int] = {}
        moves: dict[tuple[str, str], int] = {}
        for i, path in enumerate(held):
            now, before = path[step], path[max(0, step - 1)]
            for place in now:
                if place in holder:
                    found.append(Conflict("place", (str(holder[place]), str(i)), step, place))
                holder[place] = i
            if now[-1] != before[-1]:
                start = before[-1]
                if i in on_way:
                    found.append(Conflict("way", (str(i),), step, f"{start} to {now[-1]}", "before the last one ended"))
                on_way[i] = (start, now[-1], step - 1)
                if (start, now[-1]) not in ways:
                    found.append(Conflict("way", (str(i),), step, f"{start} to {now[-1]}"))
                if now[-1] in closed:
                    found.append(Conflict("closed", (str(i),), step, now[-1]))
            if i in on_way:
                a, b, began = on_way[i]
                moves[a, b] = i
                if now == (b,):
                    del on_way[i]
                    if step - began < least(i, a, b):
                        found.append(Conflict("speed", (str(i),), step, f"{a} to {b}", f"in {step - began} steps"))
                elif now != (a, b):
                    found.append(Conflict("way", (str(i),), step, f"{a} to {b}", f"it holds {', '.join(now)}"))
        for (a, b), i in moves.items():
            j = moves.get((b, a))
            if j is not None and i < j:
                found.append(Conflict("pass", (str(i), str(j)), step, f"{a} and {b}"))
    return found


class _Robot(msgspec.Struct):
    time: int
    place: str
    heading_for: str
    x: float
    y: float


class DrivenCheck:
    """Follows reports of robots and says at once what must not have happened.

    Args:
        ways: pairs of places between which robots may drive.
        fastest: m/s that no robot exceeds.
        nearest: metres between the middles of two robots below which they touch.
    """

    def __init__(self, ways: Collection[tuple[str, str]], fastest: float, nearest: float) -> None:
        self._ways = frozenset(ways)
        self._fastest, self._nearest = fastest, nearest
        self._robots: dict[str, _Robot] = {}
        self._told: set[tuple[str, tuple[str, ...], str]] = set()
        self.reports = 0

    def forget(self, robot: str) -> None:
        """The robot was carried away, or is trusted again: its next report begins anew."""
        self._robots.pop(robot, None)

    def seen(
        self,
        robot: str,
        time: int,
        place: str,
        x: float,
        y: float,
        *,
        passed: Sequence[str] = (),
        heading_for: str = "",
        closed: Collection[str] = (),
        released: Collection[str] = (),
    ) -> list[Conflict]:
        """Conflicts that this report shows and that have not been told yet.

        Args:
            robot: who reports.
            time: ns UTC of the robot's position.
            place: the last place it has passed.
            x: m.
            y: m.
            passed: places passed since the report before, where that one is further back, in order.
            heading_for: the next place while it drives; empty while it stands.
            closed: places that nobody may enter now; who is in there may drive out.
            released: closed places that the robot was released to before they were closed.
        """
        self.reports += 1
        found: list[Conflict] = []
        before = self._robots.get(robot)
        if before is not None and time <= before.time:
            return []
        if before is not None:
            stops = [before.place, *passed, place]
            for a, b in itertools.pairwise(stops):
                if a != b and (a, b) not in self._ways:
                    found.append(Conflict("way", (robot,), time, f"{a} to {b}"))
                if a != b and b in closed and a not in closed and b not in released:
                    found.append(Conflict("closed", (robot,), time, b))
            gone = math.hypot(x - before.x, y - before.y)
            most = self._fastest * SLACK * (time - before.time) / NS + JITTER_M
            if gone > most:
                found.append(Conflict("speed", (robot,), time, place, f"{gone:.1f} m, at most {most:.1f} m"))
        self._robots[robot] = _Robot(time, place, heading_for, x, y)
        for name, other in self._robots.items():
            if name == robot:
                continue
            pair = (min(robot, name), max(robot, name))
            apart = math.hypot(x - other.x, y - other.y)
            # The other's report is a little old: in that time both may have moved.
            moved = self._fastest * abs(time - other.time) / NS if (heading_for or other.heading_for) else 0.0
            if apart + moved < self._nearest:
                found.append(Conflict("distance", pair, time, place, f"{apart:.2f} m apart"))
            if other.place == place and not heading_for and not other.heading_for:
                found.append(Conflict("place", pair, time, place))
            if heading_for and other.heading_for == place and other.place == heading_for:
                found.append(Conflict("pass", pair, time, f"{place} and {heading_for}"))
        fresh = [c for c in found if (c.kind, c.robots, c.where) not in self._told]
        self._told = {t for t in self._told if robot not in t[1]} | {(c.kind, c.robots, c.where) for c in found}
        return fresh
