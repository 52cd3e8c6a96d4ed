"""The client's calls for anomalies, and for changes after which a machine is learnt anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from servitwin.client.http import Connection

Json = dict[str, Any]


class AnomalyCalls:
    """What a :class:`servitwin.client.Client` can do about anomalies."""

    _api: Connection

    def anomalies(self, twin: str, start: str | None = None, end: str | None = None) -> Json:
        """What was learnt of a machine, and what differed from it in [start, end) (default: the last 30 days)."""
        return self._api.call("GET", f"{_twin(twin)}/anomalies", dict, params={"from": start, "to": end})

    def anomaly(self, twin: str, id: str) -> Json:
        """One stretch."""
        return self._api.call("GET", f"{_twin(twin)}/anomalies/{quote(id, safe='')}", dict)

    def run_service(self, twin: str, service: str, parameters: Mapping[str, Any], since: str | None = None) -> Json:
        """Let a service run on a twin, from an instant on (default: now)."""
        body = {"parameters": dict(parameters), "since": since}
        return self._api.call("PUT", f"{_twin(twin)}/services/{quote(service, safe='')}", dict, body=body)

    def stop_service(self, twin: str, service: str) -> None:
        """Let a service run no longer on a twin; what it brought stays."""
        self._api.call("DELETE", f"{_twin(twin)}/services/{quote(service, safe='')}", type(None))

    def machine_changes(self, twin: str) -> list[Json]:
        """When a machine was rightly changed, oldest first."""
        found: list[Json] = self._api.call("GET", f"{_twin(twin)}/changes", dict)["items"]
        return found

    def say_normal(self, twin: str, text: str, since: str | None = None) -> Json:
        """Say that what a machine does since an instant (default: now) is normal."""
        return self._api.call("POST", f"{_twin(twin)}/changes", dict, body={"since": since, "text": text})


def _twin(id: str) -> str:
    return f"/twins/{quote(id, safe='')}"
