"""Proof of repair: the requirement was kept while its triggering condition really came again, often and long enough."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from servitwin.domain.instant import NS
from servitwin.domain.requirement import RepairRule
from servitwin.proof.monitor.trace import Verdict
from servitwin.proof.monitor.trigger import Occurrence

#: Confidence of the bound that occurrences without recurrence allow.
CONFIDENCE = 0.95
_HOUR_NS = 3600 * NS


class RepairProgress(msgspec.Struct, frozen=True):
    """How far a repair is proven.

    Attributes:
        since, until: what was looked at (ns): from where the requirement was kept after the repair.
        occurrences: completed occurrences with the requirement kept; ``needed`` by the rule.
        lasted: ns of kept occurrences in sum, ``lasting`` needed.
        unclear: occurrences in which data or accuracy did not decide: they count for nothing.
        failed: occurrences in which the requirement was violated: the repair did not hold.
        bound: upper bound of the probability that it recurs in an occurrence, at 95 %: 1 - 0.05^(1/n), about 3/n;
            1 while there is none.
        missing: what is missing, in words; empty if proven.
    """

    since: int
    until: int
    occurrences: int
    needed: int
    lasted: int
    lasting: int
    unclear: int
    failed: int
    bound: float
    missing: str

    @property
    def proven(self) -> bool:
        """Whether it may be said that the machine is mended."""
        return not self.missing


def recurrence_bound(n: int) -> float:
    """Upper bound of the probability of recurrence per occurrence after ``n`` without one, at 95 %.

    Exact binomial bound (Clopper and Pearson, 1934) for no event in n trials; the rule of three is its approximation.
    """
    return float(1.0 - (1.0 - CONFIDENCE) ** (1.0 / n)) if n > 0 else 1.0


def demanded(rule: RepairRule, *, conditioned: bool) -> tuple[int, int]:
    """Occurrences and nanoseconds that a proof needs; without a condition only time counts, an hour if none is said."""
    return (rule.times, rule.lasting) if conditioned else (0, rule.lasting or _HOUR_NS)


def repair_progress(
    rule: RepairRule, occurrences: Sequence[Occurrence], since: int, until: int, *, conditioned: bool = True
) -> RepairProgress:
    """How far the occurrences in [since, until) prove a repair that was done at ``since``.

    ``conditioned`` False: the requirement has no condition, so that only the time counts for which it was kept.
    """
    kept = [o for o in occurrences if o.verdict is Verdict.TRUE]
    lasted = sum(o.end - o.start for o in kept)
    # What still goes on counts for time, not yet as an occurrence; without a condition nothing occurs.
    done = sum(1 for o in kept if o.end < until) if conditioned else 0
    failed = sum(1 for o in occurrences if o.verdict is Verdict.FALSE)
    unclear = sum(1 for o in occurrences if o.verdict is Verdict.INCONCLUSIVE)
    needed, lasting = demanded(rule, conditioned=conditioned)
    missing = []
    if failed:
        missing.append(
            f"violated again in {failed} of {len(occurrences)} occurrences" if conditioned else "violated again"
        )
    if done < needed:
        missing.append(f"{done} of {needed} occurrences")
    if lasted < lasting:
        missing.append(f"{lasted // NS} of {lasting // NS} s")
    return RepairProgress(
        since, until, done, needed, lasted, lasting, unclear, failed, recurrence_bound(done), "; ".join(missing)
    )  # fmt: skip
