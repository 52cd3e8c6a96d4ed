"""Remaining life over the API: what is left and why, by urgency, whose lives may teach, and what was learnt."""

from contextlib import closing
from decimal import Decimal

import msgspec
import numpy as np
import pytest

from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.job import Artefact
from servitwin.domain.party import Grant
from servitwin.domain.twin import Dated
from servitwin.sdk.service import Outcome
from servitwin.usecases.assign_service import Assignment, keep_assignments
from servitwin.usecases.life_teachers import PURPOSE
from servitwin.usecases.remaining_lives import EndedLives
from servitwin.usecases.train_lives import TRAINER, TrainLives
from tests.unit.life.quick import trained
from tests.unit.life.wear import life

FOLLOWED = {
    "component": "bearing", "settings": ["speed", "load"], "signals": ["temperature", "pressure", "vibration", "noise"],
    "every": "1h", "warn": 20.0, "preventive_cost": "45.00", "failure_cost": "260.00", "currency": "EUR",
}  # fmt: skip
DOUBT = {"code": "life:signal-outside", "message": "'noise' is +9.0 standard deviations from usual", "hint": "Look"}
REASON = {"signal": "vibration", "effect": -12.5, "deviation": 1.9, "trend": 0.6, "text": "vibration is ... rising"}


def uid(node, id):
    return node.registry.by_id(id).uid


def said(time, low, *, known=True, **more):
    return {"remaining_life": {
        "component": "bearing", "time": time, "life": 3, "since": time - DAY, "known": known, "unit": "h",
        "confidence": 0.9, "age": 40, "expected": low + 5 if known else None, "low": low if known else None,
        "high": low + 11 if known else None, "at_least": False, "reasons": [REASON] if known else [],
        "doubts": [] if known else [DOUBT], "what_to_do": "Plan the work", "row_s": 3600.0, "model": "sha256:a",
        "recent": [0.1, 0.2, 0.3, 0.4], **more,
    }}  # fmt: skip


@pytest.fixture(scope="module")
def followed(node):
    """Three machines are followed; fourteen lives ended on two of them."""
    now = node.parts.now()
    wanted = []
    for n, id in enumerate(("mill-1", "mill-2", "other-mill")):
        a = Assignment("remaining_life", uid(node, id), 0, FOLLOWED)
        wanted.append(a)
        results = []
        for k in range(14 if n < 2 else 2):
            rows = np.round(life(100 * n + k), 3).tolist()
            began = now - (40 - k) * DAY
            ended = {"component": "bearing", "from": began, "to": began + DAY, "rows": len(rows), "whole": True,
                     "every": "1h", "lived": rows}  # fmt: skip
            results.append({"life_ended": ended})
        results += [said(now - 2 * HOUR, 30), said(now - HOUR, (4, 0.4, 99)[n], known=n < 2)]
        outcome = msgspec.json.encode(Outcome(results=results))
        args = ("remaining_life", "0.1.0", a.twin, a.parameters_key, now - 2 * DAY, now - HOUR, 0, "{}", outcome, b"")
        node.records.save_outcome(*args)
    keep_assignments(node.records, wanted)
    return wanted


def test_what_is_left_of_a_machine_and_why(followed, anna) -> None:
    (one,) = anna.get("/api/v1/twins/mill-1/remaining-life").json()["items"]
    assert (one["component"], one["urgency"], one["method"]) == ("bearing", "soon", "learnt")
    learnt = one["learnt"]
    assert (learnt["low"], learnt["high"], learnt["unit"], learnt["warn"]) == (4, 15, "h", 20)
    assert learnt["reasons"] == [REASON]
    assert [p["low"] for p in learnt["course"]] == [30, 4]
    assert one["what_to_do"] == "Plan the work"


