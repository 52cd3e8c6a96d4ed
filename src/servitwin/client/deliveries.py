"""The client's calls for deliveries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from servitwin.client.http import Connection

Json = dict[str, Any]


class DeliveryCalls:
    """What a :class:`servitwin.client.Client` can do about deliveries."""

    _api: Connection

    def deliveries(self, party: str = "") -> Json:
        """Deliveries of a company, and those of others from it or to it."""
        return self._api.call("GET", "/deliveries", Json, params={"party": party})

    def deliveries_not_matched(self, party: str = "") -> Iterator[Json]:
        """What was said of deliveries and is about none that a register has, with how to mend it; newest first."""
        cursor: str | None = None
        while True:
            page = self._api.call("GET", "/deliveries/not-matched", Json, params={"party": party, "cursor": cursor})
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def say_of_delivery(self, said: str, ref: str, **more: Any) -> Json:
        """Say when a delivery is ``expected`` (with a ``reason``), or that it ``came``; the rest as the API has it."""
        return self._api.call("POST", "/deliveries/words", Json, body={"said": said, "ref": ref, **more})

    def withdraw_delivery_word(self, id: str, party: str = "") -> None:
        """Take back what one's own company said."""
        self._api.call("DELETE", f"/deliveries/words/{quote(id, safe='')}", type(None), params={"party": party})
