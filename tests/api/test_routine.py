"""Minutes of routine over the API: said without names, corrected, compared; what is wrong and whose it is not."""

import json
from contextlib import closing

import pytest
from api_node import PASSWORD, Node
from msgspec.structs import replace
from typer.testing import CliRunner

from servitwin.cli.app import create_cli
from servitwin.cli.starters import Starters
from servitwin.connectors.recorded import KINDS as RECORDINGS
from servitwin.connectors.recorded import open_recording
from servitwin.domain.calendar import Calendar, Shift
from servitwin.domain.instant import DAY, NS, format_instant
from servitwin.domain.party import Account
from servitwin.domain.register import RegisterEntry
from servitwin.domain.schedule.routine import KINDS

NOW = 1_789_997_600 * NS  # 2026-09-21 13:33:20 UTC, a Monday
SHIFTS = Calendar(
    "two-shift",
    "UTC",
    (
        Shift("early", (0, 1, 2, 3, 4, 5, 6), 360, 840, ((600, 630),)),
        Shift("late", (0, 1, 2, 3, 4, 5, 6), 840, 1320),
    ),
)


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with Node(tmp_path_factory.mktemp("node"), now=lambda: NOW) as running:
        records = running.records
        records.save_calendar(SHIFTS)
        for id in ("line-a", "other-mill"):
            twin = records.twin(id)
            records.save_twin(replace(twin, calendar="two-shift"))
        for id, party, role in (("otto", "acme", "operator"), ("olli", "other", "operator")):
            records.save_account(Account(id, id.title(), party, (role,)), running.hasher.hash(PASSWORD))
        running.registry.reload()
        yield running


@pytest.fixture
def otto(node):
    with closing(node.browser("otto")) as client:
        yield client


def day(ago):
    return format_instant(NOW - ago * DAY)[:10]


def minutes(**spent):
    return {k.id: 0 for k in KINDS} | {name.replace("_", "-"): n for name, n in spent.items()}


def said(place="mill-1", ago=1, shift="early", **more):
    return {"place": place, "day": day(ago), "shift": shift, "minutes": minutes(shift_log=15), **more}


