"""The client's calls for production plans and the operator's shift."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from servitwin.client.http import Connection

Json = dict[str, Any]


class ScheduleCalls:
    """What a :class:`servitwin.client.Client` can do about production plans."""

    _api: Connection

    def schedules(self, party: str = "") -> Json:
        """Plans that are kept, and jobs that made plans."""
        return self._api.call("GET", "/schedules", Json, params={"party": party})

    def schedule(self, id: str, party: str = "") -> Json:
        """A plan with its reasons: ``published``, a job's id, or one changed by hand."""
        return self._api.call("GET", f"/schedules/{quote(id, safe='')}", Json, params={"party": party})

    def ask_schedule(self, budget_s: float = 20.0, freeze_minutes: int = 0, party: str = "", **more: Any) -> Json:
        """Let a plan be made of what is known now; the answer is its job."""
        body = {"budget_s": budget_s, "freeze_minutes": freeze_minutes, "party": party, **more}
        return self._api.call("POST", "/schedules", Json, body=body)

    def publish_schedule(self, id: str, title: str = "", party: str = "", replaces: int | None = None) -> Json:
        """Make a plan the one that holds; ``replaces``: only if the published one has this revision (0: none)."""
        body = {"title": title, "party": party, "replaces": replaces}
        return self._api.call("POST", f"/schedules/{quote(id, safe='')}/publish", Json, body=body)

    def compare_schedules(self, first: str, second: str, party: str = "") -> Json:
        """What moves from one plan to another, and why."""
        path = f"/schedules/{quote(first, safe='')}/against/{quote(second, safe='')}"
        return self._api.call("GET", path, Json, params={"party": party})

    def move_operation(
        self, id: str, order: str, operation: str, machine: str, start: str | int, party: str = ""
    ) -> Json:
        """Put an operation elsewhere by hand; the rest is repaired around it."""
        body = {"order": order, "operation": operation, "machine": machine, "start": start, "party": party}
        return self._api.call("POST", f"/schedules/{quote(id, safe='')}/move", Json, body=body)

    def next_tasks(self, machine: str, party: str = "") -> Json:
        """What runs at a machine and what comes next, with the reasons."""
        return self._api.call("GET", "/schedules/next", Json, params={"machine": machine, "party": party})

    def answer_task(self, order: str, operation: str, said: str, reason: str = "", party: str = "") -> Json:
        """Say that an operation was ``begun``, is ``done``, or is ``rejected`` with the reason."""
        body = {"order": order, "operation": operation, "answer": said, "reason": reason, "party": party}
        return self._api.call("POST", "/schedules/answers", Json, body=body)

    def look_at_move(self, machine: str, order: str, operation: str, how: str, party: str = "") -> Json:
        """What would happen if the shift moved an operation: ``first``, or ``later`` than the one after it."""
        params = {"machine": machine, "order": order, "operation": operation, "how": how, "party": party}
        return self._api.call("GET", "/schedules/moves", Json, params=params)

    def move_in_shift(
        self, machine: str, order: str, operation: str, how: str, revision: int, reason: str = "", text: str = "",
        party: str = "", *, ask: bool = False,
    ) -> Json:  # fmt: skip
        """Move an operation at its machine as it was looked at; ``ask``: let whoever plans decide."""
        body = {
            "machine": machine, "order": order, "operation": operation, "how": how, "revision": revision,
            "reason": reason, "text": text, "ask": ask, "party": party,
        }  # fmt: skip
        return self._api.call("POST", "/schedules/moves", Json, body=body)

    def material_needs(self, party: str = "") -> Json:
        """What the published plan needs when, what is called off, and OTIF."""
        return self._api.call("GET", "/schedules/needs", Json, params={"party": party})

    def concerning(self, party: str = "") -> Json:
        """What the published plans of others need of the caller's party and will bring to it."""
        return self._api.call("GET", "/schedules/concerning", Json, params={"party": party})

    def import_schedule(self, content: bytes, media_type: str, base: str = "", name: str = "", party: str = "") -> Json:
        """Bring a plan: CSV, a plan as JSON, or a job list of ISA-95; ``base``: the plan that it was exported from."""
        params = {"base": base, "name": name, "party": party}
        return self._api.call(
            "POST", "/schedules/import", Json, params=params, content=content, content_type=media_type
        )

    def schedule_problem(self, id: str, party: str = "") -> Json:
        """What a plan was made from, as the service ``schedule`` takes it."""
        return self._api.call("GET", f"/schedules/{quote(id, safe='')}/problem", Json, params={"party": party})

    def schedule_table(self, id: str, party: str = "") -> str:
        """A plan as CSV, one line an operation."""
        path = f"/schedules/{quote(id, safe='')}/table"
        return b"".join(self._api.stream(path, {"party": party})).decode()

    def job_list(self, id: str, party: str = "") -> list[Json]:
        """A plan as job list of ISA-95 (OPC 10031-4)."""
        path = f"/schedules/{quote(id, safe='')}/job-list"
        return self._api.call("GET", path, list[Json], params={"party": party})
