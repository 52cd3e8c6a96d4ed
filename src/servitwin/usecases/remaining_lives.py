"""What is left of the lives of machines' components: the latest words of the services that follow them."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import Any

import msgspec

from servitwin.domain.instant import DAY, HOUR, MINUTE
from servitwin.domain.twin import Twin
from servitwin.sdk.service import Outcome
from servitwin.usecases.assign_service import Assignment, assignments
from servitwin.usecases.ports import Records

LEARNT, SPECTRUM, ENDED, CHANCE = "remaining_life", "load_spectrum", "life_ended", "failure_chance"
WATCH, WEAR = "failure_watch", "tool_wear"
FOLLOWING = (LEARNT, SPECTRUM, WATCH, WEAR)
_WINDOWS = (3 * HOUR, 3 * DAY, 400 * DAY)
_MOST_POINTS = 500
_WEAR_ADVICE = {
    "soon": "Look at the tool, and change it.",
    "sound": "Nothing to do.",
    "unknown": "Change it as planned: its signals do not tell.",
}
URGENCIES = ("now", "soon", "sound", "unknown")


class Remaining(msgspec.Struct, frozen=True):
    """What is known of one component.

    Attributes:
        twin, component: what it is about.
        method: ``learnt`` (a model of lives that ended), ``spectrum`` (loads against the design), ``chance`` (of a
            failure within days, from events) or ``wear`` (class of wear, from tools that were looked at).
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
    """Reads the outcomes of the services that follow components."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def of(self, twin: Twin, now: int, *, course: bool = True) -> list[Remaining]:
        """Each component of a twin that is followed, the most urgent first."""
        mine = [a for a in assignments(self._records) if a.twin == twin.uid and a.service in FOLLOWING]
        found: list[Remaining] = []
        for a in mine:
            if a.service == LEARNT:
                found += self._learnt(a, twin, now, course)
                continue
            ask = {SPECTRUM: self._spectrum, WATCH: self._chance, WEAR: self._wear}[a.service]
            found += ask(a, twin, now)
        return sorted(found, key=_order)

    def fleet(self, twins: list[Twin], now: int) -> list[Remaining]:
        """All components of these twins that are followed, the most urgent first."""
        followed = {a.twin for a in assignments(self._records) if a.service in FOLLOWING}
        found = [r for t in twins if t.uid in followed for r in self.of(t, now, course=False)]
        return sorted(found, key=_order)

    def _learnt(self, a: Assignment, twin: Twin, now: int, course: bool) -> list[Remaining]:
        component = str(a.parameters.get("component", ""))
        said: list[dict[str, Any]] = []
        for window in _WINDOWS:
            said = [r for _, r in results_of(self._records, a, LEARNT, now - window, now)]
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
            said = [r for _, r in results_of(self._records, a, SPECTRUM, now - window, now)]
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

    def _chance(self, a: Assignment, twin: Twin, now: int) -> list[Remaining]:
        said = [r for _, r in results_of(self._records, a, CHANCE, now - 3 * DAY, now)]
        if not said:
            return [Remaining(twin.id, twin.uid, "machine", "chance", "unknown", None, {}, [], a.parameters)]
        last = said[-1]
        at = int(last["time"])
        if not last["known"]:
            words = {"doubts": last["doubts"], "what_to_do": last["doubts"][0]["hint"]}
            return [Remaining(twin.id, twin.uid, "machine", "chance", "unknown", at, words, [], a.parameters)]
        found = []
        for name, one in last["components"].items():
            words = {**one, "horizon_days": last["horizon_days"], "model": last["model"], "doubts": []}
            urgency = "soon" if one["alarm"] else "sound"
            found.append(Remaining(twin.id, twin.uid, name, "chance", urgency, at, words, [], a.parameters))
        return found

    def _wear(self, a: Assignment, twin: Twin, now: int) -> list[Remaining]:
        component = str(a.parameters.get("component", "tool"))
        said = [r for _, r in results_of(self._records, a, WEAR, now - 3 * DAY, now)]
        if not said:
            return [Remaining(twin.id, twin.uid, component, "wear", "unknown", None, {}, [], a.parameters)]
        last = said[-1]
        urgency = {("worn",): "soon", ("unworn",): "sound"}.get(tuple(last["possible"]), "unknown")
        words = {**last, "what_to_do": _WEAR_ADVICE[urgency]}
        return [Remaining(twin.id, twin.uid, component, "wear", urgency, int(last["time"]), words, [], a.parameters)]


class EndedLives:
    """Lives that ended, as the service told them; what was read once is kept.

    Late data make later revisions: the last minutes are read again each time, the last two days once an hour.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._kept: dict[tuple[str, str], tuple[int, int, list[tuple[int, dict[str, Any]]]]] = {}
        self._lock = Lock()

    def of(self, assignment: Assignment, now: int) -> list[dict[str, Any]]:
        """Those of one machine, oldest first."""
        key = assignment.twin, assignment.parameters_key
        with self._lock:
            until, far, kept = self._kept.get(key, (0, 0, []))
            is_far = now - far >= HOUR
            start = max(0, until - (2 * DAY if is_far else 10 * MINUTE))
            fresh = list(results_of(self._records, assignment, ENDED, start, now))
            kept = [(at, life) for at, life in kept if at <= start] + [(at, life) for at, life in fresh if at > start]
            self._kept[key] = now, now if is_far else far, kept
            return [life for _, life in kept]


def results_of(
    records: Records, a: Assignment, name: str, start: int, end: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Results of that name with the end of their step, oldest first."""
    mark = b'"' + name.encode() + b'"'
    for kept in records.outcomes(a.service, a.twin, start, end + 1):
        if kept["parameters"] == a.parameters_key and mark in kept["outcome"]:
            for result in msgspec.json.decode(kept["outcome"], type=Outcome).results:
                if name in result:
                    yield kept["to"], result[name]


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
