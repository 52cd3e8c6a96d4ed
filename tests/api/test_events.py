import json
import threading
import time

import httpx
import pytest

from tests.patience import PATIENCE


class Stream:
    """Reads an event stream in a thread; ``wait`` returns the first event that fits."""

    def __init__(self, client, **params):
        headers = params.pop("headers", {})
        self.events, self._ready = [], threading.Condition()
        self._failed = None
        self._context = client.stream("GET", "/api/v1/events", params=params, headers=headers, timeout=30)
        self.answer = self._context.__enter__()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        event = {}
        try:
            for line in self.answer.iter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    event[name] = value
                else:
                    if "data" in event:
                        event["data"] = json.loads(event["data"])
                        event["heard"] = time.time_ns()
                        with self._ready:
                            self.events.append(event)
                            self._ready.notify_all()
                    event = {}
        except Exception as e:  # told by whoever waits next, or by close()
            with self._ready:
                self._failed = e
                self._ready.notify_all()

    def wait(self, fits, timeout=5):
        with self._ready:
            self._ready.wait_for(lambda: self._failed or any(fits(e) for e in self.events), timeout * PATIENCE)
            found = next((e for e in self.events if fits(e)), None)
        if found is None:
            raise AssertionError(self.events) from self._failed
        return found

    def close(self):
        failed = self._failed
        self._context.__exit__(None, None, None)
        # The client that carries the stream may be closed before it: an end of the connection is no fault here.
        if failed is not None and not isinstance(failed, httpx.TransportError | httpx.StreamError):
            raise failed


@pytest.fixture
def listen():
    streams = []

    def start(client, **params):
        streams.append(Stream(client, **params))
        return streams[-1]

    yield start
    for stream in streams:
        stream.close()


def live(twin):
    return lambda e: e["event"] == "live" and e["data"]["twin"] == twin


def publish(node, twin, **values):
    now = node.parts.now()
    node.bus.live(twin, node.registry.by_id(twin).uid, {s: [now, v, 0, now] for s, v in values.items()})


def test_stream_begins_with_everything_and_goes_on_with_changes(node, anna, listen):
    publish(node, "mill-1", power=1.0, door=True)
    stream = listen(anna, topics="live")
    first = stream.wait(live("mill-1"))
    assert {s: v[1] for s, v in first["data"]["values"].items()} == {"power": 1.0, "door": True}
    publish(node, "mill-1", power=2.0)
    change = stream.wait(lambda e: live("mill-1")(e) and e["data"]["values"].get("power", [0, 0])[1] == 2.0)
    assert set(change["data"]["values"]) == {"power"}, "a change carries changed signals alone"
    assert change["data"]["cut"] == {"0": 7}


def test_many_changes_of_a_twin_are_told_ten_times_a_second_and_the_last_one_surely(node, anna, listen):
    stream = listen(anna, topics="live", twins="mill-2")
    stream_start = time.monotonic()
    for i in range(300):
        publish(node, "mill-2", power=float(i))
        time.sleep(0.002)
    took = time.monotonic() - stream_start
    stream.wait(lambda e: live("mill-2")(e) and e["data"]["values"]["power"][1] == 299.0)
    told = [e for e in stream.events if live("mill-2")(e)]
    assert len(told) <= took * 10 + 4


def test_streams_show_no_twin_of_another_company(node, anna, olga, listen):
    acme, other = listen(anna, topics="live"), listen(olga, topics="live")
    publish(node, "other-mill", power=9.0)
    publish(node, "mill-1", power=9.5)
    acme.wait(lambda e: live("mill-1")(e) and e["data"]["values"].get("power", [0, 0])[1] == 9.5)
    other.wait(live("other-mill"))
    publish(node, "sold-mill", power=1.0)
    other.wait(live("sold-mill"))
    time.sleep(0.2)
    assert not any(live("mill-1")(e) for e in other.events)
    assert not any(live("other-mill")(e) for e in acme.events)
    assert not any(live("sold-mill")(e) for e in acme.events), "sold: the old owner hears it no more"


