"""The client's calls for registers, jobs and artefacts."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from servitwin.client.http import Connection

Json = dict[str, Any]


class PlanningCalls:
    """What a :class:`servitwin.client.Client` can do about plans and what they are made from."""

    _api: Connection

    def registers(self) -> list[Json]:
        """All registers: name, title, number of entries, JSON Schema of an entry."""
        items: list[Json] = self._api.call("GET", "/registers", Json)["items"]
        return items

    def register_entries(self, kind: str, party: str = "") -> list[Json]:
        """All entries of a register that the caller may read."""
        items: list[Json] = []
        cursor: str | None = None
        while True:
            params = {"party": party, "limit": 1000, "cursor": cursor}
            page = self._api.call("GET", f"/registers/{quote(kind, safe='')}", Json, params=params)
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                return items

    def put_register_entry(self, kind: str, id: str, body: Json, party: str = "", revision: int | None = None) -> Json:
        """Write an entry."""
        path = f"/registers/{quote(kind, safe='')}/{quote(id, safe='')}"
        return self._api.call("PUT", path, Json, params={"party": party}, body={"body": body, "revision": revision})

    def remove_register_entry(self, kind: str, id: str, party: str = "") -> None:
        """End an entry."""
        path = f"/registers/{quote(kind, safe='')}/{quote(id, safe='')}"
        self._api.call("DELETE", path, type(None), params={"party": party})

    def import_register(self, kind: str, content: bytes, media_type: str, party: str = "") -> Json:
        """Write many entries of a JSON list or a CSV table: all of them, or none."""
        path = f"/registers/{quote(kind, safe='')}"
        return self._api.call("POST", path, Json, params={"party": party}, content=content, content_type=media_type)

    def ask_job(self, service: str, problem: Json, budget_s: float, seed: int = 0, about: str = "") -> Json:
        """Let a planner or trainer work; the answer says where the job stands."""
        body = {"problem": problem, "budget_s": budget_s, "seed": seed, "about": about}
        return self._api.call("POST", f"/services/{quote(service, safe='')}/jobs", Json, body=body)

    def job(self, id: str) -> Json:
        """A job with its best plan so far."""
        return self._api.call("GET", f"/jobs/{quote(id, safe='')}", Json)

    def jobs(self, service: str = "", about: str = "", limit: int = 100) -> list[Json]:
        """Jobs, newest first."""
        params = {"service": service, "about": about, "limit": limit}
        items: list[Json] = self._api.call("GET", "/jobs", Json, params=params)["items"]
        return items

    def cancel_job(self, id: str) -> Json:
        """End a job early."""
        return self._api.call("POST", f"/jobs/{quote(id, safe='')}/cancel", Json)

    def artefacts(self, trainer: str, party: str = "") -> list[Json]:
        """What a trainer made, newest first."""
        path = f"/services/{quote(trainer, safe='')}/artefacts"
        items: list[Json] = self._api.call("GET", path, Json, params={"party": party})["items"]
        return items

    def promote_artefact(self, trainer: str, digest: str, why: str, party: str = "") -> Json:
        """Use an artefact from now on."""
        path = f"/services/{quote(trainer, safe='')}/artefacts/{quote(digest, safe='')}/promote"
        return self._api.call("POST", path, Json, body={"why": why, "party": party})
