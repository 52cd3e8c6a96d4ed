"""Registers: what a company knows beside its machines, such as orders, routings, parts and technicians.

An entry is plain data of a declared kind. It is never changed in place: each change is a further revision, so that a
plan can name exactly what it was made from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from servitwin.domain.error import Fault, shape_fault
from servitwin.domain.plain_number import number_faults

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}\Z")


def _nothing(_: Any) -> Sequence[Fault]:
    return ()


class RegisterKind(msgspec.Struct, frozen=True):
    """A kind of entry.

    Attributes:
        name: as in the address of the register (``orders``).
        title: for people.
        struct: shape of the body, a ``msgspec.Struct`` that forbids unknown fields.
        check: what is wrong with a body of that shape taken by itself, with ``where`` inside it.
        nameless: who wrote an entry is kept nowhere: it and its audit name the company instead of an account.
    """

    name: str
    title: str
    struct: type[msgspec.Struct]
    check: Callable[[Any], Sequence[Fault]] = _nothing
    nameless: bool = False


class RegisterEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A revision of an entry.

    Attributes:
        party: company that it belongs to; ids are unique within a party and kind.
        revision: from 1 on; ``at`` (ns UTC) and ``by`` say when and by whom it was written.
        body: plain data of the kind's shape.
        removed: the entry ends with this revision.
    """

    kind: str
    id: str
    party: str
    revision: int
    at: int
    by: str
    body: dict[str, Any]
    removed: bool = False


def body_faults(kind: RegisterKind, id: str, body: object) -> list[Fault]:
    """Everything that is wrong with an entry: its id, the first fault of its shape, or all of its content."""
    faults = []
    if not _ID.match(id):
        hint = "Begin with a letter or digit; then letters, digits, '_', '.', ':' and '-', at most 100"
        faults.append(Fault("register:id", f"{id[:120]!r} is no id of an entry", hint, "id"))
    beyond = number_faults(body)
    if beyond:
        return [*faults, *beyond]
    try:
        found = msgspec.convert(body, kind.struct)
    except msgspec.ValidationError as e:
        found_wrong = [shape_fault("register:shape", e, f"See the shape of {kind.name}: GET /api/v1/registers", id)]
    else:
        found_wrong = list(kind.check(found))
    return faults + [msgspec.structs.replace(f, message=f"{id}: {f.message}") for f in found_wrong]
