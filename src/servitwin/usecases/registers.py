"""Registers of companies: read, written with all faults told at once, imported from JSON and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError
from servitwin.domain.party import Actor
from servitwin.domain.register import RegisterEntry, RegisterKind, body_faults
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser, PartyAction
from servitwin.usecases.ports import Records
from servitwin.usecases.register_kinds import KINDS

MOST_AT_ONCE = 20_000
MOST_BYTES = 1_000_000  # of one entry
S = TypeVar("S", bound=msgspec.Struct)


class Registers:
    """Entries of registers, for one caller at a time. A caller acts for its own party unless it names another."""

    def __init__(
        self,
        records: Records,
        authoriser: Authoriser,
        audit: Audit,
        now: Callable[[], int],
        kinds: Sequence[RegisterKind] = KINDS,
    ) -> None:
        self._records = records
        self._authoriser = authoriser
        self._audit = audit
        self._now = now
        self._kinds = {k.name: k for k in kinds}

    def kinds(self) -> list[RegisterKind]:
        """All kinds, by name."""
        return [self._kinds[name] for name in sorted(self._kinds)]

    def kind(self, name: str) -> RegisterKind:
        """The kind of that name.

        Raises:
            NotFoundError: ``register:unknown``.
        """
        if name not in self._kinds:
            known = ", ".join(sorted(self._kinds)) or "none"
            raise NotFoundError(Fault("register:unknown", f"No register {name[:80]!r}", f"There are {known}", "kind"))
        return self._kinds[name]

    def party_of(self, actor: Actor, party: str = "") -> str:
        """The company that a caller acts for: the one named, its own, or for the node itself its operator."""
        return party or actor.party or self._authoriser.operator()

    def readable(self, actor: Actor, party: str = "") -> list[str]:
        """Parties whose registers the caller may read; ``party``: that one alone.

        Raises:
            RefusedError: ``access:not-permitted`` on the party that is named.
        """
        if party:
            self._authoriser.require_for_party(actor, "see_plan", party)
            return [party]
        known = [p.id for p in self._records.parties()]
        return [p for p in known if self._authoriser.may_for_party(actor, "see_plan", p)]

    def one(self, actor: Actor, kind: str, id: str, party: str = "", at: int | None = None) -> RegisterEntry:
        """An entry as it is now, or as it was at an instant (ns UTC).

        Raises:
            NotFoundError: ``register:unknown``, ``register:entry-unknown`` (also where the caller may not read it).
        """
        self.kind(kind)
        mine = self.party_of(actor, party)
        if self._authoriser.may_for_party(actor, "see_plan", mine):
            found = self._records.register_entry(kind, mine, id, at)
            if found is not None and not found.removed:
                return found
        message = f"{kind} has no entry {id[:120]!r}"
        raise NotFoundError(Fault("register:entry-unknown", message, f"GET /api/v1/registers/{kind}", "id"))

    def revisions(self, actor: Actor, kind: str, id: str, party: str = "") -> list[RegisterEntry]:
        """All revisions of an entry, oldest first, also of one that was removed."""
        self.kind(kind)
        mine = self.party_of(actor, party)
        self._authoriser.require_for_party(actor, "see_plan", mine)
        return self._records.register_revisions(kind, mine, id)

    def entries(
        self, actor: Actor, kind: str, party: str = "", after: tuple[str, str] = ("", ""), limit: int = 100
    ) -> list[RegisterEntry]:
        """Entries that the caller may read, by party and id."""
        self.kind(kind)
        return self._records.register_entries(kind, self.readable(actor, party), after, limit)

    def bodies(self, kind: str, party: str, struct: type[S]) -> dict[str, S]:
        """All entries of a party in their shape, for a use case that has made sure of the caller's rights."""
        found = self._records.register_entries(kind, [party])
        return {e.id: msgspec.convert(e.body, struct) for e in found}

    def body(self, kind: str, party: str, id: str, struct: type[S]) -> S | None:
        """One entry in its shape, None where there is none (any more); rights as for :meth:`bodies`."""
        found = self._records.register_entry(kind, party, id)
        return None if found is None or found.removed else msgspec.convert(found.body, struct)

    def bodies_since(self, kind: str, party: str, since: int, struct: type[S]) -> list[S]:
        """Entries that were written at or after an instant (ns UTC), in their shape; rights as for :meth:`bodies`."""
        found = self._records.register_changes([kind], party, since - 1)
        return [msgspec.convert(e.body, struct) for e in found if not e.removed]

    def put(
        self,
        actor: Actor,
        kind: str,
        id: str,
        body: Mapping[str, Any],
        party: str = "",
        revision: int | None = None,
        right: PartyAction = "plan",
    ) -> RegisterEntry:
        """Write an entry; ``revision``: only if that one is the newest (0: only if there is none).

        ``right``: that the caller needs; another than to plan where a use case writes for people who do not.

        Raises:
            InvalidInputError: everything that is wrong with it.
            ConflictError: ``register:changed-meanwhile``.
        """
        mine = self.party_of(actor, party)
        self._authoriser.require_for_party(actor, right, mine)
        if len(msgspec.json.encode(body)) > MOST_BYTES:
            raise InvalidInputError(Fault("register:too-large", f"An entry may have {MOST_BYTES} bytes", "Divide it"))
        faults = body_faults(self.kind(kind), id, body)
        if faults:
            raise InvalidInputError(faults)
        with self._records.together("registers"):
            present = self._present(kind, mine, id, revision)
            if present is not None and not present.removed and present.body == body:
                return present  # the same again changes nothing
            writer = self._writer(actor, kind, mine)
            entry = self._next(writer, kind, mine, id, dict(body), present)
            self._records.add_register_entries([entry])
            self._audit.note(writer, "register.save", f"{kind}/{id}", {"party": mine, "revision": entry.revision})
        return entry

    def put_many(
        self, actor: Actor, kind: str, bodies: Sequence[tuple[str, Mapping[str, Any]]], party: str = ""
    ) -> list[RegisterEntry]:
        """Write many entries (id, body): all of them, or none and every fault. Returns what is kept now.

        Raises:
            InvalidInputError: everything that is wrong, and ``register:twice`` for an id that comes twice.
        """
        mine = self.party_of(actor, party)
        self._authoriser.require_for_party(actor, "plan", mine)
        declared, writer = self.kind(kind), self._writer(actor, kind, mine)
        if len(bodies) > MOST_AT_ONCE:
            raise InvalidInputError(Fault("register:too-many", f"At most {MOST_AT_ONCE} at once", "Divide them"))
        faults, seen = [], set()
        for place, (id, body) in enumerate(bodies, 1):
            found = body_faults(declared, id, body)
            if id in seen:
                found.append(Fault("register:twice", f"{id} comes twice", "Name each entry once", "id"))
            seen.add(id)
            faults += [msgspec.structs.replace(f, where=f"{place}: {f.where}") for f in found]
        if faults:
            raise InvalidInputError(faults[:200])
        with self._records.together("registers"):
            kept = []
            fresh = []
            for id, body in bodies:
                present = self._present(kind, mine, id, None)
                if present is not None and not present.removed and present.body == body:
                    kept.append(present)
                    continue
                fresh.append(self._next(writer, kind, mine, id, dict(body), present))
            self._records.add_register_entries(fresh)
            if fresh:
                self._audit.note(writer, "register.save", kind, {"party": mine, "entries": len(fresh)})
        return [*kept, *fresh]

    def remove(self, actor: Actor, kind: str, id: str, party: str = "") -> None:
        """End an entry; its revisions stay.

        Raises:
            NotFoundError: ``register:entry-unknown``.
        """
        mine = self.party_of(actor, party)
        self._authoriser.require_for_party(actor, "plan", mine)
        with self._records.together("registers"):
            present, writer = self.one(actor, kind, id, mine), self._writer(actor, kind, mine)
            gone = self._next(writer, kind, mine, id, present.body, present)
            self._records.add_register_entries([msgspec.structs.replace(gone, removed=True)])
            self._audit.note(writer, "register.remove", f"{kind}/{id}", {"party": mine})

    def _writer(self, actor: Actor, kind: str, party: str) -> Actor:
        """Who is kept as the writer of an entry: the caller, or its company where the kind keeps no names."""
        return Actor(party, "system", party) if self.kind(kind).nameless else actor

    def _present(self, kind: str, party: str, id: str, revision: int | None) -> RegisterEntry | None:
        present = self._records.register_entry(kind, party, id)
        held = 0 if present is None or present.removed else present.revision
        if revision is not None and revision != held:
            message = f"{id}: the newest revision is {held}, not {revision}"
            raise ConflictError(
                Fault("register:changed-meanwhile", message, "Read it again, then change it", "revision")
            )
        return present

    def _next(
        self, actor: Actor, kind: str, party: str, id: str, body: dict[str, Any], present: RegisterEntry | None
    ) -> RegisterEntry:
        number = 1 if present is None else present.revision + 1
        return RegisterEntry(kind, id, party, number, self._now(), actor.id, body)


