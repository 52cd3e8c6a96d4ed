"""Alarms of a case over the API and on the command line: entries, chatter, floods, and what each step changed."""

from __future__ import annotations

import time

import pytest
from api_node import uid
from typer.testing import CliRunner

from servitwin.bootstrap.starters import starters
from servitwin.cli.app import create_cli
from servitwin.domain.alarm_figure import Flood
from servitwin.domain.case import AlarmsJoined, Case, CaseStep, Found, Withdrawn
from servitwin.domain.case_alarm import AlarmChange, JoinedAlarm
from servitwin.domain.finding import Finding
from servitwin.domain.instant import MINUTE, NS, format_instant

START = (time.time_ns() // NS - 600) * NS
OVERHEATED = JoinedAlarm("system", "E7", "Overheated", "fault", "spindle", START, START + 40 * NS, None, 3)
DOOR = JoinedAlarm("door.alarm", "", "Door open", "warning", "", START + 5 * NS, START + 5 * NS, START + 9 * NS)
FLOOD = Flood(START, START + 10 * MINUTE, 12)


def joined(*entries, gone=(), floods=(), more=0):
    return AlarmsJoined(AlarmChange(tuple(entries), tuple(gone), tuple(floods), more))


@pytest.fixture(scope="module")
def case(node):
    finding = Finding(uid(2), "spindle.cool", "sha256:0", "spindle", "high", START, START + NS)
    bodies = [Found(finding), joined(DOOR), joined(OVERHEATED, floods=[FLOOD], more=4)]
    steps = [CaseStep("alarm-case", n, START + n * NS, "monitor", body) for n, body in enumerate(bodies, 1)]
    opened = Case("alarm-case", uid(2), "spindle.cool", "sha256:0", "spindle", "high", START)
    assert node.records.add_case(opened, steps)
    return finding


def test_alarms_and_floods_of_a_case_are_told(anna, case):
    told = anna.get("/api/v1/cases/alarm-case").json()
    assert [(a["signal"], a["code"], a["severity"], a["count"]) for a in told["alarms"]] == [
        ("system", "E7", "fault", 3), ("door.alarm", "", "warning", 1),
    ]  # fmt: skip
    first = told["alarms"][0]
    assert (first["from"], first["last"], first["to"]) == (format_instant(START), format_instant(START + 40 * NS), None)
    assert told["alarms_left_out"] == 4
    assert [f["count"] for f in told["floods"]] == [12]
    said = [s["said"] for s in told["steps"] if s["kind"] == "alarms"]
    assert [[a["signal"] for a in s["alarms"]] for s in said] == [["door.alarm"], ["system"]]
    assert [len(s["floods"]) for s in said] == [0, 1]
    assert len(anna.get("/api/v1/cases?twin=mill-1").json()["items"]) == 1, "a flood is a mark, and no case of its own"


def test_a_case_as_it_was_known_before(anna, case):
    before = anna.get("/api/v1/cases/alarm-case", params={"as_of": format_instant(START + 2 * NS)}).json()
    assert [a["signal"] for a in before["alarms"]] == ["door.alarm"]
    assert before["floods"] == []


def test_nobody_joins_alarms_by_hand(anna, case):
    answer = anna.post("/api/v1/cases/alarm-case/steps", json={"kind": "alarms", "change": {}})
    assert answer.status_code == 422


def test_another_company_sees_nothing(olga, case):
    assert olga.get("/api/v1/cases/alarm-case").status_code == 404


def test_the_command_line_lists_them(node, case, monkeypatch):
    monkeypatch.setenv("SERVITWIN_TOKEN", node.node_token)
    done = CliRunner().invoke(create_cli(starters()), ["cases", "show", "alarm-case", "--to", node.url])
    assert done.exit_code == 0, done.output
    assert "flood of alarms: 12 from" in done.output
    assert "alarm (fault) system E7" in done.output
    assert "raised 3 times" in done.output
    assert "and 4 more alarms" in done.output


def test_a_case_without_a_violation_has_no_alarms(node, anna, case):
    assert node.records.add_case_step(CaseStep("alarm-case", 4, time.time_ns(), "monitor", Withdrawn(case.id)))
    told = anna.get("/api/v1/cases/alarm-case").json()
    assert (told["status"], told["alarms"], told["floods"]) == ("closed", [], [])
