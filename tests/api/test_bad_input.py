"""Whatever comes in, the answer is a fault that says what to do: never a 500."""

import json
import logging
import socket
import time
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

METHODS = ("get", "put", "post", "delete")
_SKIP = {"/api/v1/events", "/api/v1/session"}
odd = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["\x00", "..", "%2e%2e", "\u202e", "\U0001f600", "'; DROP TABLE twins; --", "9" * 40, "-1", "1e999", "NaN"]
    ),
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), odd)
trees = st.recursive(scalars, lambda c: st.lists(c, max_size=4) | st.dictionaries(odd, c, max_size=4), max_leaves=12)


@pytest.fixture(scope="module")
def operations(node):
    document = node.client().get("/api/v1/openapi.json").json()
    return [
        (path, method, item[method], document["components"]["schemas"])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item and path not in _SKIP
    ]


@pytest.fixture(scope="module")
def client(node):
    client = node.program(node.node_token)
    yield client
    client.close()


def check(answer, what):
    assert answer.status_code < 500 or answer.status_code == 503, f"{what}: {answer.status_code} {answer.text[:500]}"
    if answer.status_code >= 400 and answer.content and "/health/" not in str(answer.url):
        fault = answer.json()
        assert {"code", "message", "hint", "where", "faults"} <= fault.keys(), f"{what}: {answer.text[:300]}"
        assert ":" in fault["code"]


def fields(operation, schemas):
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    name = body.get("$ref", "").rpartition("/")[2]
    return list(schemas.get(name, {}).get("properties", {}))


def test_what_was_not_foreseen_is_told_in_the_same_form_and_logged(node, client, monkeypatch, caplog):
    def broken(*_, **__):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(node.records, "parties", broken)
    monkeypatch.setattr(logging.getLogger("uvicorn"), "handlers", [caplog.handler])
    answer = client.get("/api/v1/parties")
    assert (answer.status_code, answer.json()["code"], answer.json()["where"]) == (
        500,
        "node:unforeseen",
        "/api/v1/parties",
    )
    assert "a fault of ours" not in answer.text, "what happened inside is not for the caller"
    until = time.monotonic() + 30
    while "a fault of ours" not in caplog.text:  # it is logged after the answer
        assert time.monotonic() < until, "nothing in the log"
        time.sleep(0.01)
    monkeypatch.undo()
    assert client.get("/api/v1/parties").status_code == 200


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_call_ends_in_a_500(client, operations, data):
    path, method, operation, schemas = data.draw(st.sampled_from(operations))
    concrete = path
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            value = data.draw(st.one_of(st.sampled_from(["mill-1", "power", "mill-500@2", "set-speed"]), odd)) or "x"
            concrete = concrete.replace("{" + parameter["name"] + "}", quote(value, safe="", errors="replace"))
    query = {}
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query" and data.draw(st.booleans()):
            query[parameter["name"]] = data.draw(
                st.one_of(st.sampled_from(["mill-1", "2026-01-01T00:00:00Z", "1h", "mean", "true"]), odd)
            ).encode("utf-8", "replace")
    body = None
    if method in ("post", "put"):
        names = fields(operation, schemas)
        body = data.draw(st.one_of(trees, st.dictionaries(st.sampled_from(names), trees)) if names else trees)
        body = json.dumps(body, ensure_ascii=True).encode()
    answer = client.request(method, concrete, params=query, content=body, headers={"Content-Type": "application/json"})
    check(answer, f"{method} {concrete} {query} {body}")


BODIES = {
    "empty": b"",
    "cut off": b"{",
    "no text": b"\xff\xfe",
    "deep list": b"[" * 20_000,
    "deep object": b'{"a":' * 20_000,
    "null": b"null",
    "not a number": b"NaN",
    "half a surrogate": b'{"account": "\\ud800", "password": "x"}',
    "null character": b'{"account": "a\\u0000", "password": "x"}',
    "wrong types": b'{"account": {"$ne": 1}, "password": []}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_odd_bodies(node, client, body):
    with node.client() as nobody:
        check(nobody.post("/api/v1/session", content=body, headers={"Content-Type": "application/json"}), body[:40])
    for path in ("/tokens", "/grants", "/observations/query", "/quarantine/replay", "/machine-types", "/check"):
        check(
            client.post("/api/v1" + path, content=body, headers={"Content-Type": "application/json"}), (path, body[:40])
        )
    check(client.put("/api/v1/twins/new", content=body, headers={"Content-Type": "application/json"}), body[:40])


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}, {"Authorization": "Bearer \xff"},
     {"Cookie": "servitwin_session=\"; x"}, {"Cookie": "servitwin_session=" + "a" * 5000},
     {"If-None-Match": '"' + "x" * 5000}, {"Last-Event-ID": "-1"}, {"Content-Length": "-5"},
     {"Content-Length": "9" * 30}],
)  # fmt: skip
def test_odd_headers(node, headers):
    host, port = node.url.removeprefix("http://").split(":")
    lines = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    with socket.create_connection((host, int(port)), 5) as raw:
        raw.settimeout(5)
        raw.sendall(f"GET /api/v1/twins HTTP/1.1\r\nHost: {host}\r\n{lines}Connection: close\r\n\r\n".encode("latin-1"))
        answer = raw.recv(200)
    assert answer.startswith(b"HTTP/1.1 4"), answer


