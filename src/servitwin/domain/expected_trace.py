"""What a simulated set-up says a machine will do, and where the real machine does otherwise.

A series is expected with a tolerance: absolute, relative to the expected value, and in time (the real machine may be a
little early or late). An observation deviates if it lies outside of the band that the expected values within the time
tolerance span. Deviations that last become findings, in the form of violated requirements.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from servitwin.domain.canonical_json import digest
from servitwin.domain.error import Fault
from servitwin.domain.finding import Finding, Severity
from servitwin.domain.instant import NS

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]


class Expected(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One signal of a set-up as it was simulated.

    Attributes:
        signal: of the machine; component: part that a deviation points at.
        times: seconds from the beginning, ascending; values: in the unit of the signal.
        within: allowed distance in that unit; share: and that share of the expected value; early_late: seconds by
            which the machine may be ahead or behind.
        lasting: seconds that a deviation has to last to count.
    """

    signal: str
    times: tuple[float, ...]
    values: tuple[float, ...]
    within: float = 0.0
    share: float = 0.0
    early_late: float = 0.0
    lasting: float = 0.0
    component: str = ""
    severity: Severity = "medium"


class Compared(msgspec.Struct, frozen=True):
    """One signal compared.

    Attributes:
        observed: observations within the expected time; inside: those in the band.
        rms: root mean square of observed less expected; largest: the largest distance; at: when (ns), None: none.
        covered: share of the expected time in which something was observed at least every tenth of it.
        findings: deviations that lasted.
    """

    signal: str
    observed: int
    inside: int
    rms: float
    largest: float
    at: int | None
    covered: float
    findings: tuple[Finding, ...]


class Drawn(msgspec.Struct, frozen=True):
    """Both courses for a chart: second, simulated value, lower and upper end of the band; second and observed value."""

    expected: tuple[tuple[float, float, float, float], ...]
    observed: tuple[tuple[float, float], ...]


def expected_faults(expected: Expected, where: str) -> list[Fault]:
    """What is wrong with an expectation."""
    faults = []
    times = np.asarray(expected.times)
    same = len(expected.times) == len(expected.values)
    if len(expected.times) < 2 or not same or not np.all(np.isfinite(times)):
        hint = "Two or more times, each with its value"
        faults.append(Fault("expected:series", f"{expected.signal}: {len(expected.times)} times", hint, where))
    elif np.any(np.diff(times) <= 0) or not np.all(np.isfinite(np.asarray(expected.values))):
        hint = "Times ascend, values are finite"
        faults.append(Fault("expected:series", f"{expected.signal}: its times or values are no series", hint, where))
    limits = (expected.within, expected.share, expected.early_late, expected.lasting)
    if any(not np.isfinite(v) or v < 0 for v in limits) or not (expected.within > 0 or expected.share > 0):
        hint = "State within or share above 0; none is negative"
        faults.append(Fault("expected:tolerance", f"{expected.signal}: its tolerance is none", hint, where))
    return faults


def band(expected: Expected, seconds: Floats) -> tuple[Floats, Floats]:
    """Lower and upper end of what is allowed at those seconds."""
    times, values = np.asarray(expected.times), np.asarray(expected.values)
    lows = np.minimum(*_at_both(times, values, seconds, expected.early_late))
    highs = np.maximum(*_at_both(times, values, seconds, expected.early_late))
    if expected.early_late > 0:  # extremes between the two ends of the window
        first = np.searchsorted(times, seconds - expected.early_late, "left")
        last = np.searchsorted(times, seconds + expected.early_late, "right")
        for i, (a, b) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
            if b > a:
                lows[i] = min(lows[i], values[a:b].min())
                highs[i] = max(highs[i], values[a:b].max())
    slack_low = expected.within + expected.share * np.abs(lows)
    slack_high = expected.within + expected.share * np.abs(highs)
    return lows - slack_low, highs + slack_high


