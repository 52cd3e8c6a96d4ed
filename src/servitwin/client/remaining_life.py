"""The client's calls for remaining life."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from servitwin.client.http import Connection

Json = dict[str, Any]


class RemainingLifeCalls:
    """What a :class:`servitwin.client.Client` can do about remaining life."""

    _api: Connection

    def remaining_life(self, twin: str = "", urgency: str = "") -> list[Json]:
        """What is left of the components of a machine, or of all that the caller may read."""
        path = f"/twins/{quote(twin, safe='')}/remaining-life" if twin else "/remaining-life"
        params = {} if twin else {"urgency": urgency}
        items: list[Json] = self._api.call("GET", path, Json, params=params)["items"]
        return items

    def life_models(self, party: str = "") -> list[Json]:
        """Models in use, who may teach them, and whether they still hold."""
        items: list[Json] = self._api.call("GET", "/remaining-life/models", Json, params={"party": party})["items"]
        return items

    def train_life(self, machine_type: str, component: str, **more: Any) -> Json:
        """Ask for a training; the answer is its job."""
        body = {"machine_type": machine_type, "component": component, **more}
        return self._api.call("POST", "/remaining-life/training", Json, body=body)

    def failure_models(self, party: str = "", machine_type: str = "") -> list[Json]:
        """Models of failures within days, whose history may teach them, and whether they still hold."""
        params = {"party": party, "machine_type": machine_type}
        items: list[Json] = self._api.call("GET", "/failure-models", Json, params=params)["items"]
        return items

    def train_failures(self, machine_type: str, **more: Any) -> Json:
        """Ask for a training of failures within days; the answer is its job."""
        return self._api.call("POST", "/failure-models/training", Json, body={"machine_type": machine_type, **more})
