import time
from contextlib import closing

import pytest
from api_node import PASSWORD

from servitwin.domain.instant import format_instant


def test_token_is_shown_once_works_within_its_party_and_ends_when_revoked(node, adam, olga):
    made = adam.post("/api/v1/tokens", json={"label": "MES", "roles": ["analyst"]})
    assert made.status_code == 201, made.text
    token = made.json()["token"]
    assert len(token) > 40
    assert token not in adam.get("/api/v1/tokens").text
    assert token not in str(node.records.audit_entries())
    with node.program(token) as program:
        assert [t["id"] for t in program.get("/api/v1/twins").json()["items"]] == [
            "line-a",
            "mill-1",
            "mill-2",
            "sold-mill",
        ]
        assert program.get("/api/v1/twins/other-mill").status_code == 404
        assert program.post("/api/v1/twins/mill-1/observations", json={"values": {}}).status_code == 403
        assert program.get("/api/v1/accounts").status_code == 403
        assert olga.delete(f"/api/v1/tokens/{made.json()['id']}").status_code in (403, 404)
        assert adam.delete(f"/api/v1/tokens/{made.json()['id']}").json() == {"done": True}
        assert program.get("/api/v1/twins").status_code == 401


def test_token_expires(node, adam):
    soon = format_instant(time.time_ns() + 700_000_000)
    token = adam.post("/api/v1/tokens", json={"label": "short", "roles": ["viewer"], "expires": soon}).json()["token"]
    with node.program(token) as program:
        assert program.get("/api/v1/twins").status_code == 200
        time.sleep(0.8)
        node.sign_in.forget()
        assert program.get("/api/v1/twins").status_code == 401
    past = adam.post("/api/v1/tokens", json={"label": "past", "roles": ["viewer"], "expires": 1})
    assert past.json()["code"] == "token:expired"


def test_administrator_of_a_company_stays_within_it(node, adam):
    for path, body in (
        ("/tokens", {"label": "x", "roles": ["administrator"], "party": "other"}),
        ("/tokens", {"label": "x", "roles": ["administrator"], "party": ""}),
        ("/tokens", {"label": "x", "roles": ["administrator"], "party": "maker"}),
        ("/accounts", {"id": "spy", "name": "Spy", "party": "other", "roles": ["viewer"], "password": PASSWORD}),
        ("/accounts", {"id": "olga", "name": "Olga", "party": "acme", "roles": ["viewer"], "password": PASSWORD}),
        ("/parties", {"id": "mine", "name": "Mine"}),
    ):
        answer = adam.post("/api/v1" + path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "access:not-permitted"), (path, body)
    assert {a["party"] for a in adam.get("/api/v1/accounts").json()["items"]} == {"acme"}
    assert {e["party"] for e in adam.get("/api/v1/audit").json()["items"]} <= {"acme"}


def test_new_account_signs_in_and_a_disabled_one_is_out_at_once(node, adam):
    body = {"id": "nina", "name": "Nina", "party": "acme", "roles": ["operator"]}
    assert adam.post("/api/v1/accounts", json=body).json()["code"] == "account:password-missing"
    assert adam.post("/api/v1/accounts", json={**body, "password": "short"}).status_code == 422
    assert adam.post("/api/v1/accounts", json={**body, "password": PASSWORD}).status_code == 201
    nina = node.browser("nina")
    assert nina.get("/api/v1/twins").status_code == 200
    assert adam.post("/api/v1/accounts", json={**body, "disabled": True}).status_code == 200
    assert nina.get("/api/v1/twins").status_code == 401
    nina.close()


def test_grant_is_given_seen_and_withdrawn(node, adam, olga):
    assert olga.get("/api/v1/twins/mill-2").status_code == 404
    made = adam.post(
        "/api/v1/grants", json={"grantee": "other", "twin": "mill-2", "action": "read", "purpose": "study"}
    )
    assert made.status_code == 201, made.text
    assert olga.get("/api/v1/twins/mill-2").status_code == 200
    assert olga.get("/api/v1/twins/mill-1").status_code == 404
    assert [g["id"] for g in adam.get("/api/v1/grants").json()["items"]] == [made.json()["id"]]
    assert adam.delete(f"/api/v1/grants/{made.json()['id']}").status_code == 200
    assert olga.get("/api/v1/twins/mill-2").status_code == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"grantee": "nobody", "twin": "mill-1", "action": "read"}, "party:unknown"),
        ({"grantee": "other", "twin": "other-mill", "action": "read"}, "twin:unknown"),
        ({"grantee": "other", "twin": "mill-1", "action": "command", "signals": ["x"]}, "grant:signals-only-for-read"),
        ({"grantee": "other", "twin": "mill-1", "action": "read", "to": 5}, "grant:ends-before-it-starts"),
        ({"grantee": "acme", "twin": "mill-1", "action": "read", "grantor": "other"}, "access:not-permitted"),
    ],
)
def test_wrong_grants(adam, body, code):
    assert adam.post("/api/v1/grants", json=body).json()["code"] == code


def test_machine_credential_is_shown_once_and_the_bus_is_told(node, adam, olga):
    before = node.machines_changed
    made = adam.post("/api/v1/machine-credentials", json={"user": "gateway", "twins": ["mill-1", "mill-2"]})
    assert made.status_code == 201, made.text
    first = made.json()["password"]
    kept, twins = node.records.machine_credential("gateway")
    assert twins == ["mill-1", "mill-2"]
    assert first not in kept
    assert node.machines_changed == before + 1
    second = adam.post("/api/v1/machine-credentials", json={"user": "gateway", "twins": ["mill-1"]}).json()["password"]
    assert second != first
    assert first not in adam.get("/api/v1/machine-credentials").text
    foreign = adam.post("/api/v1/machine-credentials", json={"user": "x", "twins": ["other-mill"]})
    assert foreign.json()["code"] == "twin:unknown"
    with closing(node.browser("oscar")) as oscar_client:
        stolen = oscar_client.post("/api/v1/machine-credentials", json={"user": "gateway", "twins": ["other-mill"]})
        assert stolen.status_code == 403, "a user that speaks for another company's machine is not to be taken over"


def test_audit_tells_who_did_what_and_holds_no_secret(node, adam, root):
    adam.post("/api/v1/tokens", json={"label": "audited", "roles": ["viewer"]})
    pages, cursor = [], None
    while True:
        answer = root.get("/api/v1/audit", params={"limit": 7, **({"cursor": cursor} if cursor else {})}).json()
        pages += answer["items"]
        cursor = answer["next"]
        if cursor is None:
            break
    ids = [int(e["id"]) for e in pages]
    assert ids == sorted(set(ids), reverse=True)
    assert {"session.start", "token.create", "grant.create", "credential.save"} <= {e["action"] for e in pages}
    assert PASSWORD not in str(pages)
    latest = next(e for e in pages if e["action"] == "token.create")
    assert (latest["actor"], latest["party"], latest["detail"]["label"]) == ("adam", "acme", "audited")


def test_people_without_the_task_see_no_administration(anna):
    for path in ("/tokens", "/accounts", "/grants", "/audit"):
        answer = anna.get("/api/v1" + path)
        assert (answer.status_code, answer.json()["code"]) == (403, "access:not-permitted"), path
    assert [p["id"] for p in anna.get("/api/v1/parties").json()["items"]] == ["acme"]
