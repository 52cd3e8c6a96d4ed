"""Ranking what may be behind a violation: the component's fault tree and the neighbours in the line. Never proven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from servitwin.domain.finding import Hypothesis
from servitwin.domain.requirement import LikelyCause
from servitwin.domain.state_time import State, StateInterval

#: How much a sign seen, or missing, at the violation multiplies a cause's weight.
SEEN, MISSED = 10.0, 0.1
_STOPS = frozenset({State.FAILED, State.REPAIR, State.EXTERNAL, State.OFF})
_WAITS = frozenset({State.STARVED, State.BLOCKED})


def rank_causes(
    causes: Sequence[LikelyCause], requirement: str, signs: Mapping[str, str]
) -> tuple[Hypothesis, ...]:  # fmt: skip
    """Causes that can violate ``requirement`` (its key), most likely first.

    ``signs``: by name of the cause whether its sign was seen at the violation: ``true``, ``false``, ``inconclusive``.
    The weight of a cause is multiplied by 10 where its sign was seen and by 0.1 where it certainly was not, and
    divided by the sum; equal weights stay in the order of the machine type.
    """
    factor = {"true": SEEN, "false": MISSED}
    weighed = [
        (c, c.weight * factor.get(signs.get(c.name, ""), 1.0))
        for c in causes
        if not c.explains or requirement in c.explains
    ]
    total = sum(w for _, w in weighed)
    if total <= 0:
        return ()
    words = {"true": "its sign was seen", "false": "its sign was certainly not there", "inconclusive": "sign unclear"}
    ranked = sorted(weighed, key=lambda pair: -pair[1])
    return tuple(
        Hypothesis(
            "cause",
            c.name,
            c.title,
            w / total,
            tuple(
                text
                for text in (
                    f"{words[signs[c.name]]}: {c.when}" if c.when and signs.get(c.name) in words else "",
                    f"{c.weight:g} of {sum(x.weight for x, _ in weighed):g} such cases by the machine type",
                )
                if text
            ),
        )
        for c, w in ranked
    )


def stopped_by(
    twin: str, states: Mapping[str, Sequence[StateInterval]], titles: Mapping[str, str], at: int
) -> tuple[Hypothesis, ...]:
    """Which neighbour made ``twin`` wait at ``at``: those that had stopped by then, who stopped first leading.

    ``states``: intervals of each machine of the line, by id. Empty unless the machine itself is starved or blocked.
    """
    own = _at(states.get(twin, ()), at)
    if own is None or own.state not in _WAITS:
        return ()
    stopped = []
    for other, intervals in states.items():
        found = _at(intervals, at) if other != twin else None
        if found is not None and found.state in _STOPS:
            stopped.append((found.start, other, found))
    stopped.sort(key=lambda s: s[:2])
    parts = [1 / (n + 1) for n in range(len(stopped))]  # who stopped first is the likeliest
    return tuple(
        Hypothesis(
            "neighbour",
            other,
            titles.get(other, other),
            part / sum(parts),
            (f"{other} is {found.state.value}, {(at - start) / 1e9:.0f} s before {twin} is {own.state.value}",),
        )
        for part, (start, other, found) in zip(parts, stopped, strict=True)
    )


def _at(intervals: Sequence[StateInterval], at: int) -> StateInterval | None:
    return next((i for i in intervals if i.start <= at < i.end), None)