def test_body_that_stops_coming_is_not_waited_for(node, monkeypatch):
    monkeypatch.setattr("servitwin.web.api.gate.BODY_PART_S", 0.3)
    host, port = node.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 5) as raw:
        raw.settimeout(5)
        raw.sendall(
            f"POST /api/v1/session HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            "Content-Length: 500\r\n\r\n{".encode()
        )
        assert raw.recv(200).startswith(b"HTTP/1.1 408")


def test_security_headers_on_every_kind_of_answer(node, client):
    for path in ("/api/v1/twins", "/api/v1/none", "/health/live", "/app/", "/none"):
        answer = client.get(path)
        assert "default-src 'self'" in answer.headers["content-security-policy"], path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "server" not in answer.headers or "uvicorn" in answer.headers["server"]


def test_pages_not_built_say_what_to_do_and_built_ones_are_served(tmp_path):
    from api_node import Node

    ui = tmp_path / "ui"
    with Node(tmp_path, ui=ui) as node, node.client() as client:
        assert client.get("/").headers["location"] == "/app/"
        missing = client.get("/app/")
        assert missing.status_code == 503
        assert "make ui" in missing.text
        (ui / "assets").mkdir(parents=True)
        (ui / "index.html").write_text("<title>pages</title>")
        (ui / "assets" / "app-1a2b.js").write_text("export {}")
        (ui / "assets" / "app-1a2b.js.br").write_bytes(b"packed")
        (tmp_path / "secret.txt").write_text("not for you")
        for path in ("/app/", "/app/machines/mill-1", "/app/index.html"):
            page = client.get(path)
            assert "pages" in page.text, path
            assert page.headers["cache-control"] == "no-cache"
        script = client.get("/app/assets/app-1a2b.js", headers={"Accept-Encoding": "identity"})
        assert script.text == "export {}"
        assert "immutable" in script.headers["cache-control"]
        with client.stream("GET", "/app/assets/app-1a2b.js", headers={"Accept-Encoding": "br"}) as packed:
            assert packed.headers["content-encoding"] == "br"
            assert b"".join(packed.iter_raw()) == b"packed"
        a_page = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        assert "pages" in client.get("/app/things/a-name-4.2.0", headers=a_page).text
        for gone, headers in (("assets/gone.js", {}), ("assets/gone.js", a_page), ("gone.js", {"Accept": "*/*"})):
            assert client.get(f"/app/{gone}", headers=headers).status_code == 404, (gone, headers)
        for path in ("/app/../secret.txt", "/app/%2e%2e/secret.txt", "/app/..%2fsecret.txt", "/app//etc/passwd"):
            assert "not for you" not in client.get(path).text, path


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("/schedules", {"budget_s": True}, "body.budget_s"),
        ("/schedules", {"seed": False}, "body.seed"),
        ("/deliveries/words", {"said": "came", "ref": "x", "amount": True}, "body.amount"),
        ("/observations/query", {"twins": ["mill-1"], "signals": ["power"], "from": True, "to": 5}, "body.from.int"),
        (
            "/schedules/routine/shifts",
            {"place": "mill-1", "day": "2026-01-01", "shift": "early", "minutes": {"other": True}},
            "body.minutes.other",
        ),
    ],
)
def test_true_and_false_are_no_numbers(client, path, body, where):
    answer = client.post("/api/v1" + path, json=body)
    assert answer.status_code == 422, answer.text
    assert where in [f["where"] for f in answer.json()["faults"]], answer.text
    assert "not true or false" in answer.text
