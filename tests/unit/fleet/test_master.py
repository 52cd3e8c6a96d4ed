"""The master with robots in trouble: everybody arrives, nobody meets, everything is explained."""

from __future__ import annotations

import random

import msgspec
import pytest

from servitwin.connectors.vda5050 import write
from servitwin.connectors.vda5050.fleet import Zone
from servitwin.connectors.vda5050.message import RobotError
from servitwin.connectors.vda5050.simulated_robot import FAULTS
from servitwin.domain.error import ConflictError, InvalidInputError, NotFoundError
from servitwin.domain.fleet.transport import Task
from tests.unit.fleet.world import GRAPH, TOUCH_M, World


def finished(world: World) -> None:
    assert not world.open(), [(t.id, t.state, t.robot, t.reason) for t in world.open()]
    driven_well(world)


def driven_well(world: World) -> None:
    """Nobody touched anybody, and neither the master's checker nor the one that knows the truth found anything."""
    assert world.nearest > TOUCH_M
    assert world.conflicts == [] and world.fleet.conflicts == []
    assert world.check.reports >= len(world.robots) * world.t / 0.2 - len(world.robots)


@pytest.mark.parametrize("loss", [0.0, 0.2])
def test_all_transports_arrive_without_a_conflict_also_when_messages_are_lost(loss: float) -> None:
    world = World(loss=loss, seed=3)
    world.ask(12)
    world.run(600, until=lambda: not world.open())
    finished(world)
    assert world.fleet.check.reports > 300
    assert not {"robot-lost", "impossible-position", "order-refused"} & world.kinds()


def test_a_blocked_aisle_is_driven_round_at_once_and_told() -> None:
    world = World(seed=5)
    world.ask(12)
    world.run(20)
    aisle = ("3-1", "3-2")
    world.fleet.close_zone(Zone("aisle 3", aisle, reason="a pallet fell"), world.now)
    world.run(600, until=lambda: not world.open())
    finished(world)
    assert "zone-blocked" in world.kinds()
    assert not any(n.id in aisle for d in world.fleet.desks.values() for n in d.base)


def test_a_wall_across_the_hall_is_told_as_the_reason_and_forgotten_when_it_opens() -> None:
    world = World(3, seed=2)
    world.run(2)
    wall = tuple(i for i in GRAPH.ids if i.split("-")[1] == "4")
    world.fleet.close_zone(Zone("row 4", wall), world.now)
    world.run(40)
    world.ask(6)
    world.run(60)
    stuck = [t for t in world.open() if t.reason]
    assert stuck or "no-way" in world.kinds()
    world.fleet.open_zone("row 4", world.now)
    world.run(600, until=lambda: not world.open())
    finished(world)


def test_a_failed_robot_gives_its_task_to_another_and_the_others_go_round() -> None:
    world = World(4, seed=7)
    world.ask(6)
    world.run(10, until=lambda: any(t.state == "assigned" and not world.fleet.desks[t.robot].job for t in world.open()))
    task = next(t for t in world.open() if t.state == "assigned" and not world.fleet.desks[t.robot].job)
    broken = task.robot
    world.robots[broken].faults.add("fail")
    world.robots[broken].changed = True
    world.run(3)
    assert task.robot != broken
    assert {"robot-failed", "task-given-back"} <= world.kinds()
    world.run(600, until=lambda: not world.open())
    finished(world)
    told = next(e for e in world.events if e.kind == "robot-failed")
    assert broken in told.text and "motor" in told.text


def test_somebody_in_a_zone_stops_who_is_there_and_he_drives_on_afterwards() -> None:
    world = World(6, seed=4)
    world.ask(12)
    world.run(30)
    twin, held = next((t, h) for t, h in world.fleet.right.held.items() if len(h) > 1)
    world.fleet.close_zone(Zone("walk", (GRAPH.ids[held[1]],), "person"), world.now)
    world.run(4)
    robot = world.robots[twin]
    x, y = robot.x, robot.y
    assert robot.standing == "pause"
    world.run(10)
    assert (robot.x, robot.y) == (x, y)
    world.fleet.open_zone("walk", world.now)
    world.run(600, until=lambda: not world.open())
    finished(world)
    assert "stopped-for-person" in world.kinds()