def test_a_fleet_by_urgency_shows_each_party_its_own(followed, anna, olga) -> None:
    items = anna.get("/api/v1/remaining-life").json()["items"]
    assert [(i["twin"], i["urgency"]) for i in items] == [("mill-2", "now"), ("mill-1", "soon")]
    assert [i["twin"] for i in anna.get("/api/v1/remaining-life", params={"urgency": "now"}).json()["items"]] == [
        "mill-2"
    ]
    (unknown,) = olga.get("/api/v1/remaining-life").json()["items"]
    assert unknown["urgency"] == "unknown" and not unknown["learnt"]["known"] and unknown["learnt"]["low"] is None
    assert unknown["learnt"]["doubts"][0]["code"] == DOUBT["code"]
    assert olga.get("/api/v1/twins/mill-1/remaining-life").status_code == 404


def test_without_a_grant_nothing_is_learnt_and_each_machine_is_told_why(node, followed) -> None:
    with closing(node.browser("sam")) as maker:
        models = maker.get("/api/v1/remaining-life/models").json()
        (bearing,) = models["items"]
        assert models["party"] == "maker" and bearing["summary"] is None
        assert [t["permitted"] for t in bearing["teachers"]] == [False] * 3
        assert all("Art. 4(13)" in t["why"] and t["lives"] == 0 for t in bearing["teachers"])
        body = {"machine_type": "mill-500", "component": "bearing"}
        refused = maker.post("/api/v1/remaining-life/training", json=body)
        assert refused.status_code == 403 and refused.json()["code"] == "life:not-permitted"
        wrong = maker.post("/api/v1/remaining-life/training", json={**body, "component": "gear"})
        assert wrong.json()["code"] == "life:not-followed"
        assert (
            maker.post("/api/v1/remaining-life/training", json={**body, "failure_cost": "3"}).json()["code"]
            == "money:currency-unknown"
        )
        given = {**body, "preventive_cost": "45.00", "failure_cost": "-2", "currency": "EUR"}
        assert maker.post("/api/v1/remaining-life/training", json=given).json()["code"] == "life:costs"


def test_a_granted_fleet_teaches_and_the_training_is_asked_for_by_itself(node, followed) -> None:
    parts = node.parts
    grant = Grant("teach", "acme", "maker", "line-a", "read", Dated("maker", 0), purpose=PURPOSE)
    node.records.save_grant(grant)
    training = TrainLives(
        node.records, node.registry, parts.files, parts.jobs, node.authoriser.operator, parts.now, parts.ended_lives
    )  # fmt: skip
    (job,) = training.due(parts.now())
    assert (job.service, job.party, job.by) == (TRAINER, "maker", "servitwin")
    assert training.due(parts.now()) == []  # it waits already
    problem = msgspec.json.decode(parts.files.get(job.problem))
    assert {m["owner"] for m in problem["machines"]} == {"acme"} and len(problem["machines"]) == 28
    content = trained({**problem, "folds": 2})
    digest = parts.files.put(content)
    made = Artefact(digest, TRAINER, "0.1.0", "maker", job.id, job.problem, 1, {}, 1.0, "promoted", 1)
    node.records.save_artefact(made)
    with closing(node.browser("sam")) as maker:
        (bearing,) = maker.get("/api/v1/remaining-life/models").json()["items"]
    assert bearing["artefact"] == digest
    worth = bearing["worth"]
    assert (worth["currency"], worth["per"], worth["judged"]) == ("EUR", "h", bearing["summary"]["failures"])
    assert Decimal(worth["acting_low"]) <= Decimal(worth["acting"]) <= Decimal(worth["acting_high"])
    assert Decimal(worth["acting"]) < Decimal(worth["waiting"]) and Decimal(worth["saved_low"]) < Decimal(
        worth["saved_high"]
    )
    assert bearing["summary"]["owners"] == {"acme": bearing["summary"]["machines"]}
    assert bearing["summary"]["quality"]["rmse"] < bearing["summary"]["simple"]["rmse"]
    assert not bearing["drift"]["retrain"] and "too few" in bearing["drift"]["text"]
    assert {t["twin"]: (t["permitted"], t["lives"]) for t in bearing["teachers"]} == {
        "mill-1": (True, 14), "mill-2": (True, 14), "other-mill": (False, 0)
    }  # fmt: skip


