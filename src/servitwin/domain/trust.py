"""TLS to a node of which the very certificate is known: no name and no authority has to vouch for it."""

from __future__ import annotations

import ssl


def trust_only(certificates: str) -> ssl.SSLContext:
    """A client's context that accepts the holder of one of these PEM certificates, whatever name it is called by.

    For processes on the node's own machine, which read the certificate where the node reads it: they call it by an
    address of the machine, and a certificate names what others call it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=certificates)
    return context
