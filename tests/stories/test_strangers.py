"""Every readable address of the API, tried by a company that owns nothing there; and people who try the door."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.conftest import Node
from tests.stories.waiting import API, Api, plant, wait_for

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("nodes")]
MARK = "sesame-7781"  # in everything of acme's that has words
SECRETS = (MARK, "forge-1", "acme-")
FORGE = f"""machine_type: acme-forge
version: 1
title: {MARK}
manufacturer: acme
signals:
  heat: {{unit: Cel, title: {MARK}}}
  mode: {{type: text, title: {MARK}}}
requirements:
  stays-cool: {{text: {MARK}, formula: heat < 5 Cel, severity: high}}
commands:
  warm-up:
    risk: setting
    title: {MARK}
    parameters: {{degrees: {{unit: Cel, minimum: 0, maximum: 900}}}}
    timeout: 10s
""".encode()
LAMP = f"""controller: acme-lamp
version: 1
title: {MARK}
inputs: {{button: flag}}
regions:
  lamp: {{initial: dark, states: {{dark: {{transitions: [{{to: lit, when: button}}]}}, lit: {{final: true}}}}}}
properties: {{p: {{text: {MARK}, never: lamp is lit}}}}
""".encode()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("strangers")).running() as made:
        yield made


@pytest.fixture(scope="module")
def secrets(node: Node) -> tuple[Api, dict[str, list[str]]]:
    """A node on which acme has one of everything, and what to put for each parameter of a path."""
    api = plant(node)
    api.ask("POST", "/machine-types", content=FORGE, headers={"Content-Type": "application/yaml"})
    api.put("/twins/forge-1", {"kind": "machine", "type": "acme-forge@1", "owner": "acme", "title": MARK})
    api.post("/twins/forge-1/observations", {"values": {"mode": MARK, "heat": 7}, "session": MARK, "seq": 1}, 202)
    api.post("/twins/forge-1/observations", {"values": {"heat": MARK}}, 202)
    hour = {"from": "2026-09-01T00:00:00Z", "to": "2026-09-01T01:00:00Z", "reason": MARK}
    api.post("/twins/forge-1/gaps", {"gaps": [hour]})
    command = api.post("/twins/forge-1/commands/warm-up", {"parameters": {"degrees": 5}}, 202)
    api.credential("acme-machine", "forge-1")
    api.token("acme", "viewer")
    person = {"id": "acme-anna", "name": MARK, "party": "acme", "roles": ["engineer"], "password": "a long password"}
    api.post("/accounts", person)
    wait_for(node, "the value stored", 60, lambda: api.values("forge-1", "mode"))
    entries = wait_for(node, "quarantine", 60, lambda: api.get("/quarantine", twin="forge-1")["items"])
    # Only a reading with a time of its own is good enough for a verdict.
    for heat in (9, 8):
        api.post(
            "/twins/forge-1/observations", {"values": {"heat": heat}, "time": f"{datetime.now(UTC):%FT%T.%fZ}"}, 202
        )
    case = wait_for(node, "a case", 60, lambda: api.get("/cases", twin="forge-1")["items"])[0]
    yaml = {"Content-Type": "application/yaml"}
    api.ask("POST", "/controllers", 201, content=LAMP, headers=yaml, params={"machine_type": "acme-forge"})
    checked = api.post("/controllers/acme-lamp@1/checks", {"seconds": 5}, 202)
    check = f"/controllers/checks/{checked['id']}"
    wait_for(node, "the check", 60, lambda: api.get(check)["state"] == "done")
    replay = api.post("/controllers/acme-lamp@1/replays", {"property": "p", "pace": 50}, 202)
    contract(api)
    job = api.post("/services/schedule/jobs", {"problem": {MARK: MARK}, "about": MARK}, 202)
    own = ("", "/document", "/file", "/status", "/intervals", "/exclusions", "/acceptances",
           "/acceptances/{twin}/criteria", "/settlements", "/trial", "/price", "/forecast", "/calibration", "/value",
           "/service-levels",
           "/settlements/{period}", "/settlements/{period}/document", "/settlements/{period}/observations")  # fmt: skip
    return api, {
        **{"/contracts/{id}" + path: ["acme-98"] for path in own},
        "period": ["2026-09"],
        "party": ["acme"],
        "number": ["2026-00001"],
        "contract": ["acme-98"],
        "/commands/{id}": [command["id"]],
        "/quarantine/{id}": [entries[0]["id"]],
        **{"/cases/{id}" + path: [case["id"]] for path in ("", "/proof", "/certificate")},
        **{"/controllers/checks/{id}" + path: [checked["id"]] for path in ("", "/obligations")},
        **{"/controllers/{reference}" + path: ["acme-lamp@1"] for path in ("", "/replays")},
        "/controllers/replays/{id}": [replay["id"]],
        "/jobs/{id}": [job["id"]],
        "anomaly": ["0"],
        "trainer": ["remaining_life_training"],
        "kind": ["orders", "spare-parts"],
        "order": ["acme-1"],
        "operation": ["10"],
        "other": ["acme-2"],
        "about": [MARK],
        "product": [MARK],
        "characteristic": [MARK],
        "machine": ["forge-1"],
        "place": ["forge-1"],
        "size": ["1"],
        "/contracts/{id}/file form": ["yaml", "json"],
        "/log/consistency from": ["0"],
        "index": ["0"],
        "requirement": ["stays-cool"],
        "id": ["forge-1"],
        "signal": ["mode", "heat"],
        "service": ["state_time", "availability", "oee"],
        "reference": ["acme-forge@1"],
        "twin": ["forge-1"],
        "twins": ["forge-1"],
        "signals": ["mode"],
        "session": [MARK],
        "parent": ["forge-1"],
        "q": [MARK],
        "form": ["csv", "arrow", "parquet"],
        "formula": ["iso22400@1"],
        "every": ["1h"],
        "aggregate": ["duration"],
    }


def contract(api: Api) -> None:
    """A guarantee of acme for a third party, settled and invoiced."""
    api.post("/parties", {"id": "works", "name": "Works", "kind": "customer"})
    terms = f"""
