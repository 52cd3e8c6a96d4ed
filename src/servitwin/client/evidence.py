"""The client's calls for the evidence log and for keys of parties."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from servitwin.client.http import Connection

Json = dict[str, Any]


class EvidenceCalls:
    """What a :class:`servitwin.client.Client` can do about evidence."""

    _api: Connection

    def log_head(self) -> Json:
        """Head, co-signatures and forks of the node's log."""
        return self._api.call("GET", "/log", Json)

    def log_entries(self, first: int, limit: int) -> list[Json]:
        """Entries from ``first`` on: ``index`` and ``entry``, or ``leaf`` where the caller may not read it."""
        found = self._api.call("GET", "/log/entries", Json, params={"from": first, "limit": limit})
        items: list[Json] = found["items"]
        return items

    def log_timestamps(self) -> list[int]:
        """Sizes of the heads that an authority has stamped, ascending."""
        sizes: list[int] = self._api.call("GET", "/log/timestamps", Json)["sizes"]
        return sizes

    def log_timestamp(self, size: int) -> Json:
        """A stamped head, and the authority's answer."""
        return self._api.call("GET", f"/log/timestamps/{size}", Json)

    def log_proof(self, index: int, size: int | None = None) -> Json:
        """Inclusion proof of an entry."""
        return self._api.call("GET", "/log/proof", Json, params={"index": index, "size": size})

    def log_consistency(self, old: int, new: int) -> list[str]:
        """Consistency proof between two sizes, as hex."""
        found = self._api.call("GET", "/log/consistency", Json, params={"from": old, "to": new})
        path: list[str] = found["path"]
        return path

    def send_cosignature(self, size: int, body: Json) -> None:
        """Give the node a co-signature of its head."""
        self._api.call("POST", f"/log/heads/{size}/cosignatures", Json, body=body)

    def log_segment_rows(self, index: int) -> Json:
        """Rows of a segment that the caller may read, with what leads to its root."""
        return self._api.call("GET", f"/log/segments/{index}/rows", Json)

    def rotate_key(self, party: str) -> Json:
        """Give a party a new key; the old one signs its statement and is gone then."""
        return self._api.call("POST", f"/parties/{_part(party)}/keys/rotate", Json)

    def revoke_key(self, party: str, key: str, reason: str, since: str | None = None) -> Json:
        """Revoke a key from an instant on (default: now)."""
        body = {"reason": reason, **({"from": since} if since else {})}
        return self._api.call("POST", f"/parties/{_part(party)}/keys/{_part(key)}/revoke", Json, body=body)


def _part(text: str) -> str:
    return quote(text, safe="")
