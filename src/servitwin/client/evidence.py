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

    def watched_logs(self) -> list[Json]:
        """Logs of other nodes that this node co-signs, forked ones first."""
        items: list[Json] = self._api.call("GET", "/log/watched", Json)["items"]
        return items

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

    def machine_keys(self, twin: str) -> Json:
        """Keys of a machine (``items``), and whether it has to sign (``demanded``)."""
        return self._api.call("GET", f"/twins/{_part(twin)}/keys", Json)

    def register_machine_key(
        self, twin: str, public_key: str, name: str, since: str | None = None, replaces: str = ""
    ) -> Json:
        """Register a public key of a machine: from ``since`` on (default: in ten seconds) it has to sign."""
        body = {"public_key": public_key, "name": name, "replaces": replaces, **({"since": since} if since else {})}
        return self._api.call("POST", f"/twins/{_part(twin)}/keys", Json, body=body)

    def revoke_machine_key(
        self, twin: str, key: str, reason: str, since: str | None = None, *, unsigned: bool = False
    ) -> Json:
        """Revoke a key of a machine from an instant on (default: now); ``unsigned``: hear it unsigned from then on."""
        body = {"reason": reason, "unsigned": unsigned, **({"from": since} if since else {})}
        return self._api.call("POST", f"/twins/{_part(twin)}/keys/{_part(key)}/revoke", Json, body=body)


def _part(text: str) -> str:
    return quote(text, safe="")
