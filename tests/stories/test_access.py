"""Who may not: another company's token, one that is revoked or expired, a forged call, and two who change the same."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.conftest import Node
from tests.stories.waiting import API, Api, plant, wait_for

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("nodes")]
MARK = "sesame-7781"  # in every value that belongs to acme


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("access")).running() as made:
        yield made


@pytest.fixture(scope="module")
def api(node: Node) -> Api:
    """A node with an observation and a quarantined payload of acme's press-1."""
    api = plant(node)
    api.post("/twins/press-1/observations", {"values": {"mode": MARK}}, 202)
    api.post("/twins/press-1/observations", {"values": {"count": f"{MARK} no number"}}, 202)
    api.post("/twins/press-2/observations", {"values": {"mode": "mine"}}, 202)
    wait_for(node, "the value stored", 60, lambda: api.values("press-1", "mode"))
    wait_for(node, "the entry in quarantine", 60, lambda: api.get("/quarantine", twin="press-1")["items"])
    return api


@pytest.fixture(scope="module")
def stranger(node: Node, api: Api) -> Api:
    """An administrator of the other company."""
    return Api.of(node, api.token("other", "administrator", "engineer", "analyst")["token"])


def test_a_token_of_another_company_finds_its_own_and_nothing_else(node: Node, api: Api, stranger: Api) -> None:
    assert [t["id"] for t in stranger.get("/twins")["items"]] == ["press-2"]
    assert [v for _, v in stranger.values("press-2", "mode")] == ["mine"]
    entry = api.get("/quarantine", twin="press-1")["items"][0]["id"]
    refused = [
        "/twins/press-1", "/twins/press-1/state", "/twins/press-1/states", "/twins/press-1/alarms",
        "/twins/press-1/level", "/twins/press-1/commands", "/twins/press-1/availability", "/twins/press-1/oee",
        "/twins/press-1/gaps", "/twins/press-1/signals/mode/observations", "/twins/press-1/services",
        f"/quarantine/{entry}",
    ]  # fmt: skip
    for path in refused:
        answer = stranger.http.get(path)
        assert answer.status_code == 404, f"{path}: {answer.status_code} {answer.text[:300]}"
        assert MARK not in answer.text, path
    for path in ("/quarantine", "/audit", "/parties", "/accounts", "/tokens", "/grants", "/machine-credentials"):
        answer = stranger.http.get(path)
        assert answer.status_code in (200, 403), f"{path}: {answer.status_code}"
        for secret in (MARK, "press-1", "acme"):
            assert secret not in answer.text, f"{path} shows {secret} to a stranger: {answer.text[:500]}"
    for form in ("csv", "parquet", "arrow"):
        answer = stranger.http.get("/export", params={"form": form, "twins": "press-1"})
        assert answer.status_code in (403, 404), f"export as {form}: {answer.status_code}"
        whole = stranger.http.get("/export", params={"form": form})
        assert MARK.encode() not in whole.content, f"an export as {form} holds another company's values"
    query = {"twins": ["press-1", "press-2"], "signals": ["mode"]}
    assert MARK not in stranger.http.post("/observations/query", json=query).text


def test_a_stranger_changes_nothing(api: Api, stranger: Api) -> None:
    body = {"kind": "machine", "type": "press@1", "owner": "other"}
    entry = api.get("/quarantine", twin="press-1")["items"][0]["id"]
    tried: list[tuple[str, str, Any]] = [
        ("PUT", "/twins/press-1", body),
        ("PUT", "/twins/press-1/services/state_time", {"parameters": {}}),
        ("POST", "/twins/press-1/observations", {"values": {"mode": "stolen"}}),
        ("POST", "/twins/press-1/commands/stop", {"parameters": {}}),
        (
            "POST",
            "/twins/press-1/gaps",
            {"gaps": [{"from": "2026-09-01T00:00:00Z", "to": "2026-09-02T00:00:00Z", "reason": "x"}]},
        ),
        ("POST", "/machine-credentials", {"user": "thief", "twins": ["press-1"]}),
        ("POST", "/quarantine/replay", {"ids": [entry]}),
        ("POST", "/tokens", {"label": "x", "roles": ["administrator"], "party": "acme"}),
        ("POST", "/grants", {"grantee": "other", "twin": "press-1", "action": "read"}),
    ]
    for method, path, sent in tried:
        answer = stranger.http.request(method, path, json=sent)
        assert answer.status_code in (403, 404), f"{method} {path}: {answer.status_code} {answer.text[:300]}"
    assert api.get("/twins/press-1")["owner"] == "acme"


