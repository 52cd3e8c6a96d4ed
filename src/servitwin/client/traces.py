"""The client's calls for traced parts, recalls and control charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from servitwin.client.http import Connection

Json = dict[str, Any]


class TraceCalls:
    """What a :class:`servitwin.client.Client` can do about parts."""

    _api: Connection

    def capture_traces(self, document: Mapping[str, Any]) -> Json:
        """Keep the events of an EPCIS 2.0 document; how many were new, known and withdrawn."""
        return self._api.call("POST", "/epcis/v2/capture", dict, body=dict(document))

    def parts(self, **query: Any) -> Json:
        """One page of parts; the query as the API has it (``q``, ``product``, ``verdict``, ``machine``, ``limit``)."""
        return self._api.call("GET", "/parts", dict, params=_given(query))

    def genealogy(self, id: str) -> Json:
        """Everything about one part, batch, tool or container."""
        return self._api.call("GET", f"/parts/{quote(id, safe='')}/genealogy", dict)

    def recall(self, ids: Sequence[str] = (), **query: Any) -> Json:
        """What these went into (or, ``direction="up"``, what went into them), or what a machine made."""
        return self._api.call("GET", "/recalls", dict, params=_given({"id": list(ids), **query}))

    def epcis_events(self, **query: Any) -> Json:
        """Events as an EPCISQueryDocument; the query in EPCIS' own names (``GE_eventTime``, ``MATCH_anyEPC``)."""
        return self._api.call("GET", "/epcis/v2/events", dict, params=_given(query))

    def spc_characteristics(self) -> list[Json]:
        """What was measured of which product."""
        found: list[Json] = self._api.call("GET", "/spc/characteristics", dict)["items"]
        return found

    def spc_chart(self, product: str, characteristic: str, **query: Any) -> Json:
        """Control chart and capability of one characteristic."""
        params = _given({"product": product, "characteristic": characteristic, **query})
        return self._api.call("GET", "/spc/chart", dict, params=params)


def _given(query: Mapping[str, Any]) -> Json:
    """Without what is not given; ``from_`` is ``from``."""
    return {k.rstrip("_"): v for k, v in query.items() if v not in (None, "", [])}
