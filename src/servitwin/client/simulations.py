"""The client's calls for line models, scenarios and co-simulations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from servitwin.client.http import Connection

Json = dict[str, Any]


class SimulationCalls:
    """What a :class:`servitwin.client.Client` can do about simulations."""

    _api: Connection

    def line_model(self, line: str) -> Json:
        """The model of a line, with how well it met the past."""
        return self._api.call("GET", f"/lines/{quote(line, safe='')}/model", Json)

    def build_line_model(
        self, line: str, from_: str | None = None, to: str | None = None, order: Sequence[str] = ()
    ) -> Json:
        """Build a line's model from history; ``order``: machine types as parts pass them."""
        asked = {"from": from_, "to": to, "order": list(order)}
        body = {name: value for name, value in asked.items() if value}
        return self._api.call("POST", f"/lines/{quote(line, safe='')}/model", Json, body=body)

    def compare_scenarios(self, line: str, question: Mapping[str, Any]) -> Json:
        """Have scenarios compared; the answer is the job."""
        return self._api.call("POST", f"/lines/{quote(line, safe='')}/comparisons", Json, body=dict(question))

    def keep_model(self, id: str, content: bytes, title: str = "") -> Json:
        """Keep an FMU or SSP package."""
        return self._api.call(
            "PUT", f"/fmus/{quote(id, safe='')}", Json, params={"title": title}, content=content,
            content_type="application/octet-stream",
        )  # fmt: skip

    def simulate_set_up(self, question: Mapping[str, Any]) -> Json:
        """Have a set-up simulated; the answer is the job."""
        return self._api.call("POST", "/co-simulations", Json, body=dict(question))

    def compare_set_up(self, job: str, question: Mapping[str, Any]) -> Json:
        """Compare a machine with its simulated set-up."""
        return self._api.call("POST", f"/co-simulations/{quote(job, safe='')}/comparison", Json, body=dict(question))
