"""A machine's own MQTT connection: QoS 1, last will, and a journal that keeps what the broker has not taken yet."""

from __future__ import annotations

import logging
import socket
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.enums import CallbackAPIVersion

from servitwin.connectors.simulator.plant import Broker
from servitwin.domain.trust import trust_only
from servitwin.sdk.signed_payload import sign_payload, split_signed

log = logging.getLogger(__name__)

KEPT = 200_000  # messages kept while the broker is away (two days of one machine)
JOURNAL_BYTES = 64_000  # size from which an emptied journal is cut back


class Link:
    """Publishes a machine's messages once and in order, keeps them while the broker is away, and hears commands.

    Each message carries session and sequence, so that sending it twice counts once. The journal on disk survives the
    end of the process: the next one sends the rest. paho's network thread calls back; ``_lock`` guards what is shared.
    """

    def __init__(
        self,
        twin: str,
        broker: Broker,
        user: str,
        password: str,
        folder: Path,
        session: str,
        hears: tuple[str, ...],
        on_command: Callable[[str, str, bytes], None],
        on_neighbour: Callable[[str, bytes], None],
        key: Ed25519PrivateKey | None = None,
    ) -> None:
        """``key``: the machine's own, with which it signs what it sends; None: it does not sign."""
        self.twin = twin
        self.session = session
        self.dropped = 0
        self.connections = 0
        self.refused = ""
        self._broker = broker
        self._hears = hears
        self._on_command = on_command
        self._on_neighbour = on_neighbour
        self._key = key
        self._lock = threading.RLock()
        self._seq = 0
        self._connected = False
        self._cut = False
        self._pending: OrderedDict[str, dict[str, Any]] = OrderedDict()  # key -> message, in order of sending
        self._handed: dict[int, str] = {}  # paho's message id -> key
        self._waiting: OrderedDict[str, None] = OrderedDict()  # keys not given to paho yet
        self._acknowledgements: deque[int] = deque()  # paho's message ids, from its thread
        self._path = folder / f"{twin}.journal"
        self._read_journal()
        self._journal = self._path.open("ab", buffering=0)
        self._client = self._new_client(user, password)

    def _new_client(self, user: str, password: str) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"{self.twin}-machine", clean_session=False, protocol=mqtt.MQTTv311
        )
        if user:
            client.username_pw_set(user, password)
        if self._broker.certificate:
            client.tls_set_context(trust_only(Path(self._broker.certificate).read_text("utf-8")))
        client.will_set(f"servitwin/{self.twin}/connection", b"offline", qos=1)
        client.reconnect_delay_set(min_delay=1, max_delay=8)
        client.max_inflight_messages_set(100)
        client.on_connect = self._connected_now
        client.on_disconnect = self._disconnected_now
        client.on_publish = self._acknowledged
        client.on_message = self._message
        return client

    # -- life -------------------------------------------------------------------------------------------------
    def open(self) -> None:
        """Connect in the background, and again whenever the connection is lost."""
        self._client.connect_async(self._broker.host, self._broker.port, keepalive=20)
        self._client.loop_start()

    def close(self) -> None:
        """Say goodbye. What the broker has not acknowledged stays in the journal."""
        if self._connected and not self._cut:
            goodbye = self._client.publish(f"servitwin/{self.twin}/connection", b"offline", qos=1)
            try:
                goodbye.wait_for_publish(1.0)
            except (RuntimeError, ValueError):
                log.info("%s: the broker did not take the goodbye", self.twin)
        self._client.disconnect()
        self._client.loop_stop()
        self._journal.close()
        if not self.pending:
            self._path.unlink(missing_ok=True)

    def cut(self) -> None:
        """The network is gone: the socket breaks without a goodbye, so that the broker publishes the last will."""
        if self._cut:
            return
        self._cut = True
        channel = self._client.socket()
        if isinstance(channel, socket.socket):
            channel.shutdown(socket.SHUT_RDWR)
        self._client.loop_stop()

    def restore(self) -> None:
        """The network is back: connect again and send what was kept."""
        if self._cut:
            self._cut = False
            self.open()

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted this machine."""
        return self._connected and not self._cut

    @property
    def pending(self) -> int:
        """Messages that the broker has not acknowledged."""
        with self._lock:
            self._settle()
            return len(self._pending)

    # -- sending ----------------------------------------------------------------------------------------------
    def offer(self, message: dict[str, Any]) -> None:
        """Send observations, or keep them until they can be sent."""
        self._seq += 1
        self.offer_as(message, self.session, self._seq, journal=True)

    def offer_as(self, message: dict[str, Any], session: str, seq: int, *, journal: bool) -> None:
        """The same with a session and sequence of the caller's; without ``journal`` the caller can make it again."""
        message = {**message, "session": session, "seq": seq}
        with self._lock:
            self._settle()
            if journal:
                self._journal.write(msgspec.json.encode(message) + b"\n")
            self._keep(message)
            if self.connected:
                self._flush(late=False)

    def acknowledge(self, command: str, answer: dict[str, Any]) -> None:
        """Answer a command; not kept: an answer that comes late is worth nothing."""
        self._client.publish(f"servitwin/{self.twin}/commands/{command}/ack", msgspec.json.encode(answer), qos=1)

    def _keep(self, message: dict[str, Any]) -> None:
        key = f"{message['session']}:{message['seq']}"
        self._pending[key] = message
        self._waiting[key] = None
        while len(self._pending) > KEPT:
            old, _ = self._pending.popitem(last=False)
            self._waiting.pop(old, None)
            self.dropped += 1

    def _flush(self, *, late: bool) -> None:
        """Give what waits to paho; ``late`` marks it as replayed. The caller holds the lock."""
        while self._waiting:
            key, _ = self._waiting.popitem(last=False)
            message = self._pending[key]
            payload = msgspec.json.encode({**message, "replayed": True} if late else message)
            if self._key is not None:
                payload = sign_payload(self._key, self.twin, payload)
            sent = self._client.publish(f"servitwin/{self.twin}/observations", payload, qos=1)
            self._handed[sent.mid] = key

    # -- paho's thread ----------------------------------------------------------------------------------------
    def _connected_now(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            if str(reason) != self.refused:
                log.warning("%s: the broker refuses the connection: %s", self.twin, reason)
            self.refused = str(reason)
            return
        self.refused = ""
        topics = [(f"servitwin/{self.twin}/commands/+", 1)]
        topics += [(f"servitwin/{twin}/observations", 0) for twin in self._hears]
        client.subscribe(topics)
        client.publish(f"servitwin/{self.twin}/connection", b"online", qos=1)
        with self._lock:
            self._connected = True
            self.connections += 1
            kept = len(self._waiting)
            self._flush(late=True)
        log.info("%s: connected, %d kept messages sent", self.twin, kept)

    def _disconnected_now(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        was, self._connected = self._connected, False
        if was and reason.is_failure:
            log.warning("%s: connection lost (%s), messages are kept", self.twin, reason)

    def _acknowledged(self, _client: mqtt.Client, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        # paho calls this holding its own lock, which publish() wants while ours is held: waiting here is a deadlock.
        self._acknowledgements.append(mid)

    def _settle(self) -> None:
        """Forget what the broker has acknowledged. The caller holds the lock."""
        while self._acknowledgements:
            key = self._handed.pop(self._acknowledgements.popleft(), None)
            if key is not None:
                self._pending.pop(key, None)
        if not self._pending and not self._journal.closed and self._journal.tell() > JOURNAL_BYTES:
            self._journal.truncate(0)

    def _message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        _, twin, noun, *rest = message.topic.split("/")
        if noun == "commands" and twin == self.twin and rest:
            self._on_command(twin, rest[0], bytes(message.payload))
        elif noun == "observations":
            self._on_neighbour(twin, split_signed(bytes(message.payload))[1])

    # -- journal ----------------------------------------------------------------------------------------------
    def _read_journal(self) -> None:
        """Take over what an earlier process left; a torn last line was never acknowledged to anybody and is dropped."""
        if not self._path.exists():
            return
        for line in self._path.read_bytes().splitlines():
            try:
                message = msgspec.json.decode(line, type=dict[str, Any])
            except msgspec.DecodeError:
                log.warning("%s: a torn line in the journal was dropped", self.twin)
                continue
            self._keep(message)
