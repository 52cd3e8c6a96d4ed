"""Frames of the load that `servitwin bench` publishes, and what it makes of answers that come in pieces."""

from __future__ import annotations

import json
from itertools import islice

from servitwin.bootstrap.bench.load import MqttWire, NatsWire
from servitwin.bootstrap.bench.measure import told
from servitwin.bootstrap.bench.plant import SIGNALS

PUBACK, CONNACK = b"\x40\x02\x00\x01", b"\x20\x02\x00\x00"


def test_mqtt_answers_that_come_in_pieces_are_counted_once() -> None:
    wire = MqttWire("u", "p", "n")
    stream = CONNACK + PUBACK * 5
    counted = [wire.heard(stream[at : at + 3]) for at in range(0, len(stream), 3)]
    assert [sum(c) for c in list(zip(*counted, strict=True))[:2]] == [5, 0]


def test_an_mqtt_broker_that_lets_nobody_in_is_a_refusal() -> None:
    assert MqttWire("u", "p", "n").heard(b"\x20\x02\x00\x05")[:2] == (0, 1)


def test_the_length_of_an_mqtt_message_has_as_many_bytes_as_it_needs() -> None:
    wire = MqttWire("u", "p", "n")
    for size in (1, 200, 20_000, 3_000_000):
        frame = wire.frame("m1", b"x" * size)
        length, shift, at = 0, 0, 1
        while True:
            length |= (frame[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if not frame[at - 1] & 0x80:
                break
        assert length == len(frame) - at
        assert frame[at:].startswith(b"\x00\x19servitwin/m1/observations")


def test_nats_answers_with_an_error_or_without_a_stream_are_refusals() -> None:
    wire = NatsWire("u", "p", "n")
    good, bad = b'{"stream":"S","seq":1}', b'{"error":{"code":503}}'
    said = b"PING\r\n" + b"".join(b"MSG _INBOX.n 1 %d\r\n%b\r\n" % (len(a), a) for a in (good, bad, good))
    nobody = b"NATS/1.0 503\r\n\r\n"
    said += b"HMSG _INBOX.n 1 %d %d\r\n%b\r\n" % (len(nobody), len(nobody), nobody)
    assert wire.heard(said) == (2, 2, b"PONG\r\n")


def test_machines_tell_what_their_type_declares_and_nothing_twice() -> None:
    seen = set()
    for samples in (1, 100):
        for twin, payload in islice(told("s", range(3), 10**18, samples), 40):
            message = json.loads(payload)
            times = message.get("times") or [message["time"]]
            assert list(message["values"]) == list(SIGNALS)
            seen |= {(twin, samples, t) for t in times}
            for name, values in message["values"].items():
                limits = SIGNALS[name][1]
                told_values = values if samples > 1 else [values]
                assert len(told_values) == len(times)
                assert limits is None or all(limits[0] <= v <= limits[1] for v in told_values)
    assert len(seen) == 40 + 40 * 100
