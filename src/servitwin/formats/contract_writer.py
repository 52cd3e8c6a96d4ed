"""Contracts written as the file they could have been read from: to change an offer, or to carry it elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from servitwin.domain.acceptance import AcceptanceTerms, Criterion
from servitwin.domain.contract import Band, Contract, Guarantee, LiquidatedBand, PartnerTerm, Price, TableBand

_encode = msgspec.json.Encoder(decimal_format="number").encode
Block = dict[str, Any]
_PLAIN = re.compile(r"[a-z][a-z0-9_]*(?:-[a-z0-9_]+)*\Z", re.ASCII)
_BREAKS = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")  # what YAML takes for line breaks, or refuses as they are
_RESERVED = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def contract_data(contract: Contract) -> Block:
    """The file's blocks; :func:`servitwin.formats.contract_file.read_contract` makes the same contract of them."""
    data: Block = {
        "contract": contract.id,
        "version": contract.version,
        "title": contract.title,
        "provider": contract.provider,
        "customer": contract.customer,
        "machines": list(contract.machines),
        "period": {"from": contract.start, "to": contract.end, "time_zone": contract.time_zone},
        "currency": contract.currency,
        "price": _price(contract.price),
    }
    if contract.guarantee is not None:
        data["guarantee"] = _guarantee(contract.guarantee)
    if contract.partners:
        data["partners"] = {p.party: _partner(p) for p in contract.partners}
    if not isinstance(contract.warranty, msgspec.UnsetType):
        data["warranty"] = {"months": contract.warranty.months}
    if isinstance(contract.acceptance, AcceptanceTerms):
        data |= {"acceptance": "required", "criteria": [_criterion(c) for c in contract.acceptance.criteria]}
    else:
        data["acceptance"] = contract.acceptance
    if contract.rank:
        data["rank"] = contract.rank
    if contract.text:
        data["text"] = contract.text
    return data


def contract_yaml(contract: Contract) -> str:
    """The contract file as YAML."""
    return "".join(f"{line}\n" for line in _lines(contract_data(contract), ""))


def contract_json(contract: Contract) -> str:
    """The contract file as JSON, which the reader of YAML reads alike."""
    return _escaped(_encode(contract_data(contract)).decode())


def _price(price: Price) -> Block:
    data: Block = {"fee": price.fee, "per": price.per, "payment_days": price.payment_days}
    if price.usage:
        data["usage"] = {
            m.meter: {
                "tiers": [_given(up_to=t.up_to, rate=t.rate) for t in m.tiers],
                **_given(minimum=m.minimum, cap=m.cap),
            }
            for m in price.usage
        }
    return data


def _guarantee(terms: Guarantee) -> Block:
    places = terms.rounding.places
    data: Block = {
        "level": terms.level,
        "formula": terms.formula,
        "basis": terms.basis,
        "settle": terms.settle,
        "rounding": {"mode": "none"} if places is None else {"places": places, "mode": terms.rounding.mode},
        "credit": _band(terms.bands),
        "gaps": {"rule": terms.gaps.rule, "telemetry": terms.gaps.telemetry},
        "burden_of_proof": terms.burden_of_proof,
        "deemed": {"days": terms.deemed.days, "decision": terms.deemed.decision},
        "exclusions": [_given(kind=e.kind, budget_hours=e.budget_hours) for e in terms.exclusions],
        "crossing": terms.crossing,
        "malus": terms.malus,
    }
    if terms.bonus is not None:
        data["bonus"] = _band(terms.bonus)
    if terms.words:
        data["words"] = list(terms.words)
    if terms.degraded:
        data["degraded"] = dict(terms.degraded)
    return data


def _band(band: Band) -> Block:
    if isinstance(band, TableBand):
        rungs = [{"below": r.below, "percent": r.credit} for r in band.rungs]
        data: Block = {"form": "table", "rungs": rungs, "cap": band.cap}
    elif isinstance(band, LiquidatedBand):
        data = {"form": "liquidated", "rate": band.rate, "meter": band.meter, **_given(unit=band.unit, cap=band.cap)}
    else:
        form = msgspec.to_builtins(band)["form"]
        data = {"form": form, "step": band.step, "percent": band.credit, "cap": band.cap}
    if band.escalation is not None:
        data["escalation"] = {"factor": band.escalation.factor, "times": band.escalation.times}
    return data


def _partner(partner: PartnerTerm) -> Block:
    levels = [
        {
            "measure": level.measure, "level": level.level, "unit": level.unit, "signals": list(level.signals),
            "malus": level.malus, **_given(reference=level.reference),
        }
        for level in partner.levels
    ]  # fmt: skip
    return {"share": partner.share, "levels": levels}


def _criterion(criterion: Criterion) -> Block:
    data = {name: getattr(criterion, name) for name in criterion.__struct_fields__}
    if not criterion.signal:
        del data["statistic"]
    return _given(**data)


def _given(**values: Any) -> Block:
    """What is said at all: no empty text, nothing that is not set."""
    return {k: v for k, v in values.items() if v not in (None, "") and not isinstance(v, msgspec.UnsetType)}


def _lines(block: Mapping[str, Any], indent: str) -> list[str]:
    """A block of keys line by line; lists and what is in them stay on one line each."""
    found = []
    for key, value in block.items():
        if isinstance(value, Mapping) and value and not all(_scalar(v) for v in value.values()):
            found += [f"{indent}{_text(key)}:", *_lines(value, indent + "  ")]
        elif isinstance(value, list) and value and not all(_scalar(v) for v in value):
            found += [f"{indent}{_text(key)}:", *(f"{indent}  - {_flow(v)}" for v in value)]
        else:
            found.append(f"{indent}{_text(key)}: {_flow(value)}")
    return found


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(v) for v in value) + "]"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value) if isinstance(value, int) else _text(value)


def _scalar(value: Any) -> bool:
    return not isinstance(value, Mapping | list)


def _text(value: str) -> str:
    """Text as YAML: bare where no reader could take it for anything else, else quoted as JSON does."""
    if _PLAIN.match(value) and value not in _RESERVED:
        return value
    return _escaped(json.dumps(value, ensure_ascii=False))


def _escaped(text: str) -> str:
    return _BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
