"""What services leave: profit and loss from the ledger, renewals from the agreed contracts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Response

from servitwin.domain.canonical_json import decimal_text
from servitwin.domain.error import Fault, RefusedError
from servitwin.domain.follow_up import EndedContract
from servitwin.domain.party import Actor
from servitwin.formats.settlement_document import amount
from servitwin.usecases.count_renewals import TOLERANCE_DAYS, RenewalCount, count_renewals
from servitwin.usecases.profit_and_loss import profit_and_loss
from servitwin.web.api.answers import answer, at, range_of, time_of
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.contract_parts import Contracts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.result import RenewalsShape, ResultShape

router = router_of("money")
_YEAR = 366 * 86_400 * 10**9
_SUMS = ("revenue", "credits", "visits", "parts", "data", "shares", "margin")
_PERCENTS = ("renewal_percent", "renewal_percent_by_fee", "net_retention_percent", "gross_retention_percent")
_COUNTS = ("customer", "currency", "ended", "renewed", "partly", "churned", "open", "other_currency")


@router.get("/profit-and-loss", response_model=list[ResultShape])
def read_profit_and_loss(
    parts: Parts,
    me: Me,
    from_: Annotated[str | None, Query(alias="from", description="default: a year before `to`")] = None,
    to: str | None = None,
) -> Response:
    """What each contract brought in, cost and left, from the ledger."""
    start, end = range_of(from_, to, parts.now() + 1, _YEAR)
    rows = profit_and_loss(parts.records.entries([books_of(parts, me)], start, end))
    return answer(
        [
            {
                "contract": r.contract, "customer": r.customer, "currency": r.currency,
                **{n: amount(getattr(r, n)) for n in _SUMS},
                "margin_percent": None if r.margin_percent is None else decimal_text(r.margin_percent),
                "entries": r.entries,
            }
            for r in rows
        ]
    )  # fmt: skip


@router.get("/profit-and-loss/renewals", response_model=RenewalsShape)
def read_renewals(
    parts: Parts,
    contracts: Contracts,
    me: Me,
    from_: Annotated[str | None, Query(alias="from", description="default: a year before `to`")] = None,
    to: str | None = None,
    at_: Annotated[str | None, Query(alias="at", description="by the signatures made until then; default: now")] = None,
    tolerance_days: Annotated[
        int, Query(ge=-(2**31), le=2**31, description="a follow-up begins at most so many days before or after the end")
    ] = TOLERANCE_DAYS,
) -> Response:
    """Your party's contracts that ended, and whether a follow-up for the same machines was agreed; yearly fees.

    Read from contracts that both parties have signed, and from nothing else.
    """
    start, end = range_of(from_, to, parts.now() + 1, _YEAR)
    known_at = parts.now() if at_ is None else min(parts.now(), time_of(at_, "at"))
    provider = books_of(parts, me)
    own = [a for a in contracts.access.all_of(me) if a.contract.provider == provider]
    found = count_renewals(own, start, end, known_at=known_at, tolerance_days=tolerance_days)
    return answer(
        {
            "from": at(start), "to": at(end), "known_at": at(found.known_at), "tolerance_days": found.tolerance_days,
            "contracts": [_ended(e) for e in found.contracts],
            "customers": [_count(c) for c in found.customers],
            "totals": [_count(c) for c in found.totals],
        }
    )  # fmt: skip


def books_of(parts: Parts, me: Actor) -> str:
    """The party whose books the caller may read: its own.

    Raises:
        RefusedError: ``access:not-permitted``.
    """
    party = me.party or parts.authoriser.operator()
    if not {"service_manager", "sales", "administrator", "analyst"} & set(me.roles):
        raise RefusedError(
            Fault("access:not-permitted", "The books are for sales, service management and administration", "Ask them")
        )
    return party


def _ended(e: EndedContract) -> dict[str, Any]:
    return {
        "contract": e.contract, "version": e.version, "customer": e.customer, "end": at(e.end), "outcome": e.outcome,
        "decided": at(e.decided), "before": amount(e.before), "currency": e.before.currency,
        "machines": [
            {
                "twin": m.twin, "before": amount(m.before), "follow_up": m.follow_up,
                "after": None if m.after is None else amount(m.after),
                "currency": None if m.after is None else m.after.currency,
            }
            for m in e.machines
        ],
    }  # fmt: skip


def _count(c: RenewalCount) -> dict[str, Any]:
    percents = {n: getattr(c, n) for n in _PERCENTS}
    return {
        **{n: getattr(c, n) for n in _COUNTS}, "before": amount(c.before), "after": amount(c.after),
        **{n: None if p is None else decimal_text(p) for n, p in percents.items()},
    }  # fmt: skip
