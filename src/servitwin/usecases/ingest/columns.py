"""Rows while they grow: names become codes, values become columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

import numpy as np

from servitwin.domain.observation import Quality, Rows

Scalar = float | str | bool | None


class Names:
    """Codes of names, given in order of first use; ``words`` is shared by all rows and only ever grows."""

    __slots__ = ("_codes", "words")

    def __init__(self) -> None:
        self.words: list[str] = []
        self._codes: dict[str, int] = {}

    def code(self, name: str) -> int:
        """The name's code, a new one if it was not seen before."""
        code = self._codes.get(name)
        if code is None:
            code = self._codes[name] = len(self.words)
            self.words.append(name)
        return code


class RowBuilder:
    """Rows value by value, for what does not come in whole columns."""

    __slots__ = ("_rows", "signals", "twins")

    def __init__(self, twins: Names, signals: Names) -> None:
        self.twins, self.signals = twins, signals
        self._rows: list[tuple[int, int, int, int, float, str | None, int, int, bool, int, int, int]] = []

    def __len__(self) -> int:
        """Rows so far."""
        return len(self._rows)

    def add(
        self,
        twin: int,
        signal: int,
        time: int,
        received: int,
        value: Scalar,
        quality: int,
        replayed: bool,
        shard: int,
        seq: int,
        idx: int,
    ) -> None:
        """One row; ``value`` None is UNAVAILABLE, whose quality is bad."""
        number, text, flag = np.nan, None, -1
        if value is None:
            quality = Quality.BAD
        elif isinstance(value, str):
            text = value
        elif isinstance(value, bool):
            flag = int(value)
        else:
            number = value
        self._rows.append((twin, signal, time, received, number, text, flag, quality, replayed, shard, seq, idx))

    def add_numbers(
        self,
        twin: int,
        signal: int,
        times: Sequence[int],
        received: int,
        numbers: Sequence[float],
        quality: int,
        replayed: bool,
        shard: int,
        seq: int,
        idx: int,
    ) -> None:
        """Rows of one signal's numbers, one a time; their ``idx`` count up from the one given."""
        self._rows += zip(
            repeat(twin),
            repeat(signal),
            times,
            repeat(received),
            numbers,
            repeat(None),
            repeat(-1),
            repeat(quality),
            repeat(replayed),
            repeat(shard),
            repeat(seq),
            range(idx, idx + len(times)),
            strict=False,
        )

    def build(self) -> Rows | None:
        """The rows, in the order they were added; the builder is empty then."""
        if not self._rows:
            return None
        twin, signal, time, received, number, text, flag, quality, replayed, shard, seq, idx = zip(
            *self._rows, strict=True
        )
        self._rows = []
        return Rows(
            twins=self.twins.words,
            signals=self.signals.words,
            twin=np.array(twin, np.int32),
            signal=np.array(signal, np.int32),
            time=np.array(time, np.int64),
            received=np.array(received, np.int64),
            number=np.array(number, np.float64),
            text=list(text) if any(t is not None for t in text) else None,
            flag=np.array(flag, np.int8) if max(flag) >= 0 else None,
            quality=np.array(quality, np.uint8),
            replayed=np.array(replayed, np.bool_),
            shard=np.array(shard, np.int32),
            seq=np.array(seq, np.int64),
            idx=np.array(idx, np.int32),
        )
