"""The client's calls for controllers."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

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

    def replay_controller(
        self, reference: str, property: str, *, inputs_of: int | None = None, pace: float = 2.0
    ) -> Json:
        """Ask for the replay of the run that breaks a property; :meth:`controller_replay` tells where it stands."""
        body = {"property": property, "inputs_of": inputs_of, "pace": pace}
        return self._api.call("POST", f"/controllers/{quote(reference, safe='@')}/replays", dict, body=body)

    def controller_replay(self, id: str) -> Json:
        """A replay, and once it is done what the simulated machine showed."""
        return self._api.call("GET", f"/controllers/replays/{quote(id, safe='')}", dict)
