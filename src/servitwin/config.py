"""One settings object. Every default works on one machine."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Literal

import msgspec

from servitwin.domain.error import Fault, InvalidInputError

ChildRole = Literal["prepare", "ingest", "services", "web", "evidence", "plugin", "upkeep", "recall"]


class BusSettings(msgspec.Struct, omit_defaults=True):
    """How a child reaches the bus. ``mqtt_port``/``port`` are the real ports once the server runs."""

    host: str = "127.0.0.1"
    port: int = 0
    mqtt_port: int = 0
    user: str = ""
    password: str = ""
    sync_interval: str = ""  # JetStream fsync: "" is the server's default (lazy), "always" (history too) or e.g. "1s"
    max_stream_bytes: int = 4 * 2**30
    mqtt_host: str = ""  # where the gateway listens, if not on the same address


class WebSettings(msgspec.Struct, omit_defaults=True):
    """Where the pages and the API listen."""

    host: str = "127.0.0.1"
    port: int = 8460
    anonymous_role: str = ""
    node_token_hash: str = ""  # sha256 hex of the token in run/address.json; its bearer is administrator


class TlsSettings(msgspec.Struct, omit_defaults=True):
    """PEM files by which web, MQTT gateway and bus speak TLS; empty: none of them does.

    A plugin worker gets the certificate alone: what it has to find at the other end.
    """

    certificate: str = ""
    key: str = ""


class PluginSettings(msgspec.Struct, omit_defaults=True):
    """One plugin worker: which connection or service it runs, with limits."""

    connection: str = ""
    kind: Literal["connector", "service"] = "connector"
    plugin: str = ""
    config: dict[str, object] = {}
    memory_mb: int = 512
    user: str = ""
    password: str = ""


class WitnessSettings(msgspec.Struct, omit_defaults=True):
    """Another node whose evidence log this one follows and co-signs, and for which party it does."""

    url: str
    token: str = ""
    party: str = ""  # "": who operates this node
    authority: str = ""  # PEM file, where the other node's certificate is not known everywhere
    every_seconds: float = 30.0


class TimestampSettings(msgspec.Struct, omit_defaults=True):
    """The authority (RFC 3161) that stamps tree heads of the evidence log; no ``url``: none does."""

    url: str = ""
    every_seconds: float = 3600.0


class Settings(msgspec.Struct, omit_defaults=True):
    """All that a process of servitwin needs to know; passed to children on standard input, never in arguments."""

    data: str
    bus: BusSettings = msgspec.field(default_factory=BusSettings)
    web: WebSettings = msgspec.field(default_factory=WebSettings)
    tls: TlsSettings = msgspec.field(default_factory=TlsSettings)
    plugin: PluginSettings = msgspec.field(default_factory=PluginSettings)
    plant: list[str] = []  # machine type and plant files to import at the start
    shard: int = 0
    shards: int = 1
    min_free_disk: float = 0.05  # below this share of free disk, ingest stops acknowledging
    commit_rows: int = 100_000
    commit_seconds: float = 3.0  # rows are readable before; each commit costs about 50 ms of a core
    tail_seconds: float = 10.0
    retention_days: int = 0  # 0: keep for ever
    bind_seconds: float = 4.0  # how often what was committed is bound in the evidence log
    witness: list[WitnessSettings] = []
    timestamp: TimestampSettings = msgspec.field(default_factory=TimestampSettings)
    upkeep_minutes: float = 5.0  # how often roll-ups are brought up to date and small files put together
    records_url: str = ""  # "": SQLite in the data folder
    demo: bool = False
    log_level: str = "INFO"

    @property
    def folder(self) -> Path:
        """The data folder."""
        return Path(self.data)

    @property
    def records(self) -> str:
        """Database URL of the records."""
        return self.records_url or f"sqlite:///{self.folder / 'records.db'}"

    @property
    def history(self) -> Path:
        """Folder of the history tables."""
        return self.folder / "history"

    @property
    def evidence(self) -> Path:
        """Folder of the evidence log."""
        return self.folder / "evidence"

    @property
    def party_keys(self) -> Path:
        """Folder of the private keys of parties that sign on this node."""
        return self.folder / "secrets" / "party-keys"

    def witness_folder(self, url: str) -> Path:
        """Where this node keeps its copy of the log of the node at that address."""
        return self.folder / "witness" / hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:16]


def read_settings(raw: bytes) -> Settings:
    """Settings as a child gets them on standard input.

    Raises:
        InvalidInputError: ``settings:unreadable``.
    """
    try:
        return msgspec.json.decode(raw, type=Settings)
    except msgspec.DecodeError as e:
        raise InvalidInputError(Fault("settings:unreadable", str(e), "Workers are started by servitwin serve")) from e


def default_data_folder() -> Path:
    """``SERVITWIN_DATA`` or ``./servitwin-data``."""
    return Path(os.environ.get("SERVITWIN_DATA", "servitwin-data"))
