"""Acceptance of machines under a contract: criteria, what the twin measured of them, and both parties' word."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Query, Response

from servitwin.domain.acceptance import Finding
from servitwin.domain.agreement import Acceptance, Agreement, acceptance_of
from servitwin.domain.canonical_json import decimal_text
from servitwin.domain.contract_period import warranty_end
from servitwin.usecases.accept_machine import criteria_digest
from servitwin.web.api.answers import answer, at, provenance_url, time_of
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.contract_parts import ContractParts, Contracts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.acceptance import AcceptanceIn, AcceptanceShape, CriterionShape

router = router_of("contracts")


@router.get("/contracts/{id}/acceptances", response_model=list[AcceptanceShape])
def list_acceptances(contracts: Contracts, me: Me, id: str) -> Response:
    """Where the acceptance of each machine stands."""
    return answer(_acceptances(contracts, contracts.access.current(me, id)))


@router.get("/contracts/{id}/acceptances/{twin}/criteria", response_model=list[CriterionShape])
def read_acceptance_criteria(
    parts: Parts,
    contracts: Contracts,
    me: Me,
    id: str,
    twin: str,
    until: Annotated[
        str | None,
        Query(description="end of the test run; default: of the run that the other party accepted, else now"),
    ] = None,
) -> Response:
    """Every criterion of a machine's acceptance, and what the twin measures of it over the hours before `until`."""
    agreement = contracts.access.measured(me, id)
    party = me.party or parts.authoriser.operator()
    end = None if until is None else time_of(until, "until")
    found = contracts.accept.findings(agreement, twin, party, until=end)
    criteria = {c.name: c for c in agreement.contract.criteria}
    return answer(
        [
            {
                "step": criteria[f.name].step, "name": f.name, "measured": criteria[f.name].measured,
                "result": f.result, "evidence": f.evidence,
                "value": None if f.value is None else decimal_text(round(f.value, 6)),
                "from": at(f.start), "to": at(f.end),
            }
            for f in found
        ]
    )  # fmt: skip


@router.post("/contracts/{id}/acceptances", response_model=list[AcceptanceShape], status_code=201)
def accept_machine(contracts: Contracts, me: Me, id: str, body: AcceptanceIn) -> Response:
    """Accept a machine, or refuse it, for your party; the guarantee's clock starts once both have accepted.

    What the twin measures is measured, whatever is said. A machine with a failed criterion cannot be accepted; what
    people leave open says what is left to do.
    """
    agreement = contracts.accept.accept(
        id, body.twin, body.answer, me,
        said=[Finding(name, result, evidence) for name, result, evidence in body.criteria],
        until=None if body.until is None else time_of(body.until, "until"), text=body.text,
    )  # fmt: skip
    return answer(_acceptances(contracts, agreement), 201)


def _acceptances(contracts: ContractParts, agreement: Agreement) -> list[dict[str, Any]]:
    steps = contracts.accept.steps(agreement)
    return [
        {
            "twin": twin,
            **_accepted(steps, agreement, twin),
            "steps": [
                {
                    **msgspec.to_builtins(s), "at": at(s.at), "tested_until": at(s.tested_until),
                    "measured": [_measured(s.twin, f) for f in s.measured],
                }
                for s in steps
                if s.twin == twin
            ],
        }
        for twin in agreement.contract.machines
    ]  # fmt: skip


def _accepted(steps: list[Acceptance], agreement: Agreement, twin: str) -> dict[str, Any]:
    contract = agreement.contract
    done = acceptance_of(steps, contract, twin)
    return {
        "accepted_at": None if done is None else at(done.at),
        "accepted_by": None if done is None or not done.version else done.version,
        "other_criteria": done is not None and done.terms != criteria_digest(contract),
        "warranty_until": at(warranty_end(contract, None if done is None else done.at)),
    }


def _measured(twin: str, found: Finding) -> dict[str, Any]:
    """What the twin measured, and where its observations are."""
    url = provenance_url(
        "signal", twin=twin, signal=found.signal, from_=at(found.start), to=at(found.end)
    ) if found.signal else provenance_url("states", twin=twin, from_=at(found.start), to=at(found.end))  # fmt: skip
    return {
        "name": found.name, "signal": found.signal, "statistic": found.statistic,
        "value": None if found.value is None else decimal_text(round(found.value, 6)),
        "from": at(found.start), "to": at(found.end), "cut": found.cut, "provenance": url,
    }  # fmt: skip
