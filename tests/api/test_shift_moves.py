"""The shift moves work over the API: done where nobody is worse off, else asked for; by nobody else."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from api_node import PASSWORD, Node
from typer.testing import CliRunner

from servitwin.cli.app import create_cli
from servitwin.cli.starters import Starters
from servitwin.connectors.recorded import KINDS as RECORDINGS
from servitwin.connectors.recorded import open_recording
from servitwin.domain.instant import HOUR, MINUTE, NS, format_instant
from servitwin.domain.party import Account
from servitwin.usecases.replan_production import ReplanProduction
from servitwin.web.api.schedules import Desk

NOW = 1_789_997_640 * NS  # 2026-09-21 13:34:00 UTC, a whole minute


def hours(n):
    return format_instant(NOW + round(n * HOUR))


class Clock:
    """The node's time, for a test to set."""

    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def node(tmp_path, clock):
    with Node(tmp_path, now=clock) as running:
        for id, party, role in (
            ("otto", "acme", "operator"),
            ("oona", "acme", "operator"),
            ("olli", "other", "operator"),
        ):
            running.records.save_account(Account(id, id.title(), party, (role,)), running.hasher.hash(PASSWORD))
        with closing(running.browser("anna")) as anna:
            publish(anna)
        yield running


@pytest.fixture
def otto(node):
    with closing(node.browser("otto")) as client:
        yield client


ROWS = [("a", "mill-1", 0.5, 1.5), ("b", "mill-1", 1.5, 2.5), ("c", "mill-1", 2.5, 3.5), ("d", "mill-2", 1, 2)]


def publish(anna, rows=ROWS, **due):
    """Four orders of one step, three of them on mill-1, as a table that holds from now on."""
    steps = {m: [{"id": "10", "ways": [{"machine": m, "per_piece_s": 60}]}] for m in ("mill-1", "mill-2")}
    bodies = [{"id": f"part-{m}", "steps": s} for m, s in steps.items()]
    assert anna.post("/api/v1/registers/routings", json=bodies).status_code == 200
    due = {"a": 4, "b": 9, "c": 9, "d": 9} | due
    orders = [
        {"id": o, "product": f"part-{m}", "quantity": 60, "due": hours(due[o]), "customer": "other" if o == "c" else ""}
        for o, m, _, _ in rows
    ]
    assert anna.post("/api/v1/registers/orders", json=orders).status_code == 200
    table = ["order,operation,machine,start,end", *(f"{o},10,{m},{hours(s)},{hours(e)}" for o, m, s, e in rows)]
    brought = anna.post("/api/v1/schedules/import", content="\n".join(table), headers={"Content-Type": "text/csv"})
    assert brought.status_code == 201, brought.text
    answer = anna.post(f"/api/v1/schedules/{brought.json()['id']}/publish", json={})
    assert answer.status_code == 200, answer.text
    return answer.json()["revision"]


def wish(order, how="first", **more):
    return {"machine": "mill-1", "order": order, "operation": "10", "how": how, **more}


def look(client, order, how="first", status=200, **more):
    answer = client.get("/api/v1/schedules/moves", params=wish(order, how, **more))
    assert answer.status_code == status, answer.text
    return answer.json()