def test_the_chance_of_a_failure_stands_beside_remaining_lives(node, followed, adam) -> None:
    now = node.parts.now()
    a = Assignment("failure_watch", uid(node, "mill-2"), 0, {"means": {"load": "spindle.load"}})
    keep_assignments(node.records, [*followed, a])
    one = {"chance": 0.71, "threshold": 0.2, "alarm": True, "reasons": ["e5 came 2 times in 3 days"],
           "what_to_do": "Replace pump within 2 days"}  # fmt: skip
    told = {"time": now - HOUR, "model": "sha256:b", "known": True, "doubts": [], "horizon_days": 2}
    outcome = msgspec.json.encode(Outcome(results=[{"failure_chance": {**told, "components": {"pump": one}}}]))
    args = (a.service, "0.1.0", a.twin, a.parameters_key, now - DAY, now - HOUR, 0, "{}", outcome, b"")
    node.records.save_outcome(*args)
    items = adam.get("/api/v1/twins/mill-2/remaining-life").json()["items"]
    (pump,) = (i for i in items if i["method"] == "chance")
    assert (pump["component"], pump["urgency"], pump["what_to_do"]) == ("pump", "soon", "Replace pump within 2 days")
    assert (pump["failure"]["chance"], pump["failure"]["horizon_days"]) == (0.71, 2)
    assert pump["failure"]["reasons"] == ["e5 came 2 times in 3 days"]


def test_a_tool_that_its_signals_do_not_tell_of_is_not_known_and_how_good_such_words_are_stands_beside(
    node, followed, anna
) -> None:
    now = node.parts.now()
    a = Assignment("tool_wear", uid(node, "mill-2"), 0, {"component": "cutter"})
    keep_assignments(node.records, [*followed, a])
    told = {"component": "cutter", "time": now - HOUR, "life": 2, "since": now - DAY, "confidence": 0.8, "doubts": [],
            "judged": {"tools": 12, "held": 10, "sure": 4, "right": 2}, "possible": ["unworn", "worn"],
            "chances": {"unworn": 0.6, "worn": 0.4}, "text": "I do not know: it may be worn or not"}  # fmt: skip
    args = (a.service, "0.1.0", a.twin, a.parameters_key, now - DAY, now - HOUR, 0, "{}")
    node.records.save_outcome(*args, msgspec.json.encode(Outcome(results=[{"tool_wear": told}])), b"")
    (one,) = (i for i in anna.get("/api/v1/twins/mill-2/remaining-life").json()["items"] if i["method"] == "wear")
    assert (one["component"], one["urgency"], one["worth"]) == ("cutter", "unknown", None)
    assert one["wear"]["text"].startswith("I do not know") and one["what_to_do"].startswith("Change it as planned")
    assert [one["wear"][n] for n in ("tools", "held", "sure", "right")] == [12, 10, 4, 2]


def test_ended_lives_are_read_once_and_their_late_revisions_too(node, followed) -> None:
    ended, now = EndedLives(node.records), node.parts.now()
    a = followed[0]
    assert len(ended.of(a, now)) == 14
    args = (a.service, "0.1.0", a.twin, a.parameters_key)
    life_of = {"life_ended": {"component": "bearing", "from": now - DAY, "to": now, "rows": 3, "whole": False}}
    content = msgspec.json.encode(Outcome(results=[life_of]))
    node.records.save_outcome(*args, now - HOUR, now, 0, "{}", content, b"")
    assert len(ended.of(a, now + 1)) == 15
    assert len(ended.of(a, now + 2)) == 15
    node.records.save_outcome(*args, now - HOUR, now, 1, "{}", msgspec.json.encode(Outcome()), b"")
    assert len(ended.of(a, now + 3)) == 14
