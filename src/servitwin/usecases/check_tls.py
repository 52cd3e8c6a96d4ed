"""Checks the certificate and key that a node is to speak TLS with, before anything starts."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

from servitwin.domain.error import Fault


def tls_faults(certificate: str, key: str) -> list[Fault]:
    """Why nobody could be served with these PEM files; a key that others can read is as good as public.

    Both empty: no TLS is wanted, and nothing is wrong. Codes: ``tls:half``, ``tls:key-open``, ``tls:unusable``.
    """
    if not (certificate or key):
        return []
    if not (certificate and key):
        hint = "Give both --tls-certificate and --tls-key"
        return [Fault("tls:half", "A certificate needs its key, and a key its certificate", hint)]
    try:
        if Path(key).stat().st_mode & stat.S_IRWXO:
            hint = f"chmod o-rwx {key}, and use a new key if it was there for long"
            return [Fault("tls:key-open", "Everybody on this machine can read or change the key", hint, key)]
        # The empty password keeps a protected key from asking for one at a terminal that a service has not.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as e:
        hint = "Name PEM files of a certificate and of its key, the key without a password"
        return [Fault("tls:unusable", f"{certificate} with {key}: {e}", hint)]
    return []