def move(client, order, how="first", status=201, **more):
    body = wish(order, how, **({"reason": "tool-missing", "revision": 1} | more))
    answer = client.post("/api/v1/schedules/moves", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def starts(client, id="published"):
    plan = client.get(f"/api/v1/schedules/{id}").json()
    return {o["order"]: o["start"] for o in plan["operations"]}


def told(node, happened):
    events = [json.loads(p) for s, p in node.bus.published if s == "happened"]
    return [(e["subject"], e["data"]) for e in events if e["kind"] == "plan" and e["data"]["happened"] == happened]


def test_a_move_that_makes_nobody_late_holds_at_once_and_is_told(node, otto):
    seen = look(otto, "c")
    assert (seen["allowed"], seen["against"], seen["revision"]) == (True, [], 1)
    assert seen["lines"][:2] == ["c/10 first: it begins now", "a/10 begins 30 min later, still in time by 2 h 0 min"]
    assert starts(otto)["c"] == hours(2.5), "looking changes nothing"
    done = move(otto, "c", text="drill is at the grinder")
    assert (done["plan"], done["move"]["revision"]) == ("published", 2)
    assert starts(otto) == {"c": hours(0), "a": hours(1), "b": hours(2), "d": hours(1)}
    plan = otto.get("/api/v1/schedules/published").json()
    assert plan["why"] == ["mill-1 does c/10 before a/10: tool missing (drill is at the grinder)"]
    assert plan["note"] == "moved by the shift at mill-1"
    ((whose, word),) = told(node, "moved-by-shift")
    assert whose == "acme" and word == {
        "happened": "moved-by-shift", "machine": "mill-1", "order": "c", "operation": "10", "before": "a/10",
        "reason": "tool-missing", "text": "drill is at the grinder", "plan": "published", "revision": 2,
    }  # fmt: skip
    assert "otto" not in json.dumps([plan, word])
    assert [w["expected"] for p, w in told(node, "delivery-expected")] == [hours(3.5), hours(1)]
    tasks = otto.get("/api/v1/schedules/next", params={"machine": "mill-1"}).json()["tasks"]
    assert [t["order"] for t in tasks] == ["c", "a", "b"]


def test_a_move_that_makes_somebody_late_changes_nothing_and_is_asked_for(node, otto):
    with closing(node.browser("anna")) as anna:
        publish(anna, a=1.75)
        seen = look(otto, "c")
        assert not seen["allowed"]
        assert seen["against"] == [
            {
                "code": "shift:order-late",
                "message": "a would be 15 min late; without the move it is in time",
                "where": "a",
            }
        ]
        refused = move(otto, "c", status=409, revision=2)
        assert [f["code"] for f in refused["faults"]] == ["shift:needs-planner", "shift:order-late"]
        assert starts(otto)["c"] == hours(2.5) and told(node, "moved-by-shift") == []
        asked = move(otto, "c", ask=True, revision=2)
        assert asked["plan"] == "shift-mill-1" and starts(otto)["c"] == hours(2.5)
        ((_, word),) = told(node, "move-asked")
        assert (word["plan"], word["late_orders"]) == ("shift-mill-1", ["a"])
        kept = {p["id"]: p for p in anna.get("/api/v1/schedules").json()["kept"]}
        assert kept["shift-mill-1"]["why"] == ["mill-1 does c/10 before a/10: tool missing"]
        otto_may = otto.post("/api/v1/schedules/shift-mill-1/publish", json={})
        assert otto_may.status_code == 403
        assert anna.post("/api/v1/schedules/shift-mill-1/publish", json={}).status_code == 200
        assert starts(otto)["c"] == hours(0)
        answers = anna.get("/api/v1/registers/shift_answers").json()["items"]
        assert answers == [], "only what the shift did itself teaches the plan"


def test_of_two_who_move_at_once_the_second_looks_again(node, otto):
    with closing(node.browser("oona")) as oona:
        assert look(oona, "b")["revision"] == look(otto, "c")["revision"] == 1
        move(oona, "b")
        late = move(otto, "c", status=409)
        assert late["code"] == "plan:changed-meanwhile" and "Look" in late["hint"]
        move(otto, "c", revision=look(otto, "c")["revision"])
    assert starts(otto) == {"c": hours(0), "b": hours(1), "a": hours(2), "d": hours(1)}


def test_what_runs_stays_and_what_is_over_stays_in_the_plan(otto, clock):
    clock.now = NOW + 100 * MINUTE  # a is over, b runs
    for order, code in (("a", "plan:runs-already"), ("b", "plan:runs-already"), ("c", "shift:is-next")):
        assert look(otto, order, status=400)["code"] == code
    clock.now = NOW + 40 * MINUTE  # a runs: c goes right behind it
    move(otto, "c")
    clock.now = NOW + 165 * MINUTE  # a and c are over, b runs
    plan = otto.get("/api/v1/schedules/published").json()
    assert [(o["order"], o["started"]) for o in plan["operations"] if o["machine"] == "mill-1"] == [
        ("a", True), ("c", False), ("b", False),
    ]  # fmt: skip
    assert look(otto, "b", status=400)["code"] == "plan:runs-already"


def test_an_operation_that_was_begun_by_word_stays(otto):
    said = otto.post("/api/v1/schedules/answers", json={"order": "c", "operation": "10", "answer": "begun"})
    assert said.status_code == 201
    refused = move(otto, "c", status=400)
    assert refused["code"] == "plan:runs-already" and refused["hint"]


def test_a_plan_that_can_no_longer_be_kept_is_outdated(node, otto):
    with closing(node.browser("anna")) as anna:
        body = {"machine": "mill-1", "start": hours(0), "end": hours(600), "kind": "down", "why": "bed"}
        assert anna.put("/api/v1/registers/blocked_times/x", json={"body": body}).status_code == 200
    told = move(otto, "c", status=409)
    assert told["code"] == "plan:outdated" and told["hint"] == "Ask for a plan anew"
    assert any("bed" in f["message"] for f in told["faults"][1:])


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"order": "zz"}, 400, "plan:unknown-operation"),
        ({"order": "a"}, 400, "shift:is-next"),
        ({"order": "c", "how": "later"}, 400, "shift:nothing-follows"),
        ({"order": "d"}, 400, "shift:other-machine"),
        ({"reason": ""}, 400, "shift:reason-missing"),
        ({"reason": "mood"}, 400, "shift:reason-unknown"),
        ({"revision": 7}, 409, "plan:changed-meanwhile"),
        ({"how": "never"}, 422, None),
        ({"revision": 0}, 422, None),
        ({"person": "otto"}, 422, None),
    ],
)
def test_what_cannot_be_is_refused_and_says_how_to_mend_it(otto, change, status, code):
    body = wish("c", reason="tool-missing", revision=1) | change
    answer = otto.post("/api/v1/schedules/moves", json=body)
    assert answer.status_code == status, answer.text
    assert code is None or (answer.json()["code"] == code and answer.json()["hint"])
    assert starts(otto)["c"] == hours(2.5)


