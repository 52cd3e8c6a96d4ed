"""Parties, their people and programs, and the tasks (roles) they have."""

from __future__ import annotations

from typing import Literal

import msgspec

from servitwin.domain.twin import Dated

PartyKind = Literal["manufacturer", "customer", "partner", "end_user", "verifier", "research", "orchestrator"]
# Roles are tasks, not job titles. "viewer" may read everything its party may read.
Role = Literal[
    "viewer", "operator", "production_manager", "maintenance", "procurement", "technician", "service_manager",
    "sales", "engineer", "trainer", "analyst", "administrator", "machine", "plugin",
]  # fmt: skip


class Business(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an invoice says of a company: EN 16931 BG-4 to BG-8.

    ``country`` is an ISO 3166-1 alpha-2 code, ``vat_id`` begins with it; ``email`` is the electronic address.
    """

    name: str
    country: str
    street: str = ""
    city: str = ""
    postcode: str = ""
    vat_id: str = ""
    company_id: str = ""
    email: str = ""
    iban: str = ""


class Party(msgspec.Struct, frozen=True, omit_defaults=True):
    """A company, institute or person with rights and duties on the platform."""

    id: str
    name: str
    kind: PartyKind = "customer"
    business: Business | None = None


class Account(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person's account. The password is kept as an argon2 hash by the records engine, never here."""

    id: str
    name: str
    party: str
    roles: tuple[Role, ...]
    locale: str = "en"
    disabled: bool = False


class Actor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who does something: a person in the browser, a program with a token, a machine, or servitwin itself."""

    id: str
    kind: Literal["person", "program", "machine", "system"]
    party: str
    roles: tuple[Role, ...] = ()


class Grant(msgspec.Struct, frozen=True, omit_defaults=True):
    """A right given by one party to another on a twin (and what is below it), with dates.

    ``action``: read, command, configure. ``signals``: group of signals as name patterns; empty: all.
    """

    id: str
    grantor: str
    grantee: str
    twin: str
    action: Literal["read", "command", "configure"]
    period: Dated
    signals: tuple[str, ...] = ()
    purpose: str = ""
