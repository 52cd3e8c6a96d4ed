"""Trainings that become due, who may ask for one, and what its set is made of."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from contextlib import closing
from typing import Any

import msgspec
import pytest
from failure_fleet import FIRST, NOW, Fleet, undoubled

from servitwin.bootstrap import retraining
from servitwin.domain.failure_horizon import read_horizon_book
from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.job import Job
from servitwin.domain.party import Grant
from servitwin.domain.twin import Dated
from servitwin.services.maintenance.failure_horizon import plugin as trainer
from servitwin.usecases.failure_sets import that_fit
from servitwin.usecases.life_teachers import PURPOSE
from servitwin.usecases.train_failures import TRAINER
from servitwin.usecases.trainings import Candidate, ask_due
from tests.unit.life.test_failure_sets import DAYS, on_one_machine, pumps

Fleets = Callable[..., Fleet]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/failure-models/training", {"machine_type": "mill"}),
        ("/api/v1/failure-models/training", {"machine_type": "no such type"}),
        ("/api/v1/remaining-life/training", {"machine_type": "mill", "component": "no such part"}),
    ],
)
def test_who_may_not_plan_for_a_party_hears_nothing_of_its_machines(
    fleet: Fleets, monkeypatch: pytest.MonkeyPatch, path: str, body: dict[str, str]
) -> None:
    one = fleet(undoubled(pumps(12)), granted=False)
    read: list[object] = []
    known = one.node.parts.watched_days.of
    monkeypatch.setattr(one.node.parts.watched_days, "of", lambda *a: read.append(a) or known(*a))
    with closing(one.node.browser("olga")) as stranger:
        answer = stranger.post(path, json={**body, "party": "maker"})
    assert (answer.status_code, answer.json()["code"]) == (403, "access:not-permitted")
    assert read == [] and not any(word in answer.text for word in ("mill", "m1", "pump", "Watched"))


def owned(one: Fleet, id: str, *owner: Dated) -> None:
    twin = one.node.registry.by_id(id)
    one.node.records.save_twin(msgspec.structs.replace(twin, owner=owner))
    one.node.registry.reload()


def test_days_of_an_owner_who_has_gone_teach_nobody(fleet: Fleets) -> None:
    one = fleet(undoubled(pumps(40, 40)))
    sold, begun = (FIRST + 30) * DAY, (FIRST + 40) * DAY
    owned(one, "m1", Dated("acme", 0, sold))  # nobody's: the operator's
    owned(one, "m2", Dated("acme", 0, sold), Dated("acme", sold))  # written twice, but acme's all the time
    owned(one, "m4", Dated("acme", 0, sold), Dated("acme", begun))
    owned(one, "m5", Dated("other", 0, sold), Dated("acme", sold, begun), Dated("acme", begun))
    (job,) = one.training.due(NOW)
    first = {m["id"]: m["first_day"] - FIRST for m in one.problem(job)["machines"]}
    assert [first[id] for id in ("m1", "m2", "m4", "m5", "m7")] == [30, 0, 40, 30, 0]


def test_failures_of_one_machine_alone_are_told_before_a_training_is_asked_for(fleet: Fleets) -> None:
    one = fleet(undoubled(on_one_machine({"m1": [4.5 * k + 0.5 for k in range(1, 13)]})))
    with closing(one.node.browser("sam")) as maker:
        answer = maker.post("/api/v1/failure-models/training", json={"machine_type": "mill"}).json()
    assert answer["code"] == "horizon:too-few-machines" and "'m1' alone" in answer["message"]
    assert one.training.due(NOW) == []


def test_names_that_only_machines_of_others_use_are_not_told(fleet: Fleets) -> None:
    one = fleet(undoubled(pumps(12)), granted=False)
    secret = {"failed": {"secret gear": {"signal": "pump.failures"}}, "renewed": {}}
    one.assign({id: secret for id in one.uids if id != "m3"})
    for id in one.uids:
        owned(one, id, Dated("acme", 0))
    one.node.records.save_grant(Grant("look", "acme", "other", "m3", "read", Dated("other", 0)))
    with closing(one.node.browser("olga")) as other:
        answer = other.get("/api/v1/failure-models")
    (mill,) = answer.json()["items"]
    assert list(mill["failures"]) == ["pump"] and [t["twin"] for t in mill["teachers"]] == ["m3"]
    assert "secret" not in answer.text


def test_models_of_one_type_are_told_alone_and_only_that_model_goes_into_its_set(fleet: Fleets) -> None:
    one = fleet(undoubled(pumps(60, 60)))
    (job,) = one.training.due(NOW)
    one.learn(job)
    one.take_in(job, trainer.fit({**one.problem(job), "machine_type": "lathe"}, 1))
    with closing(one.node.browser("sam")) as maker:
        told = {
            name: [m["machine_type"] for m in maker.get(f"/api/v1/failure-models{query}").json()["items"]]
            for name, query in (("all", ""), ("mill", "?machine_type=mill"), ("saw", "?machine_type=saw"))
        }
        assert told == {"all": ["lathe", "mill"], "mill": ["mill"], "saw": []}
        asked = maker.post("/api/v1/failure-models/training", json={"machine_type": "mill"}).json()
    incumbent = base64.b64decode(one.problem(asked)["incumbent"])
    assert set(read_horizon_book(incumbent).models) == {"mill"}


def test_a_fleet_that_is_too_large_teaches_with_its_last_days(fleet: Fleets) -> None:
    one = fleet(undoubled(pumps(24)))
    (mill,) = one.training.watched("maker")
    whole, days = that_fit(mill)
    assert days is None and {id: len(m.means) for id, m in whole.machines.items()} == dict.fromkeys(mill.machines, DAYS)
    size = sum(len(msgspec.json.encode(m)) for m in whole.machines.values())
    fitting, days = that_fit(mill, size // 2)
    assert days is not None and DAYS // 3 < days <= DAYS // 2
    assert sum(len(msgspec.json.encode(m)) for m in fitting.machines.values()) < 0.7 * size
    for id, m in fitting.machines.items():
        before = mill.machines[id]
        assert m.first_day + days == before.first_day + DAYS == FIRST + DAYS and len(m.means) == days
        assert m.means == [[float(f"{v:.6g}") for v in row if v is not None] for row in before.means[-days:]]
        assert m.failed["pump"] == pytest.approx([t - (DAYS - days) for t in before.failed["pump"]])


class Due:
    """One training that a node looks at again and again."""

    def __init__(self, one: Fleet, ends: list[int], learnt: int | None, drifts: bool = False) -> None:
        self.one, self.ends, self.learnt, self.drifts = one, ends, learnt, drifts

    def look(self, now: int) -> Job | None:
        node = self.one.node
        ask = Candidate(
            "mill", "failures of mill", self.ends, self.learnt, lambda: self.drifts,
            lambda actor: node.parts.jobs.ask(TRAINER, {}, actor, about="failures of mill", party="maker"),
        )  # fmt: skip
        asked = ask_due(node.records, node.parts.jobs, TRAINER, "maker", [ask], now)
        return asked[0] if asked else None

    def end(self, job: Job | None, state: Any) -> None:
        assert job is not None
        self.one.node.records.save_job(msgspec.structs.replace(job, state=state))


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_training_that_came_to_nothing_is_asked_for_again_the_day_after(fleet: Fleets, state: str) -> None:
    due = Due(fleet(undoubled(pumps(12)), granted=False), list(range(20)), None)
    due.end(due.look(NOW), state)
    assert due.look(NOW + 23 * HOUR) is None
    due.end(due.look(NOW + DAY), "done")
    assert due.look(NOW + 9 * DAY) is None  # the same data would give the same verdict
    due.ends = list(range(25))
    assert due.look(NOW + 9 * DAY) is not None


def test_drift_is_heard_again_in_a_fleet_of_steady_size(fleet: Fleets) -> None:
    due = Due(fleet(undoubled(pumps(12)), granted=False), list(range(100)), 100, drifts=True)
    due.end(due.look(NOW), "done")
    due.ends = list(range(4, 104))  # old days have gone as new ones came
    assert due.look(NOW + DAY) is None
    due.ends = list(range(5, 105))
    assert due.look(NOW + DAY) is not None


def test_a_quarter_of_new_failures_makes_a_training_due_without_drift(fleet: Fleets) -> None:
    due = Due(fleet(undoubled(pumps(12)), granted=False), list(range(100)), None)
    due.end(due.look(NOW), "done")
    due.learnt, due.ends = 100, list(range(24, 124))
    assert due.look(NOW + DAY) is None
    due.ends = list(range(25, 125))
    assert due.look(NOW + DAY) is not None


def test_a_disk_that_fails_ends_no_looking_for_trainings(fleet: Fleets, monkeypatch: pytest.MonkeyPatch) -> None:
    one = fleet(undoubled(pumps(24)))
    for id in one.uids:
        grant = Grant(f"all-{id}", "other", "maker", id, "read", Dated("maker", 0), purpose=PURPOSE)
        one.node.records.save_grant(grant)
    parts = one.node.parts
    read, failed = parts.history.many_series, list[int]()

    def many_series(*a: Any, **k: Any) -> Any:
        if not failed:
            failed.append(1)
            raise OSError(5, "Input/output error")
        return read(*a, **k)

    monkeypatch.setattr(parts.history, "many_series", many_series)
    monkeypatch.setattr(retraining, "EVERY_S", 0.05)
    monkeypatch.setattr(parts.working, "wake", lambda: None)  # nothing is learnt here

    async def watch() -> list[Job]:
        task = asyncio.create_task(retraining.retrain_forever(parts))
        for _ in range(200):
            await asyncio.sleep(0.05)
            if task.done() or (waiting := one.node.records.jobs_in("waiting")):
                break
        alive = not task.done()
        task.cancel()
        assert alive, "it ended with the first error"
        return waiting

    (job,) = asyncio.run(watch())
    assert job.about == "failures of mill" and failed == [1]
