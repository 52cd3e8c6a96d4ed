"""A delivery reports itself: events come in, the broker tells whom it concerns, and a new plan is proposed with why."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from tests.conftest import Node
from tests.stories.production_hall import PLANT, TYPE, done, entries, hours
from tests.stories.waiting import Api, wait_for

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("nodes")]


def event(step: str, ref: str, at: str, id: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "ObjectEvent", "eventID": f"urn:uuid:{id}", "action": "OBSERVE", "bizStep": step, "eventTime": at,
        "eventTimeZoneOffset": "+00:00", "epcList": ["urn:epc:id:sscc:0614141.1234567890"],
        "bizTransactionList": [{"type": "desadv", "bizTransaction": f"urn:epcglobal:cbv:bt:0614141000005:{ref}"}],
        **more,
    }  # fmt: skip


def capture(api: Api, *events: dict[str, Any]) -> Any:
    document = {"type": "EPCISDocument", "schemaVersion": "2.0", "epcisBody": {"eventList": list(events)}}
    head = {"Content-Type": "application/ld+json"}
    return api.ask("POST", "/epcis/v2/capture", content=json.dumps(document), headers=head)


def listen(api: Api, party: str) -> tuple[list[dict[str, Any]], Callable[[], None]]:
    """What the broker tells a company's own program, over MQTT; and how to end it."""
    heard: list[dict[str, Any]] = []
    body = {"user": f"listener-{party}", "twins": [], "parties": [party]}
    password = api.post("/machine-credentials", body)["password"]
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, f"listener-{party}")
    client.username_pw_set(f"listener-{party}", password)
    client.on_message = lambda _c, _u, m: heard.append({"topic": m.topic, **json.loads(m.payload)["data"]})
    ready: list[bool] = []
    client.on_connect = lambda c, *_: c.subscribe(f"servitwin/@{party}/events/plan", 1)
    client.on_subscribe = lambda _c, _u, _m, codes, _p: ready.append(not codes[0].is_failure)
    client.reconnect_delay_set(0.2, 1)
    wait_for(api.node, "the bus knows the user", 20, lambda: client.connect("127.0.0.1", api.node.mqtt_port()) == 0)
    client.loop_start()
    wait_for(api.node, "it is subscribed", 20, lambda: ready == [True])

    def end() -> None:
        client.disconnect()
        client.loop_stop()

    return heard, end


def of(api: Api, ref: str, which: str = "own") -> dict[str, Any]:
    return next(d for d in api.get("/deliveries")[which] if d["ref"] == ref)


