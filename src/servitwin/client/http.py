"""Connection to a node: finds it, speaks HTTP, and turns what goes wrong into the errors of the domain."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec

from servitwin.domain.error import (
    ConflictError,
    Fault,
    InvalidInputError,
    NotFoundError,
    RefusedError,
    ServitwinError,
    UnavailableError,
)
from servitwin.domain.trust import trust_only

T = TypeVar("T")
_ERRORS: Mapping[int, type[ServitwinError]] = {
    401: RefusedError,
    403: RefusedError,
    404: NotFoundError,
    409: ConflictError,
    412: ConflictError,
    429: UnavailableError,
}


class _Error(msgspec.Struct):
    """An error as the API answers it."""

    code: str
    message: str
    hint: str = ""
    where: str = ""
    faults: list[Fault] = []


class _Address(msgspec.Struct):
    """Where a local node listens, as it wrote it into its data folder."""

    web: str
    token: str
    certificate: str = ""


def local_address(data: Path) -> tuple[str, str, ssl.SSLContext | None]:
    """URL and token of the node that runs on a data folder, and how to know it where it speaks TLS.

    Raises:
        UnavailableError: ``node:not-running`` if there is none, or its address cannot be read.
    """
    path = data / "run" / "address.json"
    try:
        address = msgspec.json.decode(path.read_bytes(), type=_Address)
        trust = trust_only(Path(address.certificate).read_text("utf-8")) if address.certificate else None
    except (OSError, msgspec.DecodeError) as e:
        fault = Fault(
            "node:not-running", f"no running node has left its address in {data}: {e}",
            "Start it with `servitwin serve --data ...`, or name another one with --to URL", where=str(path),
        )  # fmt: skip
        raise UnavailableError(fault) from e
    return address.web, address.token, trust


def authority(file: Path) -> ssl.SSLContext:
    """Trust of nodes whose certificates one of the authorities in a PEM file has signed.

    Raises:
        InvalidInputError: ``client:authority-unreadable``.
    """
    try:
        return ssl.create_default_context(cafile=str(file))
    except OSError as e:
        fault = Fault("client:authority-unreadable", f"{file}: {e}", "Name a PEM file of certificates", where=str(file))
        raise InvalidInputError(fault) from e


class Connection:
    """One HTTP connection pool to a node.

    ``transport`` lets tests speak to an application in the same process; ``trust`` says which certificates are good
    (None: those that the authorities known everywhere have signed).

    Raises:
        InvalidInputError: ``client:address`` for what is no address of a node.
    """

    def __init__(
        self,
        url: str,
        token: str,
        timeout_s: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise InvalidInputError(
                Fault("client:address", f"{url[:80]!r} is no address of a node", "Write it like http://HOST:8460")
            )
        self._url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if trust is None and url.startswith("http://"):  # reading all authorities would take longer than a call
            trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # No proxy, no .netrc: the token goes to the node that was named and nowhere else.
        self._http = httpx.Client(
            base_url=f"{self._url}/api/v1",
            headers=headers,
            timeout=httpx.Timeout(timeout_s, connect=10.0),
            transport=transport,
            trust_env=False,
            verify=True if trust is None else trust,
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        type_: type[T],
        *,
        params: Mapping[str, Any] | None = None,
        body: object = None,
        content: bytes | None = None,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """One call; ``body`` is sent as JSON, ``content`` as it is. Parameters that are None are left out.

        Raises:
            ServitwinError: of the kind that fits the status, with the faults the node gave;
                ``node:not-reachable`` or ``node:not-understood`` where it gave none.
        """
        data = msgspec.json.encode(body) if body is not None else content
        try:
            answer = self._http.request(
                method,
                path,
                params={k: v for k, v in (params or {}).items() if v is not None},
                content=data,
                headers={**({"Content-Type": content_type} if data is not None else {}), **(headers or {})},
            )
        except httpx.HTTPError as e:
            raise self._not_reachable(e) from e
        if answer.status_code >= 400:
            raise _error(answer.status_code, answer.content, path)
        try:
            # What answers without content (204) has nothing to say.
            return msgspec.json.decode(answer.content if answer.status_code != 204 else b"null", type=type_)
        except msgspec.DecodeError as e:
            raise UnavailableError(
                Fault("node:not-understood", f"{method} {path} answered something else than its API says: {e}",
                      "Check that client and node are of the same version", where=path)
            ) from e  # fmt: skip

    def all_items(self, path: str) -> list[dict[str, Any]]:
        """Every page of a list."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = self.call("GET", path, dict, params={"cursor": cursor})
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                return items

    def stream(
        self, path: str, params: Mapping[str, Any], headers: Mapping[str, str] | None = None, quiet_s: float = 60.0
    ) -> Iterator[bytes]:
        """The body of an answer in pieces as they come; silent for ``quiet_s`` seconds counts as lost."""
        wanted = {k: v for k, v in params.items() if v is not None}
        timeout = httpx.Timeout(quiet_s, connect=10.0)
        try:
            with self._http.stream("GET", path, params=wanted, headers=dict(headers or {}), timeout=timeout) as answer:
                if answer.status_code >= 400:
                    raise _error(answer.status_code, answer.read(), path)
                yield from answer.iter_bytes()
        except httpx.HTTPError as e:
            raise self._not_reachable(e) from e

    def _not_reachable(self, e: httpx.HTTPError) -> UnavailableError:
        return UnavailableError(
            Fault("node:not-reachable", f"{self._url} does not answer: {str(e) or type(e).__name__}",
                  "Check that the node runs and that the address is right", where=self._url)
        )  # fmt: skip


def _error(status: int, content: bytes, path: str) -> ServitwinError:
    kind = _ERRORS.get(status, UnavailableError if status >= 500 else InvalidInputError)
    try:
        told = msgspec.json.decode(content, type=_Error)
    except msgspec.DecodeError:
        text = content[:200].decode("utf-8", "replace")
        return kind(Fault("node:failed", f"{path} answered {status}: {text}", "See the node's log", where=path))
    return kind(told.faults or [Fault(told.code, told.message, told.hint, told.where)])
