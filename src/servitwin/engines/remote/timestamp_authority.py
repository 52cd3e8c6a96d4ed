"""A time-stamp authority over HTTP (RFC 3161, 3.4)."""

from __future__ import annotations

import httpx

from servitwin.domain.error import Fault, UnavailableError

_PATIENCE_S = 20.0
_MOST_BYTES = 100_000  # an answer with a chain of certificates has about 6 000
_HINT = "Check --timestamp-authority, and whether this node may reach it"


def post_query(url: str, content: bytes) -> bytes:
    """Send a ``TimeStampReq`` and return the body of the answer.

    Raises:
        UnavailableError: ``timestamp:unreachable``, ``timestamp:no-answer``.
    """
    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    try:
        with (
            httpx.Client(timeout=_PATIENCE_S, follow_redirects=False) as client,
            client.stream("POST", url, content=content, headers=headers) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                message = f"{url} answers {answer.status_code}"
                raise UnavailableError(Fault("timestamp:no-answer", message, _HINT))
            body = b""
            for part in answer.iter_bytes():
                body += part
                if len(body) > _MOST_BYTES:
                    message = f"{url} answers with more than {_MOST_BYTES} bytes"
                    raise UnavailableError(Fault("timestamp:no-answer", message, _HINT))
            return body
    except (httpx.HTTPError, httpx.InvalidURL) as e:
        raise UnavailableError(Fault("timestamp:unreachable", f"{url}: {e}", _HINT)) from e
