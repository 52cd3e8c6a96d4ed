"""Findings of services: the door through which what a service found opens, continues and ends cases.

A service proves nothing: a finding is a reason to look, with its signals, since when, and how far off. It is told when
it begins, again when more is known of it, and a last time with its end; the node knows it by code, subject and begin.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from typing import Literal

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.finding import FoundSignal

FindingKey = tuple[str, str, int]  # code, what it is about, begin
LONGEST_TEXT = 500
MOST_SIGNALS = 100
_CODE = re.compile(r"[a-z][a-z0-9_-]*:[a-z][a-z0-9_-]*\Z", re.ASCII)


class ServiceFinding(msgspec.Struct, frozen=True, omit_defaults=True, rename={"start": "from", "end": "to"}):
    """A stretch [start, end) (ns UTC) of which a service says that something looks wrong; ``end`` None: it goes on.

    Attributes:
        code: what was found, ``service:kind``; it begins with the service's own name.
        text: one sentence that a person at the machine understands.
        signals: which signals show it, the most telling first.
        component: path of the component it is about; empty: the machine.
        severity: how soon somebody should look. Safety is not a service's to say: it needs a requirement.
        group: findings of one code and group join one case while that is open; empty: all of that code do.
        hints: hypotheses in words, such as a likely cause.
        about: what tells it from another one of the same code and begin, such as a signal; empty where none can be.
    """

    code: str
    start: int
    text: str
    signals: tuple[FoundSignal, ...] = ()
    end: int | None = None
    component: str = ""
    severity: Literal["low", "medium", "high"] = "low"
    group: str = ""
    hints: tuple[str, ...] = ()
    about: str = ""

    @property
    def key(self) -> FindingKey:
        """What the node knows it by."""
        return self.code, self.about, self.start


def finding_faults(found: ServiceFinding, service: str, signals: Collection[str] | None, watermark: int) -> list[Fault]:
    """All that is wrong with a finding of a step up to ``watermark``.

    ``signals``: the machine's (None: they are not known). Codes: ``finding:code-wrong``, ``finding:text-missing``,
    ``finding:text-too-long``, ``finding:time-wrong``, ``finding:signal-unknown``, ``finding:signals-missing``,
    ``finding:figure-wrong``.
    """
    where = f"findings[{found.code}]"
    faults = []
    if not _CODE.match(found.code) or not found.code.startswith(f"{service}:"):
        hint = f"{service}:kind-of-finding, in small letters"
        faults.append(Fault("finding:code-wrong", f"The code of a finding is {found.code[:80]!r}", hint, where))
    if not found.text.strip():
        faults.append(Fault("finding:text-missing", "A finding says nothing", "Say in a sentence what is seen", where))
    elif len(found.text) > LONGEST_TEXT or any(len(h) > LONGEST_TEXT for h in found.hints):
        message = f"A text of a finding has more than {LONGEST_TEXT} characters"
        faults.append(Fault("finding:text-too-long", message, "One sentence", where))
    end = found.start + 1 if found.end is None else found.end
    if not found.start < end <= max(watermark, found.start + 1) or found.start >= watermark:
        message = f"A finding is from {found.start} to {found.end}, and data were taken up to {watermark}"
        faults.append(Fault("finding:time-wrong", message, "It begins before its end, and both before that", where))
    if not found.signals and not found.component:
        hint = "Name the signals that show it, or the component"
        faults.append(Fault("finding:signals-missing", "A finding says neither where nor by what", hint, where))
    if len(found.signals) > MOST_SIGNALS:
        message = f"A finding names {len(found.signals)} signals"
        faults.append(Fault("finding:signals-missing", message, f"The {MOST_SIGNALS} most telling ones", where))
    unknown = [s.signal for s in found.signals if signals is not None and s.signal not in signals]
    if unknown:
        message = f"The machine has no signal {', '.join(unknown[:5])[:200]}"
        faults.append(Fault("finding:signal-unknown", message, "Use the names of the machine type", where))
    if any(not _sound(s) for s in found.signals):
        message = "A share is not between 0 and 1, or a figure is not finite"
        faults.append(Fault("finding:figure-wrong", message, "Leave out what is not known", where))
    return faults


def _sound(s: FoundSignal) -> bool:
    figures = (s.deviation, s.value, s.usual)
    share = s.share is None or 0 <= s.share <= 1
    return share and all(f is None or math.isfinite(f) for f in figures)


def last_told(findings: Sequence[ServiceFinding]) -> dict[FindingKey, ServiceFinding]:
    """Each finding as it was told last, in order of its first telling."""
    told: dict[FindingKey, ServiceFinding] = {}
    for found in findings:
        told[found.key] = found
    return told
