"""The client's calls for contracts: terms, signatures, status, claims, reasons, settlements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from servitwin.client.http import Connection

Json = dict[str, Any]


class ContractStatus(msgspec.Struct):
    """A period as it stands; money and percent are decimal text."""

    contract: str
    version: int
    life: str
    period: str
    known_at: str
    currency: str
    fee: str
    credit: str
    bonus: str
    disputed: str
    payable: str
    level: str
    formula: str
    machines: list[Json]
    pool: Json
    notes: list[str] = []
    at_stake: str | None = None


class ContractCalls:
    """What a :class:`servitwin.client.Client` can do about contracts."""

    _api: Connection

    def contracts(self) -> list[Json]:
        """Contracts of the caller's party."""
        return self._api.all_items("/contracts")

    def contract(self, id: str, version: int | None = None) -> Json:
        """A contract whole."""
        return self._api.call("GET", _path(id), dict, params={"version": version})

    def add_contract(self, content: bytes, name: str = "contract.yaml") -> Json:
        """Bring a contract file in."""
        return self._api.call(
            "POST", "/contracts", dict, params={"name": name}, content=content, content_type="application/yaml"
        )

    def sign_contract(self, id: str, version: int | None = None) -> Json:
        """Sign for the caller's party with its key on the node."""
        return self._api.call("POST", _path(id, "signatures"), dict, body={"version": version})

    def withdraw_offer(self, id: str, text: str, version: int | None = None) -> Json:
        """Take an offer back, or decline it."""
        return self._api.call("POST", _path(id, "withdrawal"), dict, body={"version": version, "text": text})

    def evaluate_offer(
        self, content: str, costs: Mapping[str, Any] | None = None, *, from_: str | None = None, to: str | None = None
    ) -> Json:
        """What a contract file would mean; nothing is kept. ``costs``: ``cost_per_hour, visits, cost_per_visit``."""
        body = {"file": content, "costs": None if costs is None else dict(costs), "from": from_, "to": to}
        return self._api.call("POST", "/contracts/evaluate", dict, body=body)

    def contract_file(self, id: str, version: int | None = None, form: str = "yaml") -> bytes:
        """A contract as its file, ``yaml`` or ``json``."""
        return b"".join(self._api.stream(_path(id, "file"), {"version": version, "form": form}))

    def contract_document(self, id: str, version: int | None = None) -> bytes:
        """A contract or an offer as PDF."""
        return b"".join(self._api.stream(_path(id, "document"), {"version": version}))

    def contract_status(self, id: str, *, period: str | None = None, at: str | int | None = None) -> ContractStatus:
        """Where a period stands."""
        return self._api.call("GET", _path(id, "status"), ContractStatus, params={"period": period, "at": at})

    def contract_trial(self, id: str, *, from_: str | None = None, to: str | None = None) -> Json:
        """What the contract would have been worth over past months."""
        return self._api.call("GET", _path(id, "trial"), dict, params={"from": from_, "to": to})

    def exclusions(self, id: str, status: str | None = None) -> list[Json]:
        """Claims under a contract, oldest first."""
        items: list[Json] = self._api.call("GET", _path(id, "exclusions"), dict, params={"status": status})["items"]
        return items

    def claim(self, id: str, claim: Mapping[str, Any]) -> Json:
        """Claim that a stretch should not count: ``twin, kind, from, to, text, evidence``."""
        return self._api.call("POST", _path(id, "exclusions"), dict, body=dict(claim))

    def decide(
        self, id: str, exclusion: str, answer: str, parts: Sequence[Mapping[str, str]] = (), text: str = ""
    ) -> Json:
        """Take a step of a claim."""
        body = {"answer": answer, "parts": [dict(p) for p in parts], "text": text}
        return self._api.call("POST", _path(id, "exclusions", exclusion, "decisions"), dict, body=body)

    def acceptances(self, id: str) -> list[Json]:
        """Where the acceptance of each machine stands."""
        return self._api.call("GET", _path(id, "acceptances"), list)

    def acceptance_criteria(self, id: str, twin: str, until: str | None = None) -> list[Json]:
        """Every criterion of a machine's acceptance, and what the twin measures of it before ``until``."""
        return self._api.call("GET", _path(id, "acceptances", twin, "criteria"), list, params={"until": until})

    def accept_machine(
        self,
        id: str,
        twin: str,
        answer: str,
        criteria: Sequence[tuple[str, str, str]] = (),
        *,
        until: str | None = None,
        text: str = "",
    ) -> list[Json]:
        """Accept or refuse a machine; ``criteria``: name, result and evidence of what people judge."""
        body = {
            "twin": twin, "answer": answer, "criteria": [list(c) for c in criteria], "until": until, "text": text,
        }  # fmt: skip
        return self._api.call("POST", _path(id, "acceptances"), list, body=body)

    def give_reason(self, twin: str, reason: Mapping[str, Any]) -> Json:
        """Say why a machine stood: ``from, to, cause, party, note, replaces``."""
        return self._api.call("POST", f"/twins/{quote(twin, safe='')}/reasons", dict, body=dict(reason))

    def work_orders(self, twin: str, *, from_: str | None = None, to: str | None = None) -> list[Json]:
        """Work orders of a machine, the newest work first."""
        times = {"from": from_, "to": to, "limit": 1000}
        items: list[Json] = self._api.call("GET", _orders(twin), dict, params=times)["items"]
        return items

    def open_work_order(self, twin: str, order: Mapping[str, Any]) -> Json:
        """Open a work order: ``kind, from, to, cause, party, text``."""
        return self._api.call("POST", _orders(twin), dict, body=dict(order))

    def step_work_order(self, twin: str, order: str, step: Mapping[str, Any]) -> Json:
        """Change, close or cancel a work order: ``action, from, to, cause, party, text, number``."""
        return self._api.call("POST", f"{_orders(twin)}/{quote(order, safe='')}/steps", dict, body=dict(step))

    def settle(self, id: str, period: str) -> Json:
        """Settle a period that has ended."""
        return self._api.call("POST", _path(id, "settlements", period), dict)

    def settlement(self, id: str, period: str, revision: int | None = None) -> bytes:
        """A settlement, to the byte."""
        return b"".join(self._api.stream(_path(id, "settlements", period), {"revision": revision}))

    def settlement_observations(self, id: str, period: str, form: str = "parquet") -> Iterator[bytes]:
        """The observations that a settlement rests on."""
        return self._api.stream(_path(id, "settlements", period, "observations"), {"form": form})

    def profit_and_loss(self, *, from_: str | None = None, to: str | None = None) -> list[Json]:
        """What each contract brought in, cost and left, from the caller's party's books."""
        return self._api.call("GET", "/profit-and-loss", list, params={"from": from_, "to": to})

    def savings(self, *, from_: str | None = None, to: str | None = None) -> Json:
        """What contracts save their customers a year against agreed baselines, by service and customer."""
        return self._api.call("GET", "/savings", dict, params={"from": from_, "to": to})

    def renewals(
        self,
        *,
        from_: str | None = None,
        to: str | None = None,
        at: str | None = None,
        tolerance_days: int | None = None,
    ) -> Json:
        """Contracts of the caller's party that ended, and whether a follow-up for their machines was agreed."""
        asked = {"from": from_, "to": to, "at": at, "tolerance_days": tolerance_days}
        return self._api.call("GET", "/profit-and-loss/renewals", dict, params=asked)

    def party_keys(self, party: str) -> list[Json]:
        """Public keys of a party."""
        return self._api.call("GET", f"/parties/{quote(party, safe='')}/keys", list)


def _orders(twin: str) -> str:
    return f"/twins/{quote(twin, safe='')}/work-orders"


def _path(*parts: str) -> str:
    return "/contracts/" + "/".join(quote(p, safe="@") for p in parts)
