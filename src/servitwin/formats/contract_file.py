"""Contract files: terms in YAML, read with all faults at once, each at its place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from servitwin.domain.availability import FORMULAS
from servitwin.domain.canonical_json import decimal_text
from servitwin.domain.contract import (
    Band,
    Contract,
    DeemedTerm,
    Escalation,
    ExclusionTerm,
    GapTerm,
    Guarantee,
    LinearBand,
    LiquidatedBand,
    MeterPrice,
    PartnerTerm,
    Price,
    PriceTier,
    Rounding,
    Rung,
    ServiceLevel,
    StepBand,
    TableBand,
    Warranty,
)
from servitwin.domain.error import Fault
from servitwin.domain.money import CURRENCIES
from servitwin.formats.contract_criteria import read_acceptance
from servitwin.formats.structure import Structure, did_you_mean
from servitwin.formats.written_decimal import decimal_of, maybe_decimal
from servitwin.formats.yaml_node import Key, Parsed, parse

Path = tuple[Key, ...]
Block = Mapping[str, Any]
_FIRST_DAY, _LAST_DAY = "1900-01-01", "2200-01-01"  # well inside what nanoseconds in 64 bits can hold
OWN_FORMULAS = ("guarantee@1", "words@1")
_NEEDS = {
    "stepped": ("step", "percent", "cap"),
    "linear": ("step", "percent", "cap"),
    "table": ("rungs",),
    "liquidated": ("rate", "meter"),
}


class Around(msgspec.Struct, frozen=True):
    """What exists beside the file; None where it is not known and so not checked."""

    parties: Collection[str] | None = None
    twins: Collection[str] | None = None
    signals: Callable[[str], Collection[str] | None] | None = None  # of a twin


def read_contract(
    source: str | Parsed,
    file: str | None = None,
    *,
    around: Around = Around(),  # noqa: B008  # immutable
) -> tuple[Contract | None, list[Fault]]:
    """The contract in a YAML (or JSON) text; None as soon as there is one fault.

    Faults of structure have codes ``yaml:...`` and ``file:...``; of meaning ``contract:...``.
    """
    root, faults, file = parse(source, file)
    if root is None:
        return None, faults
    structure = Structure(root, "contract", file)
    structure.faults += faults
    contract = _Reader(structure, around).read()
    found = sorted(structure.faults, key=lambda f: (f.line or 0, f.column or 0))
    return (None if found else contract), found


class _Reader:
    def __init__(self, structure: Structure, around: Around) -> None:
        self._structure = structure
        self._say = structure.say_of_clean
        self._around = around
        self._data: Block = structure.clean()

    def read(self) -> Contract | None:
        data = self._data
        self._check_parties(data)
        self._check_machines(data.get("machines", []))
        self._check_period(data.get("period", {}))
        currency = data.get("currency")
        if currency is not None and currency not in CURRENCIES:
            hint = did_you_mean(currency, CURRENCIES) or "Use its ISO 4217 code, like EUR"
            self._say(("currency",), "money:currency-unknown", f"There is no currency {currency!r}", hint)
        partners = self._partners(data.get("partners", {}))
        price = self._price(data.get("price", {}))
        guarantee = self._guarantee(data["guarantee"], price) if "guarantee" in data else None
        if self._structure.faults:
            return None
        period = data["period"]
        return Contract(
            id=data["contract"],
            version=data["version"],
            title=data.get("title", data["contract"]),
            provider=data["provider"],
            customer=data["customer"],
            machines=tuple(data["machines"]),
            start=period["from"],
            end=period["to"],
            time_zone=period["time_zone"],
            currency=data["currency"],
            price=price,
            guarantee=guarantee,
            partners=partners,
            warranty=Warranty(data["warranty"]["months"]) if "warranty" in data else msgspec.UNSET,
            acceptance=read_acceptance(data, guarantee is not None, self._say, self._around.signals),
            rank=data.get("rank", 0),
            text=data.get("text", ""),
        )

    def _check_parties(self, data: Block) -> None:
        known = self._around.parties
        named = [(("provider",), data.get("provider")), (("customer",), data.get("customer"))]
        named += [(("partners", p), p) for p in data.get("partners", {})]  # type: ignore[misc]
        for path, party in named:
            if party is not None and known is not None and party not in known:
                hint = did_you_mean(party, known) or "Declare it in a plant file first"
                self._say(path, "contract:party-unknown", f"There is no party {party!r}", hint)
        if data.get("provider") is not None and data.get("provider") == data.get("customer"):
            self._say(
                ("customer",), "contract:one-party", "Provider and customer are the same party", "A contract binds two"
            )

    def _check_machines(self, machines: list[str]) -> None:
        known = self._around.twins
        for place, machine in enumerate(machines):
            if known is not None and machine not in known:
                hint = did_you_mean(machine, known) or "Register the twin first"
                self._say(("machines", place), "contract:machine-unknown", f"There is no twin {machine!r}", hint)
            if machine in machines[:place]:
                self._say(
                    ("machines", place),
                    "contract:machine-twice",
                    f"{machine!r} is named twice",
                    "Name each machine once",
                )

    def _check_period(self, period: Block) -> None:
        if {"from", "to"} <= period.keys() and period["to"] <= period["from"]:
            self._say(
                ("period", "to"), "contract:period-reversed", "The period ends before it begins",
                "`to` is the day after the last",
            )  # fmt: skip
        for key, day in (("from", period.get("from")), ("to", period.get("to"))):
            if day is not None and not _FIRST_DAY <= day <= _LAST_DAY:
                self._say(
                    ("period", key), "contract:period-out-of-range", f"{day} lies outside the years that can be kept",
                    f"Choose a day from {_FIRST_DAY} to {_LAST_DAY}",
                )  # fmt: skip
        zone = period.get("time_zone")
        if zone is None:
            return
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            self._say(
                ("period", "time_zone"), "contract:time-zone-unknown", f"{zone!r} is no IANA time zone",
                "Write it like Europe/Helsinki",
            )  # fmt: skip

    def _price(self, block: Block) -> Price:
        usage = []
        for meter, entry in block.get("usage", {}).items():
            path: Path = ("price", "usage", meter)
            if ("rate" in entry) == ("tiers" in entry):
                self._say(
                    path, "contract:rate-or-tiers", "Give either `rate` or `tiers`", "One price, or several tiers"
                )
                continue
            tiers = [PriceTier(decimal_of(entry["rate"]))] if "rate" in entry else self._tiers(entry["tiers"], path)
            least, most = maybe_decimal(entry.get("minimum")), maybe_decimal(entry.get("cap"))
            if least is not None and most is not None and least > most:
                self._say((*path, "cap"), "contract:cap-below-minimum", "The cap is below the minimum", "Swap them")
            usage.append(MeterPrice(meter, tuple(tiers), least, most))
        return Price(
            decimal_of(block.get("fee", 0)), block.get("per", "year"), tuple(usage), block.get("payment_days", 30)
        )

    def _tiers(self, entries: list[Block], path: Path) -> list[PriceTier]:
        tiers = [PriceTier(decimal_of(t.get("rate", 0)), maybe_decimal(t.get("up_to"))) for t in entries]
        for place, tier in enumerate(tiers):
            last = place == len(tiers) - 1
            before = tiers[place - 1].up_to if place else Decimal(0)
            ends = tier.up_to
            if (ends is None) != last or (ends is not None and before is not None and ends <= before):
                hint = "Each tier ends above the one before it, and the last one has no `up_to`"
                self._say(
                    (*path, "tiers", place), "contract:tiers-out-of-order", "Tiers do not follow each other", hint
                )
        return tiers

    def _guarantee(self, block: Block, price: Price) -> Guarantee | None:
        level = decimal_of(block.get("level", 100))
        formula = block.get("formula", "guarantee@1")
        if formula not in OWN_FORMULAS and formula not in FORMULAS:
            known = [*OWN_FORMULAS, *FORMULAS]
            hint = did_you_mean(formula, known) or f"One of {', '.join(known)}"
            self._say(
                ("guarantee", "formula"), "formula:unknown", f"There is no formula {formula!r}", hint
            )  # fmt: skip
        if formula == "words@1" and not block.get("words"):
            self._say(
                ("guarantee", "formula"), "contract:words-missing", "words@1 needs the words that count as available",
                "Add `words: [ACTIVE]`",
            )  # fmt: skip
        credit = self._band(block.get("credit", {}), ("guarantee", "credit"))
        bonus = self._band(block["bonus"], ("guarantee", "bonus")) if "bonus" in block else None
        unread = "fee" not in self._data.get("price", {}) and self._structure.wrote(("price", "fee"))
        if credit is not None and price.fee == 0 and not unread and not isinstance(credit, LiquidatedBand):
            self._say(
                ("guarantee", "credit"), "contract:fee-zero", "A credit in percent of no fee is worth nothing",
                "Give the price a fee, or use form: liquidated",
            )  # fmt: skip
        if isinstance(bonus, LiquidatedBand | TableBand):
            self._say(
                ("guarantee", "bonus", "form"),
                "contract:bonus-form",
                "A bonus is stepped or linear",
                "Use form: stepped",
            )
        self._check_grounds(block.get("exclusions", []))
        if credit is None:
            return None
        rounding = block.get("rounding", {})
        places = None if rounding.get("mode") == "none" else rounding.get("places", 2)
        mode = rounding.get("mode", "half_away")
        return Guarantee(
            level=level,
            bands=credit,
            formula=formula,
            words=tuple(block.get("words", ())),
            basis=block.get("basis", "calendar"),
            settle=block.get("settle", "month"),
            rounding=Rounding(places, "half_away" if mode == "none" else mode),
            bonus=bonus,
            gaps=GapTerm(**block.get("gaps", {})),
            degraded={word: decimal_of(p) for word, p in block.get("degraded", {}).items()},
            burden_of_proof=block.get("burden_of_proof", "provider"),
            deemed=DeemedTerm(**block.get("deemed", {})),
            exclusions=tuple(
                ExclusionTerm(e["kind"], maybe_decimal(e.get("budget_hours")))
                for e in block.get("exclusions", ())
                if "kind" in e
            ),
            crossing=block.get("crossing", "split"),
            malus=block.get("malus", "price_reduction"),
        )

    def _check_grounds(self, grounds: list[Block]) -> None:
        kinds = [g.get("kind") for g in grounds]
        for place, kind in enumerate(kinds):
            if kind is not None and kind in kinds[:place]:
                path = ("guarantee", "exclusions", place, "kind")
                self._say(
                    path, "contract:ground-twice", f"{kind} is named twice", "Its place is its priority: name it once"
                )

    def _band(self, block: Block, path: Path) -> Band | None:
        form = block.get("form")
        if form is None:
            return None
        missing = [k for k in _NEEDS[form] if not self._structure.wrote((*path, k))]
        for key in missing:
            self._say(path, "contract:band-incomplete", f"The form {form} needs {key!r}", f"Add `{key}:`")
        if missing or any(k not in block for k in _NEEDS[form]):
            return None
        more = block.get("escalation")
        escalation = None if more is None else Escalation(decimal_of(more.get("factor", 1)), more.get("times", 10))
        if form == "table":
            return self._table(block, path, escalation)
        if form == "liquidated":
            cap = maybe_decimal(block.get("cap"))
            return LiquidatedBand(decimal_of(block["rate"]), block["meter"], block.get("unit", ""), cap, escalation)
        kind = StepBand if form == "stepped" else LinearBand
        return kind(decimal_of(block["step"]), decimal_of(block["percent"]), decimal_of(block["cap"]), escalation)

    def _table(self, block: Block, path: Path, escalation: Escalation | None) -> TableBand:
        rungs = tuple(
            Rung(decimal_of(r["below"]), decimal_of(r["percent"]))
            for r in block["rungs"]
            if {"below", "percent"} <= r.keys()
        )
        for place, (above, below) in enumerate(pairwise(rungs)):
            if below.below >= above.below or below.credit < above.credit:
                message = "Rungs go down in `below` and up in `percent`"
                self._say((*path, "rungs", place + 1), "contract:rungs-out-of-order", message, "Put the highest first")
        return TableBand(rungs, decimal_of(block.get("cap", 100)), escalation)

    def _partners(self, block: Block) -> tuple[PartnerTerm, ...]:
        partners = []
        for party, entry in block.items():
            levels = tuple(
                ServiceLevel(
                    level["measure"], decimal_of(level["level"]), level["unit"], tuple(level.get("signals", ())),
                    decimal_of(level.get("malus", 0)), level.get("reference", msgspec.UNSET),
                )
                for level in entry.get("levels", ())
                if {"measure", "level", "unit"} <= level.keys()
            )  # fmt: skip
            partners.append(PartnerTerm(party, decimal_of(entry.get("share", 0)), levels))
            for place, level in enumerate(entry.get("levels", ())):
                if "reference" in level and level.get("measure") not in {None, "accuracy"}:
                    path = ("partners", party, "levels", place, "reference")
                    message = f"A {level['measure']} is not compared with another signal"
                    self._say(path, "contract:reference-unused", message, "Use `measure: accuracy`")
        total = sum((p.share for p in partners), Decimal(0))
        if total > 100:
            message = f"The partners' shares make {decimal_text(total)} %"
            self._say(("partners",), "contract:shares-above-whole", message, "Together at most 100 %", key=True)
        return tuple(partners)