def test_a_lost_robot_keeps_its_places_until_it_is_seen() -> None:
    world = World(5, seed=6)
    world.ask(10)
    world.run(15, until=lambda: any(len(h) > 2 for h in world.fleet.right.held.values()))
    twin = next(t for t, h in world.fleet.right.held.items() if len(h) > 2)
    world.cut(twin)
    world.run(1)
    held = set(world.fleet.right.held[twin])
    world.run(120)
    assert set(world.fleet.right.held[twin]) == held
    assert "robot-lost" in world.kinds()
    assert world.nearest > TOUCH_M
    world.robots[twin].faults.clear()
    world.robots[twin].changed = True
    world.run(600, until=lambda: not world.open())
    finished(world)
    assert "robot-back" in world.kinds()


def test_silence_is_loss_but_not_of_a_robot_that_hibernates() -> None:
    from servitwin.connectors.vda5050.hear import hear_connection

    world = World(2, seed=1)
    world.run(2)
    for robot in world.robots.values():
        robot.faults.add("network")
    hear_connection(world.fleet, "agv-0", "HIBERNATING", world.now, world.t, world.now)
    world.run(60)
    assert world.fleet.desks["agv-0"].condition(world.t, 35) == "hibernating"
    assert world.fleet.desks["agv-1"].condition(world.t, 35) == "lost"


def test_impossible_positions_cost_the_robot_its_trust_and_no_one_else_anything() -> None:
    world = World(5, seed=8)
    world.ask(10)
    world.run(20)
    liar = world.robots["agv-2"]
    liar.faults.add("lost-position")
    world.run(30)
    assert world.fleet.desks["agv-2"].doubt and "impossible-position" in world.kinds()
    assert liar.standing == "pause"
    liar.faults.clear()
    world.run(600, until=lambda: not world.open())
    finished(world)
    assert "trusted" in world.kinds()


def test_an_empty_battery_is_charged_and_its_task_goes_to_another() -> None:
    world = World(4, seed=9)
    world.ask(8)
    world.run(5)
    task = next(t for t in world.open() if t.state == "assigned" and not world.fleet.desks[t.robot].job)
    twin = task.robot
    world.robots[twin].faults.add("low-battery")
    world.robots[twin].changed = True
    world.run(2)
    assert task.robot != twin and "battery-low" in world.kinds()
    world.run(150, until=lambda: world.robots[twin].state(0, 0).charging)
    assert world.robots[twin].state(0, 0).charging
    world.run(600, until=lambda: not world.open())
    finished(world)


def test_a_killed_master_goes_on_from_what_it_wrote_and_what_robots_say() -> None:
    world = World(8, seed=10, loss=0.05)
    world.ask(14)
    for _ in range(6):
        world.run(9.3)
        world.restart_master()
    world.run(900, until=lambda: not world.open())
    finished(world)


def test_a_master_that_lost_its_notes_takes_over_what_drives() -> None:
    world = World(6, seed=11)
    world.ask(12)
    world.run(12)
    world.kept = msgspec.structs.replace(world.kept, desks=[], tasks=[])
    world.restart_master()
    world.run(20)
    assert world.nearest > TOUCH_M
    assert "load-unknown" in world.kinds()  # what was on board is nobody's task any more
    for robot in world.robots.values():
        robot.loads = 0
    world.ask(8)
    world.run(900, until=lambda: not world.open())
    finished(world)


def test_a_word_from_a_clock_days_ahead_is_contradicted_by_what_the_robot_says_later() -> None:
    from servitwin.connectors.vda5050.hear import hear_connection

    world = World(2, seed=1)
    world.run(2)
    days_ahead = world.now + 10 * 86_400 * 10**9
    hear_connection(world.fleet, "agv-0", "OFFLINE", world.now, world.t, days_ahead)
    assert world.fleet.desks["agv-0"].condition(world.t, 35) == "lost"
    world.run(10)
    assert world.fleet.desks["agv-0"].condition(world.t, 35) == "ready"