def say(client, body, status=201):
    answer = client.post("/api/v1/schedules/routine/shifts", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def compared(client, **params):
    answer = client.get("/api/v1/schedules/routine/comparison", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_shift_says_it_once_and_corrects_it_and_nobody_is_named(node, otto, anna, adam, root):
    asked = otto.get("/api/v1/schedules/routine/shifts", params={"place": "mill-1"}).json()
    assert [(s["day"], s["shift"], s["minutes"], s["said"]) for s in asked["shifts"][:2]] == [
        (day(0), "early", 450, None), (day(1), "late", 480, None),
    ]  # fmt: skip
    first = say(otto, said(ago=0))
    assert first["begins"] == f"{day(0)}T06:00:00Z" and first["shift_minutes"] == 450
    say(otto, said(ago=0, minutes=minutes(shift_log=20, other=5)))
    asked = otto.get("/api/v1/schedules/routine/shifts", params={"place": "mill-1"}).json()
    assert asked["shifts"][0]["said"]["minutes"]["shift-log"] == 20
    id = f"mill-1:{day(0)}:early"
    kept = anna.get(f"/api/v1/registers/shift_routine/{id}/revisions").json()["items"]
    assert [(e["revision"], e["body"]["minutes"]["shift-log"], e["by"]) for e in kept] == [
        (1, 15, "acme"), (2, 20, "acme"),
    ]  # fmt: skip
    corrected = {**kept[-1]["body"], "whole": False}
    answer = anna.put(f"/api/v1/registers/shift_routine/{id}", json={"body": corrected})
    assert answer.json()["by"] == "acme"  # by the register's own door too
    anna.post("/api/v1/registers/shift_routine", json=[{"id": id, **kept[-1]["body"]}])
    audit = [e for e in root.get("/api/v1/audit").json()["items"] if "shift_routine" in e["subject"]]
    assert len(audit) == 4 and {e["actor"] for e in audit} == {"acme"}
    assert "otto" not in json.dumps([kept, audit]) and "anna" not in json.dumps([kept, audit])


@pytest.mark.parametrize(
    ("body", "code", "where"),
    [
        (said(minutes=minutes(shift_log=-5)), "routine:minutes-negative", "minutes.shift-log"),
        (said(minutes=minutes(shift_log=451)), "routine:more-than-the-shift", "minutes"),
        (said(minutes=minutes(coffee=5)), "routine:kind-unknown", "minutes.coffee"),
        (said(minutes={"shift-log": 5}), "routine:kind-missing", "minutes.fault-information"),
        (said(ago=0, shift="late"), "routine:shift-in-future", "day"),
        (said(ago=-3), "routine:shift-in-future", "day"),
        (said(shift="night"), "routine:shift-unknown", "shift"),
        (said(day="yesterday"), "routine:no-day", "day"),
        (said("mill-77"), "routine:place-unknown", "place"),
        (said("other-mill"), "routine:place-unknown", "place"),
        (said("sold-mill"), "routine:place-unknown", "place"),
    ],
)
def test_what_cannot_be_is_refused_and_says_how_to_mend_it(otto, body, code, where):
    told = say(otto, body, 400)
    assert (told["code"], told["where"]) == (code, where) and told["hint"]


def test_a_body_of_another_shape_is_refused(otto):
    for bad in ({"minutes": {"shift-log": 1.5}}, {"minutes": 5}, {"period": "during"}, {"by": "otto"}):
        assert say(otto, said(**bad), 422)["code"]


def test_others_neither_say_nor_see_it(node, olga):
    with closing(node.browser("olli")) as olli:
        assert say(olli, said(), 400)["code"] == "routine:place-unknown"
        assert say(olli, said(party="acme"), 403)["code"] == "access:not-permitted"
    with closing(node.browser("vera")) as vera:
        assert say(vera, said(), 403)["code"] == "access:not-permitted"
        assert vera.get("/api/v1/schedules/routine/shifts", params={"place": "mill-1"}).status_code == 200
    for path in ("comparison", "shifts"):
        wanted = {"party": "acme", "place": "mill-1"}
        assert olga.get(f"/api/v1/schedules/routine/{path}", params=wanted).status_code == 403
    assert olga.get("/api/v1/provenance", params={"kind": "routine", "party": "acme"}).status_code == 403
    assert compared(olga)["places"] == []
    with node.client() as nobody:
        assert nobody.get("/api/v1/schedules/routine/comparison").status_code == 401
        assert nobody.post("/api/v1/schedules/routine/shifts", json=said()).status_code == 401


def test_before_and_after_are_compared_once_there_are_enough(node, otto, anna, monkeypatch):
    early = compared(anna, place="mill-2")
    assert early["total"]["difference"] is None and early["money"] is None
    assert early["total"]["refused"]["code"] == "routine:too-few-shifts"
    for ago in range(2, 14):
        spent = 40 + ago % 3 * 5 if ago > 7 else 20 + ago % 3 * 5
        say(otto, said("mill-2", ago, minutes=minutes(what_next=spent, other=10), products=["pin"]))
    assert [f["code"] for f in compared(anna, place="mill-2")["left_out"]] == ["routine:undated"]
    study = {"since": day(3), "places": [{"place": "line-a", "since": day(7)}], "rate": "30", "note": "By hand."}
    assert anna.put("/api/v1/registers/routine_study/production", json={"body": study}).status_code == 200
    assert otto.put("/api/v1/registers/routine_study/production", json={"body": study}).status_code == 403
    found = compared(anna, place="mill-2")
    assert (found["total"]["before"]["count"], found["total"]["after"]["count"]) == (6, 6)  # the line's own day
    d = found["total"]["difference"]
    assert d["mean"] == pytest.approx(-20) and d["low"] < -20 < d["high"] < 0 and d["clear"]
    assert (found["money"]["per_shift"], found["money"]["currency"]) == ("10.00", "EUR")
    assert found["kinds"][0]["difference"]["mean"] == pytest.approx(-20)
    assert found["warnings"] == [] and found["note"] == "By hand." and "Welch" in found["source"]

    # A part of a shift is not compared; a side that was said counts against the day.
    say(otto, said("mill-2", 2, minutes=minutes(what_next=300), whole=False))
    say(otto, said("mill-2", 3, minutes=minutes(what_next=25, other=10), products=["pin"], period="before"))
    found = compared(anna, place="mill-2")
    assert (found["total"]["before"]["count"], found["total"]["after"]["count"]) == (7, 4)
    assert [f["code"] for f in found["left_out"]] == ["routine:part-of-a-shift"]
    assert found["total"]["difference"] is None and "after" in found["total"]["refused"]["message"]

    # An import under another id is the same shift; the newest word counts.
    again = anna.get(f"/api/v1/registers/shift_routine/mill-2:{day(3)}:early").json()["body"] | {"period": ""}
    anna.put("/api/v1/registers/shift_routine/paper-1", json={"body": again})
    assert compared(anna, place="mill-2")["total"]["after"]["count"] == 5
    told = anna.get(found["provenance"]).json()
    assert len(told["inputs"]) == 11 and told["rule"] == "routine-minutes"
    assert {"name": "paper-1", "kind": "shift after", "detail": "revision 1: 35 minutes of 450"} in told["inputs"]
    assert compared(anna, place="line-a")["total"]["before"]["count"] >= 6
    unknown = anna.get("/api/v1/schedules/routine/comparison", params={"place": "other-mill"})
    assert (unknown.status_code, unknown.json()["code"]) == (400, "routine:place-unknown")


def test_a_period_is_compared_and_stated(node, otto, anna):
    assert compared(anna)["from"] == format_instant(NOW - 730 * DAY) and compared(anna)["to"] == format_instant(NOW)
    for ago in (800, 20, 10, 5):
        say(otto, said("mill-1", ago, shift="late", period="before"))
    late = {"place": "mill-1", "from": format_instant(NOW - 21 * DAY), "to": format_instant(NOW - 7 * DAY)}
    found = compared(anna, **late)
    assert (found["from"], found["to"], found["total"]["before"]["count"]) == (late["from"], late["to"], 2)
    named = anna.get(found["provenance"]).json()["inputs"]
    assert {i["name"] for i in named} == {f"mill-1:{day(ago)}:late" for ago in (20, 10)}
    assert compared(anna, place="mill-1")["total"]["before"]["count"] == 3  # of the last two years
    older = compared(anna, place="mill-1", **{"from": format_instant(NOW - 900 * DAY)})
    assert older["total"]["before"]["count"] == 4
    wrong = anna.get("/api/v1/schedules/routine/comparison", params={"from": day(1) + "T00:00:00Z", "to": late["to"]})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "range:ends-before-it-starts")


def test_a_shift_that_was_said_before_it_began_is_not_compared(node, anna):
    body = anna.get(f"/api/v1/registers/shift_routine/mill-1:{day(5)}:late").json()["body"]
    tomorrow = format_instant(NOW + DAY)
    body |= {"place": "mill-2", "day": tomorrow[:10], "begins": tomorrow}
    assert anna.put("/api/v1/registers/shift_routine/dream", json={"body": body}).status_code == 200
    told = [f for f in compared(anna, place="mill-2")["left_out"] if f["code"] == "routine:shift-in-future"]
    assert told and told[0]["message"] == "1 shift said ahead of time"
    assert anna.delete("/api/v1/registers/shift_routine/dream").status_code in (200, 204)


def test_a_page_that_looks_each_minute_reads_its_four_shifts_alone(node, otto, monkeypatch):
    def refused(*asked):
        raise AssertionError(f"all entries were read: {asked}")

    for ago in (1, 2):
        say(otto, said("mill-2", ago, shift="late"))
    monkeypatch.setattr(node.records, "register_entries", refused)
    shifts = otto.get("/api/v1/schedules/routine/shifts", params={"place": "mill-2"}).json()["shifts"]
    assert len(shifts) == 4
    assert [s["day"] for s in shifts if s["said"] and s["shift"] == "late"] == [day(1), day(2)]
    say(otto, said("mill-2", 1, shift="late"))  # products are found by the answers since the shift began


def test_what_a_place_worked_on_is_told_by_the_answers_of_the_shift(node, otto):
    def answered(id, machine, at, product):
        body = {"order": id, "operation": "10", "machine": machine, "answer": "done", "at": at, "product": product}
        entry = RegisterEntry("shift_answers", id, "acme", 1, NOW, "otto", body)
        node.records.add_register_entries([entry])

    answered("a1", "mill-2", f"{day(3)}T15:00:00Z", "pin")
    answered("a2", "mill-2", f"{day(3)}T23:00:00Z", "bolt")  # after the shift
    answered("a3", "mill-1", f"{day(3)}T15:00:00Z", "nut")
    assert say(otto, said("mill-2", 3, shift="late"))["products"] == ["pin"]
    assert say(otto, said("line-a", 3, shift="late"))["products"] == ["nut", "pin"]


def test_the_command_line_says_and_compares(node, adam, monkeypatch):
    token = adam.post("/api/v1/tokens", json={"label": "till", "roles": ["operator"]}).json()["token"]
    monkeypatch.setenv("SERVITWIN_TOKEN", token)
    app = create_cli(Starters(lambda *_: 0, lambda _: [], open_recording, tuple(RECORDINGS)))

    def run(*words):
        return CliRunner().invoke(app, ["schedule", "routine", *words, "--to", node.url])

    done = run("say", "line-a", day(1), "late", "shift-log=10", "other=5")
    assert (done.exit_code, done.stdout) == (0, "noted: 15 min; no name is kept with it\n"), done.output
    assert "15 min" in run("shifts", "line-a").stdout
    wrong = run("say", "line-a", day(1), "late", "shift-log=ten")
    assert wrong.exit_code == 2 and "routine:minutes" in wrong.output
    shown = run("compare", "line-a")
    assert "all together" in shown.stdout and "Welch" in shown.stdout, shown.output
    nothing = run("compare", "line-a", "--until", "2024-06-02T00:00:00Z")  # nobody said anything by then
    assert "all together" in nothing.stdout and "0.0" not in nothing.stdout, "no shift has no mean"
    few = run("compare", "mill-1", "--json")
    assert few.exit_code == 1 and json.loads(few.stdout)["total"]["refused"]["code"] == "routine:too-few-shifts"
