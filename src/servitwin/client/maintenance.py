"""The client's calls for maintenance: what is due, plans, recommendations, job sheets, routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from servitwin.client.http import Connection

Json = dict[str, Any]


class MaintenanceCalls:
    """What a :class:`servitwin.client.Client` can do about maintenance."""

    _api: Connection

    def due_tasks(self, party: str = "") -> Json:
        """Tasks that are due, the most urgent first, and spare parts with what to order."""
        return self._api.call("GET", "/maintenance/tasks", Json, params={"party": party})

    def plan_maintenance(self, days: int = 35, budget_s: float = 20.0) -> Json:
        """Let what is due be placed; the answer is the job."""
        return self._api.call("POST", "/maintenance/plans", Json, body={"days": days, "budget_s": budget_s})

    def maintenance_plan(self) -> Json:
        """The newest plan."""
        return self._api.call("GET", "/maintenance/plan", Json)

    def propose_recommendations(self, job: str) -> Json:
        """Propose what a plan says to the customers."""
        return self._api.call("POST", f"/maintenance/plans/{quote(job, safe='')}/recommendations", Json)

    def recommendations(self) -> Json:
        """Recommendations and how they ended."""
        return self._api.call("GET", "/maintenance/recommendations", Json)

    def step_recommendation(self, id: str, step: Mapping[str, Any]) -> Json:
        """Take a step: ``action, from, to, text, found``."""
        path = f"/maintenance/recommendations/{quote(id, safe='')}/steps"
        return self._api.call("POST", path, Json, body=dict(step))

    def job_sheets(self, mine: bool = False) -> list[Json]:
        """Open job sheets by their time."""
        items: list[Json] = self._api.call("GET", "/maintenance/jobs", Json, params={"mine": mine})["items"]
        return items

    def step_job(self, order: str, step: str, body: Mapping[str, Any]) -> Json:
        """Work on a job sheet; ``step``: ticks, parts or close."""
        return self._api.call("POST", f"/maintenance/jobs/{quote(order, safe='')}/{step}", Json, body=dict(body))

    def plan_visits(self, days: int = 7, budget_s: float = 10.0) -> Json:
        """Let the visits of the next days be planned; the answer is the job."""
        return self._api.call("POST", "/maintenance/visits", Json, body={"days": days, "budget_s": budget_s})

    def visit_routes(self) -> Json:
        """The newest routes of the technicians."""
        return self._api.call("GET", "/maintenance/visits", Json)

    def visit_counts(self, from_: str | None = None, to: str | None = None) -> Json:
        """Planned and ad hoc visits by contract, with the money against the baseline."""
        return self._api.call("GET", "/maintenance/visit-counts", Json, params={"from": from_, "to": to})