def test_a_delivery_reports_itself_and_a_plan_is_proposed_with_why(node: Node, tmp_path: Path) -> None:
    api = Api.of(node)
    api.ask("POST", "/machine-types", content=TYPE, headers={"Content-Type": "application/yaml"})
    api.ask("POST", "/plants", content=PLANT, headers={"Content-Type": "application/yaml"})
    token = api.token("shop", "production_manager", "engineer")["token"]
    planner = Api.of(node, token)
    steel = Api.of(node, api.token("steel", "engineer")["token"])
    buyer = Api.of(node, api.token("acme", "engineer")["token"])
    needs = [{"material": "bar", "per_piece": 1}]
    steps = [{"id": "10", "ways": [{"machine": "m1", "per_piece_s": 60}], "needs": needs}]
    entries(api, "routings", {"id": "pin", "steps": steps})
    announced = hours(4)
    arrivals = [{"time": announced, "amount": 90, "ref": "D-1"}]
    entries(api, "materials", {"id": "bar", "stock": 0, "as_of": hours(-1), "supplier": "steel", "arrivals": arrivals})
    order = {"product": "pin", "quantity": 60, "due": hours(6), "customer": "acme"}
    entries(api, "orders", {"id": "K-1", **order}, {"id": "K-0", **order, "state": "done"})
    first = done(api, planner.post("/schedules", {"budget_s": 5}))
    planner.post(f"/schedules/{first['id']}/publish", {})
    assert planner.get("/schedules/published")["why"] == []
    planner.put("/registers/replanning/production", {"body": {"on": True, "budget_s": 2}})

    def newest() -> dict[str, Any]:
        return dict(planner.get("/jobs", service="schedule")["items"][0])

    ours, end_ours = listen(api, "shop")
    theirs, end_theirs = listen(api, "steel")
    expected = hours(9)
    sent = event("shipping", "D-1", hours(-0.5), "s1", **{"servitwin:expectedArrival": expected})
    assert capture(steel, sent)["not_matched"] == []
    for heard in (ours, theirs):
        told = wait_for(node, "late is heard", 30, lambda h=heard: [e for e in h if e["happened"] == "delivery-late"])
        assert (told[0]["ref"], told[0]["said"]["party"], told[0]["by_party"]) == ("D-1", "steel", "shop")
        assert "delivery-under-way" in [e["happened"] for e in heard]
    assert {e["topic"] for e in ours} == {"servitwin/@shop/events/plan"}
    wait_for(node, "a plan is proposed", 60, lambda: newest()["id"] != first["id"])
    proposed = done(api, newest())
    (why,) = proposed["why"]
    assert why.startswith("delivery D-1 of bar is expected at"), why
    (started,) = [o["start"] for o in planner.get(f"/schedules/{proposed['id']}")["operations"]]
    assert started >= expected, "the plan counts with the new time"
    entry = planner.get("/registers/materials/bar")
    assert entry["body"]["arrivals"] == arrivals, "the register has what was announced: nobody wrote into it"

    # Whoever looks later still reads why: in the list, with the plan, on the command line, after a restart, published.
    end_ours()
    end_theirs()
    node.stop()
    node.start()
    api, planner, steel = Api.of(node), Api.of(node, token), Api.of(node, steel.http.headers["Authorization"][7:])
    buyer = Api.of(node, buyer.http.headers["Authorization"][7:])
    listed = next(j for j in planner.get("/schedules")["jobs"] if j["id"] == proposed["id"])
    assert listed["why"] == [why] == planner.get(f"/schedules/{proposed['id']}")["why"]
    shown = run(node, "schedule", "list", "--party", "shop")
    assert why in shown
    planner.post(f"/schedules/{proposed['id']}/publish", {})
    assert planner.get("/schedules/published")["why"] == [why]

    # It came, short; the right count follows the withdrawn one, and OTIF is against what was announced.
    false = event("receiving", "D-1", hours(-0.2), "r1", epcList=[], **counted(1))
    capture(planner, false)
    declared = {"declarationTime": hours(0), "reason": "urn:epcglobal:cbv:er:incorrect_data"}
    capture(planner, {**false, "errorDeclaration": declared})
    capture(planner, event("receiving", "D-1", hours(-0.1), "r2", epcList=[], **counted(80)))
    (requirement,) = planner.get("/schedules/needs")["requirements"]
    assert requirement["late_s"] == 0.0
    part = of(steel, "D-1", "of_others")
    assert (part["state"], part["came"], part["came_amount"]) == ("under-way", None, 80)
    assert part["said"]["id"] == "urn:uuid:r2"
    planner.post("/deliveries/words", {"said": "came", "ref": "D-1", "amount": 80, "time": hours(-0.1)})
    came = of(steel, "D-1", "of_others")
    assert (came["state"], came["came_amount"], came["said"]["event"]) == ("came", 80, False)

    # The way to the customer, which says itself that it has it; a stranger's word is kept and says nothing of it.
    capture(planner, event("shipping", "K-1", hours(-0.05), "k1"))
    assert of(buyer, "K-1", "of_others")["state"] == "under-way"
    (fault,) = capture(steel, event("receiving", "K-1", hours(-0.04), "k2"))["not_matched"]
    assert fault["code"] == "delivery:unknown"
    assert of(planner, "K-1")["state"] == "under-way"
    said = run(node, "delivery", "came", "K-1", "--house", "shop", "--party", "acme", "--amount", "60")
    assert "came" in said and of(planner, "K-1")["came_amount"] == 60
    shop = ("--house", "shop", "--json")
    word = json.loads(
        run(node, "delivery", "expect", "D-1", "--party", "steel", "--reason", "ferry", "--amount", "70", *shop)
    )
    assert (word["amount"], of(planner, "D-1")["reason"]) == (70, "ferry")
    run(node, "delivery", "withdraw", word["expected_by"]["id"], "--party", "steel")
    assert (of(planner, "D-1")["amount"], of(planner, "D-1")["reason"]) == (90, "")
    assert "80 of 90 bar" in run(node, "delivery", "list", "--party", "shop")
    file = tmp_path / "lost.json"
    file.write_text(json.dumps(event("receiving", "D-77", hours(-0.1), "lost")))
    assert "D-77" in run(node, "trace", "capture", str(file), finding=False)
    lost = run(node, "delivery", "not-matched", finding=True)
    assert "D-77" in lost and "[delivery:unknown]" in lost


def counted(amount: int) -> dict[str, Any]:
    return {"quantityList": [{"epcClass": "urn:servitwin:class:bar", "quantity": amount}]}


def run(node: Node, *words: str, finding: bool = False) -> str:
    """A command of the node's own; whether it ends with a finding."""
    command = [sys.executable, "-m", "servitwin.bootstrap", *words, "--data", str(node.data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == (1 if finding else 0), done.stdout + done.stderr
    return done.stdout + done.stderr
