"""The client's calls for minutes of routine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from servitwin.client.http import Connection

Json = dict[str, Any]


class RoutineCalls:
    """What a :class:`servitwin.client.Client` can do about minutes of routine."""

    _api: Connection

    def routine_shifts(self, place: str, party: str = "") -> Json:
        """The kinds that are asked for, and the last shifts at a place with what they said."""
        return self._api.call("GET", "/schedules/routine/shifts", Json, params={"place": place, "party": party})

    def say_routine(
        self, place: str, day: str, shift: str, minutes: Mapping[str, int], party: str = "", **more: Any
    ) -> Json:
        """Say the minutes of a shift by kind; ``more``: ``whole``, ``period``, ``products``."""
        body = {"place": place, "day": day, "shift": shift, "minutes": dict(minutes), "party": party, **more}
        return self._api.call("POST", "/schedules/routine/shifts", Json, body=body)

    def routine_comparison(
        self, place: str = "", party: str = "", from_: str | None = None, to: str | None = None
    ) -> Json:
        """Minutes of routine before and after the assistant, of shifts that began in [from_, to) (RFC 3339)."""
        params = {"place": place, "party": party, "from": from_, "to": to}
        return self._api.call("GET", "/schedules/routine/comparison", Json, params=params)
