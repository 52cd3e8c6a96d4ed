"""Sign for a party: with its key on this node, or with a signature that it made elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from servitwin.domain.agreement import PartyKey, Signature, signed_text
from servitwin.domain.error import ConflictError, Fault, InvalidInputError
from servitwin.domain.party import Actor
from servitwin.formats.signature import is_valid, key_id
from servitwin.usecases.ports import Records, SigningKeys


class Sign:
    """Keeps signatures under digests, each party's once."""

    def __init__(self, records: Records, keys: SigningKeys, now: Callable[[], int]) -> None:
        self._records = records
        self._keys = keys
        self._now = now

    def sign(self, purpose: str, digest: str, party: str, actor: Actor) -> Signature:
        """Sign with the party's key on this node; the same again gives the signature that is there."""
        present = self._present(digest, party)
        if present is not None:
            return present
        at = self._now()
        public, signed = self._keys.sign(party, signed_text(purpose, digest))
        known = {k.id for k in self._records.party_keys(party)}
        if key_id(public) not in known:
            self._records.save_party_key(PartyKey(key_id(public), party, public, at))
        self._require_usable(key_id(public), party, at)
        signature = Signature(digest, party, key_id(public), signed, actor.id, at)
        self._records.add_signature(signature)
        return self._present(digest, party) or signature

    def add(self, purpose: str, digest: str, party: str, public_key: str, signature: str, actor: Actor) -> Signature:
        """Keep a signature that the party made with a key of its own, which never was on this node.

        Raises:
            InvalidInputError: ``signature:invalid``.
            ConflictError: ``signature:key-of-other``, ``signature:key-revoked``.
        """
        present = self._present(digest, party)
        if present is not None:
            return present
        at = self._now()
        try:
            found = Signature(digest, party, key_id(public_key), signature, actor.id, at)
        except ValueError:
            raise _invalid("The public key is no base64 of 32 bytes") from None
        if not is_valid(found, public_key, purpose):
            raise _invalid("The signature does not fit the digest, the key and the purpose")
        owner = next((k for k in self._records.party_keys() if k.id == found.key), None)
        if owner is not None and owner.party != party:
            raise ConflictError(
                Fault(
                    "signature:key-of-other", f"That key belongs to {owner.party}", "Sign with a key of your own", "key"
                )
            )
        self._records.save_party_key(PartyKey(found.key, party, public_key, at))
        self._require_usable(found.key, party, at)
        self._records.add_signature(found)
        return self._present(digest, party) or found

    def _present(self, digest: str, party: str) -> Signature | None:
        return next((s for s in self._records.signatures_of(digest) if s.party == party), None)

    def _require_usable(self, key: str, party: str, at: int) -> None:
        found = next(k for k in self._records.party_keys(party) if k.id == key)
        if found.revoked is not None and found.revoked <= at:
            raise ConflictError(
                Fault("signature:key-revoked", f"That key of {party} is revoked", "Sign with its present key", "key")
            )


def _invalid(message: str) -> InvalidInputError:
    return InvalidInputError(
        Fault("signature:invalid", message, "Sign the text `servitwin PURPOSE DIGEST` with Ed25519", "signature")
    )
