"""The client's calls for controllers."""

from __future__ import annotations

from typing import Any

from servitwin.client.http import Connection

Json = dict[str, Any]


class ControllerCalls:
    """What a :class:`servitwin.client.Client` can do about controllers."""

    _api: Connection

    def controllers(self) -> list[Json]:
        """All versions of controllers that the caller may read, with what their last checks found."""
        return self._api.all_items("/controllers")

    def add_controller(self, text: str, side: str | None = None, *, machine_type: str = "", twin: str = "") -> Json:
        """Bring a version in, for the machines of a type (by name) or for one twin (by id)."""
        query = {"machine_type": machine_type, "twin": twin}
        return self._api.call("POST", "/controllers", dict, params=query, body={"text": text, "side": side})
