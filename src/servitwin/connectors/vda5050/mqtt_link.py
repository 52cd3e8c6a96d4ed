"""The wire: one MQTT client, called back in the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from servitwin.connectors.vda5050.config import Broker
from servitwin.domain.trust import trust_only

log = logging.getLogger(__name__)


class MqttLink:
    """A client that connects in the background, again and again; lost messages are the protocol's business."""

    def __init__(
        self,
        name: str,
        broker: Broker,
        user: str,
        password: str,
        hears: Sequence[tuple[str, int]],
        on_message: Callable[[str, bytes], None],
        *,
        will: tuple[str, bytes] | None = None,
        on_connected: Callable[[], None] | None = None,
    ) -> None:
        """``will``: topic and payload that the broker publishes (QoS 1, retained) when the connection breaks."""
        self.connected = False
        self.refused = ""
        self._name, self._broker, self._hears = name, broker, list(hears)
        self._on_message, self._on_connected = on_message, on_connected
        self._loop = asyncio.get_running_loop()
        client = self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=name, clean_session=True, protocol=mqtt.MQTTv311
        )
        if user:
            client.username_pw_set(user, password)
        if broker.certificate:
            client.tls_set_context(trust_only(Path(broker.certificate).read_text("utf-8")))
        if will is not None:
            client.will_set(will[0], will[1], qos=1, retain=True)
        client.reconnect_delay_set(min_delay=1, max_delay=8)
        client.on_connect, client.on_disconnect = self._connected_now, self._disconnected_now
        client.on_message = self._message

    def open(self) -> None:
        """Connect in the background."""
        self._client.connect_async(self._broker.host, self._broker.port, keepalive=15)
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes, qos: int = 0, *, retain: bool = False) -> None:
        """Send; what cannot be sent now with QoS 0 is lost."""
        if self.connected or qos:
            self._client.publish(topic, payload, qos=qos, retain=retain)

    def cut(self) -> None:
        """The network is gone: the socket breaks without a goodbye, so that the broker publishes the last will."""
        channel = self._client.socket()
        if channel is not None and hasattr(channel, "shutdown"):
            channel.shutdown(2)
        self._client.loop_stop()
        self.connected = False

    def close(self, goodbye: tuple[str, bytes] | None = None) -> None:
        """Sign off; ``goodbye``: topic and payload sent before (QoS 1, retained)."""
        if goodbye is not None and self.connected:
            sent = self._client.publish(goodbye[0], goodbye[1], qos=1, retain=True)
            try:
                sent.wait_for_publish(1.0)
            except (RuntimeError, ValueError):
                log.info("%s: the broker did not take the goodbye", self._name)
        self._client.disconnect()
        self._client.loop_stop()
        self.connected = False

    # -- paho's thread ----------------------------------------------------------------------------------------
    def _connected_now(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            if str(reason) != self.refused:
                log.warning("%s: the broker refuses the connection: %s", self._name, reason)
            self.refused = str(reason)
            return
        self.refused = ""
        if self._hears:
            client.subscribe(self._hears)
        self.connected = True
        log.info("%s: connected", self._name)
        if self._on_connected is not None:
            self._later(self._on_connected)

    def _disconnected_now(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        was, self.connected = self.connected, False
        if was and reason.is_failure:
            log.warning("%s: connection lost (%s)", self._name, reason)

    def _message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        topic, payload = message.topic, bytes(message.payload)
        self._later(lambda: self._on_message(topic, payload))

    def _later(self, call: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)
