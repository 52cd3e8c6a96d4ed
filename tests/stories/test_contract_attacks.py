"""Attacks on contracts: wrong types, empty and huge input, two people at once, somebody else's token, a killed node."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from servitwin.bootstrap.data_folder import DataFolder
from tests.stories.bound_contract import YAML, Sides, bound, settle
from tests.stories.test_guarantee import CONTRACT, claim, decide_path, march
from tests.stories.waiting import Api, wait_for


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    """For tests whose traces disturb no other of them; March stays open."""
    with bound(tmp_path_factory.mktemp("signed")) as sides:
        yield sides


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    """For tests of a settled March."""
    with bound(tmp_path_factory.mktemp("settled")) as sides:
        settle(sides[1])
        yield sides


def at_once(api: Api, posts: list[tuple[str, dict[str, Any]]]) -> list[httpx.Response]:
    """The answers to requests that start in the same moment, in the order of the requests."""
    gate = threading.Barrier(len(posts))

    def post(path: str, body: dict[str, Any]) -> httpx.Response:
        with httpx.Client(base_url=api.http.base_url, headers=api.http.headers, timeout=60) as client:
            gate.wait()
            return client.post(path, json=body)

    with ThreadPoolExecutor(len(posts)) as pool:
        return list(pool.map(lambda one: post(*one), posts))


def test_odd_input_gets_a_clear_answer(signed: Sides) -> None:
    _, maker, _ = signed
    wrong: list[tuple[str, str, Any, set[int]]] = [
        ("POST", "/contracts", b"", {400}),
        ("POST", "/contracts", b"\xff\xfe", {400}),
        ("POST", "/contracts", b"contract: [" * 2000, {400}),
        ("POST", "/contracts", b"contract: x\n" + b"# " + b"a" * 9_000_000, {400, 413}),
        ("POST", "/contracts", CONTRACT.replace("plant", "nobody").encode(), {400}),
    ]
    for method, path, content, codes in wrong:
        answer = maker.http.request(method, path, content=content, headers=YAML)
        assert answer.status_code in codes, answer.text[:300]
        assert answer.json()["code"], answer.text[:300]
    bodies: list[Any] = [
        {}, {"twin": "crane-1"}, {"twin": "crane-1", "kind": "access_refused", "from": "now", "to": "then"},
        {"twin": "crane-1", "kind": "access_refused", "from": 5, "to": 4},
        {"twin": "crane-1", "kind": "access_refused", "from": 2**70, "to": 2**71},
        {"twin": "mill-1", "kind": "moon", "from": "2026-03-10T06:00:00Z", "to": "2090-03-10T06:00:00Z"},
        {"twin": "crane-1", "kind": 7, "from": None, "to": []},
    ]  # fmt: skip
    for body in bodies:
        answer = maker.http.post("/contracts/crane-98/exclusions", json=body)
        assert answer.status_code in {400, 422}, (body, answer.text[:300])
        assert answer.json()["code"]
    for path in (
        "status?period=2026-13",
        "status?at=never",
        "intervals?cursor=%00",
        "trial?from=2026-99-01",
        "price?years=1",
    ):
        answer = maker.http.get(f"/contracts/crane-98/{path}")
        assert 400 <= answer.status_code < 500, (path, answer.status_code, answer.text[:300])
        assert answer.json()["code"], path
    # The same version with other content is refused: what was signed is not edited.
    other = maker.ask("POST", "/contracts", 409, content=CONTRACT.replace("level: 98", "level: 97"), headers=YAML)
    assert other["code"] == "contract:version-exists"


def test_two_people_decide_at_once_and_one_of_them_is_told(signed: Sides) -> None:
    node, maker, plant = signed
    claimed = claim(maker, "access_refused", "2026-03-10T06:00:00Z", "2026-03-10T12:00:00Z")
    bodies = [{"answer": a} for a in ("accept", "reject") * 3]
    answers = at_once(plant, [(decide_path(claimed), body) for body in bodies])
    codes = sorted(a.status_code for a in answers)
    assert codes == [200, 409, 409, 409, 409, 409], [a.text[:200] for a in answers]
    steps = plant.get("/contracts/crane-98/exclusions")["items"][0]["steps"]
    assert len(steps) == 1, "one decision stands"
    assert node.process is not None


def test_two_people_bill_at_once_and_the_customer_gets_one_invoice(settled: Sides) -> None:
    _, maker, _ = settled
    answers = at_once(maker, [("/contracts/crane-98/settlements/2026-03/invoices", {})] * 6)
    assert [a.status_code for a in answers] == [200] * 6, [a.text[:200] for a in answers]
    assert len({a.text for a in answers}) == 1, "all are told of the same documents"
    assert [i["type"] for i in maker.get("/invoices")["items"]] == ["381", "380"]
    causes = [e["cause"] for e in maker.get("/ledger")["items"]]
    assert len(causes) == len(set(causes)), "each posting once"
    # Two book the same payment at once: it came in once.
    invoice = next(i for i in maker.get("/invoices")["items"] if i["type"] == "380")
    paid = (f"/invoices/{invoice['number']}/payments", {"amount": invoice["total"]})
    assert sorted(a.status_code for a in at_once(maker, [paid] * 4)) == [201, 409, 409, 409]
    # Two take the same cost back at once: it is taken back once.
    cost = {"contract": "crane-98", "kind": "visits", "amount": "640.00", "currency": "EUR", "text": "Brake changed"}
    booked = maker.post("/ledger", cost, 201)
    back = {**cost, "amount": "-640.00", "text": "Not ours", "corrects": booked["id"]}
    assert sorted(a.status_code for a in at_once(maker, [("/ledger", back)] * 4)) == [201, 400, 400, 400]


def test_of_two_overlapping_contracts_signed_at_once_one_is_refused(signed: Sides) -> None:
    _, maker, plant = signed
    later = CONTRACT.replace("from: 2026-01-01", "from: 2027-01-01").replace("to: 2027-01-01", "to: 2028-01-01")
    assert later != CONTRACT
    for name in ("one", "two"):
        maker.ask("POST", "/contracts", 201, content=later.replace("crane-98", name), headers=YAML)
    answers = at_once(maker, [(f"/contracts/{name}/signatures", {}) for name in ("one", "two")])
    assert sorted(a.status_code for a in answers) == [200, 409], [a.text[:200] for a in answers]
    refused = next(a for a in answers if a.status_code == 409)
    assert refused.json()["code"] == "contract:period-overlap"
    # An offer that is taken back stands in nobody's way, and nobody can sign it any more.
    won, lost = ("one", "two") if answers[0].status_code == 200 else ("two", "one")
    assert maker.post(f"/contracts/{lost}/withdrawal", {}, 409)["code"] == "contract:not-offered"
    assert plant.post(f"/contracts/{won}/withdrawal", {"text": "x" * 1001}, 422)["code"]
    ended = at_once(maker, [(f"/contracts/{won}/withdrawal", {"text": "Too dear to give"})] * 3)
    assert sorted(a.status_code for a in ended) == [200, 409, 409], [a.text[:200] for a in ended]
    shown = plant.get(f"/contracts/{won}")
    assert (shown["life"], shown["withdrawal"]["party"], shown["withdrawal"]["text"]) == (
        "withdrawn", "maker", "Too dear to give",
    )  # fmt: skip
    assert plant.post(f"/contracts/{won}/signatures", {}, 409)["code"] == "contract:withdrawn"
    # The other one may decline; what both have signed nobody ends alone.
    maker.post(f"/contracts/{lost}/signatures", {})
    assert plant.post(f"/contracts/{lost}/withdrawal", {"text": "We bought another"})["life"] == "withdrawn"
    assert plant.post("/contracts/crane-98/withdrawal", {}, 409)["code"] == "contract:binding"
    further = later.replace("crane-98", lost).replace("version: 1", "version: 2")
    maker.ask("POST", "/contracts", 201, content=further, headers=YAML)
    for side in (maker, plant):
        side.post(f"/contracts/{lost}/signatures", {})
    assert plant.get(f"/contracts/{lost}")["life"] == "binding"


def test_settled_is_settled_after_a_kill(settled: Sides) -> None:
    node, maker, plant = settled
    first = settle(maker)
    before = plant.http.get("/contracts/crane-98/settlements/2026-03").content
    assert node.process is not None
    for child in DataFolder(node.data).recorded_children():
        if child.name == "web":
            os.kill(child.pid, signal.SIGKILL)

    def again() -> Any:
        fresh = Api.of(node)
        return fresh.get("/contracts/crane-98/settlements")

    rows = wait_for(node, "the web worker started again", 60, again)
    assert [r["digest"] for r in rows] == [first["digest"]]
    assert plant.http.get("/contracts/crane-98/settlements/2026-03").content == before, "the same bytes"


def test_roles_that_have_no_part_in_it_may_not_act(signed: Sides) -> None:
    node, _, _ = signed
    api = Api.of(node)
    operator = Api.of(node, api.token("plant", "operator")["token"])
    assert operator.get("/contracts/crane-98")["you"] == "customer"
    for path, body in (
        ("/contracts/crane-98/signatures", {}),
        ("/contracts/crane-98/exclusions", {"twin": "crane-1", "kind": "access_refused", "from": 1, "to": 2}),
        ("/contracts/crane-98/settlements/2026-03", {}),
        ("/contracts/crane-98/settlements/2026-03/invoices", {}),
        ("/contracts/crane-98/acceptances", {"twin": "crane-1", "answer": "accepted"}),
    ):
        assert operator.post(path, body, 403)["code"] == "access:not-permitted", path
    assert operator.ask("GET", "/ledger", 403)["code"] == "access:not-permitted"
    stranger = Api.of(node, api.token("rival", "administrator")["token"])
    for path in ("", "/status", "/intervals", "/exclusions", "/settlements", "/price", "/trial", "/value", "/forecast"):
        assert stranger.ask("GET", f"/contracts/crane-98{path}", 404)["code"] == "contract:unknown", path


def test_a_second_guarantee_for_the_same_time_is_refused_or_ranked(signed: Sides) -> None:
    """After the claims: from here another contract counts the time."""
    _, maker, plant = signed
    second = CONTRACT.replace("contract: crane-98", "contract: crane-97").replace("level: 98", "level: 97")
    maker.ask("POST", "/contracts", 201, content=second, headers=YAML)
    assert maker.post("/contracts/crane-97/signatures", {}, 409)["code"] == "contract:period-overlap"
    ranked = second.replace("version: 1", "version: 2").replace("currency: EUR", "currency: EUR\nrank: 5")
    maker.ask("POST", "/contracts", 201, content=ranked, headers=YAML)
    for side in (maker, plant):
        side.post("/contracts/crane-97/signatures", {"version": 2})
    # The higher rank counts the time, and the other contract's clock stands.
    seconds = march(maker)["machines"][0]["seconds"]
    assert seconds["outside"] == str(743 * 3600)
    higher = maker.get("/contracts/crane-97/status", period="2026-03")
    assert higher["machines"][0]["seconds"]["unavailable"] == "75600"


def test_what_people_say_of_a_stop_stands_beside_the_machines_word(signed: Sides) -> None:
    """The last on this node: what is said lasts."""
    node, _, plant = signed
    operator = Api.of(node, Api.of(node).token("plant", "operator")["token"])
    said = {"from": "2026-03-10T06:00:00Z", "to": "2026-03-10T09:00:00Z", "cause": "power-failure"}
    assert plant.post("/twins/crane-1/reasons", said, 403)["code"] == "access:not-permitted"
    assert (
        operator.post("/twins/crane-1/reasons", {**said, "cause": "power-failur"}, 400)["code"]
        == "reason:cause-unknown"
    )
    first = operator.post("/twins/crane-1/reasons", said, 201)
    day = {"from": "2026-03-10T00:00:00Z", "to": "2026-03-11T00:00:00Z"}

    def stops() -> list[tuple[str, str, str | None]]:
        found = plant.get("/twins/crane-1/states", **day)["intervals"]
        return [(i["from"][11:16], i["to"][11:16], i["said"] and i["said"]["cause"]) for i in found]

    wanted = [
        ("00:00", "06:00", None),
        ("06:00", "09:00", "power-failure"),
        ("09:00", "22:00", None),
        ("22:00", "00:00", None),
    ]
    assert stops() == wanted
    # Corrected for a longer time: the later word holds, the first one is kept and counts no longer.
    later = {**said, "to": "2026-03-10T12:00:00Z", "cause": "no-material", "replaces": first["id"]}
    operator.post("/twins/crane-1/reasons", later, 201)
    assert stops()[1:3] == [("06:00", "12:00", "no-material"), ("12:00", "22:00", None)]
    assert [r["in_force"] for r in plant.get("/twins/crane-1/reasons", **day)["items"]] == [False, True]
