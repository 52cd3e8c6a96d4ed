"""What was found, in words: of a violated requirement, or what a service said, and what the case waits for."""

from __future__ import annotations

from typing import Any

import msgspec

from servitwin.domain.case import CaseStanding, told_of
from servitwin.domain.finding import Finding, Told
from servitwin.web.api.answers import at
from servitwin.web.api.case_parts import CaseParts


def case_text(cases: CaseParts, s: CaseStanding) -> str:
    """What is wrong in words: the requirement's, or the service's; empty if the requirement is gone."""
    if s.case.source:
        return s.told.text if s.told is not None else ""
    told = cases.requirement(s)
    return told.requirement.text if told else ""


def signals_told(s: CaseStanding) -> list[str]:
    """Signals of all findings that count, those of the latest first."""
    found = (told_of(s.steps, f.id) for f in reversed(s.findings))
    return list(dict.fromkeys(one.signal for told in found if told is not None for one in told.signals))


def told_out(told: Told | None) -> dict[str, Any] | None:
    """What a service says."""
    if told is None:
        return None
    signals = [{**msgspec.structs.asdict(one), "since": at(one.since)} for one in told.signals]
    return {"text": told.text, "signals": signals, "hints": list(told.hints), "version": told.version}


def finding_out(s: CaseStanding, f: Finding) -> dict[str, Any]:
    """A stretch as it counts."""
    return {
        "id": f.id,
        "from": at(f.start),
        "to": at(f.end),
        "determined": at(f.determined),
        "least": f.least,
        "most": f.most,
        "cut": f.cut,
        "told": told_out(told_of(s.steps, f.id)),
    }


def waits_for(s: CaseStanding) -> str:
    """What is to be done or proven next."""
    if s.case.source:
        return _look_at(s)
    match s.status:
        case "violated" | "diagnosed" if s.active:
            return "The requirement is violated now: find the cause and mend it"
        case "violated":
            return "Kept again since: say what the cause was and what was mended"
        case "diagnosed":
            return "The cause is said: mend it and record the repair"
        case "repaired":
            return "Not yet proven: it has to be kept when its condition comes again, or for the time demanded"
        case _:
            return ""


def _look_at(s: CaseStanding) -> str:
    """What a case waits for of which nothing is proven."""
    match s.status:
        case "violated" if s.active:
            return "It looks wrong now: look at the machine, say the cause, or say why it is no fault"
        case "violated":
            return "It is over: say what it was; untouched, it is closed seven days after its end"
        case "diagnosed":
            return "The cause is said: mend it and record the repair, or say why it is no fault"
        case "repaired":
            return "Services learn the machine anew since the repair: close it once it runs as it should"
        case _:
            return ""
