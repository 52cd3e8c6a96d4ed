"""Requirements of single twins in a plant file: read as those of machine types are, faults at the character."""

from __future__ import annotations

import pytest

from servitwin.domain.instant import NS
from servitwin.domain.machine_type import Component, MachineType
from servitwin.domain.requirement import RepairRule, Requirement
from servitwin.domain.signal import SignalDefinition
from servitwin.formats.plant_file import Known, read_plant

OF_TYPE = Requirement("cool", "Stays cool.", "always (spindle.temperature < 80 Cel)")
MILL = MachineType(
    "mill",
    1,
    signals=(
        SignalDefinition("spindle.temperature", unit="Cel", component="spindle"),
        SignalDefinition("execution", "text", values=("ACTIVE", "READY")),
        SignalDefinition("power", unit="kW"),
    ),
    components=(Component("spindle", "Spindle", requirements=(OF_TYPE,)),),
)
KNOWN = Known(types={"mill@1": MILL})
PLANT = """plant: shop
twins:
  line-1:
    kind: line
    aggregates: {{power: {{sum: children.power, unit: kW}}}}
    requirements:
      frugal: {{text: Little power., formula: power < 30 kW}}
  mill-1:
    type: mill@1
    part_of: line-1
    requirements:
      {requirements}
"""


def read(requirements, known=KNOWN):
    return read_plant(PLANT.format(requirements=requirements), "plant.yaml", known=known)


def faults(requirements, known=KNOWN):
    plant, found = read(requirements, known)
    assert plant is None
    return [(f.code, f.line, f.column) for f in found]


def test_requirements_become_those_of_the_twin_and_see_the_signals_of_their_component():
    plant, found = read(
        "spindle.cooler: {text: Cooler than the type says., severity: high, formula: temperature < 60 Cel, "
        "repair: {times: 2, lasting: 10s}}\n      quiet: {text: Idle is idle., formula: always (power < 40 kW)}"
    )
    assert found == []
    twins = {t.id: t for t in plant.twins}
    assert twins["mill-1"].requirements == (
        Requirement("spindle.cooler", "Cooler than the type says.", "temperature < 60 Cel", "high",
                    RepairRule("", 2, 10 * NS)),
        Requirement("quiet", "Idle is idle.", "always (power < 40 kW)"),
    )  # fmt: skip
    assert [r.name for r in twins["line-1"].requirements] == ["frugal"]


@pytest.mark.parametrize(
    ("requirements", "code", "column"),
    [
        ("a: {text: x, formula: always (powr < 3 kW)}", "formula:signal-unknown", 37),
        ("a: {text: x, formula: power < 3 bar}", "formula:unit-mismatch", None),
        ("a: {text: x, formula: power < }", None, None),
        ("a: {text: x, formula: temperature < 60 Cel}", "formula:signal-unknown", 29),
        ("spindle.cool: {text: x, formula: temperature < 60 Cel}", "requirement:of-type", 7),
        ("a: {text: x, formula: power < 3 kW, repair: {when: power > 1 kW}}", "requirement:repair-without-trigger", 58),
        ("a: {text: x}", None, None),
        ("a: {text: x, formula: power < 3 kW, severity: dire}", None, None),
        ("a: {text: x, formula: power < 3 kW, more: 1}", None, None),
        ("a b: {text: x, formula: power < 3 kW}", None, None),
    ],
)
def test_faults_have_line_and_column(requirements, code, column):
    [(found, line, at)] = faults(requirements)
    assert line == 12
    assert at is not None
    assert code in (None, found)
    assert column in (None, at)


def test_without_the_type_formulas_are_read_and_not_checked_against_signals():
    plant, found = read("a: {text: x, formula: whatever < 3 kW}", Known())
    assert found == []
    assert plant is not None
    assert len(faults("a: {text: x, formula: whatever < }", Known())) == 1
