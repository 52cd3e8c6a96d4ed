"""How answers about traced parts, charts and recalls were made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import DAY
from servitwin.domain.kept_trace import KeptTrace
from servitwin.domain.party import Actor
from servitwin.web.api.answers import at, cut_out, range_of
from servitwin.web.api.callers import known_twin
from servitwin.web.api.parts import API, WebParts
from servitwin.web.api.trace_parts import names_of, tracer

_SHOWN = 20
_TOLD = {
    "trace": (
        "genealogy", "GS1 EPCIS 2.0; breadth-first closure over the events' inputs and outputs",
        "Every event that names the object, and everything reached from it through what went in and what came out. "
        "Time and order of arrival play no part; events of others that you may not see are left out.",
    ),
    "spc": (
        "spc", "NIST/SEMATECH e-Handbook 6.1.6 and 6.3; ISO 22514-2; Nelson 1984; Western Electric 1956",
        "Limits come from the first subgroups of the range, constants are computed from the normal distribution. "
        "Capability: Cp and Pp by chi-square, Cpk and Ppk by Bissell's interval, 95 %.",
    ),
}  # fmt: skip


def trace_provenance(
    parts: WebParts,
    me: Actor,
    kind: Literal["trace", "spc"],
    ids: Sequence[str],
    machine: str,
    product: str,
    from_: str | None,
    to: str | None,
) -> dict[str, Any]:
    """Rule, source, and the events that an answer rests on (the last ones of many)."""  # fmt: skip
    rule, source, explanation = _TOLD[kind]
    ask = tracer(parts, me)
    start, end = range_of(from_ or None, to or None, parts.now(), DAY)
    twin = known_twin(parts, me, machine) if machine else None
    if ids:
        found = [k for id in ids[:_SHOWN] for k in ask.about(id)]
        title = f"Life of {names_of(list(ids))}"
    elif twin is not None or product:
        found = ask.events(start, end, twin=None if twin is None else twin.uid, product=product, limit=10_000)
        title = f"Parts of {product or (twin.title or twin.id if twin else '')}"
    else:
        raise InvalidInputError(Fault("provenance:incomplete", "Provenance of what?", "Name part, machine or product"))
    times = [k.event.time for k in found]
    return {
        "title": title, "rule": rule, "version": "1", "source": source,
        "inputs": [_input(k) for k in found[-_SHOWN:]],
        "interval": [at(min(times, default=start)), at(max(times, default=end))],
        "cut": cut_out(parts.history.cut()),
        "observations_url": f"{API}/epcis/v2/events?{f'MATCH_anyEPC={ids[0]}' if ids else f'GE_eventTime={at(start)}'}",
        "explanation": f"{explanation} {len(found)} events; the last {min(len(found), _SHOWN)} are listed.",
    }  # fmt: skip


def _input(k: KeptTrace) -> dict[str, str]:
    e = k.event
    detail = ", ".join(n for n in (at(e.time), e.place, e.program, e.source_document) if n)
    return {"kind": f"event: {e.kind}", "name": names_of(e.parts), "detail": detail}
