"""Register, replace and revoke the public keys of machines; each is a statement in the evidence log."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError
from servitwin.domain.instant import NS, format_instant
from servitwin.domain.machine_key import MachineKey
from servitwin.domain.party import Actor
from servitwin.domain.twin import Twin
from servitwin.proof.log.statement import Subject, exact_instant
from servitwin.sdk.signed_payload import key_id
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.machine_time import GROUPS
from servitwin.usecases.ports import Records
from servitwin.usecases.state_evidence import StateEvidence

#: Every process of the node has heard of a new key by then; until then unsigned messages may still be taken.
NOTICE = 10 * NS
_LONGEST_NAME = 200


class KeepMachineKeys:
    """Whoever may configure a machine keeps its keys; the private ones stay at the gateways and are never sent here."""

    def __init__(
        self,
        records: Records,
        authoriser: Authoriser,
        audit: Audit,
        evidence: StateEvidence,
        now: Callable[[], int],
    ) -> None:
        self._records, self._authoriser, self._audit = records, authoriser, audit
        self._evidence, self._now = evidence, now

    def of(self, twin: Twin) -> Sequence[MachineKey]:
        """Keys of a machine in the order in which they begin to count, revoked ones included."""
        return self._records.machine_keys().get(twin.uid, ())

    def register(
        self, actor: Actor, twin: Twin, public_key: str, name: str, since: int | None = None, replaces: str = ""
    ) -> MachineKey:
        """Let signatures of a key count from ``since`` on (ns UTC; default: in ten seconds), and demand them.

        ``replaces``: id of a key that counts no more from then on.

        Raises:
            RefusedError: ``access:not-permitted``.
            InvalidInputError: ``machine-key:malformed``, ``machine-key:too-soon``, ``machine-key:name``,
                ``machine-key:no-machine`` for a line or another group.
            ConflictError: ``machine-key:taken`` if it is a key of this machine or of another already.
            NotFoundError: ``machine-key:unknown``: there is no such key to replace.
        """
        self._authoriser.require(actor, "configure", twin)
        if twin.kind in GROUPS:
            raise InvalidInputError(
                Fault("machine-key:no-machine", f"{twin.id} is a {twin.kind}: the node itself says what it sums up",
                      "Register the key at the machine that sends", "twin")
            )  # fmt: skip
        id, now = key_id(public_key), self._now()
        begin = now + NOTICE if since is None else since
        if begin < now + NOTICE:
            earliest = format_instant(now + NOTICE)
            raise InvalidInputError(
                Fault(
                    "machine-key:too-soon", f"A key counts from {earliest} on at the earliest",
                    "What came in before cannot be judged again: leave `since` out", "since",
                )
            )  # fmt: skip
        if not name.strip() or len(name) > _LONGEST_NAME:
            raise InvalidInputError(
                Fault("machine-key:name", "It is not said what holds the key", "Name the gateway", "name")
            )
        with self._records.together("machine-keys"):
            keys = self._records.machine_keys()
            if any(k.id == id for all in keys.values() for k in all):
                raise ConflictError(
                    Fault("machine-key:taken", f"The key {id} is registered already", "Make a new pair", "public_key")
                )
            old = _named(keys.get(twin.uid, ()), replaces, twin) if replaces else None
            key = MachineKey(id, twin.uid, public_key, name.strip(), begin, actor.id)
            self._records.save_machine_key(key)
            said = {"key": id, "public_key": public_key, "name": key.name, "since": exact_instant(begin)}
            self._evidence.state("machine-key", Subject(twin=twin.uid), now, said)
            if old is not None:
                self._revoke(old, begin, f"replaced by {id}", unsigned=True, now=now)
        self._audit.note(actor, "machine-key.register", twin.id, {"key": id, "replaces": replaces})
        return key

    def revoke(
        self, actor: Actor, twin: Twin, id: str, reason: str, since: int | None = None, *, unsigned: bool = False
    ) -> MachineKey:
        """Let signatures of a key count for nothing from ``since`` on (default: now).

        It may reach back: what was taken stays, and the statement says that it bore a key that counts for nothing.
        ``unsigned``: this key demands no signatures any more; else a machine without another key is not heard.

        Raises:
            RefusedError: ``access:not-permitted``.
            NotFoundError: ``machine-key:unknown``.
            ConflictError: ``machine-key:revoked``.
            InvalidInputError: ``machine-key:reason-missing``, ``machine-key:in-future``.
        """
        self._authoriser.require(actor, "configure", twin)
        now = self._now()
        begin = now if since is None else since
        if not reason.strip():
            raise InvalidInputError(Fault("machine-key:reason-missing", "It is not said why", "Say why", "reason"))
        if begin > now + NOTICE:
            raise InvalidInputError(
                Fault("machine-key:in-future", "A key is revoked now, or for the past", "Leave `from` out", "from")
            )
        with self._records.together("machine-keys"):
            key = _named(self.of(twin), id, twin)
            if key.revoked is not None:
                raise ConflictError(Fault("machine-key:revoked", f"The key {id} is revoked already", where="key"))
            done = self._revoke(key, begin, reason.strip(), unsigned=unsigned, now=now)
        self._audit.note(actor, "machine-key.revoke", twin.id, {"key": id, "reason": reason, "unsigned": unsigned})
        return done

    def _revoke(self, key: MachineKey, begin: int, reason: str, *, unsigned: bool, now: int) -> MachineKey:
        released = max(begin, now) if unsigned else None
        done = msgspec.structs.replace(key, revoked=begin, released=released, reason=reason)
        self._records.save_machine_key(done)
        said = {"key": key.id, "from": exact_instant(begin), "reason": reason, "unsigned": unsigned}
        self._evidence.state("machine-key-revoked", Subject(twin=key.twin), now, said)
        return done


def _named(keys: Sequence[MachineKey], id: str, twin: Twin) -> MachineKey:
    found = next((k for k in keys if k.id == id), None)
    if found is None:
        raise NotFoundError(
            Fault("machine-key:unknown", f"{twin.id} has no key {id[:40]!r}", "See its list of keys", "key")
        )
    return found