def test_events_of_another_company_are_not_heard(node: Node, api: Api, stranger: Api) -> None:
    heard: list[str] = []
    ours = threading.Event()

    def listen() -> None:
        with stranger.http.stream("GET", "/events", params={"topics": "live,happened"}, timeout=60) as stream:
            for line in stream.iter_lines():
                heard.append(line)
                if "knock" in line:
                    ours.set()
                    return

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    for _ in range(600):
        api.post("/twins/press-1/observations", {"values": {"mode": MARK}}, 202)
        api.post("/twins/press-2/observations", {"values": {"mode": "knock"}}, 202)
        if ours.wait(0.1):
            break
    assert ours.is_set(), f"no event of one's own came: {heard[-5:]}\n{node.logs()}"
    assert not [line for line in heard if MARK in line or "press-1" in line]


def test_revoked_and_expired_tokens_are_worth_nothing(node: Node, api: Api) -> None:
    made = api.token("acme", "viewer")
    bearer = Api.of(node, made["token"])
    assert bearer.get("/twins/press-1")["id"] == "press-1"
    api.ask("DELETE", f"/tokens/{made['id']}")
    assert bearer.http.get("/twins").status_code == 401
    end = datetime.now(UTC) + timedelta(seconds=3)
    short = Api.of(node, api.token("acme", "viewer", expires=end.isoformat())["token"])
    wait_for(node, "the token expired", 30, lambda: short.http.get("/twins").status_code == 401)
    assert datetime.now(UTC) >= end, "it expired too early"
    assert Api.of(node, "no-such-token").http.get("/twins").status_code == 401
    assert httpx.get(node.web + API + "/twins").status_code == 401


def test_a_browser_session_needs_its_token_for_each_change(node: Node, api: Api) -> None:
    person = {"id": "anna", "name": "Anna", "party": "acme", "roles": ["engineer", "administrator"]}
    api.post("/accounts", {**person, "password": "a long password"})
    browser = httpx.Client(base_url=node.web + API, timeout=60)
    signed = browser.post("/session", json={"account": "anna", "password": "a long password"})
    assert signed.status_code == 200, signed.text
    payload = {"values": {"mode": "by anna"}}
    path = "/twins/press-1/observations"
    assert browser.post(path, json=payload).status_code == 403, "a call without the session's token was let through"
    assert browser.post(path, json=payload, headers={"X-CSRF-Token": "guess"}).status_code == 403
    right = {"X-CSRF-Token": signed.json()["csrf"]}
    assert browser.post(path, json=payload, headers={**right, "Origin": "http://evil.example"}).status_code == 403
    assert browser.post(path, json=payload, headers=right).status_code == 202
    assert browser.request("DELETE", "/session", headers=right).status_code < 300
    assert browser.get("/twins").status_code == 401


def test_of_two_who_change_the_same_twin_one_is_told(node: Node, api: Api) -> None:
    body = {"kind": "machine", "type": "press@1", "owner": "acme", "commissioned": "2020-01-01"}
    for attempt in range(5):
        tag = api.http.put("/twins/press-1", json=body).headers["ETag"]
        start = threading.Barrier(2)
        codes: dict[str, int] = {}

        def change(title: str, start: threading.Barrier = start, codes: dict[str, int] = codes, tag: str = tag) -> None:
            with Api.of(node).http as http:
                start.wait(30)
                codes[title] = http.put(
                    "/twins/press-1", json={**body, "title": title}, headers={"If-Match": tag}
                ).status_code

        both = [threading.Thread(target=change, args=(f"{name} {attempt}",)) for name in ("left", "right")]
        for one in both:
            one.start()
        for one in both:
            one.join(60)
        assert sorted(codes.values()) == [200, 412], f"both believe they changed it: {codes}"
        winner = next(title for title, code in codes.items() if code == 200)
        assert api.get("/twins/press-1")["title"] == winner


def test_no_secret_is_in_logs_or_open_files(node: Node, api: Api) -> None:
    secret = api.credential("press-2", "press-2")
    token = api.token("acme", "viewer")["token"]
    for path in node.data.rglob("*"):
        if not path.is_file() or path.is_symlink():
            continue
        content = path.read_bytes()
        for what in (secret, token):
            assert what.encode() not in content, f"{path} holds a secret in the clear"
        if node.token.encode() in content:
            assert path.stat().st_mode & 0o077 == 0, f"{path} holds the node's token and is open"
    children = json.loads((node.data / "run" / "children.json").read_text())
    for child in children:
        with open(f"/proc/{child['pid']}/cmdline", "rb") as f:
            assert node.token.encode() not in f.read()
