"""Administration: parties, accounts, tokens, grants, credentials of machines, audit."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Response

from servitwin.domain.party import Account, Actor, Grant, Party
from servitwin.web.api.answers import answer, at, from_cursor, page_of, time_of, to_cursor
from servitwin.web.api.callers import Me, Parts, known_twin
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.access import (
    AccountEntry,
    AccountIn,
    AuditEntry,
    CredentialCreated,
    CredentialIn,
    CredentialShape,
    GrantIn,
    GrantShape,
    PartyShape,
    TokenCreated,
    TokenIn,
    TokenShape,
)
from servitwin.web.api.shapes.base import Done, Page

router = router_of("administration")
Limit = Annotated[int, Query(ge=1, le=1000)]


# parties -----------------------------------------------------------------------------------------------------
@router.get("/parties", response_model=Page[PartyShape])
def list_parties(parts: Parts, me: Me, limit: Limit = 100, cursor: str | None = None) -> Response:
    """Parties: all for administrators of the node, else one's own and those that share a grant with it."""
    parties = parts.records.parties()
    if not parts.authoriser.may_administer(me, ""):
        grants = parts.records.grants(parts.now())
        near = {me.party} | {g.grantor for g in grants if g.grantee == me.party}
        near |= {g.grantee for g in grants if g.grantor == me.party}
        parties = [p for p in parties if p.id in near]
    items, following = page_of(parties, limit, cursor, lambda p: p.id)
    return answer({"items": items_of(items), "next": following})


def items_of(parties: list[Party]) -> list[dict[str, Any]]:
    """Parties as the API shows them."""
    return [{"id": p.id, "name": p.name, "kind": p.kind} for p in parties]


@router.post("/parties", response_model=PartyShape, status_code=201)
def save_party(parts: Parts, me: Me, body: PartyShape) -> Response:
    """Add a party, or change its name and kind."""
    party = Party(body.id, body.name, body.kind)
    is_new = parts.access.save_party(me, party)
    return answer(items_of([party])[0], 201 if is_new else 200)


# accounts ----------------------------------------------------------------------------------------------------
@router.get("/accounts", response_model=Page[AccountEntry])
def list_accounts(parts: Parts, me: Me, limit: Limit = 100, cursor: str | None = None) -> Response:
    """Accounts of the parties that the caller administers."""
    may = _administered(parts, me)
    found = [a for a in parts.records.accounts() if may(a.party)]
    items, following = page_of(found, limit, cursor, lambda a: a.id)
    return answer({"items": [_account(a) for a in items], "next": following})


@router.post("/accounts", response_model=AccountEntry, status_code=201)
def save_account(parts: Parts, me: Me, body: AccountIn) -> Response:
    """Add an account, or change it; a new password ends its sessions."""
    account = Account(body.id, body.name, body.party, tuple(body.roles), body.locale, body.disabled)
    is_new = parts.access.save_account(me, account, body.password)
    return answer(_account(account), 201 if is_new else 200)


def _account(a: Account) -> dict[str, Any]:
    return {"id": a.id, "name": a.name, "party": a.party, "roles": a.roles, "locale": a.locale, "disabled": a.disabled}


# tokens ------------------------------------------------------------------------------------------------------
@router.get("/tokens", response_model=Page[TokenShape])
def list_tokens(parts: Parts, me: Me, limit: Limit = 100, cursor: str | None = None) -> Response:
    """Tokens of the parties that the caller administers; secrets are never shown again."""
    may = _administered(parts, me)
    found = sorted((t for t in parts.records.tokens("") if may(t["actor"].party)), key=lambda t: str(t["id"]))
    items, following = page_of(found, limit, cursor, lambda t: t["id"])
    return answer({"items": [_token(t) for t in items], "next": following})


@router.post("/tokens", response_model=TokenCreated, status_code=201)
def create_token(parts: Parts, me: Me, body: TokenIn) -> Response:
    """Make a token for a program; it is shown this once and kept as a hash."""
    expires = None if body.expires is None else time_of(body.expires, "expires")
    party = me.party if body.party is None else body.party
    id, secret, created = parts.access.create_token(me, party, body.roles, body.label, expires)
    actor = Actor(id, "program", party, tuple(body.roles))
    row = {"id": id, "label": body.label, "actor": actor, "created": created, "expires": expires, "revoked": None}
    return answer({**_token(row), "token": secret}, 201)


@router.delete("/tokens/{id}", response_model=Done)
def revoke_token(parts: Parts, me: Me, id: str) -> Response:
    """Revoke a token; it is worth nothing from now on."""
    parts.access.revoke_token(me, id)
    return answer({"done": True})


def _token(row: dict[str, Any]) -> dict[str, Any]:
    actor: Actor = row["actor"]
    return {
        "id": row["id"],
        "label": row["label"],
        "party": actor.party,
        "roles": actor.roles,
        "created": at(row["created"]),
        "expires": at(row["expires"]),
        "revoked": at(row["revoked"]),
    }


