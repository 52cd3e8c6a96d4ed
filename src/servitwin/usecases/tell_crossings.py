"""Results of services that cross a threshold are events of the machine: told on the event stream and over MQTT."""

from __future__ import annotations

import msgspec

from servitwin.domain.instant import HOUR
from servitwin.sdk.service import Outcome
from servitwin.usecases.ports import Records

_CROSSED = "_crossed"
NEWS = HOUR  # what was crossed longer ago is no news: a past that is caught up with tells nothing


def crosses(outcome: Outcome) -> bool:
    """Whether a threshold was crossed."""
    return any(name.endswith(_CROSSED) for result in outcome.results for name in result)


def tell_crossings(records: Records, twin: str, outcome: Outcome, now: int) -> list[tuple[str, bytes]]:
    """Keep an event for each result whose name ends in ``_crossed``; the messages for the bus.

    ``twin``: uid. The kind of event is the result's name without the ending, with hyphens; ``time`` of the result (ns
    UTC) says when it was.
    """
    said = []
    for result in outcome.results:
        for name, data in result.items():
            if not (name.endswith(_CROSSED) and isinstance(data, dict)) or now - int(data.get("time", now)) > NEWS:
                continue
            kind = name.removesuffix(_CROSSED).replace("_", "-")
            number = records.add_event(kind, twin, now, data)
            event = {"id": number, "kind": kind, "subject": twin, "at": now, "data": data}
            said.append(("happened", msgspec.json.encode(event)))
    return said
