"""When a shard's rows are worth a commit before its time has come."""

from __future__ import annotations

BURST_ROWS, BURST_OVER_S = 20_000, 0.1
# A commit grows by its own size for each of so many small files that upkeep has not put together, up to a bound.
FILES_A_STEP, LARGEST = 300, 8


class CommitPace:
    """By number in the midst of a stream, and at once when a burst has ended: who sent it is told soon.

    A few machines that report each second make no burst: of them a commit every few seconds is cheaper than the rows.
    Where small files pile up because upkeep gives way, commits get larger: values are readable before they are
    committed, and a file costs upkeep and readers more than the rows in it.
    """

    def __init__(self, rows: int) -> None:
        """``rows``: how many make a commit worth while while more come in."""
        self._rows = rows
        self._small_files = 0
        self._seen, self._seen_at, self._in_burst = -1, 0.0, False

    @property
    def rows(self) -> int:
        """How many rows make a commit now."""
        return self._rows * min(1 + self._small_files // FILES_A_STEP, LARGEST)

    def committed(self) -> None:
        """One more small file."""
        self._small_files += 1

    def kept(self, small_files: int) -> None:
        """A round of upkeep has ended and left so many small files."""
        self._small_files = small_files

    def due(self, pending: int, received: int, now: float, *, half_full: bool = False) -> bool:
        """Whether to commit now.

        Args:
            pending: rows that wait.
            received: last sequence that came in.
            now: seconds of a monotonic clock.
            half_full: half of what may wait does, however few rows it has: no commit may grow so that reading stops.
        """
        if received != self._seen:
            self._seen, self._seen_at = received, now
        if pending >= self.rows or (half_full and pending >= self._rows):
            self._in_burst = True
            return True
        if now - self._seen_at < BURST_OVER_S:
            return False
        # What is left of a burst is much or little, as it happens.
        in_burst, self._in_burst = self._in_burst, False
        return pending >= BURST_ROWS or (in_burst and pending > 0)