def test_right_withdrawn_while_listening_ends_what_is_told(node, olga, listen):
    grant = node.grant("acme", "other", "mill-1")
    stream = listen(olga, topics="live")
    publish(node, "mill-1", power=1.5)
    stream.wait(lambda e: live("mill-1")(e) and e["data"]["values"].get("power", [0, 0])[1] == 1.5)
    node.withdraw(grant)
    time.sleep(0.15)
    publish(node, "mill-1", power=666.0)
    publish(node, "other-mill", power=4.0)
    stream.wait(lambda e: live("other-mill")(e) and e["data"]["values"].get("power", [0, 0])[1] == 4.0)
    assert not any(live("mill-1")(e) and e["data"]["values"].get("power", [0, 0])[1] == 666.0 for e in stream.events)


def happen(node, subject, n):
    """As services do: a row in the event table, and a copy of it on the bus."""
    at = node.parts.now()
    id = node.records.add_event("command.sent", subject, at, {"n": n})
    return id, json.dumps({"id": id, "kind": "command.sent", "subject": subject, "at": at, "data": {"n": n}}).encode()


def test_events_resume_after_the_last_one_seen_without_gap_or_repetition(node, anna, listen):
    ids = []
    for n in range(5):
        id, copy = happen(node, "mill-1", n)
        node.bus.send("happened", copy)
        ids.append(id)
    stream = listen(anna, topics="happened", headers={"Last-Event-ID": str(ids[1])})
    stream.wait(lambda e: e.get("id") == str(ids[4]))
    id, copy = happen(node, "mill-1", 5)
    node.bus.send("happened", copy)
    stream.wait(lambda e: e.get("id") == str(id))
    assert [e["data"]["data"]["n"] for e in stream.events] == [2, 3, 4, 5]


def test_event_whose_copy_was_lost_is_told_with_the_next_one(node, anna, olga, listen):
    stream, foreign = listen(anna, topics="happened"), listen(olga, topics="happened")
    time.sleep(0.1)
    happen(node, "mill-1", 10)  # its copy never comes
    _, copy = happen(node, "mill-1", 11)
    node.bus.send("happened", copy)
    stream.wait(lambda e: e["data"]["data"]["n"] == 11)
    assert [e["data"]["data"]["n"] for e in stream.events] == [10, 11]
    assert foreign.events == []


def test_after_the_bus_was_away_everything_is_asked_for_again(node, anna, listen):
    stream = listen(anna, topics="live")
    uid, now = node.registry.by_id("mill-1").uid, node.parts.now()
    node.bus.connected = False
    time.sleep(0.7)
    node.bus.answers["ask.live"] = lambda _: json.dumps(
        [{"twin": "mill-1", "uid": uid, "values": {"power": [now, 77.0, 0, now]}, "cut": {}}]
    ).encode()
    node.bus.connected = True
    stream.wait(lambda e: e["event"] == "resync")
    stream.wait(lambda e: live("mill-1")(e) and e["data"]["values"].get("power", [0, 0])[1] == 77.0)


def test_signing_out_elsewhere_ends_the_stream(node, anna, listen, monkeypatch):
    monkeypatch.setattr("servitwin.web.api.live.HEARTBEAT_S", 0.2)
    stream = listen(anna, topics="live")
    node.records.end_session(__import__("hashlib").sha256(anna.cookies["servitwin_session"].encode()).hexdigest())
    node.sign_in.forget()
    stream.wait(lambda e: e["event"] == "signed-out")


def test_wrong_topics_and_ids_get_a_fault(anna):
    assert anna.get("/api/v1/events", params={"topics": "gossip"}).json()["code"] == "events:topic-unknown"
    answer = anna.get("/api/v1/events", headers={"Last-Event-ID": "x"})
    assert answer.json()["code"] == "events:id-not-understood"
    assert anna.get("/api/v1/events", params={"twins": "other-mill"}).status_code == 404