def _at_both(times: Floats, values: Floats, seconds: Floats, shift: float) -> tuple[Floats, Floats]:
    before = np.interp(seconds - shift, times, values)
    after = np.interp(seconds + shift, times, values)
    return np.asarray(before), np.asarray(after)


def compare(expected: Expected, twin: str, setup: str, begin: int, at: Int64s, observed: Floats) -> Compared:
    """Compare observations with what was expected.

    Args:
        expected: the simulated series, checked.
        twin: uid of the machine.
        setup: name of the set-up; a finding's requirement is ``setup:NAME.SIGNAL``.
        begin: instant (ns UTC) of the expected second 0.
        at: times of the observations (ns UTC), ascending.
        observed: their values, NaN where not available.
    """
    seconds = (at - begin) / NS
    known = np.isfinite(observed) & (seconds >= expected.times[0]) & (seconds <= expected.times[-1])
    seconds, values, at = seconds[known], observed[known], at[known]
    if not len(seconds):
        return Compared(expected.signal, 0, 0, 0.0, 0.0, None, 0.0, ())
    low, high = band(expected, seconds)
    distance = values - np.interp(seconds, np.asarray(expected.times), np.asarray(expected.values))
    outside = np.maximum(low - values, values - high)  # above 0: deviates by so much
    worst = int(np.argmax(np.abs(distance)))
    span = expected.times[-1] - expected.times[0]
    pauses = np.diff(np.concatenate([[expected.times[0]], seconds, [expected.times[-1]]]))
    covered = 1.0 - float(pauses[pauses > span / 10].sum()) / span
    findings = _findings(expected, twin, setup, at, outside)
    inside = int((outside <= 0).sum())
    rms = float(np.sqrt(np.mean(distance**2)))
    return Compared(
        expected.signal, len(seconds), inside, rms, float(abs(distance[worst])), int(at[worst]), covered, findings
    )


def drawn(expected: Expected, begin: int, at: Int64s, observed: Floats, most: int = 400) -> Drawn:
    """What a chart of both shows, at most ``most`` points of each; the observed ones keep their extremes."""
    times, values = np.asarray(expected.times), np.asarray(expected.values)
    chosen = np.unique(np.linspace(0, len(times) - 1, min(most, len(times))).astype(int))
    low, high = band(expected, times[chosen])
    rows = zip(times[chosen].tolist(), values[chosen].tolist(), low.tolist(), high.tolist(), strict=True)
    seconds = (at - begin) / NS
    known = np.isfinite(observed) & (seconds >= times[0]) & (seconds <= times[-1])
    seconds, observed = seconds[known], observed[known]
    if len(seconds) > most:
        pieces = np.array_split(np.arange(len(seconds)), most // 2)
        ends = [(p[np.argmin(observed[p])], p[np.argmax(observed[p])]) for p in pieces]
        keep = np.unique(np.asarray(ends).ravel())
        seconds, observed = seconds[keep], observed[keep]
    return Drawn(tuple(rows), tuple(zip(seconds.tolist(), observed.tolist(), strict=True)))


def _findings(
    expected: Expected, twin: str, setup: str, at: Int64s, outside: Floats
) -> tuple[Finding, ...]:  # fmt: skip
    """Stretches from the first observation outside to the first one inside again, if they last."""
    found = []
    bad: Sequence[bool] = (outside > 0).tolist()
    start: int | None = None
    for i, is_bad in enumerate([*bad, False]):
        if is_bad and start is None:
            start = i
        if is_bad or start is None:
            continue
        end = int(at[i]) if i < len(bad) else None
        last = int(at[min(i, len(bad) - 1)])
        if (last - int(at[start])) / NS >= expected.lasting:
            piece = outside[start:i]
            found.append(
                Finding(
                    twin, f"setup:{setup}.{expected.signal}", digest(expected), expected.component, expected.severity,
                    int(at[start]), int(at[start]) + int(expected.lasting * NS), end, -float(piece.max()),
                    -float(piece.min()),
                )
            )  # fmt: skip
        start = None
    return tuple(found)
