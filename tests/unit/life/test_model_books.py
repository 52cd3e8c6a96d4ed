"""A book of models keeps what came into use while another was learnt, and loses none unseen."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from servitwin.domain.failure_horizon import read_horizon_book
from servitwin.domain.job import Artefact, Job
from servitwin.domain.model_book import only
from servitwin.domain.remaining_life.model import read_book
from servitwin.engines.files.folder import FileFolder
from servitwin.engines.records import SqlRecords, migrate
from servitwin.services.maintenance.failure_horizon import plugin as failures
from servitwin.services.maintenance.remaining_life_training import plugin as lives_trainer
from servitwin.usecases.jobs import in_use, use
from servitwin.usecases.take_in import take_in
from tests.unit.life.quick import trained
from tests.unit.life.test_failure_sets import pumps
from tests.unit.life.wear import lives


class House:
    """Records and files of a node, and what becomes there of artefacts."""

    def __init__(self, folder: Path, trainer: Any, name: str) -> None:
        url = f"sqlite:///{folder / 'records.db'}"
        migrate(url)
        self.records, self.files = SqlRecords(url), FileFolder(folder / "files")
        self.trainer, self.name, self.at = trainer, name, 0

    def take(self, content: bytes) -> Artefact:
        self.at += 1
        job = Job(f"job-{self.at}", self.name, "0.1.0", "trainer", "maker", "sam", self.at, "sha256:0", 1, 1)
        made = take_in(self.records, self.files, job, content, self.trainer.describe(content), self.at)
        return next(a for a in self.records.artefacts(self.name, ["maker"]) if a.digest == made.digest)

    @property
    def used(self) -> Artefact:
        found = in_use(self.records, self.name, "maker")
        assert found is not None
        return found

    def content(self, artefact: Artefact) -> bytes:
        return self.files.get(artefact.digest) or b""


@pytest.fixture
def horizon(tmp_path: Path) -> House:
    return House(tmp_path, failures, "failure_horizon")


@cache
def learnt(machine_type: str, seed: int = 1) -> bytes:
    """From a set that named no model in use."""
    return failures.fit({**pumps(60, 60), "machine_type": machine_type}, seed)


def test_two_types_that_were_asked_for_together_both_come_into_use(horizon: House) -> None:
    assert horizon.take(learnt("mill")).state == "promoted"
    second = horizon.take(learnt("lathe"))
    assert second.state == "promoted" and second == horizon.used
    assert set(read_horizon_book(horizon.content(second)).models) == {"lathe", "mill"}
    assert set(second.evaluation["models"]) == {"lathe", "mill"}
    assert second.score == second.evaluation["score"] == 2
    assert [a.state for a in horizon.records.artefacts("failure_horizon", ["maker"])].count("promoted") == 1


def test_lives_of_two_components_that_ended_together_both_teach(tmp_path: Path) -> None:
    house = House(tmp_path, lives_trainer, "remaining_life_training")
    for component in ("bearing", "gear"):
        assert house.take(trained({**lives(40), "component": component, "folds": 2})).state == "promoted"
    assert set(read_book(house.content(house.used)).models) == {"press/bearing", "press/gear"}


def test_who_asks_at_the_same_time_as_another_replaces_no_model_that_was_never_compared(horizon: House) -> None:
    first = horizon.take(learnt("mill"))
    again = horizon.take(learnt("mill", 2))
    assert again.state == "candidate" and horizon.used.digest == first.digest
    assert again.why.startswith("Not used: It was not judged against the model of mill that is in use now")
    beaten = failures.fit({**pumps(60, 60), "incumbent": base64.b64encode(horizon.content(first)).decode()}, 3)
    refused = horizon.take(beaten)
    assert refused.state == "candidate" and "Only 0 failures came" in refused.why
    assert set(read_horizon_book(horizon.content(refused)).models) == {"mill"}


def test_a_better_one_takes_the_place_of_the_one_it_was_judged_against_and_of_no_other(horizon: House) -> None:
    horizon.take(learnt("mill"))
    horizon.take(learnt("lathe"))
    fresh = pumps(60, 60)
    for m in fresh["machines"]:
        m["id"] = f"new-{m['id']}"
    alone = only(horizon.content(horizon.used), "mill")
    told = failures.fit({**fresh, "incumbent": base64.b64encode(alone).decode()}, 1)
    book = read_horizon_book(told)
    assert set(book.models) == {"mill"} and book.candidate.fresh_failures > 40
    lathe = read_horizon_book(horizon.content(horizon.used)).models["lathe"]
    better = msgspec.structs.replace(book, accepted=True)  # whichever of two that are alike was better
    after = read_horizon_book(horizon.content(horizon.take(msgspec.msgpack.encode(better))))
    assert after.models == {"mill": book.models["mill"], "lathe": lathe} and after.generation == 3


def test_what_is_in_use_and_read_no_more_stands_in_no_ones_way(horizon: House) -> None:
    old = horizon.files.put(msgspec.msgpack.encode({"machine_type": "mill", "format": 2}))
    before = Artefact(old, "failure_horizon", "0.0.9", "maker", "job-0", "sha256:0", 0, {"models": {"saw": {}}}, 7.0)
    use(horizon.records, before, 0, "The first one")
    fresh = horizon.take(learnt("mill"))
    assert (fresh.state, fresh.score) == ("promoted", 8.0) and set(fresh.evaluation["models"]) == {"mill"}
    assert horizon.take(learnt("lathe")).score == 9.0
    assert set(read_horizon_book(horizon.content(horizon.used)).models) == {"lathe", "mill"}


def two_components(prefix: str) -> dict[str, Any]:
    """Pumps with a gear that fails as they do, ten days earlier."""
    found = pumps(60, 60)
    for m in found["machines"]:
        m["id"] = prefix + m["id"]
        for kind in ("failed", "replaced"):
            m[kind]["gear"] = [t - 10 for t in m[kind]["pump"]]
    return {**found, "components": ["gear", "pump"]}


def test_no_component_that_the_one_in_use_tells_of_is_lost_unless_nobody_watches_it() -> None:
    both = failures.fit(two_components("a"), 1)
    assert read_horizon_book(both).models["mill"].components == ["gear", "pump"]
    later = pumps(60, 60)
    for m in later["machines"]:
        m["id"] = f"b{m['id']}"
    later["incumbent"] = base64.b64encode(both).decode()
    book = failures.describe(failures.fit(later, 1))
    assert not book["accepted"] and "It would tell nothing of gear" in book["verdict"]
    assert set(book["models"]["mill"]["threshold"]) == {"gear", "pump"}
    other = failures.describe(failures.fit({**later, "horizon": 3}, 1))  # not compared, and still nothing is lost
    assert not other["accepted"] and "gear" in other["verdict"]
    given_up = failures.describe(failures.fit({**later, "given_up": ["gear"]}, 1))["candidate"]
    assert given_up["lost"] == [] and given_up["fresh_failures"] > 40  # compared by the pump alone
    assert given_up["incumbent"] is not None and given_up["fresh"] is not None
