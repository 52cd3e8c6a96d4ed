"""Parties, accounts, tokens, sessions, grants and credentials of machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, or_, select, update

from servitwin.domain.party import Account, Actor, Grant, Party
from servitwin.engines.records import tables as t
from servitwin.engines.records.database import put
from servitwin.engines.records.part import Part, decode, encode


class PartyRecords(Part):
    """Who exists and what each may do. Secrets are kept as hashes alone."""

    def parties(self) -> list[Party]:
        """All parties in order of id."""
        with self._database.read() as connection:
            bodies = connection.execute(select(t.parties.c.body).order_by(t.parties.c.id)).scalars()
            return [decode(b, Party) for b in bodies]

    def save_party(self, party: Party) -> None:
        """Add or replace a party."""
        with self._database.write() as connection:
            put(connection, t.parties, {"id": party.id, "body": encode(party)})

    def accounts(self) -> list[Account]:
        """All accounts in order of id, disabled ones included."""
        with self._database.read() as connection:
            bodies = connection.execute(select(t.accounts.c.body).order_by(t.accounts.c.id)).scalars()
            return [decode(b, Account) for b in bodies]

    def account(self, id: str) -> Account | None:
        """The account with that id, or None."""
        with self._database.read() as connection:
            body = connection.execute(select(t.accounts.c.body).where(t.accounts.c.id == id)).scalar()
        return None if body is None else decode(body, Account)

    def save_account(self, account: Account, password_hash: str | None) -> None:
        """Add or replace an account; without a hash the present password stays. Disabling ends its sessions."""
        row: dict[str, Any] = {"id": account.id, "body": encode(account)}
        if password_hash is not None:
            row["password_hash"] = password_hash
        with self._database.write() as connection:
            put(connection, t.accounts, row)
            if account.disabled or password_hash is not None:
                connection.execute(delete(t.sessions).where(t.sessions.c.account == account.id))

    def password_hash(self, account: str) -> str | None:
        """The hash of the account's password, or None if it has none."""
        with self._database.read() as connection:
            return connection.execute(select(t.accounts.c.password_hash).where(t.accounts.c.id == account)).scalar()

    def add_token(self, id: str, secret_hash: str, actor: Actor, created: int, expires: int | None, label: str) -> None:
        """Keep a token of a program; ``actor`` is who acts with it, times in ns UTC."""
        row = {"id": id, "secret_hash": secret_hash, "party": actor.party, "actor": encode(actor)}
        with self._database.write() as connection:
            connection.execute(t.tokens.insert().values(**row, created=created, expires=expires, label=label))

    def actor_of_token(self, secret_hash: str, at: int) -> Actor | None:
        """Who acts with that token at that instant; None if it is unknown, expired or revoked."""
        c = t.tokens.c
        query = select(c.actor).where(
            c.secret_hash == secret_hash,
            or_(c.expires.is_(None), c.expires > at),
            or_(c.revoked.is_(None), c.revoked > at),
        )
        with self._database.read() as connection:
            body = connection.execute(query).scalar()
        return None if body is None else decode(body, Actor)

    def tokens(self, party: str) -> list[dict[str, Any]]:
        """Tokens of a party (empty: of all), oldest first: id, label, actor, created, expires, revoked."""
        c = t.tokens.c
        query = select(t.tokens).order_by(c.created, c.id)
        if party:
            query = query.where(c.party == party)
        with self._database.read() as connection:
            return [
                {
                    "id": r.id,
                    "label": r.label,
                    "actor": decode(r.actor, Actor),
                    "created": r.created,
                    "expires": r.expires,
                    "revoked": r.revoked,
                }
                for r in connection.execute(query)
            ]

    def revoke_token(self, id: str, at: int) -> None:
        """From that instant on the token is worth nothing; a second call does not move the instant."""
        c = t.tokens.c
        with self._database.write() as connection:
            connection.execute(update(t.tokens).where(c.id == id, c.revoked.is_(None)).values(revoked=at))

    def add_session(self, id_hash: str, account: str, csrf: str, created: int, expires: int) -> None:
        """Keep a browser session, and forget those that had expired when it began."""
        row = {"id_hash": id_hash, "account": account, "csrf": csrf, "created": created, "expires": expires}
        with self._database.write() as connection:
            connection.execute(delete(t.sessions).where(t.sessions.c.expires <= created))
            connection.execute(t.sessions.insert().values(**row))

    def session(self, id_hash: str, at: int) -> tuple[Account, str] | None:
        """Account and CSRF token of a session that has not expired and whose account is not disabled."""
        s, a = t.sessions.c, t.accounts.c
        query = (
            select(a.body, s.csrf)
            .join_from(t.sessions, t.accounts, s.account == a.id)
            .where(s.id_hash == id_hash, s.expires > at)
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        account = decode(row.body, Account)
        return None if account.disabled else (account, row.csrf)

    def end_session(self, id_hash: str) -> None:
        """Forget a session."""
        with self._database.write() as connection:
            connection.execute(delete(t.sessions).where(t.sessions.c.id_hash == id_hash))

    def grants(self, at: int) -> list[Grant]:
        """Grants that hold at that instant, in order of id."""
        c = t.grants.c
        query = select(c.body).where(c.start_ns <= at, or_(c.end_ns.is_(None), c.end_ns > at)).order_by(c.id)
        with self._database.read() as connection:
            return [decode(b, Grant) for b in connection.execute(query).scalars()]

    def save_grant(self, grant: Grant) -> None:
        """Add or replace a grant; one is withdrawn by giving its period an end."""
        row = {"id": grant.id, "grantee": grant.grantee, "body": encode(grant)}
        with self._database.write() as connection:
            put(connection, t.grants, {**row, "start_ns": grant.period.start, "end_ns": grant.period.end})

    def machine_credential(self, user: str) -> tuple[str, list[str]] | None:
        """Hash of a machine's secret and the ids of the twins it may speak for."""
        c = t.machine_credentials.c
        with self._database.read() as connection:
            row = connection.execute(select(t.machine_credentials).where(c.user_name == user)).first()
        return None if row is None else (row.secret_hash, decode(row.twins, list[str]))

    def machine_credentials(self) -> list[tuple[str, str, list[str]]]:
        """All users of machines: name, hash, ids of twins."""
        query = select(t.machine_credentials).order_by(t.machine_credentials.c.user_name)
        with self._database.read() as connection:
            return [(r.user_name, r.secret_hash, decode(r.twins, list[str])) for r in connection.execute(query)]

    def save_machine_credential(self, user: str, secret_hash: str, twins: Sequence[str]) -> None:
        """Add or replace a machine's credential."""
        row = {"user_name": user, "secret_hash": secret_hash, "twins": encode(list(twins))}
        with self._database.write() as connection:
            put(connection, t.machine_credentials, row)