def test_late_and_doubled_messages_and_clock_jumps_change_nothing() -> None:
    world = World(5, seed=12)
    world.ask(10)
    world.run(20)
    robot = world.robots["agv-1"]
    old = write.state(robot.robot, world.now, robot.state(1, world.now - 15_000_000_000))
    before = list(world.fleet.right.held["agv-1"])
    assert world.hear("agv-1", old) == "" and world.hear("agv-1", old) == ""
    assert world.fleet.right.held["agv-1"] == before
    world.jump = 7_200 * 10**9
    world.run(10)
    world.jump = -3_600 * 10**9
    world.run(600, until=lambda: not world.open())
    finished(world)


def test_a_robot_that_was_started_again_gets_a_new_order() -> None:
    world = World(3, seed=13)
    world.ask(6)
    world.run(20)
    old = world.robots["agv-0"]
    at = GRAPH.index[old.last_node]
    fresh = type(old)(old.robot, old.last_node, GRAPH.x[at], GRAPH.y[at], map_id="hall", battery=old.battery)
    fresh.loads = old.loads
    world.robots["agv-0"] = fresh
    world._headers["agv-0"] = 0
    world.check.forget("agv-0")
    from servitwin.connectors.vda5050.hear import hear_connection

    hear_connection(world.fleet, "agv-0", "ONLINE", world.now, world.t)
    world.run(900, until=lambda: not world.open())
    assert not world.open() and world.nearest > TOUCH_M


def test_where_a_robot_appears_that_nobody_knew_the_one_that_comes_stops_and_a_person_has_to_look() -> None:
    """What was never heard is on no place: on a place that is driven through, both stop until it stands elsewhere."""
    world = World(2, seed=2)
    hidden, other = world.robots["agv-0"], world.robots["agv-1"]
    hidden.faults.add("network")
    world.run(15)
    world.ask(3)
    world.run(60, until=lambda: len(world.fleet.right.held.get("agv-1", [])) > 2)
    at = world.fleet.right.held["agv-1"][2]
    hidden.last_node, hidden.x, hidden.y = GRAPH.ids[at], GRAPH.x[at], GRAPH.y[at]
    hidden.faults.clear()
    hidden.changed = True
    world.run(4)
    assert "place-contradiction" in world.kinds() and world.fleet.desks["agv-1"].pauses == {"place-of-agv-0"}
    assert other.standing == "pause" and world.nearest > TOUCH_M
    free = next(i for i in range(GRAPH.size) if i not in world.fleet.right.held["agv-1"])
    hidden.last_node, hidden.x, hidden.y = GRAPH.ids[free], GRAPH.x[free], GRAPH.y[free]
    world.check.forget("agv-0")
    world.fleet.trust("agv-0", world.now)
    hidden.changed = True
    world.run(600, until=lambda: not world.open())
    assert not world.open() and world.nearest > TOUCH_M


def test_a_robot_that_was_put_down_between_two_places_holds_both_and_leaves_along_its_way() -> None:
    world = World(2, seed=3)
    world.run(5)
    world.robots["agv-0"].faults.add("manual")
    world.robots["agv-0"].changed = True
    world.run(3)
    robot = world.robots["agv-0"]
    a, b = GRAPH.index["4-3"], GRAPH.index["5-3"]
    robot.last_node, robot.x, robot.y = "4-3", GRAPH.x[a] + 1.2, GRAPH.y[a]
    robot.changed = True
    world.check.forget("agv-0")
    world.run(2)
    robot.faults.clear()
    robot.changed = True
    world.run(0.6)
    assert set(world.fleet.right.held["agv-0"]) >= {a, b}
    desk = world.fleet.desks["agv-0"]
    order = desk.order_for(GRAPH, [GRAPH.index["5-4"]], [], [], "new", beside=a)
    assert [n.id for n in order.nodes] == ["4-3", "5-3", "5-4"] and [n.sequence for n in order.nodes] == [0, 2, 4]
    assert order.nodes[0].deviation > 1.2 and [n.id for n in desk.base] == ["4-3", "5-3", "5-4"]
    back = desk.order_for(GRAPH, [b], [], [], "back", beside=b)
    assert [n.id for n in back.nodes] == ["5-4", "5-3"]  # no way from there to 5-4: nothing is put before it


