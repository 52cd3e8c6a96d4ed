"""When a shard's rows are worth a commit before its time has come."""

from __future__ import annotations

BURST_ROWS, BURST_OVER_S = 20_000, 0.1


class CommitPace:
    """By number in the midst of a stream, and at once when a burst has ended: who sent it is told soon.

    A few machines that report each second make no burst: of them a commit every few seconds is cheaper than the rows.
    """

    def __init__(self, rows: int) -> None:
        """``rows``: how many make a commit worth while while more come in."""
        self._rows = rows
        self._seen, self._seen_at, self._in_burst = -1, 0.0, False

    def due(self, pending: int, received: int, now: float) -> bool:
        """Whether to commit now.

        Args:
            pending: rows that wait.
            received: last sequence that came in.
            now: seconds of a monotonic clock.
        """
        if received != self._seen:
            self._seen, self._seen_at = received, now
        if pending >= self._rows:
            self._in_burst = True
            return True
        if now - self._seen_at < BURST_OVER_S:
            return False
        # What is left of a burst is much or little, as it happens.
        in_burst, self._in_burst = self._in_burst, False
        return pending >= BURST_ROWS or (in_burst and pending > 0)
