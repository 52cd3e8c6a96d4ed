"""Verify files that came from a node, without one."""

from __future__ import annotations

from pathlib import Path

import msgspec

from servitwin.domain.agreement import PartyKey
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_instant
from servitwin.engines.history.exported import ExportedObservations
from servitwin.usecases.verify_settlement import Verified, verify_settlement


class _Key(msgspec.Struct):
    """A public key as the API writes it."""

    id: str
    party: str
    public_key: str
    since: str
    revoked: str | None = None


def verify(file: Path, observations: Path | None, keys: Path | None) -> Verified:
    """Check a settlement file; with observations every cent is computed again.

    Raises:
        InvalidInputError: a file cannot be read.
    """
    content = _read(file)
    exported = None if observations is None else ExportedObservations(observations)
    return verify_settlement(content, None if exported is None else exported.series, _keys(keys))


def _keys(path: Path | None) -> list[PartyKey]:
    if path is None:
        return []
    try:
        found = msgspec.json.decode(_read(path), type=list[_Key])
    except (msgspec.DecodeError, msgspec.ValidationError) as e:
        raise InvalidInputError(
            Fault("keys:not-readable", f"{path} holds no public keys: {e}", "Save GET /api/v1/parties/{party}/keys")
        ) from None
    times = [(parse_instant(k.since), None if k.revoked is None else parse_instant(k.revoked)) for k in found]
    return [
        PartyKey(k.id, k.party, k.public_key, since, revoked) for k, (since, revoked) in zip(found, times, strict=True)
    ]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as e:
        raise InvalidInputError(
            Fault("file:unreadable", e.strerror or str(e), "Check the name", file=str(path))
        ) from None
