"""How a figure of a contract was made: terms, claims, reasons, machine types, and observations by their digests."""

from __future__ import annotations

from typing import Any

from servitwin.domain.contract_period import period_chosen
from servitwin.domain.party import Actor
from servitwin.domain.settlement import RULE
from servitwin.formats.settlement_document import settlement_document
from servitwin.web.api.answers import at, time_of
from servitwin.web.api.contract_parts import ContractParts
from servitwin.web.api.parts import API, WebParts

_EXPLANATION = (
    "Each stretch of the period is sorted by the contract's rules: state by the machine type, cause and responsible "
    "party, accepted claims, gaps; available over counted time is rounded as agreed and compared with the level. "
    "Every stretch with its rule is under the contract's time; a settlement can be computed again without this server."
)


def contract_provenance(
    parts: WebParts, contracts: ContractParts, me: Actor, id: str, period: str | None, known: str | None
) -> dict[str, Any]:
    """What a period's figures rest on, as known at an instant (default: now)."""
    agreement = contracts.access.measured(me, id)
    known_at = parts.now() if known is None else min(parts.now(), time_of(known, "at"))
    chosen = period_chosen(agreement.contract, period, known_at)
    found = contracts.settle.look(agreement, chosen, known_at)
    document = settlement_document(found.inputs, found.observed, found.settled, agreement.signatures)
    inputs: list[dict[str, str]] = [
        {"kind": "contract", "name": document["contract"], "detail": document["contract_digest"]},
    ]
    for machine in found.inputs.machines:
        for stretch in machine.types:
            if stretch.type is not None:
                entry = {"kind": "machine type", "name": stretch.type.reference, "detail": f"states of {machine.twin}"}
                inputs += [] if entry in inputs else [entry]
        inputs += [
            {
                "kind": "signal",
                "name": f"{machine.twin}/{name}",
                "detail": f"{one['count']} observations, {one['digest']}",
            }
            for name, one in document["observations"][machine.twin].items()
        ]
    inputs += [
        {"kind": "claim", "name": claim.id, "detail": f"{claim.kind}, {len(steps)} decisions"}
        for claim, steps in found.inputs.claims
    ]
    inputs += [{"kind": "reason", "name": r.id, "detail": f"{r.cause} by {r.author}"} for r in found.inputs.reasons]
    inputs += [
        {"kind": "work order", "name": o.id, "detail": f"{o.cause}, step {o.number} ({o.action}) by {o.by}"}
        for o in found.inputs.work_orders
    ]
    first = next((i["name"] for i in inputs if i["kind"] == "signal"), "")
    twin, _, signal = first.partition("/")
    guarantee = agreement.contract.guarantee
    rule, _, version = RULE.partition("@")
    return {
        "title": f"{agreement.contract.title}, {chosen.id}",
        "rule": f"{rule} with {guarantee.formula if guarantee else ''}",
        "version": version,
        "source": "IEC 61400-26-1 for categories and their priority (secondary)",
        "inputs": inputs,
        "interval": [at(chosen.start), at(min(chosen.end, known_at))],
        "cut": {shard: sequence for shard, sequence in found.inputs.cut.items()},
        "observations_url": f"{API}/twins/{twin}/signals/{signal}/observations?from={at(chosen.start)}"
        if signal
        else "",
        "explanation": _EXPLANATION,
    }
