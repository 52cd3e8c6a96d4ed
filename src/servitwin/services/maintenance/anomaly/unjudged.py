"""A machine that runs as it never did while it was learnt: for how long nobody has judged it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from servitwin.domain.anomaly.found_regimes import NOT_LEARNT
from servitwin.domain.anomaly.watch import Scores
from servitwin.domain.error import Fault
from servitwin.domain.instant import format_instant

CODE = "anomaly:not-judged"


class Unjudged(msgspec.Struct):
    """Bins in regimes that were not learnt, without a judged one between them.

    ``since``: begin of the first, ns UTC; bins in which the regime changes or is not known count for neither. So many
    as a regime must last to be learnt (``least``) are told.
    """

    since: int = 0
    bins: int = 0

    def note(self, least: int) -> Fault | None:
        """What is to be said of it."""
        if self.bins < least:
            return None
        message = "It runs as it never did while it was learnt, so it is not judged"
        hint = "If it is to run like this, say that it is normal: it is learnt anew"
        return Fault(CODE, message, hint, format_instant(self.since))

    def changes(self, scores: Scores, least: int) -> Iterator[int]:
        """Count bins up to each place at which another thing is to be said from then on, and to their end."""
        for k, (score, why) in enumerate(zip(scores.score.tolist(), scores.why, strict=True), 1):
            if why == NOT_LEARNT:
                if not self.bins:
                    self.since = int(scores.start[k - 1])
                self.bins += 1
                if self.bins == least:
                    yield k
            elif not math.isnan(score):
                told, self.bins = self.bins >= least, 0
                if told:
                    yield k
