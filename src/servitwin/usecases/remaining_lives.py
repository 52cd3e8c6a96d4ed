"""What is left of the lives of machines' components: the latest words of the services that follow them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.twin import Twin
from servitwin.sdk.service import Outcome
from servitwin.usecases.ports import Records
from servitwin.usecases.run_service import Assignment, assignments

LEARNT, SPECTRUM = "remaining_life", "load_spectrum"
_WINDOWS = (3 * HOUR, 3 * DAY, 400 * DAY)
_MOST_POINTS = 500
URGENCIES = ("now", "soon", "sound", "unknown")


class Remaining(msgspec.Struct, frozen=True):
    """What is known of one component.

    Attributes:
        twin, component, method: ``learnt`` (a model of lives that ended) or ``spectrum`` (loads against the design).
        urgency: now (its end may come at any time), soon (within the warning), sound, unknown.
        at: instant that it speaks of, ns UTC; None: nothing has been said yet.
        said: the result as the service gave it; course: earlier ones of the same life (time, expected, low, high).
        parameters: how the component is followed.
    """

    twin: str
    uid: str
    component: str
    method: str
    urgency: str
    at: int | None
    said: dict[str, Any]
    course: list[tuple[int, float | None, float | None, float | None]]
    parameters: dict[str, Any]


class RemainingLives:
    """Reads the outcomes of both services."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def of(self, twin: Twin, now: int, *, course: bool = True) -> list[Remaining]:
        """Each component of a twin that is followed, the most urgent first."""
        mine = [a for a in assignments(self._records) if a.twin == twin.uid and a.service in (LEARNT, SPECTRUM)]
        found: list[Remaining] = []
        for a in mine:
            found += self._learnt(a, twin, now, course) if a.service == LEARNT else self._spectrum(a, twin, now)
        return sorted(found, key=_order)

    def fleet(self, twins: list[Twin], now: int) -> list[Remaining]:
        """All components of these twins that are followed, the most urgent first."""
        followed = {a.twin for a in assignments(self._records) if a.service in (LEARNT, SPECTRUM)}
        found = [r for t in twins if t.uid in followed for r in self.of(t, now, course=False)]
        return sorted(found, key=_order)

    def ended(self, assignment: Assignment, now: int) -> list[tuple[int, dict[str, Any]]]:
        """Lives that ended, (end of the outcome, result), oldest first."""
        rows = self._results(assignment, 0, now)
        return [(at, r["life_ended"]) for at, r in rows if "life_ended" in r]

    def _learnt(self, a: Assignment, twin: Twin, now: int, course: bool) -> list[Remaining]:
        component = str(a.parameters.get("component", ""))
        said: list[dict[str, Any]] = []
        for window in _WINDOWS:
            said = [r[LEARNT] for _, r in self._results(a, now - window, now) if LEARNT in r]
            if said:
                break
        if not said:
            return [Remaining(twin.id, twin.uid, component, "learnt", "unknown", None, {}, [], a.parameters)]
        last = said[-1]
        points = [s for s in said if s["life"] == last["life"]] if course else []
        points = points[:: max(1, len(points) // _MOST_POINTS)]
        line = [(int(s["time"]), s.get("expected"), s.get("low"), s.get("high")) for s in points]
        urgency = _learnt_urgency(last, a.parameters.get("warn"))
        at = int(last["time"])
        return [Remaining(twin.id, twin.uid, component, "learnt", urgency, at, last, line, a.parameters)]

    def _spectrum(self, a: Assignment, twin: Twin, now: int) -> list[Remaining]:
        said: list[dict[str, Any]] = []
        for window in _WINDOWS:
            said = [r[SPECTRUM] for _, r in self._results(a, now - window, now) if SPECTRUM in r]
            if said:
                break
        if not said:
            name = str(a.parameters.get("component", "hoist"))
            return [Remaining(twin.id, twin.uid, name, "spectrum", "unknown", None, {}, [], a.parameters)]
        last = said[-1]
        warn = float(a.parameters.get("warn", 0.1))
        found = []
        for name, used in last["components"].items():
            urgency = "now" if used["remaining"] <= 0 else "soon" if used["remaining"] <= warn else "sound"
            words = {**used, "counted": last["counted"]}
            at = int(last["time"])
            found.append(Remaining(twin.id, twin.uid, name, "spectrum", urgency, at, words, [], a.parameters))
        return found

    def _results(self, a: Assignment, start: int, end: int) -> Iterator[tuple[int, dict[str, Any]]]:
        for kept in self._records.outcomes(a.service, a.twin, start, end + 1):
            if kept["parameters"] == a.parameters_key:
                outcome = msgspec.json.decode(kept["outcome"], type=Outcome)
                for result in outcome.results:
                    yield kept["to"], result


def _learnt_urgency(said: dict[str, Any], warn: float | None) -> str:
    low = said.get("low")
    if not said.get("known") or low is None:
        return "unknown"
    if low < 1:
        return "now"
    return "soon" if warn is not None and low <= warn else "sound"


def _order(r: Remaining) -> tuple[int, float, str, str]:
    low = r.said.get("low") if r.method == "learnt" else r.said.get("days_low")
    return URGENCIES.index(r.urgency), float(low) if low is not None else 1e12, r.twin, r.component
