"""The message bus: nats-server with JetStream and its MQTT gateway.

``BusClient`` is loaded on first use: the supervisor starts the server without the weight of a client library.
"""

from typing import TYPE_CHECKING, Any

from servitwin.engines.bus.admin import INPUT_STREAM, MQTT_STREAM, Admin
from servitwin.engines.bus.credentials import BusUser, anonymous_user, hash_secret, machine_user, plugin_user
from servitwin.engines.bus.server import NatsServer, find_binary

if TYPE_CHECKING:
    from servitwin.engines.bus.client import BusClient

__all__ = [
    "INPUT_STREAM",
    "MQTT_STREAM",
    "Admin",
    "BusClient",
    "BusUser",
    "NatsServer",
    "anonymous_user",
    "find_binary",
    "hash_secret",
    "machine_user",
    "plugin_user",
]


def __getattr__(name: str) -> Any:
    if name == "BusClient":
        from servitwin.engines.bus.client import BusClient  # noqa: PLC0415 - see above

        return BusClient
    raise AttributeError(name)
