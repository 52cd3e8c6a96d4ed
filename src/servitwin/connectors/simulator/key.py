"""A simulated machine's own key: made at its first start, kept beside its state, never sent."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from servitwin.domain.error import Fault, InvalidInputError


def machine_key(folder: Path, twin: str) -> Ed25519PrivateKey:
    """The private key of a machine (``<twin>.key``, 32 bytes, readable by its owner alone); made if there is none.

    Raises:
        InvalidInputError: ``simulator:key-damaged``.
    """
    path = folder / f"{twin}.key"
    try:
        return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    except FileNotFoundError:
        pass
    except ValueError as e:
        fault = Fault("simulator:key-damaged", f"{path} is no key: {e}", "Remove it: a new one is made", "key")
        raise InvalidInputError(fault) from None
    key = Ed25519PrivateKey.generate()
    raw = key.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
    fresh = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    return key
