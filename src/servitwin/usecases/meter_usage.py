"""Take usage records in: each identity counts once, and what contradicts is kept aside and shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from servitwin.domain.canonical_json import digest
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.usage import UsageConflict, UsageRecord, check_usage
from servitwin.usecases.ports import Records


class UsageTaken(msgspec.Struct, frozen=True):
    """What became of a batch: new records, repeated ones (billed once), and conflicts (kept, not billed)."""

    taken: int
    repeated: int
    conflicts: int


class MeterUsage:
    """Keeps usage records."""

    def __init__(self, records: Records, now: Callable[[], int]) -> None:
        self._records = records
        self._now = now

    def take(self, records: Sequence[UsageRecord]) -> UsageTaken:
        """Keep a batch, all of it in one transaction.

        Raises:
            InvalidInputError: every fault of every record; then nothing is kept.
        """
        faults = [
            Fault(f.code, f.message, f.hint, f"[{n}].{f.where}")
            for n, record in enumerate(records)
            if (f := check_usage(record)) is not None
        ]
        if faults:
            raise InvalidInputError(faults[:100])
        taken = repeated = conflicts = 0
        with self._records.together():
            for record, before in zip(records, self._records.add_usage(records), strict=True):
                if before is None:
                    taken += 1
                elif before == record:
                    repeated += 1
                else:
                    conflicts += 1
                    message = f"{record.source} {record.id} was {before.quantity} {before.meter} of {before.contract}"
                    self._records.add_usage_conflict(UsageConflict(record, self._now(), message), digest(record))
        return UsageTaken(taken, repeated, conflicts)