def test_others_neither_look_nor_move(node, otto):
    with closing(node.browser("olli")) as olli:
        assert look(olli, "c", status=404)["code"] == "plan:unknown"
        assert look(olli, "c", status=403, party="acme")["code"] == "access:not-permitted"
        assert move(olli, "c", status=403, party="acme")["code"] == "access:not-permitted"
    with closing(node.browser("vera")) as vera:
        assert move(vera, "c", status=403)["code"] == "access:not-permitted"
        assert move(vera, "c", status=403, ask=True)["code"] == "access:not-permitted"
    with node.client() as nobody:
        assert nobody.get("/api/v1/schedules/moves", params=wish("c")).status_code == 401
        assert nobody.post("/api/v1/schedules/moves", json=wish("c", revision=1)).status_code == 401
    assert starts(otto)["c"] == hours(2.5)


def test_the_plan_learns_the_reason_where_it_is_about_the_place(node, otto):
    for order in ("b", "c"):
        move(otto, order, revision=look(otto, order)["revision"])
    (lesson,) = otto.get("/api/v1/schedules/lessons").json()["items"]
    assert (lesson["product"], lesson["machine"], lesson["rejections"], lesson["cost"]) == (
        "part-mill-1",
        "mill-1",
        2,
        60,
    )


def test_a_move_does_not_make_the_node_forget_an_order_that_came_before_it(node, otto, clock):
    with closing(node.browser("anna")) as anna:
        wanted = {"body": {"on": True, "budget_s": 1}}
        assert anna.put("/api/v1/registers/replanning/production", json=wanted).status_code == 200
        clock.now = NOW + MINUTE
        rush = {"body": {"product": "part-mill-1", "quantity": 5}}
        assert anna.put("/api/v1/registers/orders/rush", json=rush).status_code == 200
    clock.now = NOW + 2 * MINUTE
    move(otto, "c")
    assert "rush" not in starts(otto), "a move plans nothing new"
    clock.now = NOW + 3 * MINUTE
    desk, why = Desk(node.parts), []
    replan = ReplanProduction(node.records, clock)
    (wish,) = replan.wishes()

    def look(watch):
        return watch.look(wish, desk.plans, lambda _: {}, lambda _, told: why.append(told["why"]))

    assert look(replan) is not None and why == [["order rush is new"]]
    assert look(ReplanProduction(node.records, clock)) is None


