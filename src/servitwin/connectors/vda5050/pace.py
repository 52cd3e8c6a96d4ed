"""How fast robots are: what their factsheets say, corrected by how they really drive and work."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

import msgspec

from servitwin.domain.instant import NS

USUAL_M_S = 1.0  # of a robot of which nothing is known, in a fleet of which nothing is known
SLOWEST_M_S = 0.03
NEW_SHARE = 0.2  # of the newest way in what was measured
MOST_CHANGE = 2.0  # times as fast or slow as before that one way may count: a clock that jumps is no pace
WORK_S = 5.0  # of picking up or dropping, before one was seen
LONGEST_WORK_S = 600.0
TRIP_S, TRIP_SHARE = 30.0, 0.05  # a trip before one was seen; share of the newest one


class Pace(msgspec.Struct, omit_defaults=True):
    """What is known of one robot; zero: nothing.

    Attributes:
        says: m/s that it can drive, by its factsheet.
        measured: m/s over ways on which nothing held it up, with turns and starts in them.
        ways: number of ways that were measured.
    """

    says: float = 0.0
    measured: float = 0.0
    ways: int = 0


class Paces:
    """Paces of a fleet.

    Args:
        fastest: m/s that no robot exceeds.
        known: of an earlier life of the master, by twin.
    """

    def __init__(self, fastest: float, known: Mapping[str, Pace] | None = None) -> None:
        self._fastest = fastest
        self.known = dict(known or {})
        self._since: dict[str, int] = {}  # ns of each robot's clock at which it passed its last place, free to go on
        self._arrived: dict[str, int] = {}  # the same where it has something to do
        self.work_s = WORK_S
        self._trips = (TRIP_S, TRIP_S)  # seconds that trips took and should have taken, the newest count most

    def of(self, twin: str) -> float:
        """m/s with which to plan a robot: measured, or said; else that of an ordinary one of the fleet."""
        pace = self.known.get(twin)
        found = (pace.measured or pace.says) if pace is not None else 0.0
        if not found:
            others = [p.measured or p.says for p in self.known.values() if p.measured or p.says]
            found = statistics.median(others) if others else USUAL_M_S
        return min(max(found, SLOWEST_M_S), self._fastest)

    def said(self, twin: str, speed: float) -> None:
        """Its factsheet names a highest speed, m/s; another one than before begins the measurement anew."""
        pace = self.known.setdefault(twin, Pace())
        if speed > 0 and speed != pace.says:
            self.known[twin] = Pace(speed)

    def passed(self, twin: str, stamp: int, metres: float, *, free: bool, works: bool) -> None:
        """It has come to a place.

        Args:
            twin: who.
            stamp: its time, ns.
            metres: way since the place before.
            free: whether it may drive on from here without a stop.
            works: whether it does something here.
        """
        since = self._since.pop(twin, None)
        if since is not None and stamp > since and metres > 0:
            self._measure(twin, metres / ((stamp - since) / NS))
        if free:
            self._since[twin] = stamp
        self._arrived.pop(twin, None)
        if works:
            self._arrived[twin] = stamp

    def _measure(self, twin: str, speed: float) -> None:
        pace = self.known.setdefault(twin, Pace())
        before = max(pace.measured or pace.says or speed, SLOWEST_M_S)
        speed = min(max(speed, before / MOST_CHANGE), before * MOST_CHANGE)
        # A mean of seconds a metre, not of metres a second: times of ways are what is added up.
        seconds = (1 - NEW_SHARE) / before + NEW_SHARE / min(max(speed, SLOWEST_M_S), self._fastest)
        pace.measured, pace.ways = round(1 / seconds, 4), pace.ways + 1

    def stopped(self, twin: str) -> None:
        """Something holds it up: the way it is on says nothing of its pace."""
        self._since.pop(twin, None)

    @property
    def traffic(self) -> float:
        """How much longer trips last than plan and lengths say, because of the other robots."""
        took, planned = self._trips
        return min(max(took / planned, 1.0), 3.0)

    def arrived(self, took: float, planned: float) -> None:
        """A trip is over: seconds that it took, and should have taken."""
        a, b = self._trips
        self._trips = (a + TRIP_SHARE * (took - a), b + TRIP_SHARE * (planned - b))

    def worked(self, twin: str, stamp: int) -> None:
        """It has picked up or dropped."""
        since = self._arrived.pop(twin, None)
        if since is not None and 0 < stamp - since < LONGEST_WORK_S * NS:
            self.work_s += NEW_SHARE * ((stamp - since) / NS - self.work_s)
