"""Signing in: accounts with passwords, tokens of programs, the node's own token. Only hashes are kept."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from servitwin.domain.error import Fault, RefusedError, UnavailableError
from servitwin.domain.instant import HOUR, MINUTE, NS
from servitwin.domain.party import Account, Actor
from servitwin.usecases.audit import Audit
from servitwin.usecases.ports import Records

SESSION_LASTS = 12 * HOUR
FREE_ATTEMPTS = 5
LOCKED_FOR = 15 * MINUTE
_KEPT = 5 * NS  # a look-up is remembered this long; what this process ends is forgotten at once
_SAME_TIME = 2  # password hashes at a time: each takes memory on purpose


class PasswordHasher(Protocol):
    """argon2id, as ``argon2.PasswordHasher`` has it."""

    def hash(self, password: str) -> str:
        """A salted hash with its parameters."""
        ...

    def verify(self, hash: str, password: str) -> bool:
        """True, or raises if the password is another one."""
        ...

    def check_needs_rehash(self, hash: str) -> bool:
        """Whether the hash was made with weaker parameters than today's."""
        ...


@dataclass(frozen=True, slots=True)
class Session:
    """A new session: ``secret`` goes into the cookie and is kept nowhere else."""

    secret: str
    csrf: str
    account: Account
    expires: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. ``csrf`` is set for browsers only: unsafe calls must send it in a header."""

    actor: Actor
    account: Account | None = None
    csrf: str = ""


def secret_hash(secret: str) -> str:
    """SHA-256 of a random 256-bit secret, in hex: slow hashes are for what people can remember."""
    return hashlib.sha256(secret.encode()).hexdigest()


class SignIn:
    """Sessions and tokens of one web process."""

    def __init__(
        self,
        records: Records,
        hasher: PasswordHasher,
        wrong_password: type[Exception],
        now: Callable[[], int],
        new_secret: Callable[[], str],
        node_token_hash: str = "",
    ) -> None:
        self._records = records
        self._hasher = hasher
        self._wrong = wrong_password
        self._now = now
        self._new_secret = new_secret
        self._node_token_hash = node_token_hash
        self._audit = Audit(records, now)
        self._nobody = hasher.hash(new_secret())  # verified when there is no such account, so that time tells nothing
        self._attempts = Attempts(now)
        self._slots = threading.BoundedSemaphore(_SAME_TIME)
        self._known: dict[str, tuple[int, Caller]] = {}

    def start(self, account_id: str, password: str, address: str) -> Session:
        """A session for the right password.

        Raises:
            RefusedError: ``session:wrong-account-or-password``; ``session:too-many-attempts`` after several failures
                for that account or from that address.
            UnavailableError: ``session:busy`` while many sign in at the same time.
        """
        keys = (f"account:{account_id}", f"address:{address}")
        self._attempts.check(keys)
        account = self._records.account(account_id)
        kept = self._records.password_hash(account_id) if account else None
        right = self._verify(kept or self._nobody, password)
        if account is None or kept is None or not right or account.disabled:
            self._attempts.failed(keys)
            who = Actor(account_id[:100], "person", account.party if account else "?")
            self._audit.note(who, "session.refused", account_id[:100], {"address": address})
            raise RefusedError(
                Fault(
                    "session:wrong-account-or-password",
                    "No account with that name and password",
                    "Check both; an administrator can set a new password",
                )
            )
        self._attempts.succeeded(keys)
        if self._hasher.check_needs_rehash(kept):
            self._records.save_account(account, self._hasher.hash(password))
        now = self._now()
        session = Session(self._new_secret(), self._new_secret(), account, now + SESSION_LASTS)
        self._records.add_session(secret_hash(session.secret), account.id, session.csrf, now, session.expires)
        self._audit.note(person(account), "session.start", account.id, {"address": address})
        return session

    def of_session(self, secret: str) -> Caller | None:
        """Who has that session cookie."""

        def look_up(key: str) -> Caller | None:
            found = self._records.session(key, self._now())
            return Caller(person(found[0]), found[0], found[1]) if found else None

        return self._remembered(secret_hash(secret), look_up)

    def of_token(self, secret: str) -> Caller | None:
        """Who has that bearer token."""

        def look_up(key: str) -> Caller | None:
            if self._node_token_hash and hmac.compare_digest(key, self._node_token_hash):
                return Caller(NODE)
            actor = self._records.actor_of_token(key, self._now())
            return Caller(actor) if actor else None

        return self._remembered(secret_hash(secret), look_up)

    def end(self, secret: str, caller: Caller) -> None:
        """End a session now."""
        self._records.end_session(secret_hash(secret))
        self.forget()
        self._audit.note(caller.actor, "session.end", caller.actor.id)

    def forget(self) -> None:
        """Look everything up again: an account, session or token was changed."""
        self._known.clear()

    def hash_password(self, password: str) -> str:
        """The hash to keep of a new password."""
        with self._slots:
            return self._hasher.hash(password)

    def _verify(self, kept: str, password: str) -> bool:
        if not self._slots.acquire(timeout=5):
            raise UnavailableError(Fault("session:busy", "Many are signing in right now", "Try again in a few seconds"))
        try:
            return self._hasher.verify(kept, password)
        except self._wrong:
            return False
        finally:
            self._slots.release()

    def _remembered(self, key: str, look_up: Callable[[str], Caller | None]) -> Caller | None:
        now = self._now()
        known = self._known.get(key)
        if known is not None and now < known[0]:
            return known[1]
        caller = look_up(key)
        if caller is not None:
            if len(self._known) > 10_000:
                self._known.clear()
            self._known[key] = (now + _KEPT, caller)
        return caller


NODE = Actor("node", "system", "", ("administrator",))


def person(account: Account) -> Actor:
    """The actor that an account is."""
    return Actor(account.id, "person", account.party, account.roles)


class Attempts:
    """Failed attempts by account and by address: five are free, then each waits longer, up to a quarter of an hour."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._failed: dict[str, tuple[int, int]] = {}  # key -> (count, not before)
        self._lock = threading.Lock()

    def check(self, keys: tuple[str, ...]) -> None:
        """Refuse while one of the keys has to wait."""
        now = self._now()
        with self._lock:
            wait = max((self._failed.get(k, (0, 0))[1] - now for k in keys), default=0)
        if wait > 0:
            raise RefusedError(
                Fault(
                    "session:too-many-attempts",
                    f"Too many failed attempts; the next one counts in {wait // NS + 1} s",
                    "Wait, or ask an administrator for a new password",
                    str(wait // NS + 1),
                )
            )

    def failed(self, keys: tuple[str, ...]) -> None:
        """Count a failure for each key."""
        now = self._now()
        with self._lock:
            if len(self._failed) > 100_000:
                self._failed = {k: v for k, v in self._failed.items() if v[1] > now}
            for key in keys:
                count = self._failed.get(key, (0, 0))[0] + 1
                # An address serves many people (a plant behind one gateway): it gets ten times the attempts.
                over = count - FREE_ATTEMPTS * (1 if key.startswith("account:") else 10)
                wait = min(LOCKED_FOR, NS << min(over, 20)) if over >= 0 else 0
                self._failed[key] = (count, now + wait)

    def succeeded(self, keys: tuple[str, ...]) -> None:
        """Forget the failures of the account; those of the address stay until they are old."""
        with self._lock:
            for key in keys:
                if key.startswith("account:"):
                    self._failed.pop(key, None)