def test_a_robot_that_only_says_that_there_is_nothing_to_cancel_is_taken_at_its_word() -> None:
    world = World(1, seed=4)
    world.run(5)
    desk, robot = world.fleet.desks["agv-0"], world.robots["agv-0"]
    desk.cancel = "cancel-x"
    said = robot.state(10**6, world.now)
    error = RobotError("noOrderToCancel", "WARNING", "no active order to be canceled", {"actionId": "cancel-x"})
    said = msgspec.structs.replace(said, nodes=(), driving=False, actions=(), errors=(error,))
    world.hear("agv-0", write.state(robot.robot, world.now, said))
    assert desk.cancel == ""


def test_a_task_counts_once_and_says_what_is_wrong_with_it() -> None:
    world = World(1)
    task = Task("a", "mill-1", "store")
    assert world.fleet.add_task(task, 1) is world.fleet.add_task(Task("a", "mill-1", "store"), 2)
    with pytest.raises(ConflictError) as used:
        world.fleet.add_task(Task("a", "mill-2", "store"), 3)
    assert used.value.fault.code == "task:id-used"
    with pytest.raises(InvalidInputError) as wrong:
        world.fleet.add_task(Task("", "nowhere", "elsewhere"), 3)
    assert [f.code for f in wrong.value.faults] == ["task:id-wrong", "task:place-unknown", "task:place-unknown"]
    with pytest.raises(InvalidInputError):
        world.fleet.add_task(Task("b", "store", "store"), 3)
    with pytest.raises(NotFoundError):
        world.fleet.cancel_task("z", "", 4)
    with pytest.raises(InvalidInputError) as zone:
        world.fleet.close_zone(Zone("", ("moon",)), 5)
    assert {f.code for f in zone.value.faults} == {"zone:id-wrong", "map:place-unknown"}


@pytest.mark.parametrize("seed", [*range(10), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(10, 161))])
def test_whatever_happens_everything_arrives(seed: int) -> None:
    """Faults, closed places and lost messages at random for ten minutes, then calm; every other fleet is mixed."""
    speeds = random.Random(seed).choices((1.5, 1.2, 0.8, 0.4), k=8) if seed % 2 else ()
    world = World(loss=0.1, seed=seed, speeds=speeds)
    world.run(30, until=lambda: all(d.base for d in world.fleet.desks.values()))  # nobody knows where the unheard are
    ends: list[tuple[float, str, str]] = []
    for number in range(60):
        world.ask(max(0, 10 - len(world.open())))
        chance = world.rng.random()
        if chance < 0.35:
            twin, fault = world.rng.choice(sorted(world.robots)), world.rng.choice(sorted(FAULTS))
            world.cut(twin) if fault == "network" else world.robots[twin].faults.add(fault)
            world.robots[twin].changed = True
            ends.append((world.t + world.rng.uniform(10, 60), twin, fault))
        elif chance < 0.55:
            middle = world.rng.randrange(GRAPH.size)
            places = tuple(GRAPH.ids[p] for p in (middle, *GRAPH.out[middle][:2]))
            kind = world.rng.choice(["blocked", "person"])
            world.fleet.close_zone(Zone(f"z{number}", places, "person" if kind == "person" else "blocked"), world.now)
            ends.append((world.t + world.rng.uniform(10, 60), "", f"z{number}"))
        elif chance < 0.6:
            world.written()
            world.restart_master()
        world.run(10)
        for end in [e for e in ends if e[0] < world.t]:
            ends.remove(end)
            mend(world, end)
    for end in ends:
        mend(world, end)
    world.run(900, until=lambda: not world.open())
    finished(world)


def mend(world: World, end: tuple[float, str, str]) -> None:
    _, twin, what = end
    if twin:
        world.robots[twin].faults.discard(what)
        world.robots[twin].changed = True
    else:
        world.fleet.open_zone(what, world.now)
