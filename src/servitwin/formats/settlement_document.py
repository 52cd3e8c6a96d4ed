"""Settlements as documents: canonical JSON with its digest, complete enough to be computed again elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from servitwin.domain.agreement import Signature
from servitwin.domain.canonical_json import canonical, decimal_text, digest, plain
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.guarantee_time import RULES, Category, GuaranteeTime
from servitwin.domain.instant import NS, format_instant, format_instants
from servitwin.domain.money import Money
from servitwin.domain.observation import Series
from servitwin.domain.settlement import RULE, MachineResult, Settled
from servitwin.domain.settlement_inputs import SettlementInputs, fingerprint
from servitwin.domain.time_table import STATES

Document = dict[str, Any]


def settlement_document(
    inputs: SettlementInputs,
    observed: Mapping[str, Mapping[str, Series]],
    settled: Settled,
    signatures: Sequence[Signature],
    revision: int = 1,
    corrects: str | None = None,
) -> Document:
    """The whole settlement as plain data, with its own digest last."""
    contract = inputs.contract
    document = {
        "settlement": RULE,
        "contract": contract.reference,
        "contract_digest": digest(contract),
        "contract_signatures": plain(list(signatures)),
        "period": {
            "id": inputs.period.id,
            "from": format_instant(inputs.period.start),
            "to": format_instant(inputs.period.end),
        },
        "known_at": format_instant(inputs.known_at),
        "revision": revision,
        "corrects": corrects,
        **result_of(settled),
        "machines": [machine_result(m) for m in settled.machines],
        "observations": {twin: _observed(series) for twin, series in sorted(observed.items())},
        "inputs": plain(inputs),
    }
    return {**document, "digest": digest(document)}


def result_of(settled: Settled) -> Document:
    """Sums of a settlement: money as decimal text, the pool for information."""
    return {
        "currency": settled.contract.currency,
        "fee": amount(settled.fee),
        "credit": amount(settled.credit),
        "bonus": amount(settled.bonus),
        "disputed": amount(settled.disputed),
        "payable": amount(settled.fee - settled.credit + settled.bonus),
        "pool": {"percent": percent(settled.pool.percent), "note": "for information: machines are settled one by one"},
    }


def machine_result(result: MachineResult, *, intervals: bool = True) -> Document:
    """One machine: its time by category, what it is worth, and each stretch with the rule that decided it."""
    worth = result.worth
    found: Document = {
        "twin": result.twin,
        "fee": amount(result.fee),
        "available_s": seconds(result.numerator),
        "counted_s": seconds(result.denominator),
        "seconds": {name: seconds(ns) for name, ns in result.totals.items()},
        "percent": percent(worth.measured),
        "rounded_percent": None if worth.rounded is None else decimal_text(worth.rounded),
        "missed_percent": decimal_text(worth.missed),
        "credit_percent": None if worth.percent is None else decimal_text(worth.percent),
        "capped": worth.capped,
        "escalation": decimal_text(worth.escalation),
        "credit": amount(result.credit),
        "bonus": amount(result.bonus),
        "disputed": amount(result.disputed),
        "undecided_s": seconds(result.undecided),
    }
    if intervals:
        found["intervals"] = interval_rows(result.time)
    return found


def interval_rows(time: GuaranteeTime) -> list[Document]:
    """Each stretch: state, cause, party and word as observed, category, rule, and the reason or claim behind it."""
    table = time.table
    names = table.names
    columns = zip(
        table.start.tolist(),
        format_instants(table.start),
        format_instants(table.end),
        table.state.tolist(),
        table.cause.tolist(),
        table.party.tolist(),
        table.word.tolist(),
        table.reason.tolist(),
        time.category.tolist(),
        time.rule.tolist(),
        time.said.tolist(),
        time.ground.tolist(),
        strict=True,
    )
    rows = []
    for start, begin, end, state, cause, party, word, reason, category, rule, said, ground in columns:
        row = {
            "from": begin,
            "to": end,
            "state": STATES[state].value,
            "category": Category(category).name.lower(),
            "rule": RULES[rule],
        }
        texts = (("cause", cause), ("party", party), ("word", word), ("unknown", reason))
        row |= {key: names[code] for key, code in texts if code}
        if said >= 0:
            row |= {"reason": time.reasons[said].id, "said": time.reasons[said].cause}
        if ground >= 0:
            row |= {"ground": time.grounds[ground].kind, "exclusion": time.grounds[ground].id_at(start)}
        rows.append(row)
    return rows


def document_bytes(document: Document) -> bytes:
    """The bytes that are kept and sent: canonical JSON."""
    return canonical(document)


def read_settlement(content: bytes) -> tuple[Document, SettlementInputs]:
    """A settlement document and the inputs in it.

    Raises:
        InvalidInputError: ``settlement:not-readable``, ``settlement:altered`` if a byte of it was changed.
    """
    try:
        document = msgspec.json.decode(content, type=dict[str, Any])
        without = {k: v for k, v in document.items() if k != "digest"}
        intact = digest(without) == document.get("digest") and canonical(document) == content.strip()
        inputs = msgspec.convert(document["inputs"], SettlementInputs, strict=False)
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError, ValueError, RecursionError) as e:
        raise InvalidInputError(
            Fault("settlement:not-readable", f"This is no settlement: {e}", "Save it again from where it came")
        ) from None
    if document.get("settlement") != RULE:
        raise InvalidInputError(
            Fault("settlement:rule-unknown", f"Rule {document.get('settlement')!r} is not known here", f"Known: {RULE}")
        )
    if not intact or digest(inputs.contract) != document.get("contract_digest"):
        raise InvalidInputError(
            Fault(
                "settlement:altered",
                "The content does not fit its digest: at least one byte was changed after it was settled",
                "Ask the other party for the settlement as it was sent, and compare the digests",
                "digest",
            )
        )
    return document, inputs


def differences(document: Document, again: Document) -> list[str]:
    """Where two settlements of the same inputs differ, as paths; empty if they are the same."""
    found: list[str] = []
    _compare(document, again, "", found)
    return found


def _compare(a: Any, b: Any, path: str, found: list[str]) -> None:
    if len(found) >= 20 or path in {".digest", ".contract_signatures", ".inputs"}:
        return
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted({*a, *b}):
            _compare(a.get(key), b.get(key), f"{path}.{key}", found)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for place, (x, y) in enumerate(zip(a, b, strict=True)):
            _compare(x, y, f"{path}[{place}]", found)
    elif a != b:
        found.append(f"{path.lstrip('.')}: {str(a)[:80]} there, {str(b)[:80]} computed")


def _observed(series: Mapping[str, Series]) -> Document:
    return {
        name: {
            "count": len(one),
            "first": format_instant(int(one.time[0])),
            "last": format_instant(int(one.time[-1])),
            "digest": fingerprint(one),
        }
        for name, one in sorted(series.items())
        if len(one)
    }


def amount(money: Money) -> str:
    """An amount with the decimals of its currency, as text."""
    return f"{money.rounded().amount:f}"


def seconds(ns: int) -> str:
    """Seconds as exact decimal text."""
    return decimal_text(Decimal(ns) / NS)


def percent(value: Decimal | None) -> str | None:
    """Percent to twelve decimals, as text; None where it is undefined."""
    return None if value is None else decimal_text(round(value, 12))
