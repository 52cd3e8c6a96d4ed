"""How a figure of a case was made: the requirement by its digest, the logic, the signals, and what was known."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlencode

from servitwin.domain.error import Fault, NotFoundError
from servitwin.domain.formula.tree import LOGIC, STATE, reach
from servitwin.domain.observation import CONNECTION, Cut
from servitwin.domain.party import Actor
from servitwin.web.api.answers import at, cut_out
from servitwin.web.api.case_found import case_text, signals_told
from servitwin.web.api.case_parts import CaseParts
from servitwin.web.api.parts import API, WebParts

_EXPLANATIONS = {
    "found": "A service says that this stretch looks wrong, by its own rule and parameters over these signals. It is a "
    "reason to look, not a proof.",
    "violation": "The formula is evaluated at every instant over these signals, their accuracy included: a violation "
    "is a stretch in which it is certainly false. The margin bounds how far the deciding comparison was from being "
    "kept; below zero it is violated.",
    "repair": "After the repair, each stretch in which the condition held counts once if the requirement was certainly "
    "kept in it; what could not be judged counts for nothing.",
}


def case_provenance(
    parts: WebParts, cases: CaseParts, me: Actor, id: str, of: Literal["violation", "repair"], finding: str | None
) -> dict[str, Any]:
    """What a violation (default: the latest that counts) or the progress of a repair rests on.

    Raises:
        NotFoundError: ``case:unknown``, ``case:finding-unknown``, ``case:no-repair``.
    """
    standing = cases.act.get(me, id)
    twin = parts.registry.by_uid(standing.case.twin)
    demand = cases.requirement(standing)
    inputs = [{"kind": "requirement", "name": standing.case.requirement, "detail": standing.case.digest}]
    if of == "violation":
        found = next((f for f in reversed(standing.findings) if finding in (None, f.id)), None)
        if found is None:
            raise NotFoundError(Fault("case:finding-unknown", "No such violation of this case counts", where="finding"))
        start, end = found.start, found.end if found.end is not None else parts.now()
        cut = _cut(found.cut)
    else:
        progress = cases.progress(standing)
        if progress is None:
            raise NotFoundError(Fault("case:no-repair", "No repair of this case can be judged", where="of"))
        start, end = progress.since, progress.until
        verified = standing.verified
        cut = _cut(verified.cut) if verified is not None and verified.cut else parts.history.cut()
        if demand is not None and demand.condition_text:
            inputs.append({"kind": "condition", "name": demand.condition_text, "detail": f"{progress.needed} times"})
    reach_back = 0
    signals: list[str] = []
    if demand is not None:
        inputs[0]["detail"] = f"{demand.requirement.formula} ({standing.case.digest})"
        signals = [name for name in demand.checked.signals if name not in (CONNECTION, STATE)]
        if demand.formula is not None:
            reach_back = reach(demand.formula)[0] or 0  # without end: from the violation's begin
    source = standing.case.source
    if source:
        inputs[0]["kind"] = "service"
        signals = signals_told(standing)
    if twin is not None:
        kind = parts.registry.type_at(twin, start)
        if kind is not None:
            inputs.append({"kind": "machine type", "name": kind.reference, "detail": f"signals of {twin.id}"})
        inputs += [
            {
                "kind": "signal",
                "name": f"{twin.id}/{name}",
                "detail": "named by the service" if source else "read by the formula",
            }
            for name in signals
        ]
    window = urlencode({"from": at(start - reach_back), "to": at(end)})
    first = f"{API}/twins/{twin.id}/signals/{signals[0]}/observations?{window}" if twin and signals else ""
    name, _, version = LOGIC.partition("@")
    if source:
        name, version = source, standing.told.version if standing.told is not None else ""
    title = case_text(cases, standing) or standing.case.requirement
    return {
        "title": title,
        "rule": name,
        "version": version,
        "source": "docs/concepts/finding.md" if source else "docs/concepts/requirement.md",
        "inputs": inputs,
        "interval": [at(start), at(end)],
        "cut": cut_out(cut),
        "observations_url": first,
        "explanation": _EXPLANATIONS["found" if source else of],
    }


def _cut(kept: dict[str, int]) -> Cut:
    return {int(shard): sequence for shard, sequence in kept.items()}
