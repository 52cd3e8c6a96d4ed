"""Cases that belong together over the API and on the command line: they are listed and acted on as one matter."""

from __future__ import annotations

import time

import pytest
from api_node import uid
from typer.testing import CliRunner

from servitwin.bootstrap.starters import starters
from servitwin.cli.app import create_cli
from servitwin.domain.case import Case, CaseStep, Found, Noted
from servitwin.domain.finding import Finding
from servitwin.domain.instant import NS

START = (time.time_ns() // NS - 600) * NS
WORN = {"kind": "diagnosed", "component": "", "cause": "", "text": "worn"}


@pytest.fixture(scope="module", autouse=True)
def cases(node):
    """Two of one component at one time, and one an hour before."""
    wanted = (("slips", "safety", START), ("thin", "high", START), ("before", "high", START - 3600 * NS))
    for name, severity, start in wanted:
        finding = Finding(uid(3), f"axis.{name}", "sha256:0", "axis", severity, start, start, start + NS)
        step = CaseStep(name, 1, start + NS, "monitor", Found(finding))
        assert node.records.add_case(
            Case(name, uid(3), finding.requirement, "sha256:0", "axis", severity, start), [step]
        )


def steps(client, case):
    return [s["kind"] for s in client.get(f"/api/v1/cases/{case}").json()["steps"]]


def test_the_most_severe_leads_and_the_others_follow_it(anna):
    listed = [(c["id"], c["part_of"]) for c in anna.get("/api/v1/cases?twin=mill-2").json()["items"]]
    assert listed == [("slips", None), ("thin", "slips"), ("before", None)]
    told = anna.get("/api/v1/cases/thin").json()
    assert [(r["id"], r["severity"], r["status"]) for r in told["related"]] == [("slips", "safety", "violated")]
    assert told["part_of"] == "slips"
    assert anna.get("/api/v1/cases/before").json()["related"] == []


def test_one_step_counts_for_all_or_for_none(adam):
    odd = adam.post("/api/v1/cases/slips/steps", params={"also": ["thin", "before"]}, json=WORN)
    assert (odd.status_code, odd.json()["code"], odd.json()["where"]) == (400, "case:not-related", "also")
    shelf = {"kind": "shelved", "until": "2200-01-01T00:00:00Z", "text": "later"}
    unsafe = adam.post("/api/v1/cases/thin/steps", params={"also": ["slips"]}, json=shelf)
    assert (unsafe.status_code, unsafe.json()["code"]) == (400, "case:by-itself")
    assert steps(adam, "slips") == steps(adam, "thin") == ["found"]
    assert adam.post("/api/v1/cases/slips/steps", params={"also": ["thin"]}, json=WORN).status_code == 201
    assert steps(adam, "slips") == steps(adam, "thin") == ["found", "diagnosed"]


def test_who_is_named_twice_is_meant_once(adam):
    note = {"kind": "note", "text": "seen"}
    done = adam.post("/api/v1/cases/slips/steps", params={"also": ["thin"] * 1500}, json=note)
    assert done.status_code == 201, done.text[:200]
    assert steps(adam, "slips") == steps(adam, "thin") == ["found", "diagnosed", "note"]


@pytest.mark.parametrize("kind", ["closed", "shelved", "unshelved"])
def test_a_case_is_closed_and_put_aside_by_itself(adam, kind):
    body = {"closed": {"text": "scrapped"}, "shelved": {"text": "later", "until": "2200-01-01T00:00:00Z"}}.get(kind, {})
    refused = adam.post("/api/v1/cases/slips/steps", params={"also": ["thin"]}, json={"kind": kind, **body})
    assert (refused.status_code, refused.json()["code"]) == (400, "case:by-itself")


def test_a_step_that_somebody_else_took_first_is_taken_in_none(node, adam, monkeypatch):
    keep = node.records.add_case_step
    monkeypatch.setattr(type(node.records), "add_case_step", lambda self, step: step.case != "thin" and keep(step))
    lost = adam.post("/api/v1/cases/slips/steps", params={"also": ["thin"]}, json=WORN)
    assert (lost.status_code, lost.json()["code"]) == (409, "case:out-of-turn")
    monkeypatch.undo()
    assert steps(adam, "slips") == ["found", "diagnosed", "note"]


def test_a_clock_that_was_set_back_keeps_nobody_from_acting(node, adam):
    [(_, taken)] = node.records.cases(id="before")
    ahead = CaseStep("before", len(taken) + 1, time.time_ns() + 3600 * NS, "adam", Noted("from an hour ahead"))
    assert node.records.add_case_step(ahead)
    for text, number in (("now", {}), ("and now", {"number": len(taken) + 2})):
        done = adam.post("/api/v1/cases/before/steps", json={"kind": "note", "text": text, **number})
        assert done.status_code == 201, done.text
    assert [s["said"]["text"] for s in done.json()["steps"][1:]] == ["now", "and now"]


def test_the_command_line_repairs_both(node, adam, monkeypatch):
    monkeypatch.setenv("SERVITWIN_TOKEN", node.node_token)
    asked = ["cases", "repair", "thin", "--what", "bearing", "--also", "slips", "--to", node.url]
    done = CliRunner().invoke(create_cli(starters()), asked)
    assert done.exit_code == 0, done.output
    assert steps(adam, "slips")[-1] == steps(adam, "thin")[-1] == "repaired"
    shown = CliRunner().invoke(create_cli(starters()), ["cases", "show", "thin", "--to", node.url])
    assert "belongs together with slips axis.slips (safety, repaired)" in shown.output
