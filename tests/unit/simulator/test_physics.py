"""The machines' physics: deterministic, believable, counters that add up, faults that develop and mend."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from servitwin.connectors.simulator.defects import Defect, mend
from servitwin.connectors.simulator.machine import Outputs, cooled
from servitwin.connectors.simulator.physics import measured, relax
from servitwin.connectors.simulator.plant import MODELS, LocalTime, Machine, MachineConfig, Plant
from servitwin.connectors.simulator.report import backfill
from servitwin.domain.instant import DAY, HOUR, NS, parse_instant

MONDAY = parse_instant("2026-03-02T07:00:00Z")  # nine o'clock in Helsinki
LOCAL = LocalTime("Europe/Helsinki")


def alone(model: str, seed: int = 1) -> Machine:
    """A machine with endless supply and sink that no wear breaks."""
    machine = Machine(MachineConfig("x", model, seed))
    specs = [msgspec.structs.replace(f, per_hour=0.0) for f in machine.model.faults]
    kind = type("Calm", (type(machine.model),), {"faults": tuple(specs)})
    machine.model = kind()
    return machine


def run(machine: Machine, seconds: int, start: int = MONDAY, dt: int = 1) -> list[Outputs]:
    return [machine.step(start + k * NS, dt, LOCAL, {})[0] for k in range(dt, seconds + 1, dt)]


def inject(machine: Machine, fault: str) -> None:
    machine.state = msgspec.structs.replace(machine.state, defects={**machine.state.defects, fault: Defect()})


def repair(machine: Machine, fault: str) -> None:
    spec = next(f for f in machine.model.faults if f.name == fault)
    machine.state = msgspec.structs.replace(machine.state, defects=mend(spec, machine.state.defects))


def run_plant(plant: Plant, seconds: int, start: int = MONDAY, dt: int = 5) -> int:
    for k in range(dt, seconds + 1, dt):
        plant.step(start + k * NS, dt)
    return start + seconds * NS


@pytest.mark.parametrize("model", MODELS)
def test_the_same_seed_gives_the_same_life_and_another_seed_another(model: str) -> None:
    lives = [run(Machine(MachineConfig("x", model, seed)), 900, dt=3) for seed in (1, 1, 2)]
    assert lives[0] == lives[1]
    assert lives[0] != lives[2]


@pytest.mark.parametrize("model", MODELS)
def test_a_step_leaves_its_input_alone_and_the_state_survives_json(model: str) -> None:
    machine = Machine(MachineConfig("x", model, 3))
    inject(machine, machine.model.faults[0].name)
    run(machine, 600, dt=5)
    before = msgspec.json.encode(machine.state)
    state = machine.state
    run(machine, 5)
    assert msgspec.json.encode(state) == before
    read = msgspec.json.decode(before, type=machine.model.state_type)
    lives = [run(Machine(machine.config, s), 60) for s in (state, read)]
    assert lives[0] == lives[1]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("dt", [1, 20])
def test_counters_and_energy_only_rise_and_parts_add_up(model: str, dt: int) -> None:
    shown = run(alone(model), 4 * 3600, dt=dt)
    for name in [n for n in shown[0] if n.startswith(("parts.", "flow.", "lifts.")) or n == "energy"]:
        values: list[Any] = [s[name] for s in shown]
        assert values == sorted(values), name
    assert all(s["parts.total"] == s.get("parts.good", 0) + s.get("parts.scrap", 0) for s in shown) or model == "crane"
    assert shown[-1]["parts.total"] > 60
    mean_power = sum(float(s["power"]) for s in shown) / len(shown)
    assert float(shown[-1]["energy"]) == pytest.approx(4 * mean_power, rel=0.12), "kWh is not the integral of kW"


def test_coarse_steps_make_about_as_many_parts_as_fine_ones() -> None:
    for model in MODELS:
        fine, coarse = (run(alone(model), 6 * 3600, dt=dt)[-1]["parts.total"] for dt in (1, 20))
        assert coarse == pytest.approx(fine, rel=0.1), model


def test_a_sensor_never_leaves_its_accuracy_and_a_body_warms_by_its_time_constant() -> None:
    from random import Random

    rng = Random(5)
    shown = [measured(20.0, 0.5, rng, 6) for _ in range(5000)]
    assert max(abs(v - 20.0) for v in shown) <= 0.5
    assert 0.1 < (sum((v - 20.0) ** 2 for v in shown) / 5000) ** 0.5 < 0.25
    assert relax(20.0, 60.0, 600.0, 600.0) == pytest.approx(20.0 + 40.0 * (1 - 2.718281828**-1))
    assert relax(relax(20.0, 60.0, 100.0, 600.0), 60.0, 500.0, 600.0) == pytest.approx(relax(20.0, 60.0, 600.0, 600.0))


def test_a_spindle_warms_up_at_work_and_cools_down_switched_off() -> None:
    mill = alone("mill")
    shown = run(mill, 3600, dt=2)
    cold, warm = float(shown[0]["spindle.temperature"]), float(shown[-1]["spindle.temperature"])
    assert cold < 24
    assert 30 < warm < 62
    state = cooled(mill.state, 8 * 3600.0, 20.0)
    assert state.spindle_temp == pytest.approx(20.0, abs=0.1)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("model", "fault", "signal", "worse"),
    [
        ("mill", "spindle-bearing", "spindle.vibration", lambda v: max(v) > 4.5),
        ("mill", "coolant-pump", "coolant.pressure", lambda v: min(p for p in v if p > 1) < 9),
        ("mill", "tool-breakage", "tool.condition", lambda v: any("TOOL BROKEN" in t for t in v)),
        ("mill", "axis-servo", "axis.load", lambda v: max(v) > 55),
        ("crane", "brake-worn", "brake.slip", lambda v: max(v) > 8),
        ("crane", "hoist-overheating", "hoist.temperature", lambda v: max(v) > 75),
        ("crane", "load-cell-drift", "load_cell.load", lambda v: min(v[-60:]) > 0.8),
        ("cell", "conveyor-jam", "conveyor.current", lambda v: max(v) > 9),
        ("cell", "gripper-leak", "robot.vacuum", lambda v: 0 < min(p for p in v if p > 0.01) < 0.4),
    ],
)
def test_a_fault_develops_is_announced_stops_the_machine_and_is_mended(
    model: str, fault: str, signal: str, worse: Any
) -> None:
    machine = alone(model, 7)
    healthy = run(machine, 1500)
    spec = next(f for f in machine.model.faults if f.name == fault)
    if spec.condition != signal:
        assert not worse([s[signal] for s in healthy]), "it was bad before anything was broken"
    inject(machine, fault)
    broken = run(machine, 400)
    said = [str(s[spec.condition]).split("|")[0] for s in broken]
    assert said[0] == "normal", "a fault does not fall from the sky"
    assert worse([s[signal] for s in broken]), f"{signal} does not show it"
    assert "warning" in said
    if spec.trips:
        assert said.index("warning") < said.index("fault")
        assert broken[-1]["execution"] == "STOPPED" and said[-1] == "fault"
        assert broken[-1]["parts.total"] == broken[-60]["parts.total"], "a stopped machine made parts"
    else:
        assert "fault" not in said
    repair(machine, fault)
    mending = run(machine, 1)[0]
    assert mending["functional_mode"] == "MAINTENANCE" and mending["remote_consent"] is False
    mended = run(machine, 1500)
    assert mended[-1][spec.condition] == "normal||||"
    assert mended[-1]["functional_mode"] != "MAINTENANCE"
    assert int(mended[-1]["parts.total"]) > int(broken[-1]["parts.total"]), "it does not work again"


def test_a_mended_brake_is_tested_at_once_with_a_load_that_proves_it() -> None:
    crane = alone("crane", 7)
    inject(crane, "brake-worn")
    run(crane, 400)
    repair(crane, "brake-worn")
    shown = run(crane, 420)
    heavy = [float(s["load_cell.load"]) > 4 for s in shown if s["job"] == "test of the brake"]
    assert sum(now and not before for before, now in itertools.pairwise([False, *heavy])) == 6
    held = [s for s in shown if s["job"] == "test of the brake" and s["phase"] == "hold"]
    assert all(s["brake.state"] == "CLOSED" and float(s["brake.slip"]) < 2 for s in held)
    assert shown[-1]["job"] != "test of the brake", "its work goes on"


@pytest.mark.parametrize("model", MODELS)
def test_switches_act_at_once_and_go_back_at_once(model: str) -> None:
    machine = alone(model)
    run(machine, 60)
    for fault, signal, value, back in (
        ("local-mode", "controller_mode", "MANUAL", "AUTOMATIC"),
        ("emergency-stop", "emergency_stop", "TRIGGERED", "ARMED"),
    ):
        inject(machine, fault)
        shown = run(machine, 2)[-1]
        assert shown[signal] == value and shown["remote_consent"] is False
        assert machine.command("start", {}) != ""
        repair(machine, fault)
        assert run(machine, 1)[-1][signal] == back
    assert machine.command("start", {}) == ""


@pytest.mark.parametrize(
    ("model", "name", "parameters", "signal", "value"),
    [
        ("mill", "set-feed", {"percent": 60}, "feed.override", 60.0),
        ("mill", "select-product", {"product": "flange"}, "product.next", "flange"),
        ("mill", "hold", {}, "execution", "FEED_HOLD"),
        ("mill", "stop", {}, "execution", "STOPPED"),
        ("crane", "set-hoist-speed", {"percent": 40}, "hoist.speed_limit", 40.0),
        ("crane", "stop", {}, "execution", "STOPPED"),
        ("cell", "set-conveyor-speed", {"percent": 60}, "conveyor.speed_setpoint", 60.0),
        ("cell", "stop", {}, "execution", "STOPPED"),
    ],
)
def test_a_command_changes_a_signal_and_a_wrong_one_nothing(
    model: str, name: str, parameters: dict[str, Any], signal: str, value: object
) -> None:
    machine = alone(model)
    assert value not in [s[signal] for s in run(machine, 30)]
    before = machine.state
    for wrong in ("dance", "set-feed" if model != "mill" else "set-hoist-speed"):
        assert machine.command(wrong, {}) != ""
    if parameters:
        key = next(iter(parameters))
        for bad in ({}, {key: True}, {key: "x"}, {key: 9999}):
            assert machine.command(name, bad) != ""
    assert machine.state is before
    assert machine.command(name, parameters) == ""
    assert run(machine, 400)[-1][signal] == value


def test_slower_feed_makes_fewer_parts() -> None:
    full, slow = alone("mill"), alone("mill")
    slow.command("set-feed", {"percent": 50})
    made = [int(run(m, 4 * 3600, dt=4)[-1]["parts.total"]) for m in (full, slow)]
    assert made[1] < 0.7 * made[0]


def between(plant: Plant, giver: str, given: str, taker: str, taken: str) -> int:
    counters = {t: m.model.counters(m.state) for t, m in plant.machines.items()}
    return counters[giver][given] - counters[taker][taken]


def test_one_stopping_starves_and_blocks_the_others(hall: Sequence[MachineConfig]) -> None:
    plant = Plant(hall, "Europe/Helsinki")
    now = run_plant(plant, 1800)
    for twin, machine in plant.machines.items():
        assert machine.show()["wait_state"] in ("NONE", "MATERIAL_LOAD", "MATERIAL_UNLOAD"), twin
    plant.machines["crane-1"].command("stop", {})
    now = run_plant(plant, 5400, now)
    assert plant.machines["mill-1"].show()["wait_state"] == "MATERIAL_LOAD"
    assert plant.machines["cell-1"].show()["wait_state"] == "MATERIAL_LOAD"
    plant.machines["crane-1"].command("start", {})
    plant.machines["cell-1"].command("stop", {})
    now = run_plant(plant, 5400, now)
    assert plant.machines["mill-1"].show()["wait_state"] == "MATERIAL_UNLOAD"
    plant.machines["cell-1"].command("start", {})
    run_plant(plant, 1800, now)
    assert plant.machines["mill-1"].show()["wait_state"] == "NONE"
    for i in (1, 2, 3):
        assert 0 <= between(plant, "crane-1", f"flow.station-{i}", f"mill-{i}", "flow.taken") <= 24
        assert 0 <= between(plant, f"mill-{i}", "flow.out", "cell-1", f"flow.lane-{i}") <= 9


def test_a_day_of_the_plant_is_believable(hall: Sequence[MachineConfig]) -> None:
    plant = Plant(hall, "Europe/Helsinki")
    at: dict[str, list[Outputs]] = {t: [] for t in plant.machines}
    start = parse_instant("2026-03-02T00:00:00Z")
    for k in range(0, DAY // NS, 20):
        plant.step(start + k * NS, 20)
        for twin, machine in plant.machines.items():
            at[twin].append(machine.show())
    for twin, shown in at.items():
        active = sum(s["execution"] == "ACTIVE" for s in shown) / len(shown)
        assert 0.3 < active < 0.92, f"{twin} works {active:.0%} of the day"
    mill = at["mill-1"][-1]
    assert 500 < int(mill["parts.total"]) < 1000
    assert 0.002 < int(mill["parts.scrap"]) / int(mill["parts.total"]) < 0.08
    assert len({s["product"] for s in at["mill-1"]}) == 3, "no changeover in a day"
    assert len({s["tool.number"] for s in at["mill-1"]}) > 3, "no tool change in a day"
    night = [s for k, s in enumerate(at["mill-3"]) if LOCAL.at(start + k * 20 * NS)[1] >= 22.5]
    assert night and all(s["power_state"] == "OFF" for s in night), "mill 3 works two shifts"


def test_the_past_is_the_same_in_every_process_and_ends_where_it_is_told(hall: Sequence[MachineConfig]) -> None:
    end = MONDAY + 3 * HOUR + 7 * NS
    lives = []
    for own in (hall[:1], hall[1:4], hall[1:4]):
        plant = Plant(hall, "Europe/Helsinki")
        messages = list(backfill(plant, own, MONDAY, end, lambda: False))
        lives.append((messages, {t: msgspec.to_builtins(m.state) for t, m in plant.machines.items()}))
    assert lives[0][1] == lives[1][1], "processes disagree about the past"
    assert lives[1] == lives[2]
    messages = lives[1][0]
    assert {t for t, _ in messages} == {"mill-1", "mill-2", "mill-3"}
    for _, message in messages:
        assert message["replayed"] is True
        times = message["times"]
        assert times == sorted(set(times)) and times[0] >= MONDAY and times[-1] < end
        assert all(len(column) == len(times) for column in message["values"].values())
    words = [m for _, m in messages if "execution" in m["values"] and "spindle.load" not in m["values"]]
    offsets = {t % (20 * NS) for m in words for t in m["times"]}
    assert len(offsets) > 20, "changes of state are told at the time they happened, not at the end of a coarse step"
    assert list(backfill(Plant(hall, "Europe/Helsinki"), hall[:1], MONDAY, end, lambda: True)) == []
