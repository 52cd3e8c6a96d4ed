"""Failures within days are learnt from the machines' own history: who may teach, what is refused, what is shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import closing
from typing import Any

import httpx
import pytest
from api_node import Node
from failure_fleet import FIRST, NOW, Fleet, undoubled
from typer.testing import CliRunner

from servitwin.cli.app import create_cli
from servitwin.cli.starters import Starters
from servitwin.connectors.recorded import KINDS, open_recording
from servitwin.domain.case import Case, CaseStep, Repaired
from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.party import Grant
from servitwin.domain.twin import Dated
from servitwin.services.maintenance.failure_horizon import plugin as trainer
from servitwin.usecases.life_teachers import PURPOSE
from servitwin.usecases.train_failures import TRAINER, TrainFailures
from servitwin.usecases.watched_days import WatchedDays
from tests.conftest import ROOT, shared_data
from tests.unit.life.played import play
from tests.unit.life.test_failure_sets import DAYS, pumps, with_column


def models_of(node: Node, account: str = "sam") -> list[dict[str, Any]]:
    with closing(node.browser(account)) as client:
        return list(client.get("/api/v1/failure-models").json()["items"])


def refused(node: Node, **body: Any) -> httpx.Response:
    with closing(node.browser("sam")) as client:
        return client.post("/api/v1/failure-models/training", json=body)


def test_without_a_grant_nothing_is_learnt_and_each_machine_says_why(fleet: Callable[..., Fleet]) -> None:
    one = fleet(undoubled(pumps(12)), granted=False)
    (mill,) = models_of(one.node)
    assert (mill["machine_type"], mill["summary"], mill["failures"]) == ("mill", None, {"pump": 0})
    assert len(mill["teachers"]) == 12 and not any(t["permitted"] or t["days"] for t in mill["teachers"])
    answer = refused(one.node, machine_type="mill")
    assert answer.status_code == 403 and answer.json()["code"] == "horizon:not-permitted"
    assert "Art. 4(13)" in answer.json()["message"]
    unknown = refused(one.node, machine_type="lathe").json()
    assert unknown["code"] == "horizon:not-watched" and "Watched types: mill" in unknown["hint"]
    assert refused(one.node, machine_type="mill", failure_cost="3").json()["code"] == "money:currency-unknown"
    assert one.training.due(NOW) == []


@pytest.mark.parametrize("failing", [0, 1])
def test_one_failure_or_none_is_too_few_and_nothing_is_due(fleet: Callable[..., Fleet], failing: int) -> None:
    dataset = undoubled(pumps(12, 0))
    dataset["machines"][1]["failed"]["pump"] = [20.5][:failing]
    one = fleet(dataset)
    answer = refused(one.node, machine_type="mill").json()
    assert answer["code"] == "horizon:too-few-failures" and f"failed {failing} times" in answer["message"]
    assert "Plan by age" in answer["hint"]
    assert one.training.due(NOW) == []


def test_a_granted_fleet_teaches_by_itself_and_what_it_taught_is_shown(fleet: Callable[..., Fleet]) -> None:
    one = fleet(undoubled(pumps(60, 60)))
    training = one.training
    (job,) = training.due(NOW)
    assert (job.service, job.party, job.by, job.about) == (TRAINER, "maker", "servitwin", "failures of mill")
    assert training.due(NOW) == [] and training.due(NOW + HOUR) == []  # it waits already
    problem = one.problem(job)
    permitted = {id for k, id in enumerate(one.uids) if k % 3}
    assert {m["id"] for m in problem["machines"]} == permitted
    assert {m["owner"] for m in problem["machines"]} == {"acme"} and problem["horizon"] == 2
    told = {m["id"]: m for m in one.dataset["machines"]}
    for m in problem["machines"]:
        assert m["failed"] == told[m["id"]]["failed"] and m["first_day"] == FIRST
        assert m["errors"]["low"] == pytest.approx(sorted(told[m["id"]]["errors"]["low"]), abs=1e-5)
        assert m["means"] == [[pytest.approx(v) for v in row] for row in told[m["id"]]["means"]]
    digest = one.learn(job)
    (mill,) = models_of(one.node, "anna")  # of acme, which knows nothing of the machines of others
    assert {t["owner"] for t in mill["teachers"]} == {"acme"} and mill["summary"] is None
    (mill,) = models_of(one.node)
    assert mill["artefact"] == digest and mill["summary"]["failures"] == {"pump": 40}
    assert mill["summary"]["owners"] == {"acme": 40} and mill["failures"] == {"pump": 40}
    assert mill["summary"]["judgement"]["score"] > 3 * mill["summary"]["judgement"]["chance"]
    assert not mill["drift"]["retrain"] and mill["worth"]["pump"]["per"] == "machine-day"
    (first,) = (t for t in mill["teachers"] if t["twin"] == "m1")
    assert (first["permitted"], first["days"], first["failures"]) == (True, DAYS, {"pump": 1})
    assert training.due(NOW + 2 * HOUR) == []  # nothing new has come


def test_the_command_line_shows_models_and_asks_for_trainings(
    fleet: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = fleet(undoubled(pumps(60, 60)))
    monkeypatch.setenv("SERVITWIN_TOKEN", one.node.node_token)
    nothing = Starters(lambda *_: 0, lambda _: [], open_recording, tuple(KINDS))
    app = create_cli(nothing)

    def run(*words: str) -> Any:
        return CliRunner().invoke(app, ["life", *words, "--to", one.node.url])

    done = run("train-failures", "mill", "--party", "maker", "--horizon", "3", "--preventive", "400.00",
               "--failure", "2400.00", "--currency", "EUR", "--json")  # fmt: skip
    assert done.exit_code == 0, done.output
    job = one.node.records.job(json.loads(done.stdout)["id"])
    assert job is not None
    problem = one.problem(job)
    assert (problem["horizon"], problem["preventive_cost"], problem["failure_cost"]) == (3, 400.0, 2400.0)
    one.learn(job)
    shown = run("failures", "--party", "maker")
    assert "40 failures, 40 machines" in shown.stdout and "40 of 60" in shown.stdout and "pump 40" in shown.stdout
    (kept,) = one.training.states("maker")
    assert kept.model is not None and (kept.model.currency, kept.model.horizon) == ("EUR", 3)
    wrong = run("train-failures", "lathe", "--party", "maker")
    assert wrong.exit_code == 2 and "horizon:not-watched" in wrong.stderr


def test_another_party_is_told_what_the_fleet_taught_it_beside_its_own_machines(fleet: Callable[..., Fleet]) -> None:
    one = fleet(undoubled(pumps(60, 60)))
    for id in one.uids:
        grant = Grant(f"all-{id}", "other", "maker", id, "read", Dated("maker", 0), purpose=PURPOSE)
        one.node.records.save_grant(grant)
    (job,) = one.training.due(NOW)
    one.learn(job)
    (mill,) = models_of(one.node)
    assert mill["summary"]["owners"] == {"acme": 40, "other": 20}
    fleet_wide, alone = mill["summary"]["fleet"]["other"]
    chance = mill["summary"]["judgement"]["chance"]
    assert 3 * chance < fleet_wide <= 1 and 3 * chance < alone <= 1
    assert "acme" in mill["summary"]["fleet"]


def test_more_failures_make_a_training_due_and_only_a_better_model_is_taken(fleet: Callable[..., Fleet]) -> None:
    one = fleet(undoubled(pumps(60, 60)))
    (job,) = one.training.due(NOW)
    one.learn(job)
    more = undoubled(pumps(60, 60))
    for k, m in enumerate(more["machines"]):
        m["failed"]["pump"], m["errors"]["low"] = [t + 1 for t in m["failed"]["pump"]], []
        if k % 2:
            m["failed"]["pump"] = []
    play(one.node.folder / "history", more, one.uids, FIRST + DAYS, seq=2)
    later = NOW + DAYS * DAY
    p = one.node.parts
    p.now = lambda: later
    training = TrainFailures(
        p.records, p.registry, p.files, p.jobs, p.authoriser.operator, p.now, WatchedDays(p.history, p.registry)
    )  # fmt: skip
    (again,) = training.due(later)
    problem = one.problem(again)
    assert problem["incumbent"] and all(len(m["means"]) == 2 * DAYS for m in problem["machines"])
    book = trainer.describe(trainer.fit(problem, 1))
    judged = book["candidate"]
    assert judged["fresh_failures"] == 20 and judged["fresh"] is not None and judged["incumbent"] is not None
    assert book["accepted"] == (judged["fresh"] > judged["incumbent"]) and book["score"] == 1 + book["accepted"]


def test_bad_data_come_through_with_their_reasons(fleet: Callable[..., Fleet]) -> None:
    leaking = undoubled(with_column("days_left", lambda m, d: m["failed"]["pump"][0] - d))
    (fault,) = trainer.check(one_problem(fleet(leaking)))
    assert (fault.code, fault.where) == ("horizon:label-leaks", "days_left")
    odd = undoubled(pumps(36, 36))
    for row in odd["machines"][4]["means"][20:50]:
        row[0] = 18.0
    for row in odd["machines"][5]["means"][30:]:
        row[0] = round(row[0] * 14.5038, 2)  # bar, then psi
    told = trainer.describe(trainer.fit(one_problem(fleet(odd)), 1))["models"]["mill"]
    assert {(f["code"], f["where"]) for f in told["left_out"]} == {
        ("horizon:sensor-stuck", "m4.pressure"), ("horizon:unit-changed", "m5.pressure")
    }  # fmt: skip


def one_problem(one: Fleet) -> dict[str, Any]:
    (job,) = one.training.due(NOW)
    return one.problem(job)


def test_a_machine_that_is_watched_otherwise_does_not_teach_and_says_why(fleet: Callable[..., Fleet]) -> None:
    one = fleet(undoubled(pumps(24)))
    one.assign({"m1": {"errors": {"lower": {"signal": "low.count"}}}})
    (mill,) = models_of(one.node)
    (first,) = (t for t in mill["teachers"] if t["twin"] == "m1")
    assert not first["permitted"] and "other signals, events or units" in first["why"]
    assert mill["failures"] == {"pump": 15}


def test_a_part_replaced_in_a_case_is_a_renewal_of_its_component(fleet: Callable[..., Fleet]) -> None:
    one = fleet(undoubled(pumps(24)))
    for k, (component, kind, day) in enumerate((("pump", "part", 5), ("pump", "software", 6), ("gear", "part", 7))):
        at = (FIRST + day) * DAY
        case = Case(f"case-{k}", one.uids["m1"], "r", "sha256:0", component, "high", at)
        done = Repaired(component, "seal", kind, "Timo", at)
        one.node.records.add_case(case, [CaseStep(case.id, 1, at, "timo", done)])
    (m1,) = (m for m in one_problem(one)["machines"] if m["id"] == "m1")
    assert m1["replaced"] == {"pump": [5.0]}


def test_the_recorded_fleet_teaches_from_its_own_history_what_its_files_say(fleet: Callable[..., Fleet]) -> None:
    shared_data("azure_pdm")  # skips where it is not
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from remaining_life import azure

    days, first = 300, 16_436  # of 2015, from its first day on
    dataset = azure()
    dataset["machines"] = dataset["machines"][:30]
    for m in dataset["machines"]:
        m["means"] = m["means"][:days]
        for kind in ("errors", "replaced", "failed"):
            m[kind] = {n: [t for t in sorted(times) if t < days] for n, times in m[kind].items()}
    one = fleet(dataset, first, (first + days) * DAY + 2 * HOUR)
    for id in one.uids:
        for owner in ("acme", "other"):
            grant = Grant(f"{owner}-{id}", owner, "maker", id, "read", Dated("maker", 0), purpose=PURPOSE)
            one.node.records.save_grant(grant)
    (job,) = one.training.due(one.node.parts.now())
    made = one.problem(job)
    assert made["components"] == dataset["components"] and made["errors"] == dataset["errors"]
    columns = [dataset["signals"].index(s) for s in made["signals"]]
    by_id = {m["id"]: m for m in made["machines"]}
    assert set(by_id) == set(one.uids)
    for m in dataset["machines"]:
        seen = by_id[m["id"]]
        assert seen["first_day"] == first and seen["facts"] == m["facts"]
        assert seen["means"] == [[pytest.approx(row[c], rel=1e-5) for c in columns] for row in m["means"]]  # 6 digits
        for kind in ("errors", "replaced", "failed"):
            known = {n: times for n, times in seen[kind].items() if times}
            assert known == {n: pytest.approx(times, abs=1e-5) for n, times in m[kind].items() if times}
    told = trainer.describe(trainer.fit({**made, "folds": 2}, 1))["models"]["pdm"]
    assert told["failures"] == {
        c: sum(len(m["failed"].get(c, [])) for m in dataset["machines"]) for c in told["failures"]
    }
    assert told["judgement"]["score"] > 10 * told["judgement"]["chance"] and told["left_out"] == []
