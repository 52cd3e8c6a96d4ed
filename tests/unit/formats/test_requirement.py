"""Requirements in files: faults at the character, whatever the scalar's style; and the sets that come along."""

from __future__ import annotations

from pathlib import Path

import pytest

from servitwin.connectors.recorded.devices import read_devices
from servitwin.domain.formula.checked import requirement_formula
from servitwin.domain.signal import SignalDefinition
from servitwin.formats.machine_type_file import read_machine_type
from servitwin.formats.requirements_file import read_requirements
from servitwin.usecases.check_files import check
from tests.conftest import ROOT, shared_data

SIGNALS = {"door": SignalDefinition("door", type="flag"), "p": SignalDefinition("p", unit="bar", limits=(0, 10))}


@pytest.mark.parametrize(
    "scalar",
    [
        "door and fooo",
        "'door and fooo'",
        '"door and fooo"',
        '"\\x64oor and fooo"',
        '"door \\\n      and fooo"',
        ">-\n      door\n      and fooo",
        "|\n      door and\n        fooo",
        "|2\n      door and # no\n      fooo",
        "door\n      and fooo",
        "!!str door and fooo",
        "'door\n\n      and fooo'",
    ],
)
def test_a_fault_stands_at_its_character_in_the_file(scalar: str) -> None:
    text = f"for: mill-500\nrequirements:\n  one:\n    text: x\n    formula: {scalar}\n"
    if "#" in scalar:
        text = text.replace("# no", "")
    found, (fault,) = read_requirements(text, "r.yaml", signals=SIGNALS)
    assert found is None
    assert fault.code == "formula:signal-unknown"
    assert fault.line is not None and fault.column is not None
    assert text.split("\n")[fault.line - 1][fault.column - 1 :].startswith("fooo")
    assert fault.where == "requirements.one.formula"


def test_an_alias_points_at_where_it_is_used() -> None:
    text = "for: a\nrequirements:\n  one: {text: x, formula: &f fooo}\n  two: {text: y, formula: *f}\n"
    _, faults = read_requirements(text, signals=SIGNALS)
    assert [(f.line, f.column) for f in faults] == [(3, 30), (4, 27)]


def test_a_requirement_of_a_component_names_its_signals_shortly() -> None:
    text = """
machine_type: mill
version: 1
components:
  spindle:
    signals: {temperature: {unit: Cel}}
    requirements: {cool: {text: x, formula: temperature < 5 bar}}
requirements: {cool: {text: x, formula: temperature < 80}}
"""
    _, faults = read_machine_type(text)
    assert [(f.code, f.line, f.column) for f in faults] == [
        ("formula:unit-mismatch", 7, 61), ("formula:signal-unknown", 8, 41),
    ]  # fmt: skip
    assert "spindle.temperature" in faults[1].hint


def test_a_requirement_that_is_added_alone() -> None:
    (fault,) = requirement_formula("p > 20", SIGNALS).faults
    assert (fault.code, fault.line, fault.column) == ("formula:never-true", 1, 1)
    assert requirement_formula("p >", SIGNALS).faults


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("for: a\n", ["file:missing-key"]),
        ("for: A b\nrequirements: {x: {text: y, formula: door}}", ["file:not-understood"]),
        ("for: a\nrequirements: {}", ["file:empty"]),
        ("for: a\nrequirements: {x: {text: y, formula: [1]}}", ["file:wrong-type"]),
        ("for: a\nrequirements: {x: {text: y, formula: 3}}", ["file:wrong-type"]),
        ("for: a\nrequirements: {x: {formula: door}}", ["file:missing-key"]),
    ],
)
def test_requirements_files_with_faults(text: str, codes: list[str]) -> None:
    found, faults = read_requirements(text, signals=SIGNALS)
    assert found is None
    assert [f.code for f in faults] == codes


def test_check_knows_the_signals_of_a_type_beside_the_file(tmp_path: Path) -> None:
    machine = "machine_type: mill\nversion: {}\nsignals: {{door: {{type: flag}}, {}: {{unit: bar}}}}\n"
    (tmp_path / "mill-1.yaml").write_text(machine.format(1, "old"))
    (tmp_path / "mill-2.yaml").write_text(machine.format(2, "new"))
    for target, wrong in (("mill", "old"), ("mill@1", "new"), ("mill@2", "old")):
        text = f"for: {target}\nrequirements: {{x: {{text: y, formula: door and new > 3 or old > 3}}}}\n"
        (tmp_path / "more.yaml").write_text(text)
        (fault,) = check([tmp_path])
        assert fault.code == "formula:signal-unknown" and repr(wrong) in fault.message
    (tmp_path / "more.yaml").write_text("for: somebody-elses\nrequirements: {x: {text: y, formula: any > 3}}\n")
    assert check([tmp_path]) == []


def test_the_sets_that_come_with_servitwin_are_without_faults() -> None:
    assert check([ROOT / "examples"]) == []


@pytest.mark.parametrize(
    ("folder", "device", "file"),
    [
        ("nist_sms_mtconnect", "Mazak01", "nist-mazak-integrex.yaml"),
        ("nist_sms_mtconnect", "Hurco01", "nist-hurco-vmx24.yaml"),
        ("mtconnect_okuma", "OKUMA", "okuma-mult-u3000.yaml"),
    ],
)
def test_sets_for_real_machines_fit_their_device_model(folder: str, device: str, file: str) -> None:
    machine_type = read_devices(shared_data(folder) / "Devices.xml").devices[device].type
    text = (ROOT / "examples" / "requirements" / file).read_text("utf-8")
    found, faults = read_requirements(text, file, signals={s.name: s for s in machine_type.signals})
    assert faults == []
    assert found is not None and found.target == machine_type.name
