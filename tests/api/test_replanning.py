"""New plans by themselves: after a while of quiet, one at a time, and whatever is wrong with another company."""

from __future__ import annotations

import time

import msgspec
import pytest
from api_node import Node

from servitwin.bootstrap.replanning import REST, Watch
from servitwin.domain.instant import HOUR, MINUTE, NS, format_instant
from servitwin.domain.job import Job
from servitwin.domain.party import Actor, Party
from servitwin.domain.register import RegisterEntry
from servitwin.domain.schedule.master_data import KeptPlan
from servitwin.usecases.jobs import MOST_WAITING
from servitwin.usecases.keep_deliveries import KeepDeliveries
from servitwin.usecases.plan_production import PUBLISHED, PlanProduction, plain
from servitwin.web.api.schedules import Desk

ANNA = Actor("anna", "person", "acme", ("production_manager",))
MAKER = Actor("mike", "person", "maker", ("administrator",))


class Plant:
    """A company with a published plan that is replanned by itself, and a clock that can be put forward."""

    def __init__(self, node, monkeypatch) -> None:
        self.node, self.ahead = node, 0
        monkeypatch.setattr(node.parts, "now", lambda: time.time_ns() + self.ahead)
        self.start = node.parts.now()
        put = node.parts.registers.put
        needs = [{"material": "bar", "per_piece": 1}]
        put(ANNA, "routings", "pin", {"steps": [{"id": "10", "ways": [{"machine": "mill-1", "per_piece_s": 60}],
                                                 "needs": needs}]})  # fmt: skip
        arrival = {"time": self.at(4), "amount": 90, "ref": "D-1"}
        put(ANNA, "materials", "bar", {"stock": 0, "as_of": self.at(-1), "supplier": "maker", "arrivals": [arrival]})
        problem, _ = Desk(node.parts).plans.problem("acme", {})  # no order is open yet
        plan = plain(KeptPlan(problem, (), known=node.parts.now()))
        put(ANNA, "production_plans", PUBLISHED, plan)
        put(ANNA, "replanning", "production", {"on": True, "budget_s": 1})
        self.watch = Watch(node.parts)
        self.order("K-9")
        assert self.after(3) == 1, "the order is not in the published plan"
        self.end()

    def at(self, hours):
        return format_instant((self.start // NS) * NS + round(hours * HOUR))

    def order(self, id):
        body = {"product": "pin", "quantity": 60, "due": self.at(20), "customer": "maker"}
        self.node.parts.registers.put(ANNA, "orders", id, body)

    def after(self, seconds):
        """One look after a while; how many plans were asked for so far."""
        self.ahead += round(seconds * NS)
        self.watch.round(Desk(self.node.parts))
        return len(self.jobs())

    def jobs(self):
        return self.node.records.jobs_of(["acme"], "schedule")

    def end(self):
        """The newest plan is there."""
        self.node.records.save_job(msgspec.structs.replace(self.jobs()[0], state="done", plans=1))

    def say(self, hours, minutes=0.0):
        when = (self.start // NS) * NS + round(hours * HOUR + minutes * MINUTE)
        Desk(self.node.parts).deliveries.say(MAKER, "expected", "D-1", house="acme", time=when, reason="ferry")


@pytest.fixture
def plant(tmp_path, monkeypatch):
    """On a node of its own: what waits in the queue of one test is none of the next one's."""
    with Node(tmp_path) as node:
        yield Plant(node, monkeypatch)


def test_a_feed_of_expectations_asks_for_one_plan_at_a_time(plant):
    for n in range(20):
        plant.say(4, n / 5)
        assert plant.after(1) == 1, "less than five minutes are no reason"
    asked = []
    for n in range(15):
        plant.say(6 + n)
        asked.append(plant.after(1))
    assert asked[0] == 1 and asked[-1] == 2, "not at once, and not never while it goes on"
    for n in range(30):
        plant.say(30 + n)
        assert plant.after(1) == 2, "one waits already"
    plant.end()
    assert plant.after(3) == 3, "and what it does not know is seen then"
    (why,) = plant.jobs()[0].why
    assert why.startswith("delivery D-1 of bar is expected at")
    plant.end()
    assert plant.after(30) == 3


def test_what_is_said_while_a_plan_is_read_is_not_lost(plant, monkeypatch):
    read = PlanProduction.problem

    def while_it_is_read(self, *args, **more):
        found = read(self, *args, **more)
        monkeypatch.setattr(PlanProduction, "problem", read)
        plant.say(12)
        return found

    monkeypatch.setattr(PlanProduction, "problem", while_it_is_read)
    plant.say(9)
    assert plant.after(3) == 2
    plant.end()
    assert plant.after(3) == 3
    (why,) = plant.jobs()[0].why
    assert why == f"delivery D-1 of bar is expected at {plant.at(12)} (ferry)"


def test_what_is_wrong_with_one_company_keeps_no_other_waiting(plant, caplog):
    records = plant.node.records
    records.save_party(Party("aaa", "First by name"))
    at = plant.node.parts.now()
    wish = RegisterEntry("replanning", "production", "aaa", 1, at, "x", {"on": True})
    broken = RegisterEntry("production_plans", "published", "aaa", 1, at, "x", {"problem": 5})
    records.add_register_entries([wish, broken])
    plant.say(9)
    assert plant.after(3) == 2
    assert [r.levelname for r in caplog.records if "plan of aaa" in r.getMessage()] == ["ERROR"]
    plant.after(3)
    assert len([r for r in caplog.records if "plan of aaa" in r.getMessage()]) == 1, "it is left alone for a while"


def test_a_full_queue_is_no_end_and_is_asked_again_later(plant):
    records, (old,) = plant.node.records, plant.jobs()
    others = [msgspec.structs.replace(old, id=f"w{n}", party="other", state="waiting") for n in range(MOST_WAITING)]
    for job in others:
        records.save_job(job)
    plant.say(9)
    assert plant.after(3) == 1 and plant.after(3) == 1
    for job in others:
        records.save_job(msgspec.structs.replace(job, state="done"))
    assert isinstance(others[0], Job) and plant.after(REST / NS) == 2


def test_overdue_deliveries_are_told_later_where_it_failed(plant, monkeypatch):
    told, tell_overdue = [], KeepDeliveries.tell_overdue

    def fails_once(self, party, since, until):
        if party == "acme":
            told.append((since, until))
            if len(told) == 1:
                raise OSError("the disk is away")
        tell_overdue(self, party, since, until)

    monkeypatch.setattr(KeepDeliveries, "tell_overdue", fails_once)
    plant.after(61)
    plant.after(REST / NS + 1)
    plant.after(61)
    (first, second, third) = told
    assert second[0] == first[0] and second[1] > first[1] and third[0] == second[1], "no time is passed over"