def test_the_command_looks_and_moves(node, adam, monkeypatch):
    token = adam.post("/api/v1/tokens", json={"label": "till", "roles": ["operator"]}).json()["token"]
    monkeypatch.setenv("SERVITWIN_TOKEN", token)
    app = create_cli(Starters(lambda *_: 0, lambda _: [], open_recording, tuple(RECORDINGS)))

    def run(*words):
        return CliRunner().invoke(app, ["schedule", "shift", "move", *words, "--to", node.url])

    seen = run("mill-1", "c/10", "first", "--look")
    assert seen.exit_code == 0 and seen.stdout.startswith("c/10 first: it begins now\n"), seen.output
    done = run("mill-1", "c/10", "first", "--text", "the customer waits at the door")
    assert done.exit_code == 0 and done.stdout.endswith("it holds now\n"), done.output
    missing = run("mill-1", "a/10", "later")
    assert missing.exit_code == 2 and "shift:reason-missing" in missing.output
    with closing(node.browser("anna")) as anna:
        publish(anna, a=1.75)
    needs = run("mill-1", "c/10", "first", "--reason", "tool-missing")
    assert needs.exit_code == 1 and "a would be 15 min late" in needs.stdout, needs.output
    asked = run("mill-1", "c/10", "first", "--reason", "tool-missing", "--ask", "--json")
    assert asked.exit_code == 0 and json.loads(asked.stdout)["plan"] == "shift-mill-1", asked.output


def test_what_is_done_never_comes_back_however_many_plans_are_published(node, clock):
    """``a`` is done by the first plan; the second one, made then, does not have it, and neither may the third."""

    def open_orders():
        problem, faults = Desk(node.parts).plans.problem("acme", {})
        assert not faults
        return sorted(o.id for o in problem.orders if o.operations)

    with closing(node.browser("anna")) as anna:
        for minutes in (100, 102):
            clock.now = NOW + minutes * MINUTE
            rows = ["order,operation,machine,start,end", f"b,10,mill-1,{hours(1.5)},{hours(2.5)}"]
            rows += [f"c,10,mill-1,{hours(2.5 + minutes / 6000)},{hours(3.5 + minutes / 6000)}"]
            rows += [f"d,10,mill-2,{hours(1)},{hours(2)}"]
            body = "\n".join(rows)
            brought = anna.post("/api/v1/schedules/import", content=body, headers={"Content-Type": "text/csv"})
            assert brought.status_code == 201, brought.text
            done = anna.post(f"/api/v1/schedules/{brought.json()['id']}/publish", json={})
            assert done.status_code == 200, done.text
            assert open_orders() == ["b", "c", "d"]
        # Unless somebody says that it is not done.
        kept = node.records.register_entry("production_plans", "acme", "published").body
        assert kept["over"] == [["a", "10"]]


def said(client, answer, order="c", status=201, **more):
    body = {"order": order, "operation": "10", "answer": answer, **more}
    found = client.post("/api/v1/schedules/answers", json=body)
    assert found.status_code == status, found.text
    return found.json()


def kept(node, order="c"):
    with closing(node.browser("anna")) as anna:
        items = anna.get("/api/v1/registers/shift_answers").json()["items"]
    bodies = sorted((i["body"] for i in items), key=lambda b: b["at"])
    return [(b["answer"], b.get("began", ""), b.get("ended", "")) for b in bodies if b["order"] == order]


def test_an_answer_that_is_sent_again_is_kept_once_and_the_first_time_counts(node, otto, clock):
    said(otto, "begun")
    clock.now = NOW + 20 * MINUTE
    said(otto, "begun")
    assert kept(node) == [("begun", hours(0), "")]
    clock.now = NOW + 60 * MINUTE
    said(otto, "done")
    clock.now = NOW + 61 * MINUTE
    said(otto, "done")
    assert kept(node) == [("begun", hours(0), ""), ("done", hours(0), hours(1))], "an hour was measured, once"
    with ThreadPoolExecutor(4) as shift:
        list(shift.map(lambda _: said(otto, "rejected", "b", reason="no-time"), range(4)))
    assert kept(node, "b") == [("rejected", "", "")]


def test_a_word_that_comes_late_does_not_reopen_what_is_done(node, otto):
    said(otto, "begun")
    said(otto, "done")
    for word in ({"answer": "begun"}, {"answer": "rejected", "reason": "no-time"}):
        told = said(otto, status=409, **word)
        assert told["code"] == "shift:done-already" and "shift_answers" in told["hint"]
    assert [k[0] for k in kept(node)] == ["begun", "done"]
    assert all(t["order"] != "c" for t in otto.get("/api/v1/schedules/next?machine=mill-1").json()["tasks"])
