"""Users of the bus and what each may publish and hear."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

# Secrets of machines and plugins are made by servitwin with 192 random bits: nobody can guess them, and a slow
# hash would only let a fleet that reconnects stop the broker (cost 10 takes 60 ms of a core each, cost 4 takes 1).
_BCRYPT_COST = 4
ANONYMOUS = "anonymous"


class BusUser(msgspec.Struct, frozen=True):
    """One user. ``password`` is a bcrypt hash (``$2...``) or, for users of this run only, the secret itself.

    ``publish`` and ``subscribe`` are NATS subjects; ``connection_types`` empty allows all.
    """

    name: str
    password: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    connection_types: tuple[str, ...] = ()


def hash_secret(secret: str) -> str:
    """Bcrypt hash of a machine's random secret, as the bus checks it."""
    import bcrypt  # noqa: PLC0415 - only where credentials are made

    return bcrypt.hashpw(secret.encode(), bcrypt.gensalt(_BCRYPT_COST)).decode()


def machine_user(name: str, password_hash: str, twins: Sequence[str], topics: Sequence[str] = ()) -> BusUser:
    """A machine: speaks for its twins, hears their commands and events, nothing else; by MQTT, or NATS.

    A name ``@party`` among ``twins`` hears events of that party, and speaks for nobody. ``topics``: MQTT topic filters
    beside servitwin's own on which it may publish.
    """
    return BusUser(
        name,
        password_hash,
        (
            *(s for t in twins if not t.startswith("@") for s in _spoken(t)),
            *(s for t in topics for s in subjects_of(t)),
        ),
        (*(s for t in twins for s in (*_heard(t), *_told(t))), f"_INBOX_{name}.>", "$MQTT.sub.>"),
    )


def plugin_user(connection: str, secret: str, twins: Sequence[str] = ("*",), reads: Sequence[str] = ()) -> BusUser:
    """A plugin worker of one connection: as a machine for its twins, plus its own ``plugin.<connection>`` subjects.

    ``reads``: twins whose observations it may hear, as coupled machines hear their neighbours.
    """
    name = f"plugin-{connection}"
    return BusUser(
        name,
        secret,
        (*(s for t in twins for s in _spoken(t)), f"plugin.{connection}.>", "_INBOX.>"),
        (
            *(s for t in twins for s in _heard(t)),
            *(f"servitwin.{t}.observations" for t in reads),
            f"plugin.{connection}.>",
            f"_INBOX_{name}.>",
            "$MQTT.sub.>",
        ),
    )


def anonymous_user(*, let_in: bool) -> BusUser:
    """Whoever connects without a name, where the demo allows it: may speak for any twin, once ``let_in``."""
    kinds = ("MQTT",) if let_in else ("WEBSOCKET",)  # nobody listens for WebSockets: nobody gets in
    return BusUser(ANONYMOUS, "", _spoken("*"), (*_heard("*"), "$MQTT.sub.>"), kinds)


def subjects_of(topic_filter: str) -> tuple[str, ...]:
    """An MQTT topic filter without empty levels as NATS subjects: ``a/#`` is ``a`` and all below it."""
    above = topic_filter.removesuffix("/#")
    words = {"+": "*", "#": ">"}
    subject = ".".join(words.get(level, level.replace(".", "//")) for level in above.split("/"))
    return (subject,) if above == topic_filter else (subject, f"{subject}.>")


def _spoken(twin: str) -> tuple[str, ...]:
    return (
        f"servitwin.{twin}.observations",
        f"servitwin.{twin}.connection",
        f"servitwin.{twin}.commands.*.ack",
        f"in.{twin}.observations",
    )


def _told(whose: str) -> tuple[str, ...]:
    """Events of a twin, or of a party by ``@`` and its id (``usecases.tell_events``)."""
    return (f"servitwin.{whose}.events", f"servitwin.{whose}.events.>")


def _heard(twin: str) -> tuple[str, ...]:
    # An MQTT filter ``commands/#`` includes ``commands`` itself: without that right the gateway refuses all of it.
    return (f"servitwin.{twin}.commands", f"servitwin.{twin}.commands.>")
