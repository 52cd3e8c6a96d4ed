"""What held before a range began: the last observation of each series before an instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from servitwin.domain.instant import DAY
from servitwin.domain.observation import Cut, Int64s, LastValue
from servitwin.engines.history.scan import Found, Pair, View
from servitwin.engines.history.survey import Latest

_FIRST_WINDOW = DAY // 48
_FEW_FILES = 32


def before(view: View, wanted: Sequence[Pair], start: int, reach: Int64s, latest: tuple[Cut, Latest]) -> Found:
    """The last observation of each series before ``start``, not further back than its ``reach`` in ns.

    Looks back through windows that grow. ``latest`` spares that where the last value of all is older than ``start``,
    or where a signal has never spoken: then only what is newer than that projection is looked through. Where that is
    much, after a burst, the first window comes before it: most series spoke a moment ago.
    """
    missing = np.arange(len(wanted))
    found: list[Found] = []
    end, width = start, _FIRST_WINDOW
    asked = False
    while len(missing):
        if not asked and (end < start or view.count_beyond(latest[0]) <= _FEW_FILES):
            asked = True
            settled, left = _from_latest(view, [wanted[i] for i in missing.tolist()], start, latest)
            found += [_renamed(f, missing) for f in settled]
            missing = missing[left]
        missing = missing[start - reach[missing] < end]
        if not len(missing) or end <= view.earliest:
            break
        begin = max(end - width, view.earliest)
        last = _last_of_each(view.rows([wanted[i] for i in missing.tolist()], begin, end))
        if len(last):
            found.append(_renamed(last, missing))
            missing = np.setdiff1d(missing, last.series)
        end, width = begin, width * 4
    return _joined(found, start - reach) if found else view.rows([], start, start)


def _renamed(found: Found, series: npt.NDArray[np.intp]) -> Found:
    found.series = series[found.series].astype(np.int32)
    return found


def _from_latest(
    view: View, wanted: Sequence[Pair], start: int, latest: tuple[Cut, Latest]
) -> tuple[list[Found], npt.NDArray[np.intp]]:
    """Observations that the projection and the rows beyond it settle, and the series that they do not."""
    covered, held = latest
    everything = np.arange(len(wanted))
    if not covered or any(view.cut.get(shard, -1) < seq for shard, seq in covered.items()):
        return [], everything
    newest = _last_of_each(view.rows_beyond(covered, wanted, start))
    newer = dict(zip(newest.series.tolist(), newest.time.tolist(), strict=True))
    never = -(2**63)
    keep, settled, single = [], [], []
    for series, pair in enumerate(wanted):
        rank, value = held.get(pair, ((never, 0, 0, 0), None))
        time, other = rank[0], newer.get(series, never)
        if time >= start or (time == other and value is not None):
            continue  # it spoke since, or twice at one time: rows decide
        settled.append(series)
        if other > time:
            keep.append(series)
        elif value is not None:
            single.append((series, value))
    found = [newest.pick(np.isin(newest.series, keep))] if keep else []
    for series, value in single:
        found.append(_found(series, value))
    return found, np.setdiff1d(everything, settled)


def _found(series: int, last: LastValue) -> Found:
    value = last.value
    number = value if isinstance(value, float) else np.nan
    return Found(
        series=np.array([series], dtype=np.int32),
        time=np.array([last.time], dtype=np.int64),
        number=np.array([number], dtype=np.float64),
        text=np.array([0 if isinstance(value, str) else -1], dtype=np.int32),
        flag=np.array([int(value) if isinstance(value, bool) else -1], dtype=np.int8),
        quality=np.array([last.quality], dtype=np.int8),
        words=[value] if isinstance(value, str) else [],
    )


def _last_of_each(rows: Found) -> Found:
    if not len(rows):
        return rows
    return rows.pick(np.append(np.flatnonzero(np.diff(rows.series)), len(rows) - 1))


def _joined(parts: Sequence[Found], oldest: Int64s) -> Found:
    """Single observations of different series together, those older than ``oldest`` (by series) left out."""
    words: list[str] = []
    place: dict[str, int] = {}
    texts = []
    for part in parts:
        for word in part.words:
            if word not in place:
                place[word] = len(words)
                words.append(word)
        translate = np.array([*(place[w] for w in part.words), -1], dtype=np.int32)
        texts.append(translate[part.text])
    names = [f.name for f in fields(Found)[:-1]]
    columns: Mapping[str, npt.NDArray[Any]] = {n: np.concatenate([getattr(p, n) for p in parts]) for n in names}
    whole = Found(**{**columns, "text": np.concatenate(texts)}, words=words)
    whole = whole.pick(whole.time >= oldest[whole.series])
    return whole.pick(np.argsort(whole.series))
