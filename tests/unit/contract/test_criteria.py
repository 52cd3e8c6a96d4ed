"""Criteria of acceptance: what a file may say, what is met, and that a contract without them signs as before."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import pytest

from servitwin.domain.acceptance import Criterion
from servitwin.domain.agreement import Acceptance, accepted_at
from servitwin.domain.canonical_json import canonical
from servitwin.formats.contract_file import Around, read_contract
from tests.unit.contract.test_contract_file import GOOD, read

CRITERIA = (
    GOOD
    + """
acceptance: required
criteria:
  - {step: site_readiness, name: Power connected}
  - {step: factory_test, name: Hoist speed, signal: hoist.speed, at_least: 0.18, at_most: 0.22, hours: 1}
  - {step: site_test, name: Three days of operation, availability: 98, hours: 72}
"""
)


def test_what_people_judge_and_what_the_twin_measures() -> None:
    people, signal, run = read(CRITERIA).criteria
    assert [c.measured for c in (people, signal, run)] == [False, True, True]
    assert [signal.met_by(Decimal(v)) for v in ("0.1799", "0.18", "0.22", "0.2201")] == [False, True, True, False]
    assert [run.met_by(Decimal(v)) for v in ("97.99", "98", "100")] == [False, True, True]
    assert Criterion("site_test", "Hot", "temperature", at_most=Decimal(80)).met_by(Decimal(-5))


def test_a_contract_without_criteria_is_signed_as_it_always_was() -> None:
    for word in ("given", "required"):
        assert f'"acceptance":"{word}"'.encode() in canonical(read(GOOD + f"acceptance: {word}\n"))
    assert b"criteria" not in canonical(read(GOOD))
    assert b'"at_least":"0.18"' in canonical(read(CRITERIA)), "what was agreed to be measured is signed"


def test_what_both_accepted_stays_accepted() -> None:
    terms = read(CRITERIA)

    def when(*words: tuple[str, Literal["accepted", "refused"]]) -> int | None:
        steps = [Acceptance("crane-98", "crane-1", n, p, p, 10 * n, word) for n, (p, word) in enumerate(words, 1)]
        return accepted_at(steps, terms, "crane-1")

    assert when(("maker", "accepted")) is None
    assert when(("maker", "accepted"), ("plant", "refused")) is None
    assert when(("maker", "accepted"), ("plant", "refused"), ("plant", "accepted")) == 30
    assert when(("plant", "accepted"), ("plant", "refused"), ("maker", "accepted")) is None
    assert when(("maker", "accepted"), ("plant", "accepted"), ("maker", "refused"), ("maker", "accepted")) == 20


@pytest.mark.parametrize(
    ("change", "code", "line"),
    [
        (("acceptance: required", "acceptance: given"), "contract:criteria-decide-nothing", 14),
        (("name: Hoist speed", "name: Power connected"), "contract:criterion-twice", 17),
        ((", at_least: 0.18, at_most: 0.22", ""), "contract:criterion-incomplete", 17),
        (("signal: hoist.speed, ", ""), "contract:criterion-incomplete", 17),
        (("at_most: 0.22, hours: 1", "at_most: 0.22"), "contract:criterion-incomplete", 17),
        (("at_most: 0.22", "at_most: 0.12"), "contract:criterion-bounds", 17),
        (("availability: 98", "availability: 98, signal: hoist.speed, at_least: 1"), "contract:criterion-mixed", 18),
        (("hoist.speed", "hoist.sped"), "contract:signal-unknown", 17),
        (("step: site_test", "step: sight_test"), "file:not-a-choice", 18),
        (("name: Power connected", "name: ' '"), "file:not-understood", 16),
        (("hours: 72", "hours: 0"), "file:out-of-range", 18),
    ],
)
def test_each_fault_is_told_at_its_place(change: tuple[str, str], code: str, line: int) -> None:
    text = CRITERIA.replace(*change)
    assert text != CRITERIA
    around = Around(signals=lambda twin: ["hoist.speed", "execution"] if twin == "crane-1" else None)
    contract, faults = read_contract(text, "c.yaml", around=around)
    assert contract is None
    assert [(f.code, f.line) for f in faults] == [(code, line)], faults
    assert faults[0].hint


def test_availability_needs_a_guarantee() -> None:
    start, end = CRITERIA.index("guarantee:"), CRITERIA.index("acceptance:")
    _, faults = read_contract(CRITERIA[:start] + CRITERIA[end:], "c.yaml")
    assert [f.code for f in faults] == ["contract:criterion-incomplete"]
