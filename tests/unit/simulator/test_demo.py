"""The demo plant's files are right, and what its machines say is what their types declare."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from servitwin.connectors.simulator import plugin
from servitwin.connectors.simulator.defects import Defect
from servitwin.connectors.simulator.machine import Outputs
from servitwin.connectors.simulator.plant import MODELS, LocalTime, Machine, MachineConfig
from servitwin.domain.condition import parse_condition
from servitwin.domain.instant import NS, parse_instant
from servitwin.domain.machine_type import MachineType
from servitwin.domain.signal import SignalDefinition
from servitwin.formats.machine_type_file import read_machine_type
from servitwin.formats.plant import Plant
from servitwin.formats.plant_file import Known, read_plant

DEMO = Path(__file__).parents[3] / "examples" / "demo"
TYPES = {"mill": "mill-500", "crane": "crane-12", "cell": "cell-2"}


def machine_type(name: str) -> MachineType:
    path = DEMO / "machine-types" / f"{name}.yaml"
    read, faults = read_machine_type(path.read_text("utf-8"), path.name)
    assert read is not None, "\n".join(map(str, faults))
    return read


@pytest.fixture(scope="module")
def types() -> Mapping[str, MachineType]:
    return {model: machine_type(name) for model, name in TYPES.items()}


@pytest.fixture(scope="module")
def plant(types: Mapping[str, MachineType]) -> Plant:
    known = Known(types={t.reference: t for t in types.values()})
    text = (DEMO / "plant.yaml").read_text("utf-8")
    read, faults = read_plant(text, "plant.yaml", known=known, check_connection=lambda _, c: plugin.check(c))
    assert read is not None, "\n".join(map(str, faults))
    return read


def test_every_twin_machine_is_simulated_once_and_every_process_knows_the_same_plant(plant: Plant) -> None:
    machines = [t.id for t in plant.twins if t.type.entries]
    plants = []
    for connection in plant.connections:
        own = [m["twin"] for m in connection.config["machines"]]
        assert list(connection.twins) == own, connection.name
        hears = {h["twin"] for m in connection.config["machines"] for h in m["hears"].values()}
        assert set(connection.reads) == hears - set(own), connection.name
        everything = [*connection.config["machines"], *connection.config["neighbours"]]
        plants.append(sorted(str(m) for m in everything))
        assert sorted(m["twin"] for m in everything) == sorted(machines)
    assert plants.count(plants[0]) == len(plants) >= 3
    assert sorted(t for c in plant.connections for t in c.twins) == sorted(machines)


def faulty(definition: SignalDefinition | None, value: object) -> str:
    """Why ingest would not take this value as a good one; empty if it would."""
    if definition is None:
        return "is not declared"
    if definition.type == "number":
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "is no number"
        low, high = definition.limits or (float("-inf"), float("inf"))
        return "" if low <= value <= high else "is outside limits"
    if definition.type == "flag":
        return "" if isinstance(value, bool) else "is no flag"
    if not isinstance(value, str):
        return "is no text"
    if definition.type == "condition":
        return "" if parse_condition(value) else "is no condition"
    return "" if not definition.values or value in definition.values else "is no word it may take"


@pytest.mark.parametrize("model", MODELS)
def test_whatever_happens_to_a_machine_it_says_only_what_its_type_declares(
    types: Mapping[str, MachineType], model: str
) -> None:
    declared = {s.name: s for s in types[model].signals}
    local = LocalTime("Europe/Helsinki")
    machine = Machine(MachineConfig("x", model, 4))
    now = parse_instant("2026-03-02T05:00:00Z")
    heard: set[str] = set()
    for fault in ["", *(f.name for f in machine.model.faults)]:
        machine.state.defects = {fault: Defect()} if fault else {}
        for _ in range(500):
            now += 3 * NS
            shown: Outputs = machine.step(now, 3, local, {})[0]
            heard |= shown.keys()
            wrong = {n: (v, faulty(declared.get(n), v)) for n, v in shown.items() if faulty(declared.get(n), v)}
            assert not wrong, f"{fault or 'healthy'}: {wrong}"
    assert heard == declared.keys(), "a declared signal that is never said, or the other way round"
    periodic = {s.name for s in types[model].signals if s.reporting.mode == "periodic"}
    assert periodic == machine.model.periodic


@pytest.mark.parametrize("model", MODELS)
def test_every_fault_names_a_component_and_every_command_is_known_to_the_machine(
    types: Mapping[str, MachineType], model: str
) -> None:
    components = {c.path for c in types[model].components}
    for fault in MODELS[model].faults:
        assert fault.component in components, fault.name
        assert fault.title and len(fault.see) > 20
    for command in types[model].commands:
        machine = Machine(MachineConfig("x", model, 4))
        parameters = {p.name: p.values[0] if p.values else p.maximum for p in command.parameters}
        assert machine.command(command.name, parameters) == "", command.name
