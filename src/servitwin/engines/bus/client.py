"""The bus for programs: publish, publish acknowledged, request, subscribe, answer."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable

import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from servitwin.domain.error import Fault, UnavailableError
from servitwin.engines.bus.admin import INPUT_STREAM

Callback = Callable[[str, bytes], Awaitable[None]]
Answer = Callable[[bytes], Awaitable[bytes]]


class BusClient:
    """One connection of a process; reconnects by itself for as long as it takes. Fulfils ``usecases.ports.Bus``."""

    def __init__(self, connection: Client) -> None:
        self._nc = connection
        self._js = connection.jetstream(timeout=10)

    @classmethod
    async def connect(cls, host: str, port: int, user: str, password: str, name: str) -> BusClient:
        """Connect, waiting up to ten seconds for a server that is just starting.

        Raises:
            UnavailableError: ``bus:not-reachable``.
        """
        try:
            nc = await nats.connect(
                f"nats://{host}:{port}",
                user=user or None,
                password=password or None,
                name=name,
                inbox_prefix=f"_INBOX_{name}" if name.startswith("plugin-") else "_INBOX",
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.25,
                connect_timeout=10,
                error_cb=_quiet,
            )
        except (nats.errors.Error, OSError) as e:
            raise UnavailableError(Fault("bus:not-reachable", f"No bus at {host}:{port}: {e}")) from e
        return cls(nc)

    @property
    def connected(self) -> bool:
        """Whether the connection stands at this moment."""
        return self._nc.is_connected

    async def publish(self, subject: str, payload: bytes) -> None:
        """At most once, to whoever listens."""
        try:
            await self._nc.publish(subject, payload)
        except nats.errors.Error as e:
            raise UnavailableError(Fault("bus:not-reachable", f"{subject}: {e}")) from e

    async def publish_acknowledged(self, subject: str, payload: bytes, message_id: str) -> bool:
        """Into stream ``SERVITWIN``; True once durable, False if it was a duplicate of ``message_id``.

        Raises:
            UnavailableError: ``bus:refused`` (stream full, disk full) or ``bus:not-reachable``.
        """
        return (await self.publish_sequenced(subject, payload, message_id))[1]

    async def publish_sequenced(self, subject: str, payload: bytes, message_id: str) -> tuple[int, bool]:
        """As :meth:`publish_acknowledged`, with the sequence that the message has in the stream (or had before)."""
        headers = {"Nats-Msg-Id": message_id} if message_id else None
        try:
            ack = await self._js.publish(subject, payload, stream=INPUT_STREAM, headers=headers)
        except nats.js.errors.NoStreamResponseError as e:
            raise UnavailableError(Fault("bus:not-reachable", f"{subject}: no stream took it", "Try again")) from e
        except nats.js.errors.APIError as e:
            raise UnavailableError(
                Fault("bus:refused", f"{subject}: {e.description}", "Try again later: nothing was stored")
            ) from e
        except (nats.errors.Error, TimeoutError) as e:
            raise UnavailableError(Fault("bus:not-reachable", f"{subject}: {e or 'no answer'}", "Try again")) from e
        return ack.seq, not ack.duplicate

    async def request(self, subject: str, payload: bytes, timeout_s: float) -> bytes:
        """One answer; raises ``UnavailableError`` if nobody answers in time."""
        try:
            answer = await self._nc.request(subject, payload, timeout=timeout_s)
        except (nats.errors.Error, TimeoutError) as e:
            hint = "Who answers it starts or is busy: try again in some seconds, and look at System health"
            raise UnavailableError(Fault("bus:no-answer", f"{subject}: {e or 'no answer in time'}", hint)) from e
        return answer.data

    async def subscribe(self, subject: str, callback: Callback) -> Callable[[], Awaitable[None]]:
        """Call ``callback(subject, payload)`` for each message; the returned function ends it."""

        async def deliver(message: Msg) -> None:
            await callback(message.subject, message.data)

        subscription = await self._nc.subscribe(subject, cb=deliver)
        return subscription.unsubscribe

    async def answer(self, subject: str, answer: Answer) -> Callable[[], Awaitable[None]]:
        """Answer requests on ``subject`` with what ``answer(payload)`` gives; the returned function ends it."""

        async def deliver(message: Msg) -> None:
            if message.reply:
                await self._nc.publish(message.reply, await answer(message.data))

        subscription = await self._nc.subscribe(subject, cb=deliver)
        return subscription.unsubscribe

    async def flush(self) -> None:
        """Until the server has all that was published and subscribed so far."""
        try:
            await self._nc.flush(5)
        except (nats.errors.Error, TimeoutError) as e:
            raise UnavailableError(Fault("bus:not-reachable", f"flush: {e or 'no answer'}")) from e

    async def close(self) -> None:
        """End the connection; may be called twice."""
        if not self._nc.is_closed:
            # What was not sent when the server went away cannot be sent any more; uvloop says so by RuntimeError.
            with contextlib.suppress(nats.errors.Error, OSError, RuntimeError):
                await self._nc.close()


async def _quiet(error: Exception) -> None:
    """Lost connections are normal; the client library would print each attempt."""
