"""Work orders as causes: who may write them, how they count, and planned work that becomes a claim."""

from __future__ import annotations

from typing import Any

from tests.conftest import Node
from tests.stories.test_guarantee import CONTRACT, hall, march, servitwin
from tests.stories.waiting import Api

__all__ = ["hall"]
ORDERS = "/twins/crane-1/work-orders"


def test_work_orders_are_causes_and_planned_work_is_proposed(hall: tuple[Node, Api, Api, Api]) -> None:
    node, maker, plant, rival = hall
    maker.ask("POST", "/contracts", 201, content=CONTRACT, headers={"Content-Type": "application/yaml"})
    for side in (maker, plant):
        side.post("/contracts/crane-98/signatures", {})
    assert march(maker)["machines"][0]["seconds"]["unavailable"] == str(21 * 3600)

    # Bad input: a stranger, a cause that is none, times that cannot be.
    assert rival.ask("GET", ORDERS, 404)["code"] == "twin:unknown"
    repair = {"kind": "unplanned", "from": "2026-03-10T06:00:00Z", "cause": "no-material", "text": "Drive changed"}
    assert rival.post(ORDERS, repair, 404)["code"] == "twin:unknown"
    assert plant.post(ORDERS, {**repair, "cause": "no-materiel"}, 400)["hint"] == "Did you mean 'no-material'?"
    reversed_ = {**repair, "to": "2026-03-09T00:00:00Z"}
    assert plant.post(ORDERS, reversed_, 400)["code"] == "work-order:period-reversed"

    # The customer's own order says that its material was missing: it counts at once; the provider ends it earlier.
    order = plant.post(ORDERS, repair, 201)
    assert (order["party"], order["status"], order["to"]) == ("customer", "open", None)
    assert march(maker)["machines"][0]["seconds"]["unavailable"] == "0", "an open order covers all that follows"
    steps = f"{ORDERS}/{order['id']}/steps"
    closed = maker.post(steps, {"action": "close", "to": "2026-03-10T12:00:00Z"})
    assert [s["number"] for s in closed["steps"]] == [1, 2]
    assert march(maker)["machines"][0]["seconds"]["unavailable"] == str(15 * 3600)
    assert maker.post(steps, {"action": "close"}, 409)["code"] == "work-order:closed"
    assert maker.post(steps, {"action": "change", "number": 2}, 409)["code"] == "work-order:out-of-turn"
    # The provider cannot make it longer: then it speaks for itself, and the order is only a ground for a claim.
    maker.post(steps, {"action": "change", "to": "2026-03-10T22:00:00Z"})
    assert march(maker)["machines"][0]["seconds"]["unavailable"] == str(21 * 3600)
    plant.post(steps, {"action": "change", "to": "2026-03-10T12:00:00Z", "cause": "no-material", "party": "plant"})
    intervals = maker.get("/contracts/crane-98/intervals", period="2026-03")["items"]
    stopped = [i for i in intervals if i["state"] == "failed"]
    assert [(i["category"], i.get("work_order", "")) for i in stopped] == [
        ("excluded", order["id"]), ("unavailable", ""),
    ]  # fmt: skip
    states = plant.get("/twins/crane-1/states", **{"from": "2026-03-10T00:00:00Z", "to": "2026-03-11T00:00:00Z"})
    assert [i["said"]["id"] for i in states["intervals"] if i["said"]] == [order["id"]]

    planned_work_is_proposed_by_who_closes_it(node, maker, plant)
    settled = maker.post("/contracts/crane-98/settlements/2026-03", {})
    assert {o["id"] for o in settled["inputs"]["work_orders"]} >= {order["id"]}
    assert maker.post("/contracts/crane-98/settlements/2026-03", {})["digest"] == settled["digest"]


def planned_work_is_proposed_by_who_closes_it(node: Node, maker: Api, plant: Api) -> None:
    arguments = ("work-orders", "open", "crane-1", "planned", "maintenance", "2026-03-20T08:00:00Z")
    made: dict[str, Any] = servitwin(*arguments, "--text", "Yearly service", "--data", str(node.data))
    steps = f"{ORDERS}/{made['id']}/steps"
    maker.post(steps, {"action": "change", "text": "Yearly service and rope"})
    closed = maker.post(steps, {"action": "close", "to": "2026-03-20T13:00:00Z"})
    (claim,) = closed["claims"]
    assert (claim["contract"], claim["status"]) == ("crane-98", "open")
    (waiting,) = plant.get("/contracts/crane-98/exclusions")["items"]
    assert waiting["evidence"] == [
        {"kind": "work_order", "reference": made["id"], "text": "Yearly service and rope"}
    ]  # fmt: skip
    assert (waiting["kind"], waiting["proposer"], waiting["waiting_for"]) == ("planned_work", "maker", "plant")
    plant.post(f"/contracts/crane-98/exclusions/{waiting['id']}/decisions", {"answer": "accept"})
    assert march(maker)["machines"][0]["seconds"]["unavailable"] == str(10 * 3600)
    # Closed by the customer it is nobody's claim: who agrees gives the reason, and the provider claims if it likes.
    own = plant.post(ORDERS, {"kind": "planned", "from": "2026-03-25T08:00:00Z", "cause": "maintenance"}, 201)
    assert plant.post(f"{ORDERS}/{own['id']}/steps", {"action": "close", "to": "2026-03-25T09:00:00Z"})["claims"] == []
    listed = servitwin("work-orders", "list", "crane-1", "--data", str(node.data))
    assert [o["status"] for o in listed] == ["closed", "closed", "closed"]
