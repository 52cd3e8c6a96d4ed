"""Shapes of accounts, sessions, tokens, credentials, grants, parties and audit."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from servitwin.web.api.shapes.base import Evidence, Instant, InstantIn, Shape

RoleName = Literal[
    "viewer", "operator", "production_manager", "maintenance", "procurement", "technician", "service_manager",
    "sales", "engineer", "trainer", "analyst", "administrator", "machine", "plugin",
]  # fmt: skip
PartyKindName = Literal["manufacturer", "customer", "partner", "end_user", "verifier", "research", "orchestrator"]


class SignIn(Shape):
    """Name and password of a local account."""

    account: str = Field(max_length=200, examples=["anna"])
    password: str = Field(max_length=1000, json_schema_extra={"format": "password"})


class AccountShape(Shape):
    """A person's account."""

    id: str = Field(examples=["anna"])
    name: str = Field(examples=["Anna Laine"])
    party: str = Field(examples=["acme"])
    roles: list[RoleName]
    locale: str = Field(examples=["en"])


class AccountEntry(AccountShape):
    """An account as administration sees it."""

    disabled: bool


class SessionAnswer(Shape):
    """Who is signed in; send ``csrf`` as header ``X-CSRF-Token`` with every unsafe call."""

    account: AccountShape
    csrf: str
    anonymous: bool = Field(False, description="true: nobody signed in, the node gives every caller this role")
    time_zone: str | None = Field(
        None, description="zone of the plant's calendars, in which times are shown", examples=["Europe/Helsinki"]
    )


class AccountIn(Shape):
    """A new account, or changes to one; without a password an existing one stays."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._@-]{0,99}$")
    name: str = Field(max_length=200)
    party: str
    roles: list[RoleName] = Field(min_length=1)
    locale: str = Field("en", pattern=r"^[a-z]{2}(-[A-Z]{2})?$")
    disabled: bool = False
    password: str | None = Field(None, min_length=10, max_length=1000, json_schema_extra={"format": "password"})


class PartyShape(Shape):
    """A company, institute or person with rights and duties on the platform."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$", examples=["acme"])
    name: str = Field(max_length=200)
    kind: PartyKindName = "customer"


class TokenIn(Shape):
    """A token for a program; it may do what its roles may do within its party."""

    label: str = Field(min_length=1, max_length=200, examples=["MES import"])
    roles: list[RoleName] = Field(min_length=1)
    party: str | None = Field(None, description="default: the caller's own party")
    expires: InstantIn | None = None


class TokenShape(Shape):
    """A token without its secret."""

    id: str
    label: str
    party: str
    roles: list[RoleName]
    created: Instant
    expires: Instant | None
    revoked: Instant | None


class TokenCreated(TokenShape):
    """A new token; ``token`` is shown this once."""

    token: str


class CredentialIn(Shape):
    """Create the MQTT credential of a machine, or rotate it."""

    user: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$", examples=["mill-1"])
    twins: list[str] = Field(max_length=1000, description="twins it may publish for, and hear commands and events of")
    parties: list[str] = Field(default_factory=list, max_length=20, description="parties whose events it may hear")


class CredentialShape(Shape):
    """An MQTT user and the twins it may publish for and receive commands of; `@party`: whose events it hears."""

    user: str
    twins: list[str]


class CredentialCreated(CredentialShape):
    """A new or rotated credential; ``password`` is shown this once."""

    password: str


class GrantIn(Shape):
    """A right given to another party on a twin and what is below it."""

    grantee: str
    twin: str
    action: Literal["read", "command", "configure"]
    signals: list[str] = Field([], description="name patterns (`spindle.*`); empty: all")
    purpose: str = Field("", max_length=500)
    from_: InstantIn | None = Field(None, alias="from")
    to: InstantIn | None = None
    grantor: str | None = Field(None, description="default: the caller's own party")


class GrantShape(Shape):
    """A right given by one party to another."""

    id: str
    grantor: str
    grantee: str
    twin: str
    action: Literal["read", "command", "configure"]
    signals: list[str]
    purpose: str
    from_: Instant = Field(alias="from")
    to: Instant | None


class AuditEntry(Shape):
    """Who saw, did or changed what."""

    id: str
    at: Instant
    actor: str
    kind: str
    party: str
    action: str = Field(examples=["session.start"])
    subject: str
    detail: Evidence