contract: acme-98
version: 1
title: {MARK}
provider: acme
customer: works
machines: [forge-1]
period: {{from: 2026-09-01, to: 2026-10-01, time_zone: UTC}}
currency: EUR
price: {{fee: 1000, per: month}}
guarantee: {{level: 98, credit: {{form: stepped, step: 0.1, percent: 0.5, cap: 10}}, exclusions: [{{kind: energy}}]}}
text: {MARK}
"""
    sides = [Api.of(api.node, api.token(p, "service_manager", "procurement")["token"]) for p in ("acme", "works")]
    sides[0].ask("POST", "/contracts", 201, content=terms, headers={"Content-Type": "application/yaml"})
    for side in sides:
        side.post("/contracts/acme-98/signatures", {})
    span = {"from": "2026-09-03T00:00:00Z", "to": "2026-09-03T01:00:00Z"}
    sides[0].post("/contracts/acme-98/exclusions", {"twin": "forge-1", "kind": "energy", "text": MARK, **span}, 201)
    sides[0].post("/contracts/acme-98/settlements/2026-09", {})
    sides[0].post(
        "/ledger", {"contract": "acme-98", "kind": "visits", "amount": "5", "currency": "EUR", "text": MARK}, 201
    )


def calls(document: dict[str, Any], known: dict[str, list[str]]) -> Iterator[tuple[str, dict[str, str]]]:
    """Each path that can be read: with what it requires, and with each further parameter that we know a value for."""
    for path, item in document["paths"].items():
        if "get" not in item or path.endswith("/events"):
            continue
        parameters = item["get"].get("parameters", [])
        inside = [p["name"] for p in parameters if p["in"] == "path"]
        short = path.removeprefix(API)
        chosen_by_name = {
            p["name"]: p["schema"].get("enum") or known.get(f"{short} {p['name']}") or known.get(p["name"])
            for p in parameters
            if p["in"] == "query"
        }
        query = {name: values for name, values in chosen_by_name.items() if values}
        required = [p["name"] for p in parameters if p["in"] == "query" and p.get("required")]
        values = [known.get(short) if n in ("id", "reference") else None for n in inside]
        for chosen in itertools.product(*(v or known[n] for v, n in zip(values, inside, strict=True))):
            concrete = path
            for name, value in zip(inside, chosen, strict=True):
                concrete = concrete.replace("{" + name + "}", value)
            yield concrete, {n: query[n][0] for n in required}
            first = {n: values[0] for n, values in query.items()}
            yield from ((concrete, {**first, n: v}) for n, values in query.items() for v in values)


@pytest.mark.parametrize("roles", [("administrator", "engineer", "analyst"), ("viewer",)])
def test_no_address_tells_a_stranger_anything(
    node: Node, secrets: tuple[Api, dict[str, list[str]]], roles: tuple[str, ...]
) -> None:
    api, known = secrets
    whole, nothing = (
        httpx.Client(base_url=node.web, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        for token in (node.token, api.token("other", *roles)["token"])
    )
    document = whole.get(API + "/openapi.json").json()
    told_us = set()
    tried = 0
    for path, query in calls(document, known):
        owner = whole.get(path, params=query)
        assert owner.status_code < 500, f"{path} {query}: {owner.text[:300]}"
        if any(s.encode() in owner.content for s in SECRETS):
            told_us.add(path)
        answer = nothing.get(path, params=query)
        assert answer.status_code < 500, f"{path} {query}: {answer.text[:300]}"
        # a fault may repeat what was asked for, never what is there
        asked = f"{path} {query}"
        for secret in SECRETS:
            shown = secret.encode() in answer.content
            assert not shown or (answer.status_code >= 400 and secret in asked), f"{path} {query}: {answer.text[:500]}"
        tried += 1
    assert tried > 60
    assert len(told_us) > 15, f"this test would not notice much: only {told_us} tell the owner anything"


def test_without_a_token_no_address_answers(node: Node, secrets: tuple[Api, dict[str, list[str]]]) -> None:
    nobody = httpx.Client(base_url=node.web)
    document = nobody.get(API + "/openapi.json").json()
    for path, query in calls(document, secrets[1]):
        if path.startswith("/health"):
            continue
        answer = nobody.get(path, params=query)
        assert answer.status_code == 401, f"{path}: {answer.status_code} {answer.text[:200]}"


def test_a_revoked_token_hears_nothing_more(node: Node, secrets: tuple[Api, dict[str, list[str]]]) -> None:
    api, _ = secrets
    made = api.token("acme", "viewer")
    listening, ended = threading.Event(), threading.Event()

    def listen() -> None:
        with Api.of(node, made["token"]).http.stream("GET", "/events", timeout=60) as stream:
            for _ in stream.iter_lines():
                listening.set()
        ended.set()

    threading.Thread(target=listen, daemon=True).start()
    assert listening.wait(20)
    api.ask("DELETE", f"/tokens/{made['id']}")
    assert ended.wait(30), "the stream goes on after its token was revoked"


def test_a_planted_session_is_never_adopted_and_a_new_sign_in_ends_the_old_one(
    node: Node, secrets: tuple[Api, dict[str, list[str]]]
) -> None:
    body = {"account": "acme-anna", "password": "a long password"}
    planted = {"Cookie": "servitwin_session=planted-by-somebody"}
    first = httpx.post(node.web + API + "/session", json=body, headers=planted)
    secret = first.cookies["servitwin_session"]
    assert secret != "planted-by-somebody"
    assert httpx.get(node.web + API + "/twins", headers=planted).status_code == 401
    mine = {"Cookie": f"servitwin_session={secret}"}
    assert httpx.get(node.web + API + "/twins", headers=mine).status_code == 200
    assert httpx.post(node.web + API + "/session", json=body, headers=mine).status_code == 403, "forged by a page"
    again = httpx.post(
        node.web + API + "/session", json=body, headers={**mine, "X-CSRF-Token": first.json()["csrf"]}
    )  # fmt: skip
    assert again.cookies["servitwin_session"] != secret
    assert httpx.get(node.web + API + "/twins", headers=mine).status_code == 401, "the replaced session goes on"


def test_guessing_a_password_becomes_slow(node: Node, secrets: tuple[Api, dict[str, list[str]]]) -> None:
    codes = []
    guesser = httpx.Client(base_url=node.web + API)
    begin = time.monotonic()
    for k in range(30):
        answer = guesser.post("/session", json={"account": "acme-anna", "password": f"guess {k}"})
        codes.append((answer.status_code, answer.json()["code"]))
    assert time.monotonic() - begin < 60
    looked_at = [status for status, code in codes if code == "session:wrong-account-or-password"]
    made_wait = [status for status, code in codes if code == "session:too-many-attempts"]
    # Waits of 1, 2, 4 s ... run out between guesses: the pace of the machine says which are looked at, not how many.
    assert 5 <= len(looked_at) <= 10
    assert len(made_wait) == 30 - len(looked_at), codes
    assert set(made_wait) == {429}
