"""Streams of the bus, made and asked about over a blocking connection: needs neither asyncio nor a client library."""

from __future__ import annotations

import json
import socket
import time
from types import TracebackType
from typing import Any

from servitwin.domain.error import Fault, UnavailableError
from servitwin.engines.bus.protocol import PONG, FrameParser, connect_line, publish_line

MQTT_STREAM = "$MQTT_msgs"
INPUT_STREAM = "SERVITWIN"
KEEPER = "keeper"
# The gateway's stream has interest retention, because machines may subscribe with QoS 1 too: a message stays until
# every consumer has acknowledged it. The keeper acknowledges nothing, so it holds all that comes before the first
# reader exists. The stream for programs has one reader only: what is committed is purged up to a sequence, which costs
# the server a fraction of removing message by message (decision 0090).
PURGED = frozenset({INPUT_STREAM})
_HOUR = 3600 * 10**9


class Admin:
    """One blocking connection to the server for its JetStream API."""

    def __init__(self, host: str, port: int, user: str, password: str, timeout_s: float = 5.0) -> None:
        try:
            self._socket = socket.create_connection((host, port), timeout_s)
        except OSError as e:
            raise UnavailableError(Fault("bus:not-reachable", f"No bus at {host}:{port}: {e}")) from e
        self._timeout = timeout_s
        self._parser = FrameParser()
        self._inbox = f"_INBOX.admin{self._socket.getsockname()[1]}"
        self._socket.sendall(connect_line(user, password, "admin") + f"SUB {self._inbox} 1\r\n".encode())
        self._await_pong()

    def __enter__(self) -> Admin:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self._socket.close()

    def _receive(self) -> bytes:
        try:
            data = self._socket.recv(1 << 16)
        except OSError as e:
            raise UnavailableError(Fault("bus:no-answer", f"The bus does not answer: {e}")) from e
        if not data:
            raise UnavailableError(Fault("bus:closed", "The bus closed the connection", "Check user and password"))
        return data

    def _await_pong(self) -> None:
        while True:
            self._parser.feed(self._receive())
            for line in self._parser.controls:
                if line.startswith(b"-ERR"):
                    raise UnavailableError(Fault("bus:refused", line.decode(errors="replace"), "Check the bus user"))
            if b"PONG" in self._parser.controls:
                self._parser.controls.clear()
                return

    def ask(self, subject: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One request to the JetStream API; the answer may carry ``error``."""
        payload = json.dumps(body).encode() if body is not None else b""
        self._socket.sendall(publish_line(f"$JS.API.{subject}".encode(), self._inbox.encode(), payload))
        deadline = time.monotonic() + self._timeout
        while time.monotonic() < deadline:
            for _, _, headers, answer in self._parser.feed(self._receive()):
                if headers.startswith(b"NATS/1.0 503"):
                    return {"error": {"code": 503, "description": "JetStream is not ready"}}
                answered: dict[str, Any] = json.loads(answer)
                return answered
            if b"PING" in self._parser.controls:
                self._socket.sendall(PONG)
            self._parser.controls.clear()
        raise UnavailableError(Fault("bus:no-answer", f"No answer to {subject} in {self._timeout} s"))

    def stream(self, name: str) -> dict[str, Any] | None:
        """Configuration and state of a stream, or None."""
        answer = self.ask(f"STREAM.INFO.{name}")
        return None if "error" in answer else answer

    def ensure_stream(self, config: dict[str, Any]) -> None:
        """Create the stream, or bring its bounds to what ``config`` says; its messages stay."""
        name = config["name"]
        present = self.stream(name)
        if present is None:
            answer = self.ask(f"STREAM.CREATE.{name}", config)
        else:
            answer = self.ask(
                f"STREAM.UPDATE.{name}",
                {**present["config"], **{k: v for k, v in config.items() if k != "first_seq"}},
            )
        _raise_error(answer, name)

    def ensure_keeper(self, stream: str) -> None:
        """A consumer that acknowledges nothing, unless some consumer holds the stream's messages already."""
        if stream in PURGED:
            return  # it keeps everything by itself
        names = self.ask(f"CONSUMER.NAMES.{stream}").get("consumers") or []
        if KEEPER in names or any(str(n).startswith("ingest-") for n in names):
            return
        self.create_consumer(stream, KEEPER, None)

    def catch_up(self, source: str, seq: int) -> None:
        """Move a stream on to where history is, if a power cut took away its last messages.

        New messages would get sequences that history has already, and would be taken for committed. Only before
        machines are let in: what the stream still holds then is in history.
        """
        name, _, created = source.partition("/")
        info = self.stream(name)
        if info is not None and info["created"] == created and info["state"]["last_seq"] < seq:
            _raise_error(self.ask(f"STREAM.PURGE.{name}", {"seq": seq + 1}), name)

    def create_consumer(self, stream: str, name: str, start: int | None) -> None:
        """A durable pull consumer, from ``start`` or from the first message.

        Of a stream that is purged it takes no acknowledgements, of others up to a message (``AckAll``). It has no
        filter, so that sequences are contiguous and a hole can only mean a lost message.
        """
        config: dict[str, Any] = {
            "durable_name": name,
            "name": name,
            "deliver_policy": "all" if start is None else "by_start_sequence",
            "max_waiting": 64,
        }
        if stream in PURGED:
            config["ack_policy"] = "none"
        else:
            config |= {"ack_policy": "all", "max_ack_pending": -1, "ack_wait": 24 * _HOUR}
        if start is not None:
            config["opt_start_seq"] = start
        answer = self.ask(f"CONSUMER.CREATE.{stream}.{name}", {"stream_name": stream, "config": config})
        _raise_error(answer, f"{stream}.{name}")


def _raise_error(answer: dict[str, Any], what: str) -> None:
    if "error" in answer:
        error = answer["error"]
        raise UnavailableError(
            Fault("bus:refused", f"{what}: {error.get('description', error)}", "Look into the log of nats-server")
        )


def stream_config(
    name: str, subject: str, max_bytes: int, first_sequence: int, duplicate_window: int
) -> dict[str, Any]:
    """A bounded stream that refuses when full (discard new) and drops what is acknowledged or purged.

    ``first_sequence`` grows with the clock of the creation, so that the sequences of a stream that is made
    anew never repeat those of the one before.
    """
    return {
        "name": name,
        "subjects": [subject],
        "retention": "limits" if name in PURGED else "interest",
        "storage": "file",
        "discard": "new",
        "max_bytes": max_bytes,
        "first_seq": first_sequence,
        "duplicate_window": duplicate_window,
    }
