"""Machines of a set of failures on a node: they have run, and are watched."""

from __future__ import annotations

from typing import Any

import msgspec
from api_node import Node

from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.job import Artefact, Job
from servitwin.domain.party import Grant
from servitwin.domain.twin import Dated, Twin
from servitwin.services.maintenance.failure_horizon import plugin as trainer
from servitwin.usecases.assign_service import Assignment, keep_assignments
from servitwin.usecases.life_teachers import PURPOSE
from servitwin.usecases.take_in import take_in
from servitwin.usecases.train_failures import TRAINER, TrainFailures
from servitwin.usecases.watched_days import WatchedDays
from tests.unit.life.played import machine_type, play, watch_parameters
from tests.unit.life.test_failure_sets import DAYS

FIRST = 20_000
NOW = (FIRST + DAYS) * DAY + 2 * HOUR


def uid_of(k: int) -> str:
    return f"019a0b5e-7c00-7000-8000-0000000002{k:02d}"


def undoubled(dataset: dict[str, Any]) -> dict[str, Any]:
    """Without renewals, which the pumps of the set have at each failure."""
    for m in dataset["machines"]:
        m["replaced"] = {}
    return dataset


class Fleet:
    """A node on which the machines of a set of failures have run, and are watched."""

    def __init__(self, node: Node, dataset: dict[str, Any], first: int, *, granted: bool = True, days: int = 0) -> None:
        self.node, self.dataset = node, dataset
        ids = [m["id"] for m in dataset["machines"]]
        self.uids = {id: uid_of(k) for k, id in enumerate(ids)}
        play(node.folder / "history", dataset, self.uids, first)
        node.records.add_machine_type(machine_type(dataset))
        for k, (id, uid) in enumerate(self.uids.items()):
            owner = "acme" if k % 3 else "other"
            node.records.save_twin(
                Twin(uid, id, "machine", created=0, type=(Dated(f"{dataset['machine_type']}@1", 0),),
                     owner=(Dated(owner, 0),))
            )  # fmt: skip
            if granted and k % 3:
                grant = Grant(f"teach-{id}", "acme", "maker", id, "read", Dated("maker", 0), purpose=PURPOSE)
                node.records.save_grant(grant)
        self.assign({})
        node.registry.reload()

    def assign(self, changed: dict[str, dict[str, Any]]) -> None:
        """Let each be watched; some otherwise than the set says."""
        facts = {m["id"]: m.get("facts", {}) for m in self.dataset["machines"]}
        usual = watch_parameters(self.dataset)
        keep_assignments(
            self.node.records,
            [
                Assignment("failure_watch", uid, 0, {**usual, "facts": facts[id], **changed.get(id, {})})
                for id, uid in self.uids.items()
            ],
        )

    @property
    def training(self) -> TrainFailures:
        p = self.node.parts
        days = WatchedDays(p.history, p.registry)
        return TrainFailures(p.records, p.registry, p.files, p.jobs, p.authoriser.operator, p.now, days)

    def problem(self, job: Any) -> dict[str, Any]:
        return dict(
            msgspec.json.decode(self.node.parts.files.get(job["problem"] if isinstance(job, dict) else job.problem))
        )

    def learn(self, job: Any) -> str:
        """What whoever does the jobs does with it, without another process."""
        content = trainer.fit(self.problem(job), job.seed)
        return self.take_in(job, content).digest

    def take_in(self, job: Job, content: bytes) -> Artefact:
        """What becomes of an artefact that the job made."""
        made = take_in(self.node.records, self.node.parts.files, job, content, trainer.describe(content), NOW)
        self.node.records.save_job(msgspec.structs.replace(job, state="done", result=made.digest))
        return next(a for a in self.node.records.artefacts(TRAINER, [job.party]) if a.digest == made.digest)
