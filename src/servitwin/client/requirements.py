"""The client's calls for requirements and for the cases that their violations open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from servitwin.client.answers import Page
from servitwin.client.http import Connection
from servitwin.domain.instant import format_instant

Json = dict[str, Any]
Time = str | int | None


class RequirementCalls:
    """What a :class:`servitwin.client.Client` can do about requirements and cases."""

    _api: Connection

    # requirements ----------------------------------------------------------------------------------------------
    def requirements(self, twin: str) -> list[Json]:
        """Requirements of a twin, each with the last verdict that is certain and since when."""
        found = self._api.call("GET", _twin(twin, "requirements"), Json)
        items: list[Json] = found["items"]
        return items

    def check_formula(self, twin: str, formula: str, component: str = "") -> Json:
        """What a formula says in words, or every fault with its characters in ``faults``."""
        body = {"formula": formula, "component": component}
        return self._api.call("POST", _twin(twin, "requirements", "check"), Json, body=body)

    def try_formula(self, twin: str, formula: str, from_: str | int, until: str | int, component: str = "") -> Json:
        """How often a formula would have been violated in a stretch of history."""
        body = {"formula": formula, "component": component, "from": _text(from_), "to": _text(until)}
        return self._api.call("POST", _twin(twin, "requirements", "try"), Json, body=body)

    def save_requirement(self, twin: str, name: str, requirement: Mapping[str, Any]) -> Json:
        """Add a requirement to a twin or change one: ``text``, ``formula``, ``severity`` and ``repair``."""
        return self._api.call("PUT", _twin(twin, "requirements", name), Json, body=dict(requirement))

    def remove_requirement(self, twin: str, name: str) -> None:
        """Take back a requirement that was added to a twin; what it found stays."""
        self._api.call("DELETE", _twin(twin, "requirements", name), type(None))

    def verdicts(self, twin: str, requirement: str, from_: Time = None, until: Time = None) -> Json:
        """Verdicts of a requirement over a stretch, in ``pieces`` without overlap or hole; default: the last day."""
        params = {"requirement": requirement, "from": _text(from_), "to": _text(until)}
        return self._api.call("GET", _twin(twin, "verdicts"), Json, params=params)

    # cases -----------------------------------------------------------------------------------------------------
    def cases(self, *, twin: str | None = None, only_open: bool = False) -> Iterator[Json]:
        """Cases of the twins that the caller may read, the most urgent first."""
        params = {"twin": twin, "open": "true" if only_open else None}
        cursor: str | None = None
        while True:
            page = self._api.call("GET", "/cases", Page[Json], params={**params, "cursor": cursor})
            yield from page.items
            cursor = page.next
            if cursor is None:
                return

    def case(self, id: str) -> Json:
        """A case whole: what is proven, the hypotheses, every step, and what is still missing."""
        return self._api.call("GET", _case(id), Json)

    def take_case_step(self, id: str, kind: str, said: Mapping[str, Any], also: Sequence[str] = ()) -> Json:
        """Take a step of a case: ``acknowledged``, ``shelved``, ``diagnosed``, ``repaired``, ``closed``, ``note``.

        ``also``: related cases in which the same step is taken; all of them take it, or none.
        """
        told = {k: v for k, v in said.items() if v is not None}
        params = {"also": list(also)} if also else None
        return self._api.call("POST", _case(id, "steps"), Json, params=params, body={"kind": kind, **told})

    def case_proof(self, id: str, kind: str = "violated") -> bytes:
        """The proof file that a requirement was violated, or that its repair is proven (``repaired``)."""
        return b"".join(self._api.stream(_case(id, "proof"), {"kind": kind}))

    def case_certificate(self, id: str, kind: str = "violated") -> bytes:
        """The printable certificate of the same, as PDF."""
        return b"".join(self._api.stream(_case(id, "certificate"), {"kind": kind}))


def _text(time: Time) -> str | None:
    return format_instant(time) if isinstance(time, int) else time


def _twin(*parts: str) -> str:
    return "/twins/" + "/".join(quote(p, safe="") for p in parts)


def _case(*parts: str) -> str:
    return "/cases/" + "/".join(quote(p, safe="") for p in parts)
