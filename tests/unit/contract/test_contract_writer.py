"""A contract written as a file is read back as the same contract, to the digest."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.acceptance import AcceptanceTerms, Criterion
from servitwin.domain.canonical_json import digest, plain
from servitwin.domain.contract import (
    Contract,
    Escalation,
    ExclusionTerm,
    GapTerm,
    LinearBand,
    LiquidatedBand,
    MeterPrice,
    PartnerTerm,
    Price,
    PriceTier,
    Rounding,
    Rung,
    ServiceLevel,
    TableBand,
    Warranty,
)
from servitwin.formats.contract_file import read_contract
from servitwin.formats.contract_writer import contract_json, contract_yaml
from tests.conftest import ROOT
from tests.unit.contract.samples import STEPPED, contract, guarantee

CONTRACTS = sorted((ROOT / "examples" / "demo" / "contracts").glob("*.yaml"))
D = Decimal


def again(made: Contract) -> list[Contract]:
    """The contract through its file, in both forms."""
    found = []
    for text in (contract_yaml(made), contract_json(made)):
        read, faults = read_contract(text)
        assert read is not None, (faults, text)
        found.append(read)
    return found


@pytest.mark.parametrize("file", CONTRACTS, ids=lambda f: f.stem)
def test_the_demo_contracts_come_back(file: Any) -> None:
    made, faults = read_contract(file.read_text("utf-8"))
    assert made is not None, faults
    assert {digest(read) for read in again(made)} == {digest(made)}


def test_every_kind_of_term_comes_back() -> None:
    terms = guarantee(
        bands=TableBand((Rung(D("97.5"), D(2)), Rung(D(96), D("8.25"))), D(20), Escalation(D(2), 3)),
        bonus=LinearBand(D("0.5"), D(1), D(2)),
        formula="words@1",
        words=("ACTIVE", "on", "0x1F: #", "null"),
        degraded={"HALF: 2 of 4": D(50), "yes": D("12.5")},
        rounding=Rounding(None),
        gaps=GapTerm("unavailable", "neither"),
        exclusions=(ExclusionTerm("planned_work", D(0)), ExclusionTerm("energy")),
        crossing="first",
        malus="damages",
    )
    made = contract(
        terms,
        title='Crane "1"\nnext \u2028 line: # é 😀',
        text="  as - agreed:\n\ttrue\n",
        machines=("crane-1", "no", "1e3"),
        price=Price(
            D("0.10"),
            "contract",
            (
                MeterPrice("parts", (PriceTier(D("1.5"), D(700)), PriceTier(D("0.001"))), D(1), D(999)),
                MeterPrice("on", (PriceTier(D(2)),)),
            ),
            14,
        ),
        partners=(
            PartnerTerm("off", D("12.5"), (ServiceLevel("freshness", D(60), "s", ("a.b",), D(10)),)),
            PartnerTerm(
                "lumo", D(1), (ServiceLevel("accuracy", D("0.5"), "Cel", ("t.a", "t.b"), reference="t.probe"),)
            ),
        ),
        acceptance=AcceptanceTerms(
            (
                Criterion("site_readiness", "Power: 3~"),
                Criterion("site_test", "Runs", availability=D("98.5"), hours=D(72)),
                Criterion("factory_test", "Speed", "belt.speed", "max", D("0.3"), D("0.5"), hours=D(8)),
            )
        ),
        warranty=Warranty(24),
        rank=7,
    )
    for read in again(made):
        assert plain(read) == plain(made)
    for band in (LiquidatedBand(D(40), "energy", "MWh"), LiquidatedBand(D(40), "energy", cap=D(30)), STEPPED):
        other = contract(guarantee(bands=band))
        assert {digest(read) for read in again(other)} == {digest(other)}
    bare = contract()
    assert {digest(read) for read in again(msgspec.structs.replace(bare, guarantee=None))} != {digest(bare)}


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40), st.integers(1, 10**9))
def test_any_title_and_any_fee_in_cents_come_back(title: str, cents: int) -> None:
    made = contract(title=title, price=Price(D(cents) / 100))
    assert {digest(read) for read in again(made)} == {digest(made)}
