"""Keys of machines: a gateway signs what it sends, and whoever holds its private key speaks for the machine."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

PURPOSE = "observations"


class MachineKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """A public key (Ed25519, base64) of a machine's gateway; the private one never leaves the gateway.

    Attributes:
        twin: uid of the machine.
        name: what holds the private key, in people's words.
        since: from then on (ns UTC, by the node's clock of receipt) its signatures count, and unsigned messages of the
            machine are refused.
        by: account that registered it.
        revoked: from then on its signatures count for nothing; None: they count.
        released: from then on this key does not demand any more that the machine signs; None: it does.
        reason: why it was revoked.
    """

    id: str
    twin: str
    public_key: str
    name: str
    since: int
    by: str = ""
    revoked: int | None = None
    released: int | None = None
    reason: str = ""

    def counts(self, at: int) -> bool:
        """Whether its signature counts under what was received at that instant."""
        return self.since <= at and (self.revoked is None or at < self.revoked)

    def demands(self, at: int) -> bool:
        """Whether, because of this key, what was received at that instant has to be signed."""
        return self.since <= at and (self.released is None or at < self.released)


def is_demanded(keys: Iterable[MachineKey], at: int) -> bool:
    """Whether a machine with these keys has to sign what is received at that instant.

    A key that was revoked demands on: a machine whose last key was stolen says nothing until it has a new one, unless
    somebody decided otherwise.
    """
    return any(key.demands(at) for key in keys)
