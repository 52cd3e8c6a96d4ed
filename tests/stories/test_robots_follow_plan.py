"""A published production plan gives robots their transports; a plan published anew changes and withdraws them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import Node
from tests.stories.robot_hall import FLEET, demo_hall, fleet, hall, not_simulated, ready
from tests.stories.waiting import Api, wait_for

pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("nodes")]
MACHINES = ("mill-1", "mill-2", "cell-1")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    content = demo_hall()
    not_simulated(content, "agv-4", "agv-5", "agv-6", "agv-7", "agv-8")
    master = content["connections"]["hall-1-robots"]["config"]
    master["schedule"] = {"party": "kivi", "store": "store-a", "finished": "store-b", "lead_minutes": 15}
    always = {"time_zone": "UTC", "shifts": {"day": {"days": "daily", "from": "00:00", "to": "24:00"}}}
    content["calendars"] = {"always": always}
    for id in MACHINES:
        content["twins"][id] = {"kind": "machine", "title": id, "owner": "kivi", "calendar": "always"}
    with hall(tmp_path_factory.mktemp("plan"), content) as made:
        yield made


def hours(n: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=n)).strftime("%Y-%m-%dT%H:%M:%SZ")


def enter(api: Api, kind: str, *bodies: dict[str, Any]) -> None:
    api.ask("POST", f"/registers/{kind}", json=list(bodies), params={"party": "kivi"})


def plan(api: Api) -> str:
    """A plan made anew and published; its id."""
    job = api.post("/schedules", {"budget_s": 20, "afresh": True})
    ended = wait_for(api.node, "the plan", 60, lambda: (j := api.get(f"/jobs/{job['id']}"))["ended"] is not None and j)
    assert ended["state"] == "done", ended
    api.post(f"/schedules/{job['id']}/publish", {})
    return str(job["id"])


def of_order(api: Api, order: str) -> dict[str, Any]:
    return {t["id"]: t for t in fleet(api)["tasks"] if t["order"] == order}


def test_transports_come_from_the_published_plan(node: Node) -> None:
    api = Api.of(node)
    ready(node, api, 3)
    planner = Api.of(node, api.token("kivi", "production_manager")["token"])
    ways = [{"machine": m, "per_piece_s": 60} for m in ("mill-1", "mill-2")]
    first = {"id": "10-mill", "ways": ways, "needs": [{"material": "bar", "per_piece": 1}]}
    second = {"id": "20-cell", "ways": [{"machine": "cell-1", "per_piece_s": 60}]}
    enter(api, "routings", {"id": "pin", "steps": [first, second]})
    enter(api, "materials", {"id": "bar", "stock": 500, "as_of": hours(-1)})
    soon = {"id": "soon", "product": "pin", "quantity": 30, "release": hours(0.15), "due": hours(4)}
    late = {"id": "late", "product": "pin", "quantity": 30, "release": hours(3), "due": hours(9)}
    enter(api, "orders", soon, late)
    id = plan(planner)

    operations = {(o["order"], o["operation"]): o for o in planner.get(f"/schedules/{id}")["operations"]}
    wait_for(node, "the plan's transports", 30, lambda: len(of_order(api, "late")) == 3)
    mine = of_order(api, "late")
    mill, cell = operations["late", "10-mill"], operations["late", "20-cell"]
    assert [(mine[i]["from"], mine[i]["to"], mine[i]["operation"]) for i in sorted(mine)] == [
        ("store-a", mill["machine"], "10-mill"),
        (mill["machine"], "cell-1", "20-cell"),
        ("cell-1", "store-b", "20-cell"),
    ]
    assert mine["late/10-mill"]["due"] == mill["start"] and mine["late/20-cell"]["due"] == cell["start"]
    assert mine["late/20-cell"]["not_before"] == mill["end"] and mine["late/20-cell"]["planned"]
    assert mine["late/20-cell"]["load"] == "30 pin of late" and fleet(api)["planned"] >= 5
    assert set(planner.get(FLEET)["tasks"][0]) >= {"order", "operation", "not_before", "planned"}

    # The material of the order that begins first is due in a few minutes: a robot brings it, and says what for.
    wait_for(node, "the material there", 60, lambda: of_order(api, "soon")["soon/10-mill"]["state"] == "done")
    carried = of_order(api, "soon")["soon/10-mill"]
    assert carried["robot"].startswith("agv-") and carried["to"] == operations["soon", "10-mill"]["machine"]
    said = next(e["text"] for e in fleet(api)["events"] if e["kind"] == "task-given")
    assert "operation 10-mill of soon" in said and "30 bar for soon" in said

    # Published anew: one order later on the mill that is left, the other one taken out.
    other = next(m for m in ("mill-1", "mill-2") if m != mill["machine"])
    enter(api, "routings", {"id": "pin", "steps": [{**first, "ways": [{"machine": other, "per_piece_s": 60}]}, second]})
    enter(api, "orders", {**late, "release": hours(4)})
    api.ask("DELETE", "/registers/orders/soon", params={"party": "kivi"})
    plan(planner)
    wait_for(node, "the change", 30, lambda: of_order(api, "late")["late/10-mill"]["to"] == other)
    changed = of_order(api, "late")
    assert changed["late/20-cell"]["from"] == other and changed["late/10-mill"]["due"] > mine["late/10-mill"]["due"]
    withdrawn = of_order(api, "soon")
    assert withdrawn["soon/10-mill"]["state"] == "done"  # what was carried was carried
    assert {withdrawn[i]["state"] for i in ("soon/20-cell", "soon/20-cell away")} == {"cancelled"}
    assert withdrawn["soon/20-cell"]["reason"] == "the plan does not ask for it any more"
    assert any("2 withdrawn" in e["text"] for e in fleet(api)["events"] if e["kind"] == "schedule")
    assert fleet(api)["conflicts"] == []
