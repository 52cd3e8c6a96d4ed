"""A production plan from registers to the operator: asked, published, told, answered, broken and mended."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.conftest import Node
from tests.stories.production_hall import PLANT, TYPE, done, entries, hours
from tests.stories.waiting import Api, wait_for

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("nodes")]


def test_a_plan_from_registers_to_the_operator(node: Node, tmp_path: Any) -> None:
    api = Api.of(node)
    api.ask("POST", "/machine-types", content=TYPE, headers={"Content-Type": "application/yaml"})
    api.ask("POST", "/plants", content=PLANT, headers={"Content-Type": "application/yaml"})
    planner = Api.of(node, api.token("shop", "production_manager")["token"])
    operator = Api.of(node, api.token("shop", "operator")["token"])
    stranger = Api.of(node, api.token("steel", "analyst")["token"])

    planner.post("/schedules", {}, 400)  # no order is open
    entries(
        api,
        "routings",
        {
            "id": "pin",
            "steps": [
                {
                    "id": "10",
                    "ways": [{"machine": "m1", "per_piece_s": 60}, {"machine": "m2", "per_piece_s": 60}],
                    "needs": [{"material": "bar", "per_piece": 1}],
                },
                {"id": "20", "ways": [{"machine": "m2", "per_piece_s": 30}]},
            ],
        },
    )
    loop = {"demand_per_hour": 100, "lead_time_h": 4, "allowance": 0.1, "container": 20}
    entries(api, "materials", {"id": "bar", "stock": 300, "as_of": hours(-1), "supplier": "steel", "kanban": loop})
    entries(
        api,
        "orders",
        {"id": "a", "product": "pin", "quantity": 60, "due": hours(4), "customer": "acme"},
        {"id": "b", "product": "pin", "quantity": 30, "due": hours(0.2)},
        {"id": "c", "product": "bolt", "quantity": 1},
    )
    missing = planner.post("/schedules", {}, 400)
    assert missing["code"] == "schedule:routing-missing" and "bolt" in missing["message"]
    api.ask("DELETE", "/registers/orders/c", params={"party": "shop"})

    job = done(api, planner.post("/schedules", {"budget_s": 60}))
    assert job["state"] == "done" and job["bound"] <= job["value"], job
    plan = planner.get(f"/schedules/{job['id']}")
    assert {o["order"] for o in plan["orders"] if o["late_s"] > 0} == {"b"}
    late = next(o for o in plan["orders"] if o["order"] == "b")
    assert late["hopeless"] and "late" in late["why"]
    operator.post(f"/schedules/{job['id']}/publish", {}, 403)
    stranger.ask("GET", f"/schedules/{job['id']}", 404)
    published = planner.post(f"/schedules/{job['id']}/publish", {"title": "first", "replaces": 0})
    second = planner.post(f"/schedules/{job['id']}/publish", {"title": "second", "replaces": 0}, 409)
    assert second["code"] == "register:changed-meanwhile", "a plan was published while the other planner looked"
    planner.post(f"/schedules/{job['id']}/publish", {"title": "first", "replaces": published["revision"]})
    told = [e for e in _events(node, Api.of(node)) if e["kind"] == "plan"]
    assert {(e["subject"], e["data"]["happened"]) for e in told} >= {
        ("shop", "published"),
        ("steel", "called-off"),
        ("acme", "delivery-expected"),
    }

    # The operator takes the first one, and refuses another without and with a reason.
    tasks = operator.get("/schedules/next", machine="m1")["tasks"]
    assert tasks[0]["because"]
    begun = {"order": tasks[0]["order"], "operation": tasks[0]["operation"], "answer": "begun"}
    operator.post("/schedules/answers", begun, 201)
    second = operator.get("/schedules/next", machine="m2")["tasks"][0]
    refusal = {"order": second["order"], "operation": second["operation"], "answer": "rejected"}
    operator.post("/schedules/answers", refusal, 400)
    operator.post("/schedules/answers", {**refusal, "reason": "tool-missing"}, 201)
    stranger.post("/schedules/answers", {**begun, "party": "shop"}, 403)

    # By hand: later on the same machine; onto one that cannot do it, it is refused in words.
    last = max((o for o in plan["operations"] if o["operation"] == "20"), key=lambda o: o["start"])
    move = {"order": last["order"], "operation": "20", "machine": "m2", "start": hours(6)}
    moved = planner.post(f"/schedules/{job['id']}/move", move, 201)
    assert moved["comparison"]["moved"][0]["order"] == last["order"]
    refused = planner.post(f"/schedules/{job['id']}/move", {**move, "machine": "m1"}, 400)
    assert refused["code"] == "plan:wrong-machine-or-crew" and "m2" in refused["hint"]

    # The other machine is down until tomorrow: the new plan leaves it alone and says what moved and why.
    entries(
        api,
        "blocked_times",
        {"id": "x", "machine": "m2", "start": hours(-0.1), "end": hours(24), "kind": "down", "why": "drive"},
    )
    again = done(api, planner.post("/schedules", {"budget_s": 60}))
    assert again["state"] == "done", again
    compared = planner.get(f"/schedules/published/against/{again['id']}")
    assert any("drive" in m["why"] or "down" in m["why"] for m in compared["moved"])

    # A calendar that does not exist is not taken for one without end.
    entries(api, "workplaces", {"id": "m1", "calendar": "nights"})
    unknown = planner.post("/schedules", {}, 400)
    assert (unknown["code"], unknown["where"]) == ("schedule:calendar-unknown", "workplaces.m1.calendar")
    assert "nights" in unknown["message"]
    api.ask("DELETE", "/registers/workplaces/m1", params={"party": "shop"})

    # A deadline that cannot be kept: the demands that contradict each other are named.
    entries(api, "orders", {"id": "b", "product": "pin", "quantity": 30, "deadline": hours(5)})
    impossible = done(api, planner.post("/schedules", {"budget_s": 600}))  # it ends as soon as it knows
    assert impossible["state"] == "failed"
    assert "order b has to be done by" in json.dumps(impossible["faults"])
    assert "drive" in json.dumps(impossible["faults"])

    needs = planner.get("/schedules/needs")
    assert needs["requirements"] and needs["pull"][0]["cards"] == 22 and needs["otif"]["counted"] == 0
    assert needs["requirements"][0]["order"] and {o["customer"] for o in needs["orders"]} == {"acme", ""}
    (asked,) = stranger.get("/schedules/concerning")["items"]
    assert (asked["party"], asked["orders"], asked["customers"]) == ("shop", [], [])
    assert asked["pull"] == needs["pull"], "a supplier sees what is called off from it"
    assert {r["order"] + r["machine"] for r in asked["requirements"]} <= {""}, "and not where it goes"
    buyer = Api.of(node, api.token("acme", "analyst")["token"])
    (coming,) = buyer.get("/schedules/concerning")["items"]
    assert ([o["order"] for o in coming["orders"]], coming["pull"], coming["requirements"]) == (["a"], [], [])
    assert planner.get("/schedules/concerning")["items"] == []
    stranger.ask("GET", "/schedules/needs", 403, params={"party": "shop"})

    # The supplier's delivery is announced for after it is needed: it leads the list. Then it came, late and short.
    bar = {"stock": 0, "as_of": hours(-1), "supplier": "steel", "kanban": loop}
    entries(api, "materials", {"id": "bar", **bar, "arrivals": [{"time": hours(90), "amount": 90, "ref": "D1"}]})
    first = planner.get("/schedules/needs")["requirements"][0]
    assert first["late_s"] > 24 * 3600 and (first["supplier"], first["ref"]) == ("steel", "D1"), first
    came = {"time": hours(-3), "amount": 90, "came": hours(-2), "came_amount": 80}
    entries(api, "materials", {"id": "bar", **bar, "arrivals": [came]})
    (told,) = stranger.get("/schedules/concerning")["items"]
    assert told["suppliers"] == [{"party": "steel", "counted": 1, "kept": 0, "late": 1, "short": 1, "ratio": 0.0}]

    jobs = planner.get("/schedules/published/job-list")
    assert jobs[0]["JobOrder"]["EquipmentRequirements"][0]["ID"] in ("m1", "m2")
    assert planner.http.get("/schedules/published/table").text.startswith("order,operation,machine")
    assert planner.get("/schedules/occupation")["items"]
    _through_files(planner, operator)
    assert planner.get("/schedules/lessons")["items"] == []


def test_what_changes_is_planned_anew_by_itself(node: Node) -> None:
    api = Api.of(node)
    api.ask("POST", "/machine-types", content=TYPE, headers={"Content-Type": "application/yaml"})
    api.ask("POST", "/plants", content=PLANT, headers={"Content-Type": "application/yaml"})
    token = api.token("shop", "production_manager")["token"]
    planner = Api.of(node, token)
    ways = [{"machine": m, "per_piece_s": 60} for m in ("m1", "m2")]
    entries(api, "routings", {"id": "pin", "steps": [{"id": "10", "ways": ways}]})
    entries(api, "orders", {"id": "a", "product": "pin", "quantity": 60}, {"id": "b", "product": "pin", "quantity": 60})
    api.ask(
        "POST", "/twins/m2/observations", content=json.dumps({"time": hours(-1), "values": {"execution": "RUN"}}),
        headers={"Content-Type": "application/x-ndjson"},
    )  # fmt: skip
    first = done(api, planner.post("/schedules", {"budget_s": 5}))
    planner.post(f"/schedules/{first['id']}/publish", {})

    def newest() -> dict[str, Any]:
        return dict(planner.get("/jobs", service="schedule")["items"][0])

    # Nobody wanted it so far: a rush order changes nothing. From now on somebody does, and it is made up for.
    entries(api, "orders", {"id": "rush", "product": "pin", "quantity": 10, "due": hours(1), "weight": 9})
    body = {"body": {"on": True, "budget_s": 2}}
    planner.ask("PUT", "/registers/replanning/production", 400, json={"body": {"on": True, "budget_s": 0}})
    assert newest()["id"] == first["id"]
    last = newest()["id"]
    planner.ask("PUT", "/registers/replanning/production", json=body)
    wait_for(node, "a plan with the rush order", 30, lambda: newest()["id"] != last)
    rush = done(api, newest())
    assert {o["order"] for o in planner.get(f"/schedules/{rush['id']}")["orders"]} == {"a", "b", "rush"}
    assert planner.get("/schedules/published")["job"] == first["id"], "what holds is for people to change"

    # A machine tells that it is down. A node that starts again meanwhile knows that this is planned for.
    def says(word: str, why: str) -> None:
        before, said = newest()["id"], json.dumps({"time": hours(0), "values": {"execution": word}})
        api.ask("POST", "/twins/m2/observations", content=said, headers={"Content-Type": "application/x-ndjson"})
        wait_for(node, why, 30, lambda: newest()["id"] != before)
        told = _events(node, api, "asked-anew", newest()["id"])[-1]["data"]
        assert told["why"] == [why], told
        done(api, newest())

    says("FAULT", "m2 is down")
    while_down = newest()["id"]
    node.stop()
    node.start()
    api, planner = Api.of(node), Api.of(node, token)
    wait_for(node, "m2 is known to be down", 30, lambda: (api.get("/twins/m2")["state"] or {}).get("state") == "failed")
    time.sleep(4)
    assert newest()["id"] == while_down, newest()
    says("RUN", "m2 is back")

    # What cannot be planned is told once, and not asked for again and again.
    entries(api, "orders", {"id": "odd", "product": "bolt", "quantity": 1})
    told = _events(node, api, "no-plan")[-1]["data"]
    assert told["why"] == ["order odd is new"] and "bolt" in told["faults"][0], told


def _through_files(planner: Api, operator: Api) -> None:
    """A plan is taken out in each form and brought in again unchanged; a spoilt one is refused with its lines."""

    def bring(content: bytes, media: str, status: int, who: Api = planner) -> Any:
        head = {"Content-Type": media}
        asked = {"base": "published", "name": "plan of Monday"}
        return who.ask("POST", "/schedules/import", status, content=content, headers=head, params=asked)

    places = ("order", "operation", "machine", "start", "end", "setup_s", "crew", "started")
    before = planner.get("/schedules/published")
    for form, media in (("/table", "text/csv"), ("/job-list", "application/json"), ("", "application/json")):
        taken = planner.http.get(f"/schedules/published{form}").content
        kept = bring(taken, media, 201)
        assert kept["note"] == "imported from plan of Monday"
        assert [[o[p] for p in places] for o in kept["operations"]] == [
            [o[p] for p in places] for o in before["operations"]
        ], form
        bring(taken, media, 403, operator)
    assert planner.get(f"/schedules/{kept['id']}/problem") == planner.get("/schedules/published/problem")
    lines = planner.http.get("/schedules/published/table").text.splitlines()
    short = bring("\n".join(lines[:-1]).encode(), "text/csv", 400)
    assert short["code"] == "plan:not-planned", short
    moved = [lines[0], *(line.replace(",m1,", ",m9,").replace(",m2,", ",m9,") for line in lines[1:])]
    wrong = bring("\n".join(moved).encode(), "text/csv", 400)
    told = [f for f in wrong["faults"] if f["code"] == "plan:wrong-machine-or-crew"]
    assert sorted(f["line"] for f in told) == list(range(2, len(lines) + 1)), wrong
    planner.ask("GET", f"/schedules/{kept['id']}", 200)


def _events(node: Node, api: Api, until: str = "delivery-expected", job: str = "") -> list[dict[str, Any]]:
    """Everything that happened, up to the word of a plan that is waited for."""
    found = []
    with api.http.stream("GET", "/events", params={"topics": "happened"}, headers={"Last-Event-ID": "0"}) as stream:
        for line in stream.iter_lines():
            if line.startswith("data:"):
                found.append(json.loads(line[5:]))
                data = found[-1]["data"]
                if found[-1]["kind"] == "plan" and data["happened"] == until and data.get("job", "") in (job, ""):
                    return found
    return found
