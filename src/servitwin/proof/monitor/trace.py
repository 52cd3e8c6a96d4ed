"""What a monitor reads: signals as held values with their gaps, and what it says: verdicts with their margins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec
import numpy as np
import numpy.typing as npt

from servitwin.domain.observation import Bools, Floats, Int64s


class Verdict(StrEnum):
    """What is certain about a requirement at an instant. Inconclusive is no guess: data or accuracy do not decide."""

    TRUE = "true"
    FALSE = "false"
    INCONCLUSIVE = "inconclusive"


@dataclass(slots=True, eq=False)
class SignalTrace:
    """A signal inside a :class:`Trace`: ``values[i]`` holds on [times[i], times[i + 1]), the last one to the end.

    Attributes:
        times: n instants (ns), strictly rising.
        values: n values: floats; or codes into ``words`` (flags: 0, 1; words: any index; conditions: index of the
            set of active entries in ``words``, entries as ``level|code`` joined by newlines).
        known: n flags; false: nobody knows the value there (gap, stale, UNAVAILABLE, bad or uncertain quality).
            Before ``times[0]`` nothing is known. A value that goes stale is followed by an entry of its own.
        accuracy: half-width in the signal's unit inside which two values cannot be told apart.
        words: what the codes mean; empty for numbers and flags.
    """

    times: Int64s
    values: Floats | npt.NDArray[np.int32]
    known: Bools
    accuracy: float = 0.0
    words: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Trace:
    """Signals by name over [start, end) ns. What lies beyond ``end`` is not known yet."""

    start: int
    end: int
    signals: Mapping[str, SignalTrace] = field(default_factory=dict)


class Piece(msgspec.Struct, frozen=True):
    """A stretch [start, end) with one verdict.

    Attributes:
        least, most: bounds of the robustness over the stretch: the smallest that it can be and the largest of the
            smallest (``inf`` where no measured number decides). Without accuracy and gaps both are the least
            robustness of the stretch, in the unit of the deciding comparison.
        determined: the earliest instant (ns) at which observations up to and including it made the verdict certain
            at an instant of the piece; 2 ** 63 - 1 where it still waits for what is to come.
    """

    start: int
    end: int
    verdict: Verdict
    least: float
    most: float
    determined: int