def entries_of_json(content: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Entries of a JSON list of objects with an ``id`` beside their fields.

    Raises:
        InvalidInputError: ``register:not-json``, ``register:without-id``.
    """
    try:
        found = msgspec.json.decode(content, type=list[dict[str, Any]])
    except msgspec.DecodeError as e:
        hint = "Send a list of objects, each with an id"
        raise InvalidInputError(Fault("register:not-json", str(e), hint)) from e
    return _with_ids(found, 1)


def entries_of_csv(content: bytes, kind: RegisterKind) -> list[tuple[str, dict[str, Any]]]:
    """Entries of a CSV table whose header names fields, ``id`` among them.

    Cells take the type of their field; a list or an object is written as JSON; an empty cell is a field left out.

    Raises:
        InvalidInputError: ``register:not-csv``, ``register:column-unknown``, ``register:cell``,
            ``register:without-id``.
    """
    try:
        table = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as e:
        hint = "Send UTF-8 with a header line and commas"
        raise InvalidInputError(Fault("register:not-csv", str(e), hint)) from e
    fields = {f.encode_name: f for f in msgspec.structs.fields(kind.struct)}
    faults: list[Fault] = []
    header = [c for c in (table[0] if table else {}) if c is not None]
    for column in header:
        if column not in fields and column != "id":
            known = ", ".join(["id", *fields])
            faults.append(Fault("register:column-unknown", f"No field {column[:80]!r}", f"Fields: {known}", column))
    found: list[dict[str, Any]] = []
    for number, row in enumerate(table, 2):
        out: dict[str, Any] = {}
        for column, cell in row.items():
            if column is None or cell is None:
                faults.append(Fault("register:cell", "The row is not as long as the header", "", str(number), number))
            elif column == "id":
                out["id"] = cell
            elif cell != "" and column in fields:
                try:
                    out[column] = _cell(cell, fields[column].type)
                except msgspec.MsgspecError as e:
                    faults.append(Fault("register:cell", f"{column}: {e}", "", f"{number}: {column}", number))
        found.append(out)
    if faults:
        raise InvalidInputError(faults[:200])
    return _with_ids(found, 2)


def _cell(cell: str, wanted: Any) -> Any:
    if cell[:1] in "[{":
        return msgspec.json.decode(cell)
    return msgspec.to_builtins(msgspec.convert(cell, wanted, strict=False))


def _with_ids(rows: Sequence[dict[str, Any]], first: int) -> list[tuple[str, dict[str, Any]]]:
    faults, out = [], []
    for place, row in enumerate(rows, first):
        id = row.get("id")
        if not isinstance(id, str) or not id:
            faults.append(Fault("register:without-id", f"Entry {place} has no id", "Give it one, as text", str(place)))
        else:
            out.append((id, {k: v for k, v in row.items() if k != "id"}))
    if faults:
        raise InvalidInputError(faults[:200])
    return out
