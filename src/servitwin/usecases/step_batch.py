"""Steps that were made and wait to be kept: quiet ones of many machines are kept in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from servitwin.domain.instant import DAY
from servitwin.domain.kept_trace import KeptTrace
from servitwin.sdk.service import Outcome
from servitwin.usecases.keep_findings import Message
from servitwin.usecases.keep_results import keep_results
from servitwin.usecases.keep_trace import RESULT
from servitwin.usecases.ports import OutcomeRow, Records
from servitwin.usecases.service_round import Work
from servitwin.usecases.tell_crossings import crosses

TOGETHER = 50  # steps in one transaction: a commit each costs more than the step, and other writers wait meanwhile


@dataclass(frozen=True)
class MadeStep:
    """A step over ``interval`` [start, end) with what it found; ``source`` names it where traces are kept."""

    work: Work
    interval: tuple[int, int]
    revision: int
    outcome: Outcome
    snapshot: bytes
    traces: list[KeptTrace]
    source: str

    @property
    def quiet(self) -> bool:
        """Whether it says nothing beyond its outcome, so that nobody has to be told of it at once."""
        traced = self.traces or any(RESULT in r for r in self.outcome.results)
        return not (self.outcome.findings or traced or crosses(self.outcome))

    def row(self, outcome: Outcome) -> OutcomeRow:
        """As it is kept."""
        a = self.work.a
        cut = msgspec.json.encode(self.work.cut).decode()
        return (
            a.service, self.work.manifest.version, a.twin, a.parameters_key, *self.interval, self.revision, cut,
            msgspec.json.encode(outcome), self.snapshot,
        )  # fmt: skip


def keep_step(records: Records, made: MadeStep) -> tuple[Outcome, list[Message]]:
    """Keep outcome, snapshot, cut and traces, in the caller's transaction.

    Returns:
        The outcome as it is kept, and what is to be published once the transaction is done.
    """
    w = made.work
    outcome, said = keep_results(records, made.outcome, w.twin, made.traces, made.source, w.now)
    records.save_outcome(*made.row(outcome))
    _thin(records, made)
    return outcome, said


def _thin(records: Records, made: MadeStep) -> None:
    w, a, (start, end) = made.work, made.work.a, made.interval
    day = end // DAY
    if start // DAY < day:  # of days that are over for one, late data are rare: one snapshot a day will do
        span = (start // DAY - 1) * DAY, (day - 1) * DAY
        records.thin_snapshots(a.service, w.manifest.version, a.twin, a.parameters_key, *span)


def keep_together(records: Records, steps: Sequence[MadeStep]) -> list[Message]:
    """Keep quiet steps, all of them or none; what is to be published."""
    said: list[Message] = []
    with records.together():
        if records.add_outcomes([made.row(made.outcome) for made in steps]):
            for made in steps:
                _thin(records, made)
        else:  # some were kept before, as by a process that was killed: what they said then is compared
            for made in steps:
                said += keep_step(records, made)[1]
    return said
