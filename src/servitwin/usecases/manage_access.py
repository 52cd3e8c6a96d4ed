"""Accounts, parties, tokens, grants and credentials of machines: each change is permitted, kept and audited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from servitwin.domain.error import Fault, InvalidInputError, NotFoundError
from servitwin.domain.party import Account, Actor, Grant, Party, Role
from servitwin.domain.twin import Dated, Twin
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser, not_permitted, unknown_twin
from servitwin.usecases.ports import Records
from servitwin.usecases.sign_in import SignIn, secret_hash


class ManageAccess:
    """What administrators do. The authoriser decides; nothing here is done before it has said yes."""

    def __init__(
        self,
        records: Records,
        authoriser: Authoriser,
        sign_in: SignIn,
        now: Callable[[], int],
        new_id: Callable[[], str],
        new_secret: Callable[[], str],
    ) -> None:
        self._records = records
        self._authoriser = authoriser
        self._sign_in = sign_in
        self._now = now
        self._new_id = new_id
        self._new_secret = new_secret
        self._audit = Audit(records, now)

    def save_party(self, actor: Actor, party: Party) -> bool:
        """Add or change a party; True if it is new. Only administrators of the node may."""
        self._authoriser.require_administer(actor, "")
        is_new = all(p.id != party.id for p in self._records.parties())
        self._records.save_party(party)
        self._authoriser.forget()
        self._audit.note(actor, "party.save", party.id, {"name": party.name, "kind": party.kind})
        return is_new

    def save_account(self, actor: Actor, account: Account, password: str | None) -> bool:
        """Add or change an account; True if it is new.

        Raises:
            InvalidInputError: ``party:unknown``, ``account:password-missing``.
            RefusedError: ``access:not-permitted``, also for moving an account between parties.
        """
        self._authoriser.require_administer(actor, account.party)
        self._known_party(account.party)
        present = self._records.account(account.id)
        if present is not None:
            self._authoriser.require_administer(actor, present.party)
        elif password is None:
            raise InvalidInputError(
                Fault("account:password-missing", "A new account needs a password", "Send `password`", "password")
            )
        self._records.save_account(account, None if password is None else self._sign_in.hash_password(password))
        self._sign_in.forget()
        self._audit.note(
            actor,
            "account.save",
            account.id,
            {"party": account.party, "roles": list(account.roles), "disabled": account.disabled,
             "password_changed": password is not None},
        )  # fmt: skip
        return present is None

    def create_token(
        self, actor: Actor, party: str, roles: Sequence[Role], label: str, expires: int | None
    ) -> tuple[str, str, int]:
        """Id, secret (shown this once) and time of a new token."""
        self._authoriser.require_administer(actor, party)
        if party:
            self._known_party(party)
        now = self._now()
        if expires is not None and expires <= now:
            raise InvalidInputError(
                Fault("token:expired", "The token would have expired already", "Name a later time", "expires")
            )
        id, secret = self._new_id(), f"swt_{self._new_secret()}"
        program = Actor(f"token:{id}", "program", party, tuple(roles))
        self._records.add_token(id, secret_hash(secret), program, now, expires, label)
        self._audit.note(actor, "token.create", id, {"party": party, "roles": list(roles), "label": label})
        return id, secret, now

    def revoke_token(self, actor: Actor, id: str) -> None:
        """From now on the token is worth nothing.

        Raises:
            NotFoundError: ``token:unknown``, also for tokens of parties the actor does not administer.
        """
        found = next((t for t in self._records.tokens("") if t["id"] == id), None)
        if found is None or not self._authoriser.may_administer(actor, found["actor"].party):
            raise NotFoundError(Fault("token:unknown", f"There is no token {id[:80]!r}", "GET /api/v1/tokens", "id"))
        self._records.revoke_token(id, self._now())
        self._sign_in.forget()
        self._audit.note(actor, "token.revoke", id)

    def create_grant(
        self,
        actor: Actor,
        twin: Twin,
        grantee: str,
        action: Literal["read", "command", "configure"],
        *,
        grantor: str,
        start: int | None = None,
        end: int | None = None,
        signals: Sequence[str] = (),
        purpose: str = "",
    ) -> Grant:
        """Give a right on what ``grantor`` owns of a twin and below it.

        Raises:
            NotFoundError: ``twin:unknown``.
            InvalidInputError: ``party:unknown``, ``grant:signals-only-for-read``, ``grant:ends-before-it-starts``.
            RefusedError: ``access:not-permitted``.
        """
        self._authoriser.require_administer(actor, grantor)
        if not self._authoriser.knows(actor, twin):
            raise unknown_twin(twin.id)
        self._known_party(grantee)
        if signals and action != "read":
            raise InvalidInputError(
                Fault("grant:signals-only-for-read", "Only reading can be limited to signals", "Leave `signals` out")
            )
        begins = self._now() if start is None else start
        if end is not None and end <= begins:
            raise InvalidInputError(
                Fault("grant:ends-before-it-starts", "The grant would end before it starts", "Swap the times", "to")
            )
        grant = Grant(
            id=self._new_id(),
            grantor=grantor,
            grantee=grantee,
            twin=twin.id,
            action=action,
            period=Dated(action, begins, end),
            signals=tuple(signals),
            purpose=purpose,
        )
        self._records.save_grant(grant)
        self._authoriser.forget()
        self._audit.note(
            actor, "grant.create", twin.id,
            {"id": grant.id, "grantor": grantor, "grantee": grantee, "action": action, "signals": list(signals)},
        )  # fmt: skip
        return grant

    def end_grant(self, actor: Actor, id: str) -> None:
        """Withdraw a grant now."""
        now = self._now()
        grant = next((g for g in self._records.grants(now) if g.id == id), None)
        if grant is None or not self._authoriser.may_administer(actor, grant.grantor):
            raise NotFoundError(Fault("grant:unknown", f"There is no grant {id[:80]!r}", "GET /api/v1/grants", "id"))
        ended = Grant(
            grant.id, grant.grantor, grant.grantee, grant.twin, grant.action,
            Dated(grant.period.value, grant.period.start, now), grant.signals, grant.purpose,
        )  # fmt: skip
        self._records.save_grant(ended)
        self._authoriser.forget()
        self._audit.note(actor, "grant.end", grant.twin, {"id": id})

    def save_machine_credential(
        self,
        actor: Actor,
        user: str,
        twins: Sequence[Twin],
        hash_secret: Callable[[str], str],
        parties: Sequence[str] = (),
    ) -> str:
        """Create or rotate the MQTT password of a machine or program and return it, this once.

        ``parties``: those whose events it hears beside those of its twins.

        Raises:
            RefusedError: ``access:not-permitted`` unless the actor may configure every twin named, and every twin
                that the user may speak for now, and administers every party whose events it hears.
        """
        if not (twins or parties):
            hint = "Name its twins, or parties whose events it hears"
            raise InvalidInputError(Fault("credential:nothing", "It could neither speak nor hear", hint, "twins"))
        for twin in twins:
            self._authoriser.require(actor, "configure", twin)
        for party in parties:
            self._authoriser.require_administer(actor, party)
            self._known_party(party)
        present = self._records.machine_credential(user)
        if present is not None:
            for id in present[1]:
                if id.startswith("@"):
                    self._authoriser.require_administer(actor, id[1:])
                held = self._records.twin(id)
                if held is not None and not self._authoriser.may(actor, "configure", held):
                    raise not_permitted("rotate", f"the credential {user}")
        secret = self._new_secret()
        heard = [*(t.id for t in twins), *(f"@{p}" for p in parties)]
        self._records.save_machine_credential(user, hash_secret(secret), heard)
        self._audit.note(actor, "credential.save", user, {"twins": heard, "rotated": bool(present)})
        return secret

    def _known_party(self, party: str) -> None:
        if all(p.id != party for p in self._records.parties()):
            raise InvalidInputError(
                Fault("party:unknown", f"There is no party {party[:80]!r}", "GET /api/v1/parties lists them", "party")
            )
