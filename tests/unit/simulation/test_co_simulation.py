"""FMUs in sandboxes: reference results, coupled ones, and FMUs that misbehave in every way we could think of."""

import csv
import os
import socket
import sys
import time
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from servitwin.domain.error import InvalidInputError
from servitwin.services.operation.co_simulation import plugin
from servitwin.services.operation.co_simulation.ssp import read_structure
from tests.conftest import shared_data
from tests.unit.simulation.fmu_builder import decay, packed, text, van_der_pol

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="FMUs are sandboxed on Linux alone")
DECAY = {"components": [{"name": "d", "fmu": "D"}], "stop": 1.0, "step": 0.1}


def run(fmus: dict[str, bytes], system: dict[str, Any], **more: Any) -> dict[str, Any]:
    problem = {"fmus": {n: text(c) for n, c in fmus.items()}, "system": system, **more}
    assert plugin.check(problem) == []
    (plan,) = plugin.solve(problem, 60 * 10**9, 0, lambda: False)
    return plan.plan


def refusal(fmus: dict[str, bytes], system: dict[str, Any] = DECAY, **more: Any) -> Any:
    with pytest.raises(InvalidInputError) as e:
        run(fmus, system, **more)
    return e.value.fault


def reference(name: str) -> list[dict[str, str]]:
    path = shared_data("fmu") / "reference_results" / name / f"{name}_out.csv"
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_reference_fmu_gives_its_reference_result():
    fmu = (shared_data("fmu") / "Dahlquist.fmu").read_bytes()
    found = run({"D": fmu}, {"components": [{"name": "d", "fmu": "D"}], "stop": 10.0, "step": 0.1})
    wanted = reference("Dahlquist")
    assert len(found["times"]) == len(wanted)
    assert max(abs(float(w["x"]) - x) for w, x in zip(wanted, found["columns"]["d.x"], strict=True)) < 1e-9


def test_an_fmu_of_fmi_3_gives_the_reference_result(tmp_path):
    found = run({"V": van_der_pol(tmp_path)}, {"components": [{"name": "v", "fmu": "V"}], "stop": 20.0, "step": 0.01})
    wanted = reference("VanDerPol")
    assert found["fmus"]["v"]["fmi"] == "3.0"
    for name in ("x0", "x1"):
        series = found["columns"][f"v.{name}"]
        assert max(abs(float(w[name]) - x) for w, x in zip(wanted, series, strict=False)) < 1e-5


def test_two_real_fmus_of_a_quarter_truck_move_together():
    folder = shared_data("fmu")
    start = {"solverType": "Euler", "timeStep": 1e-5}
    system = {
        "components": [
            {"name": "chassis", "fmu": "C", "start": {"mass": 400.0, **start}},
            {"name": "wheel", "fmu": "W", "start": {"mass": 40.0, **start}},
        ],
        "connections": [
            {"source": "chassis", "output": "velocity", "target": "wheel", "input": "in_vel"},
            {"source": "wheel", "output": "out_spring_damper_f", "target": "chassis", "input": "force"},
        ],
        "stop": 0.2, "step": 0.001, "show": ["chassis.velocity", "wheel.position"],
    }  # fmt: skip
    fmus = {"C": (folder / "Chassis.fmu").read_bytes(), "W": (folder / "Wheel.fmu").read_bytes()}
    found = run(fmus, system)
    apart = {**system, "connections": []}
    assert found["columns"]["chassis.velocity"] != run(fmus, apart)["columns"]["chassis.velocity"]
    assert found["steps"] == 200


def test_outputs_reach_inputs_with_factor_and_offset_and_a_finer_step_tells_the_error(tmp_path):
    fmu = decay(tmp_path)
    system = {
        "components": [
            {"name": "a", "fmu": "D", "start": {"k": 0.0, "x": 2.0}},
            {"name": "b", "fmu": "D", "start": {"x": 0.0, "k": 0.0}},
        ],
        "connections": [{"source": "a", "output": "x", "target": "b", "input": "u", "factor": 3.0, "offset": 1.0}],
        "stop": 1.0, "step": 0.1, "show": ["a.x", "b.x"],
    }  # fmt: skip
    assert run({"D": fmu}, system)["columns"]["b.x"][-1] == pytest.approx(7.0)  # x' = 3 * 2 + 1
    decaying = run({"D": fmu}, DECAY, refine=True)
    assert decaying["columns"]["d.x"][-1] == pytest.approx(0.9**10)
    assert decaying["step_error"]["d.x"] == pytest.approx(0.95**20 - 0.9**10, abs=1e-2)


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        (1, {"fmu:crashed"}), (3, {"fmu:writes-files"}), (5, {"fmu:crashed", "fmu:killed", "fmu:memory"}),
        (6, {"fmu:crashed"}), (9, {"fmu:ended"}),
    ],
)  # fmt: skip
def test_an_fmu_that_misbehaves_is_named_and_touches_nothing(tmp_path, kind, codes):
    fault = refusal({"D": decay(tmp_path, kind)}, memory_mb=128)
    assert fault.code in codes and "d: " in fault.message
    assert run({"D": decay(tmp_path)}, DECAY)["steps"] == 10  # the node is well


