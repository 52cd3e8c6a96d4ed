"""What stories share: waiting for what must become true, and machines that speak MQTT as a person would set them up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from servitwin.domain.error import UnavailableError
from tests.conftest import Node
from tests.patience import PATIENCE

API = "/api/v1"


def wait_for(node: Node, what: str, seconds: float, look: Callable[[], Any]) -> Any:
    """The first true answer of ``look``; a failure names ``what``, the last answer, and the ends of the node's logs."""
    deadline = time.monotonic() + seconds * PATIENCE
    last: Any = None
    while True:
        try:
            last = look()
        except (httpx.HTTPError, KeyError, UnavailableError) as e:  # a busy node says "try again": so it is done
            last = e
        if last and not isinstance(last, Exception):
            return last
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds * PATIENCE:.0f} s: {what}; last seen: {last!r}\n{node.logs()}")
        time.sleep(0.1)


@dataclass
class Api:
    """The API with one caller's rights."""

    node: Node
    http: httpx.Client

    @classmethod
    def of(cls, node: Node, token: str = "") -> Api:
        headers = {"Authorization": f"Bearer {token or node.token}"}
        return cls(node, httpx.Client(base_url=node.web + API, headers=headers, timeout=60))

    def get(self, path: str, **params: Any) -> Any:
        return self.ask("GET", path, params=params)

    def post(self, path: str, body: Any, status: int | None = None) -> Any:
        return self.ask("POST", path, status, json=body)

    def put(self, path: str, body: Any) -> Any:
        return self.ask("PUT", path, json=body)

    def ask(self, method: str, path: str, status: int | None = None, **more: Any) -> Any:
        answer = self.http.request(method, path, **more)
        expected = answer.status_code < 300 if status is None else answer.status_code == status
        assert expected, f"{method} {path}: {answer.status_code} {answer.text[:1500]}\n{self.node.logs()}"
        return answer.json() if answer.content else None

    def values(self, twin: str, signal: str, **params: Any) -> list[tuple[str, Any]]:
        """All raw observations of a signal, over all pages."""
        found: list[tuple[str, Any]] = []
        params = {"limit": 5000, **params}
        while True:
            page = self.get(f"/twins/{twin}/signals/{signal}/observations", **params)
            found += [(o["time"], o["value"]) for o in page["items"]]
            if not page["next"]:
                return found
            params["cursor"] = page["next"]

    def token(self, party: str, *roles: str, expires: str | None = None) -> dict[str, Any]:
        body = {"label": "story", "roles": list(roles), "party": party, **({"expires": expires} if expires else {})}
        made: dict[str, Any] = self.post("/tokens", body)
        return made

    def credential(self, user: str, *twins: str) -> str:
        """An MQTT password for those twins."""
        return str(self.post("/machine-credentials", {"user": user, "twins": list(twins)})["password"])


PRESS = b"""machine_type: press
version: 1
title: Press
manufacturer: acme
signals:
  temperature: {unit: Cel, title: Temperature, limits: [-50, 200]}
  count: {unit: "1", title: Strokes}
  mode: {type: text, title: Mode}
  door: {type: flag, title: Door closed}
"""


def plant(node: Node) -> Api:
    """An API on a node with two companies and a press of each."""
    api = Api.of(node)
    api.post("/parties", {"id": "acme", "name": "Acme", "kind": "manufacturer"})
    api.post("/parties", {"id": "other", "name": "Other", "kind": "customer"})
    api.ask("POST", "/machine-types", content=PRESS, headers={"Content-Type": "application/yaml"})
    for twin, owner in (("press-1", "acme"), ("press-2", "other")):
        api.put(f"/twins/{twin}", {"kind": "machine", "type": "press@1", "owner": owner, "commissioned": "2020-01-01"})
    return api


def logs_of(path: Path) -> str:
    """The end of one file."""
    return path.read_text("utf-8", "replace")[-1500:] if path.exists() else ""
