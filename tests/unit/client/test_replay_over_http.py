"""Replaying a small recording of its own into a small node over HTTP: registered, counted, paced, repeatable."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_node import TOKEN

from servitwin.client import Client
from servitwin.connectors import recorded
from servitwin.connectors.recorded import open_recording
from servitwin.domain.error import InvalidInputError, UnavailableError
from servitwin.usecases.replay import Counts, Replay

FIXTURES = Path(recorded.__file__).parent / "fixtures"
LINES = sum(len(p.read_text().splitlines()) - 1 for p in (FIXTURES / "sms/events").iterdir())


class Clock:
    def __init__(self):
        self.now, self.slept = 0.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def replay(node):
    client = Client(node.url, TOKEN)
    said = []

    def make(kind="nist-sms", folder="sms", **options):
        clock = Clock()
        job = Replay(
            open_recording(kind, FIXTURES / folder), client, said.append, clock=clock, sleep=clock.sleep, **options
        )
        job.said, job.clock = said, clock
        return job

    yield make
    client.close()


def test_everything_is_registered_published_and_counted(node, replay):
    job = replay()
    counts = job.run()
    # 2002, a word for a number, a broken line, a day that does not exist
    assert counts == Counts(read=LINES, published=LINES, stored=LINES - 4, quarantined=4, repeated=0)
    assert node.twins["lathe01"]["type"] == "acme-l-5-lathe01@1"
    assert node.twins["lathe01"]["commissioned"] == "2020-01-01T00:00:00Z"
    assert [g["from"] for g in node.gaps["lathe01"]] == ["2020-03-04T05:00:00Z", "2020-03-09T05:00:00Z"]
    assert any("registered twin press02" in line and "from data" in line for line in job.said)
    assert len(job.registered) == 2


def test_running_twice_counts_nothing_twice_and_changes_nothing(node, replay):
    replay().run()
    rows, types = list(node.rows), dict(node.types)
    again = replay()
    assert again.run() == Counts(read=LINES, published=LINES, stored=0, quarantined=0, repeated=LINES)
    assert (node.rows, node.types, again.registered) == (rows, types, [])


def test_one_machine_first_and_all_later_counts_it_once(node, replay):
    first = replay(machines=["Press02"]).run()
    assert (first.read, first.stored) == (3, 3)
    assert replay().run().repeated == 3
    assert sorted(node.rows) == sorted(set(node.rows))


def test_machines_that_are_not_in_the_recording_are_wrong_use(replay):
    with pytest.raises(InvalidInputError) as e:
        replay(machines=["mazak01", "LATHE01"])
    assert (e.value.fault.code, e.value.fault.hint) == ("replay:machine-unknown", "It has lathe01, press02")


def test_a_refusing_node_is_asked_again_until_it_takes_the_data(node, replay):
    node.refuse = 5
    job = replay()
    assert job.run().stored == LINES - 4
    assert job.clock.slept[:3] == [0.2, 0.4, 0.8]


def test_a_request_that_failed_half_way_is_sent_again_and_counts_once(node, replay):
    node.fail_after = 7
    job = replay()
    assert job.run() == Counts(read=LINES, published=LINES, stored=LINES - 4, quarantined=4, repeated=0)
    assert node.held_back == 7


def test_a_node_that_refuses_for_ever_is_given_up(node, replay):
    node.refuse = 10**9
    with pytest.raises(UnavailableError):
        replay().run()


def test_values_that_ingest_did_not_count_are_an_error(node, replay):
    node.lose = True
    with pytest.raises(UnavailableError) as e:
        replay().run()
    assert e.value.fault.code == "replay:counts"


def test_speed_is_kept_and_the_clock_glitch_does_not_set_it(node, replay):
    job = replay(machines=["lathe01"], speed=3600.0)
    job.run()
    # From 2020-03-02 08:00 to 2020-03-03 09:59 are 25 h 59 min; the stamp of 2002 is sent at once.
    assert sum(job.clock.slept) == pytest.approx(25 + 59 / 60, abs=0.6)
    with pytest.raises(InvalidInputError):
        replay(speed=0.0)


def test_a_twin_that_is_there_keeps_its_type_and_gets_what_it_lacks(node, replay):
    node.types["lathe@4"] = {"name": "lathe", "version": 4, "signals": [{"name": "Fovr", "type": "text"}]}
    node.types["lathe@5"] = {"name": "lathe", "version": 5, "title": "somebody else's"}
    node.twins["lathe01"] = {"id": "lathe01", "uid": "u", "kind": "machine", "type": "lathe@4"}
    job = replay(machines=["lathe01"])
    job.run()
    assert node.twins["lathe01"]["type"] == "lathe@6"
    signals = {s["name"]: s.get("type", "number") for s in node.types["lathe@6"]["signals"]}
    assert signals["Fovr"] == "text", "the twin's own definition stays"
    assert signals["execution"] == "text"
    assert ("lathe01", "Fovr", 1583136000000000000, "100.5") not in node.rows, "text of Fovr is refused by this node"
    assert any("is now of type lathe@6: lathe@4 lacks" in line for line in job.registered)


def test_the_batch_replays_likewise(node, replay):
    counts = replay("nist-batch", "batch").run()
    assert counts.read == counts.published == counts.stored + counts.quarantined
    assert counts.quarantined == 1
    assert ("mill07", "operations_good", 1620032700000000000, 2.0) in node.rows
    assert node.twins["mill07"]["type"] == "mill07-batch@1"


def test_payloads_name_file_and_line(node, replay):
    sent = []
    take = node.take
    node.take = lambda id, headers, body: (sent.append(body), take(id, headers, body))[1]
    replay(machines=["lathe01"]).run()
    told = [json.loads(line) for body in sent for line in body.split(b"\n")]
    assert told[0]["source"] == "events/Lathe01.csv:2"
    assert [t["seq"] for t in told] == list(range(len(told)))