def test_an_fmu_that_hangs_is_ended_at_its_budget(tmp_path):
    began = time.monotonic()
    fault = refusal({"D": decay(tmp_path, 2)}, seconds_of_cpu=1)
    assert fault.code == "fmu:hangs" and time.monotonic() - began < 20


def test_an_fmu_that_hangs_is_ended_when_nobody_wants_it(tmp_path):
    problem = {"fmus": {"D": text(decay(tmp_path, 2))}, "system": DECAY}
    until = time.monotonic() + 1.5
    assert list(plugin.solve(problem, 600 * 10**9, 0, lambda: time.monotonic() > until)) == []
    assert time.monotonic() < until + 10


def walls(found: dict[str, Any]) -> dict[str, str]:
    told: dict[str, str] = found["fmus"]["d"]["sandbox"]
    return told


def test_an_fmu_cannot_write_or_read_outside(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("key", "utf-8")
    read = run({"D": decay(tmp_path, 10, str(secret))}, DECAY)
    if "Landlock" not in walls(read)["files"]:
        pytest.skip(f"this kernel bounds files by {walls(read)['files']}")
    assert read["columns"]["d.probe"][-1] == -1
    away = tmp_path / "away"
    assert run({"D": decay(tmp_path, 4, str(away))}, DECAY)["columns"]["d.probe"][-1] == -1
    assert not away.exists()


def test_an_fmu_has_no_network(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = run({"D": decay(tmp_path, 7, port=server.getsockname()[1])}, DECAY)
        if walls(found)["network"] == "not restricted" and "Landlock" not in walls(found)["files"]:
            pytest.skip("this system lets nobody leave the network")
        assert found["columns"]["d.probe"][-1] < 0
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()


def children_named(word: str) -> int:
    count = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            count += word in Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")
        except OSError:
            continue
    return count


def test_what_an_fmu_starts_ends_with_it(tmp_path):
    found = run({"D": decay(tmp_path, 8)}, DECAY)
    if walls(found)["processes"] != "namespace":
        pytest.skip("no process namespace here: a process that leaves its group goes on")
    for _ in range(50):
        if not children_named("co_simulation.child"):
            return
        time.sleep(0.1)
    raise AssertionError("a process of the FMU is still there")


def test_what_is_no_number_is_told_as_unknown_and_what_is_printed_goes_nowhere(tmp_path):
    assert run({"D": decay(tmp_path, 11)}, DECAY)["columns"]["d.x"][-1] is None
    assert run({"D": decay(tmp_path, 12)}, DECAY)["columns"]["d.x"][-1] == pytest.approx(0.9**10)


def test_archives_are_judged_before_anything_runs(tmp_path):
    def told(content: bytes) -> list[str]:
        return [f.code for f in plugin.check({"fmus": {"D": text(content)}, "system": DECAY})]

    assert told(b"PK nothing") == ["fmu:cut-short"]
    assert told(packed("<x/>", {"../../evil.so": b"x"})) == ["fmu:entry"]
    assert refusal({"D": packed("<fmiModelDescription", {})}).code == "fmu:description"
    three = {**DECAY, "components": [{"name": n, "fmu": "D"} for n in "abc"]}
    zeros = BytesIO()
    with zipfile.ZipFile(zeros, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("resources/zeros", bytes(150_000_000))
    (fault,) = plugin.check({"fmus": {"D": text(zeros.getvalue())}, "system": three})  # each has room alone
    assert fault.code == "fmu:too-large" and "of all components" in fault.message


def test_structures_that_do_not_fit_their_fmus(tmp_path):
    fmu = decay(tmp_path)
    wrong = {**DECAY, "components": [{"name": "d", "fmu": "D", "start": {"nothing": 1.0}}], "show": ["d.nowhere"]}
    with pytest.raises(InvalidInputError) as e:
        run({"D": fmu}, wrong)
    assert [f.code for f in e.value.faults] == ["system:variable-unknown"] * 2
    into = {**DECAY, "connections": [{"source": "d", "output": "x", "target": "d", "input": "k"}]}
    assert refusal({"D": fmu}, into).code == "system:not-an-input"


# SSP ---------------------------------------------------------------------------------------------------------------
SSD = """<ssd:SystemStructureDescription name="two" version="1.0"
 xmlns:ssd="http://ssp-standard.org/SSP1/SystemStructureDescription"
 xmlns:ssc="http://ssp-standard.org/SSP1/SystemStructureCommon"
 xmlns:ssv="http://ssp-standard.org/SSP1/SystemStructureParameterValues">
 <ssd:System name="top"><ssd:Elements>
  <ssd:Component name="a" source="resources/Decay.fmu">
   <ssd:Connectors><ssd:Connector name="x" kind="output"><ssc:Real unit="mm"/></ssd:Connector></ssd:Connectors>
   <ssd:ParameterBindings><ssd:ParameterBinding><ssd:ParameterValues>
    <ssv:ParameterSet version="1.0" name="p"><ssv:Parameters>
     <ssv:Parameter name="k"><ssv:Real value="0"/></ssv:Parameter>
    </ssv:Parameters></ssv:ParameterSet></ssd:ParameterValues>
   </ssd:ParameterBinding></ssd:ParameterBindings></ssd:Component>
  <ssd:System name="inner">
   <ssd:Connectors><ssd:Connector name="in" kind="input"><ssc:Real unit="mm"/></ssd:Connector></ssd:Connectors>
   <ssd:Elements><ssd:Component name="b" source="resources/Decay.fmu"><ssd:Connectors>
     <ssd:Connector name="u" kind="input"><ssc:Real unit="m"/></ssd:Connector>
    </ssd:Connectors></ssd:Component></ssd:Elements>
   <ssd:Connections><ssd:Connection startConnector="in" endElement="b" endConnector="u"/></ssd:Connections>
  </ssd:System></ssd:Elements>
  <ssd:Connections><ssd:Connection startElement="a" startConnector="x" endElement="inner" endConnector="in">
   <ssc:LinearTransformation factor="2"/></ssd:Connection></ssd:Connections>
 </ssd:System>
 <ssd:Units><ssc:Unit name="m"><ssc:BaseUnit m="1"/></ssc:Unit>
  <ssc:Unit name="mm"><ssc:BaseUnit m="1" factor="0.001"/></ssc:Unit></ssd:Units>
 <ssd:DefaultExperiment startTime="0" stopTime="1"/>
</ssd:SystemStructureDescription>"""


def test_a_system_structure_with_a_nested_system_and_units_runs_from_its_package(tmp_path):
    package = BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("SystemStructure.ssd", SSD)
        archive.writestr("resources/Decay.fmu", decay(tmp_path))
    problem = {"ssp": text(package.getvalue()), "step": 0.1, "show": ["inner_b.x"]}
    assert plugin.check(problem) == []
    (plan,) = plugin.solve(problem, 60 * 10**9, 0, lambda: False)
    # b: x' = 0.002 * 1 - x, from 1
    assert plan.plan["columns"]["inner_b.x"][1] == pytest.approx(1 + 0.1 * (0.002 - 1))


def test_the_real_package_of_a_crane_is_read():
    package = (shared_data("fmu") / "demo.ssp").read_bytes()
    with zipfile.ZipFile(BytesIO(package)) as archive:
        system = read_structure(archive.read("SystemStructure.ssd"))
    assert [c.name for c in system.components] == ["CraneController", "KnuckleBoomCrane"]
    assert len(system.connections) == 9 and system.step == pytest.approx(1e-4)
    assert system.components[1].start == {"Spring_Joint.k": 0.005, "mt0_init": 69.0}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("resources/Decay.fmu", "http://far.example/Decay.fmu", "ssp:source"),
        ('unit="m"', 'unit="kg"', "ssp:unit"),
        ('startElement="a"', 'startElement="nobody"', "ssp:connection"),
        ('factor="2"', 'factor="two"', "ssp:not-read"),
        ('m="1" factor', 'm="one" factor', "ssp:not-read"),
        ("<ssd:System name=", "<!DOCTYPE x [<!ENTITY y 'z'>]><ssd:System name=", "ssp:not-read"),
        ("</ssd:SystemStructureDescription>", "", "ssp:not-read"),
    ],
)
def test_structures_that_cannot_be_carried_out_are_told(old, new, code):
    with pytest.raises(InvalidInputError) as e:
        read_structure(SSD.replace(old, new).encode())
    assert code in {f.code for f in e.value.faults}
