"""The client's calls for releases and the update gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from servitwin.client.http import Connection

Json = dict[str, Any]


class ReleaseCalls:
    """What a :class:`servitwin.client.Client` can do about releases."""

    _api: Connection

    def releases(self, machine_type: str = "") -> list[Json]:
        """Releases that the caller may know, newest first, with their gates."""
        found = self._api.call("GET", "/releases", dict, params={"machine_type": machine_type})
        items: list[Json] = found["items"]
        return items

    def release(self, id: str) -> Json:
        """One release with its gates."""
        return self._api.call("GET", f"/releases/{quote(id, safe='')}", dict)

    def add_release(self, release: Mapping[str, Any]) -> Json:
        """Bring a release in."""
        return self._api.call("POST", "/releases", dict, body=dict(release))

    def ask_gate(self, id: str, policy: Mapping[str, Any] | None = None) -> Json:
        """Have a release tried; :meth:`release` tells where it stands."""
        body = {} if policy is None else {"policy": dict(policy)}
        return self._api.call("POST", f"/releases/{quote(id, safe='')}/gate", dict, body=body)

    def withdraw_release(self, id: str, why: str) -> Json:
        """Take a release back."""
        return self._api.call("POST", f"/releases/{quote(id, safe='')}/withdraw", dict, body={"why": why})

    def release_file(self, id: str) -> bytes:
        """The file of a passed release, for ``servitwin verify``."""
        return b"".join(self._api.stream(f"/releases/{quote(id, safe='')}/statement", {}))
