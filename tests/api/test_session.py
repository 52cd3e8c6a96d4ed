import pytest
from api_node import PASSWORD, Node


def test_signing_in_sets_a_cookie_that_scripts_cannot_read_and_other_sites_cannot_send(node):
    with node.client() as client:
        answer = client.post("/api/v1/session", json={"account": "anna", "password": PASSWORD})
        assert answer.status_code == 200
        assert answer.json()["account"] == {
            "id": "anna", "name": "Anna", "party": "acme", "roles": ["production_manager"], "locale": "en",
        }  # fmt: skip
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert client.get("/api/v1/session").json()["csrf"] == answer.json()["csrf"]


@pytest.mark.parametrize(
    "body", [{"account": "anna", "password": "wrong"}, {"account": "nobody", "password": PASSWORD}]
)
def test_wrong_account_and_wrong_password_look_the_same(node, body):
    with node.client() as client:
        answer = client.post("/api/v1/session", json=body)
    assert answer.status_code == 401
    assert answer.json()["code"] == "session:wrong-account-or-password"


def test_without_a_session_nothing_is_told(node):
    with node.client() as client:
        for path in ("/session", "/twins", "/twins/mill-1", "/twins/mill-1/state", "/events"):
            answer = client.get("/api/v1" + path)
            assert answer.status_code == 401, path
            assert answer.json()["code"] == "session:required"
            assert answer.headers["www-authenticate"] == "Bearer"


def test_unsafe_call_of_a_browser_needs_its_token(node, anna):
    del anna.headers["X-CSRF-Token"]
    assert anna.delete("/api/v1/session").json()["code"] == "session:csrf-token-missing"
    anna.headers["X-CSRF-Token"] = "x" * 43
    assert anna.delete("/api/v1/session").status_code == 403
    assert anna.get("/api/v1/session").status_code == 200


def test_call_from_another_sites_page_is_refused(node, anna):
    answer = anna.delete("/api/v1/session", headers={"Origin": "https://evil.example"})
    assert answer.json()["code"] == "session:foreign-origin"
    assert anna.delete("/api/v1/session", headers={"Origin": node.url}).status_code == 200


def test_signing_out_ends_the_session_at_once(node, anna):
    cookie = anna.cookies["servitwin_session"]
    assert anna.delete("/api/v1/session").json() == {"done": True}
    with node.client(cookies={"servitwin_session": cookie}) as again:
        assert again.get("/api/v1/twins").status_code == 401


def test_many_failures_make_the_next_attempt_wait_even_with_the_right_password(tmp_path):
    with Node(tmp_path) as node, node.client() as client:
        for _ in range(6):
            answer = client.post("/api/v1/session", json={"account": "anna", "password": "wrong"})
        answer = client.post("/api/v1/session", json={"account": "anna", "password": PASSWORD})
        assert answer.status_code == 429
        assert answer.json()["code"] == "session:too-many-attempts"
        assert 0 < int(answer.headers["retry-after"]) < 900
        other = client.post("/api/v1/session", json={"account": "adam", "password": PASSWORD})
        assert other.status_code == 200, "other people of the same plant are not locked out"
        refused = [e for e in node.records.audit_entries() if e["action"] == "session.refused"]
        assert len(refused) == 5 or len(refused) == 6
        assert "wrong" not in str(refused)


def test_anonymous_role_reads_everything_and_changes_nothing(tmp_path):
    with Node(tmp_path, anonymous_role="viewer") as node, node.client() as client:
        assert client.get("/api/v1/session").json()["anonymous"] is True
        ids = [t["id"] for t in client.get("/api/v1/twins").json()["items"]]
        assert ids == ["line-a", "mill-1", "mill-2", "other-mill", "sold-mill"]
        answer = client.post("/api/v1/twins/mill-1/gaps", json={"gaps": [{"from": 1, "to": 2, "reason": "x"}]})
        assert answer.status_code == 403
        assert answer.json()["code"] == "access:not-permitted"
