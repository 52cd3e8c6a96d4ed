"""Values of groups go out as observations of the group twins, each once, whatever the bus does."""

import asyncio
import json

from test_aggregate import MILL, Kept, at, twin

from servitwin.domain.error import Fault, UnavailableError
from servitwin.domain.instant import NS
from servitwin.domain.twin import Aggregate
from servitwin.sdk.payload import decode_payload
from servitwin.usecases.aggregate import GRACE
from servitwin.usecases.live_mirror import LiveMessage
from servitwin.usecases.publish_aggregates import PublishAggregates
from servitwin.usecases.registry import Registry


class RecordedBus:
    """Keeps what was published; refuses to store while ``full``."""

    def __init__(self):
        self.full = False
        self.live, self.stored = [], {}

    async def publish(self, subject, payload):
        self.live.append((subject, json.loads(payload)))

    async def publish_acknowledged(self, subject, payload, message_id):
        if self.full:
            raise UnavailableError(Fault("bus:refused", "full"))
        new = message_id not in self.stored
        self.stored.setdefault(message_id, (subject, payload))
        return new

    async def request(self, subject, payload, timeout_s):
        raise AssertionError("nothing is asked for")


def made(*aggregates):
    line = twin("line", aggregates=aggregates or [Aggregate("power", "sum", "power")])
    registry = Registry(Kept([MILL], [line, twin("a", "mill", "line"), twin("b", "mill", "line")]))
    bus = RecordedBus()
    return PublishAggregates(registry, bus, "s1"), bus


def hear(publisher, id, value, second):
    publisher.heard(LiveMessage(id, f"u-{id}", {"power": (at(second), value, 0, at(second))}))


def publish(publisher, second):
    return asyncio.run(publisher.publish(at(second) + GRACE))


def test_a_value_goes_out_as_an_observation_with_its_coverage_live():
    publisher, bus = made()
    hear(publisher, "a", 2.5, 1)
    assert publish(publisher, 1) == 1
    ((subject, payload),) = bus.stored.values()
    assert subject == "in.line.observations"
    assert json.loads(payload) == {
        "time": at(1), "values": {"power": 2.5}, "session": "s1", "seq": 1, "quality": "uncertain",
    }  # fmt: skip
    ((live, message),) = bus.live
    assert live == "live.line"
    assert message["values"] == {"_coverage.power": [at(1), "1/2", 0, at(1) + GRACE]}


def test_what_goes_out_is_what_ingest_understands():
    publisher, bus = made()
    hear(publisher, "a", 2.5, 1)
    publish(publisher, 1)
    hear(publisher, "a", None, 2)
    publish(publisher, 2)
    for subject, payload in bus.stored.values():
        batches, faults = decode_payload(subject.split(".")[1], payload, at(3))
        assert faults == []
        assert [b.twin for b in batches] == ["line"]


def test_while_the_bus_refuses_nothing_is_lost_or_sent_twice():
    publisher, bus = made()
    bus.full = True
    hear(publisher, "a", 1.0, 1)
    assert publish(publisher, 1) == 0
    hear(publisher, "a", 2.0, 2)
    assert publish(publisher, 2) == 0
    bus.full = False
    assert publish(publisher, 2.1) == 2
    assert [json.loads(p)["values"]["power"] for _, p in bus.stored.values()] == [1.0, 2.0]
    assert publish(publisher, 2.2) == 0


def test_a_correction_has_its_old_time_and_a_new_number_and_does_not_touch_live_coverage():
    publisher, bus = made()
    hear(publisher, "a", 1.0, 1)
    hear(publisher, "b", 1.0, 1)
    publish(publisher, 1)
    hear(publisher, "a", 5.0, 2)
    publish(publisher, 2)
    shown = len(bus.live)
    hear(publisher, "b", 3.0, 1.5)
    publish(publisher, 3)
    *_, (_, last) = bus.stored.values()
    assert json.loads(last) == {
        "time": at(2), "values": {"power": 8.0}, "session": "s1", "seq": 3, "quality": "good",
    }  # fmt: skip
    assert len(bus.live) == shown


def test_values_of_one_time_and_quality_travel_together():
    publisher, bus = made(Aggregate("power", "sum", "power"), Aggregate("n", "count", "power"))
    hear(publisher, "a", 1.0, 1)
    hear(publisher, "b", 1.0, 1)
    assert publish(publisher, 1) == 1
    ((_, payload),) = bus.stored.values()
    assert json.loads(payload)["values"] == {"power": 2.0, "n": 2.0}
    assert at(1) % NS == 0
