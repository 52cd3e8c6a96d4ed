"""What the use cases need of the engines. Engines fulfil these by structure; ``bootstrap`` proves it by types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

from servitwin.domain.calendar import Calendar
from servitwin.domain.command import Command
from servitwin.domain.machine_type import MachineType
from servitwin.domain.observation import Aggregation, Bucket, Cut, LastValue, PackedRows, Quarantined, Rows, Series
from servitwin.domain.party import Account, Actor, Grant, Party
from servitwin.domain.state_time import Gap
from servitwin.domain.twin import Twin

__all__ = ["Aggregation", "Bucket", "Bus", "Files", "HistoryReader", "HistoryWriter", "LastValue", "Records"]


class HistoryWriter(Protocol):
    """Owned by the ingest process alone: one writer per shard."""

    def position(self, app: str) -> int:
        """Last sequence committed for that source; -1 if none. ``app`` = stream + creation time + shard."""
        ...

    def commit(
        self,
        rows: Sequence[Rows | PackedRows],
        quarantined: Sequence[Quarantined],
        positions: Mapping[str, int],
        note: Mapping[str, str],
    ) -> int:
        """Append atomically with the stream positions (quarantine first) and return the new table version.

        ``note`` is kept with the commit (de-duplication marks). Committing a position at or below the one in
        the table raises ``ConflictError`` and appends nothing.
        """
        ...

    def notes_since(self, positions: Mapping[str, int]) -> Iterator[Mapping[str, str]]:
        """Notes of the commits after those positions, oldest first."""
        ...


class HistoryReader(Protocol):
    """Reads one answer at a cut: roll-ups, rows and, through ``Tail``, what is not committed yet."""

    def cut(self) -> Cut:
        """The newest cut that can be answered now, tail included."""
        ...

    def series(
        self,
        twin: str,
        signal: str,
        start: int,
        end: int,
        *,
        before: bool = False,
        limit: int | None = None,
        cut: Cut | None = None,
    ) -> Series:
        """Raw observations in [start, end), last one of each time; ``before`` adds the last one before ``start``.

        A condition is a set of entries: of a condition signal every observation holds, several of one time too.
        """
        ...

    def many_series(
        self,
        wanted: Sequence[tuple[str, str]],
        start: int,
        end: int,
        *,
        before: bool = False,
        cut: Cut | None = None,
    ) -> dict[tuple[str, str], Series]:
        """Several series in one read of the table."""
        ...

    def downsample(
        self,
        wanted: Sequence[tuple[str, str]],
        start: int,
        end: int,
        every: int,
        aggregations: Sequence[Aggregation],
        cut: Cut | None = None,
    ) -> dict[tuple[str, str], dict[str, list[Bucket]]]:
        """Buckets aligned to ``start``; ``tw_mean`` weights each value by how long it held (max_gap respected)."""
        ...

    def durations(
        self,
        wanted: Sequence[tuple[str, str]],
        start: int,
        end: int,
        every: int | None = None,
        cut: Cut | None = None,
    ) -> dict[tuple[str, str], list[tuple[int, dict[str, int]]]]:
        """Nanoseconds per distinct value of text signals in each bucket; key "" is UNAVAILABLE or unknown."""
        ...

    def last(self, twins: Sequence[str] | None = None) -> list[LastValue]:
        """The latest value of each signal, of all twins or some."""
        ...

    def changed_since(self, cut: Cut) -> dict[str, tuple[int, int]]:
        """Twins with rows after that cut: uid -> (earliest, latest) event time, so that results can be redone."""
        ...

    def quarantined(self, *, after: str = "", limit: int = 100, code: str = "", twin: str = "") -> list[Quarantined]:
        """Pages of quarantine, newest first; ``after`` is ``shard-seq-idx`` of the last one seen."""
        ...

    def quarantined_entry(self, id: str) -> Quarantined | None:
        """The entry ``shard-seq-idx``, also if it has been replayed; None if there never was one."""
        ...

    def quarantine_counts(self) -> dict[str, int]:
        """How many entries of each code are in quarantine and not yet replayed."""
        ...

    def export(
        self,
        wanted: Sequence[tuple[str, str]],
        start: int,
        end: int,
        form: Literal["csv", "parquet", "arrow"],
        metadata: Mapping[str, Any],
    ) -> Iterator[bytes]:
        """Rows with units and metadata as a stream of bytes in an open format."""
        ...


class Records(Protocol):
    """Twins, types, parties, accounts, commands, audit: what must be consistent at every moment."""

    def together(self) -> AbstractContextManager[None]:
        """Reads and writes of this thread inside the block are one transaction: all of them are kept, or none."""
        ...

    # machine types -------------------------------------------------------------------------------------------
    def machine_type(self, name: str, version: int | None = None) -> MachineType | None: ...
    def machine_types(self) -> list[MachineType]: ...
    def add_machine_type(self, machine_type: MachineType) -> None: ...

    # twins ---------------------------------------------------------------------------------------------------
    def twin(self, id_or_uid: str) -> Twin | None: ...
    def twins(self, *, after: str = "", limit: int | None = None, kind: str = "") -> list[Twin]: ...
    def children(self, id: str, at: int) -> list[Twin]: ...
    def save_twin(self, twin: Twin) -> None: ...
    def twins_revision(self) -> int: ...
    def gaps(self, uid: str) -> list[Gap]: ...
    def all_gaps(self) -> dict[str, list[Gap]]: ...
    def declare_gaps(self, uid: str, gaps: Iterable[Gap]) -> None: ...
    def calendar(self, name: str) -> Calendar | None: ...
    def save_calendar(self, calendar: Calendar) -> None: ...

    # parties and access --------------------------------------------------------------------------------------
    def parties(self) -> list[Party]: ...
    def save_party(self, party: Party) -> None: ...
    def accounts(self) -> list[Account]: ...
    def account(self, id: str) -> Account | None: ...
    def save_account(self, account: Account, password_hash: str | None) -> None: ...
    def password_hash(self, account: str) -> str | None: ...
    def add_token(
        self, id: str, secret_hash: str, actor: Actor, created: int, expires: int | None, label: str
    ) -> None: ...
    def actor_of_token(self, secret_hash: str, at: int) -> Actor | None: ...
    def tokens(self, party: str) -> list[dict[str, Any]]: ...
    def revoke_token(self, id: str, at: int) -> None: ...
    def add_session(self, id_hash: str, account: str, csrf: str, created: int, expires: int) -> None: ...
    def session(self, id_hash: str, at: int) -> tuple[Account, str] | None: ...
    def end_session(self, id_hash: str) -> None: ...
    def grants(self, at: int) -> list[Grant]: ...
    def save_grant(self, grant: Grant) -> None: ...
    def machine_credential(self, user: str) -> tuple[str, list[str]] | None: ...
    def machine_credentials(self) -> list[tuple[str, str, list[str]]]: ...
    def save_machine_credential(self, user: str, secret_hash: str, twins: Sequence[str]) -> None: ...

    # commands, levels, audit, events -------------------------------------------------------------------------
    def save_command(self, command: Command) -> None: ...
    def command(self, id: str) -> Command | None: ...
    def command_by_key(self, twin: str, key: str) -> Command | None: ...
    def commands(self, twin: str, *, after: str = "", limit: int = 100, since: int | None = None) -> list[Command]: ...
    def open_commands(self) -> list[Command]: ...
    def level_history(self, twin: str, subject: str = "") -> list[dict[str, Any]]: ...
    def levels_at(self, moment: int) -> dict[str, str]: ...
    def save_level(self, twin: str, subject: str, level: str, since: int, evidence: Mapping[str, Any]) -> None: ...
    def save_levels(self, since: int, levels: Sequence[tuple[str, str, str, Mapping[str, Any]]]) -> None: ...
    def audit(self, actor: Actor, action: str, subject: str, at: int, detail: Mapping[str, Any]) -> None: ...
    def audit_entries(self, *, after: str = "", limit: int = 100, subject: str = "") -> list[dict[str, Any]]: ...
    def add_event(self, kind: str, subject: str, at: int, data: Mapping[str, Any]) -> int: ...
    def events(self, after: int, limit: int = 500) -> list[dict[str, Any]]: ...

    # service outcomes and small state ------------------------------------------------------------------------
    def save_outcome(
        self,
        service: str,
        version: str,
        twin: str,
        parameters: str,
        start: int,
        end: int,
        revision: int,
        cut: str,
        outcome: bytes,
        snapshot: bytes | None,
    ) -> None: ...
    def outcomes(self, service: str, twin: str, start: int, end: int) -> list[dict[str, Any]]: ...
    def latest_snapshot(
        self, service: str, version: str, twin: str, parameters: str, before: int
    ) -> tuple[int, str, bytes] | None: ...
    def setting(self, key: str) -> str | None: ...
    def set_setting(self, key: str, value: str) -> None: ...


class Bus(Protocol):
    """The message bus as the use cases see it (core publish, request and subscription; JSON bytes)."""

    async def publish(self, subject: str, payload: bytes) -> None:
        """At most once, to whoever listens."""
        ...

    async def publish_acknowledged(self, subject: str, payload: bytes, message_id: str) -> bool:
        """Into stream ``SERVITWIN``; True once durable, and False if it was a duplicate of ``message_id``.

        Raises:
            UnavailableError: ``bus:refused`` (stream full, disk full) or ``bus:not-reachable``.
        """
        ...

    async def publish_sequenced(self, subject: str, payload: bytes, message_id: str) -> tuple[int, bool]:
        """As :meth:`publish_acknowledged`, with the sequence that the message has in the stream (or had before)."""
        ...

    async def request(self, subject: str, payload: bytes, timeout_s: float) -> bytes:
        """One answer; raises ``UnavailableError`` if nobody answers in time."""
        ...


class Files(Protocol):
    """Content-addressed files: documents, models."""

    def put(self, content: bytes) -> str:
        """Keep it and return its address (``sha256:...``)."""
        ...

    def get(self, address: str) -> bytes | None:
        """What was put, or None."""
        ...