# grants ------------------------------------------------------------------------------------------------------
@router.get("/grants", response_model=Page[GrantShape])
def list_grants(parts: Parts, me: Me, limit: Limit = 100, cursor: str | None = None) -> Response:
    """Grants that hold now, given or received by the parties that the caller administers."""
    may = _administered(parts, me)
    found = [g for g in parts.records.grants(parts.now()) if may(g.grantor) or may(g.grantee)]
    items, following = page_of(found, limit, cursor, lambda g: g.id)
    return answer({"items": [_grant(g) for g in items], "next": following})


@router.post("/grants", response_model=GrantShape, status_code=201)
def create_grant(parts: Parts, me: Me, body: GrantIn) -> Response:
    """Give another party a right on what you own of a twin and below it, with dates."""
    grant = parts.access.create_grant(
        me,
        known_twin(parts, me, body.twin),
        body.grantee,
        body.action,
        grantor=me.party if body.grantor is None else body.grantor,
        start=None if body.from_ is None else time_of(body.from_, "from"),
        end=None if body.to is None else time_of(body.to, "to"),
        signals=body.signals,
        purpose=body.purpose,
    )
    return answer(_grant(grant), 201)


@router.delete("/grants/{id}", response_model=Done)
def end_grant(parts: Parts, me: Me, id: str) -> Response:
    """Withdraw a grant now."""
    parts.access.end_grant(me, id)
    return answer({"done": True})


def _grant(g: Grant) -> dict[str, Any]:
    return {
        "id": g.id, "grantor": g.grantor, "grantee": g.grantee, "twin": g.twin, "action": g.action,
        "signals": g.signals, "purpose": g.purpose, "from": at(g.period.start), "to": at(g.period.end),
    }  # fmt: skip


# credentials of machines -------------------------------------------------------------------------------------
@router.get("/machine-credentials", response_model=Page[CredentialShape])
def list_machine_credentials(parts: Parts, me: Me, limit: Limit = 100, cursor: str | None = None) -> Response:
    """MQTT users of machines that the caller may configure."""
    found = []
    for user, _, ids in parts.records.machine_credentials():
        twins = [t for id in ids if (t := parts.registry.by_id(id)) is not None]
        parties = [id[1:] for id in ids if id.startswith("@")]
        mine = all(parts.authoriser.may(me, "configure", t) for t in twins)
        if (twins or parties) and mine and all(parts.authoriser.may_administer(me, p) for p in parties):
            found.append({"user": user, "twins": ids})
    items, following = page_of(found, limit, cursor, lambda c: str(c["user"]))
    return answer({"items": items, "next": following})


@router.post("/machine-credentials", response_model=CredentialCreated, status_code=201)
def save_machine_credential(parts: Parts, me: Me, body: CredentialIn) -> Response:
    """Create or rotate the MQTT password of a machine; it is shown this once. The bus knows it within a second."""
    twins = [known_twin(parts, me, id) for id in dict.fromkeys(body.twins)]
    password = parts.access.save_machine_credential(me, body.user, twins, parts.hash_machine_secret, body.parties)
    parts.machines_changed()
    heard = [*(t.id for t in twins), *(f"@{p}" for p in body.parties)]
    return answer({"user": body.user, "twins": heard, "password": password}, 201)


# audit -------------------------------------------------------------------------------------------------------
@router.get("/audit", response_model=Page[AuditEntry])
def list_audit(
    parts: Parts, me: Me, subject: str | None = None, limit: Limit = 100, cursor: str | None = None
) -> Response:
    """Who did what, newest first: all for administrators of the node, else what concerns one's own party."""
    everything = parts.authoriser.may_administer(me, "")
    if not everything:
        parts.authoriser.require_administer(me, me.party)
    shown: list[dict[str, Any]] = []
    after = from_cursor(cursor)
    if after and not (after.isascii() and after.isdigit()):
        after = "0"
    while True:
        rows = parts.records.audit_entries(after=after, limit=500, subject=subject or "")
        for row in rows:
            after = row["id"]
            if everything or row["actor"].party == me.party or _own_subject(parts, me, row["subject"]):
                shown.append(_entry(row))
            if len(shown) == limit:
                return answer({"items": shown, "next": to_cursor(after)})
        if len(rows) < 500:
            return answer({"items": shown, "next": None})


def _own_subject(parts: WebParts, me: Actor, subject: str) -> bool:
    twin = parts.registry.by_id(subject)
    return twin is not None and parts.authoriser.may(me, "configure", twin)


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    actor: Actor = row["actor"]
    return {
        "id": row["id"], "at": at(row["at"]), "actor": actor.id, "kind": actor.kind, "party": actor.party,
        "action": row["action"], "subject": row["subject"], "detail": row["detail"],
    }  # fmt: skip


def _administered(parts: WebParts, me: Actor) -> Any:
    """Test whether the caller administers a party; refused at once if it administers none."""
    if not parts.authoriser.may_administer(me, ""):
        parts.authoriser.require_administer(me, me.party)
    return lambda party: parts.authoriser.may_administer(me, party)
