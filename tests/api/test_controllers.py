"""Controllers over the API: brought in, read, checked, compared; who may do it."""

import io
import time
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "controllers"
LAMP = """controller: {name}
version: {version}
inputs: {{button: {{type: flag}}}}
regions:
  lamp:
    initial: dark
    states:
      dark: {{transitions: [{{to: lit, when: button}}]}}
      lit: {{transitions: [{{to: dark, when: {guard}, name: put out}}]}}
properties:
  answers: {{text: A pressed button puts it out., whenever: button and lamp is lit, then: lamp is dark, within: 1}}
observe:
  lamp: {{signal: execution, values: {{ACTIVE: lit, READY: dark}}}}
"""


def lamp(name="lamp", version=1, guard="button"):
    return LAMP.format(name=name, version=version, guard=guard).encode()


def add(client, text, **query):
    return client.post("/api/v1/controllers", content=text, params=query, headers={"Content-Type": "application/yaml"})


def settled(client, answer):
    assert answer.status_code == 202, answer.text
    until = time.monotonic() + 60
    while (found := client.get(answer.headers["Location"]).json())["state"] in ("waiting", "running"):
        assert time.monotonic() < until, found
        time.sleep(0.05)
    return found


@pytest.fixture
def mike(node):
    """Administrator of the house."""
    with closing(node.browser("mike")) as client:
        yield client


def test_a_defect_is_found_and_the_mended_version_is_proven_beside_it(mike):
    for file in ("mill-door.yaml", "mill-door-mended.yaml"):
        answer = add(mike, (EXAMPLES / file).read_bytes(), machine_type="mill-500")
        assert answer.status_code == 201, answer.text
        assert add(mike, (EXAMPLES / file).read_bytes(), machine_type="mill-500").status_code == 200
    shown = mike.get("/api/v1/controllers/mill-door@1").json()
    spindle = next(r for r in shown["regions"] if r["name"] == "spindle")
    coasting = next(s for s in spindle["states"] if s["name"] == "coasting")
    labels = [t["label"] for t in coasting["transitions"]]
    assert labels == ["spindle: coasting -> stopped [run down]", "spindle: coasting -> turning [restart]"]
    assert coasting["transitions"][0]["guard"]
    assert shown["versions"] == [1, 2]
    assert shown["check"] is None
    assert shown["may_check"] is True

    asked = {"depth": 60, "seconds": 60, "against": 1}
    found = settled(mike, mike.post("/api/v1/controllers/mill-door@2/checks", json=asked))
    assert found["state"] == "done", found
    assert [a["outcome"] for a in found["report"]["answers"]] == ["proven"] * 3
    changes = {p["name"]: p["change"] for p in found["comparison"]["properties"]}
    assert changes["no-turning-behind-an-open-door"] == "mended"
    run = found["comparison"]["properties"][0]["older"]["counterexample"]
    assert len(run["steps"]) == run["replayed"]
    assert run["steps"][-1]["values"]["spindle"] == "turning"
    assert run["steps"][-1]["values"]["door"] == "open"
    assert set(run["steps"][-2]["taken"]) <= {
        t["label"] for r in shown["regions"] for s in r["states"] for t in s["transitions"]
    }
    assert "The model is not the controller" in found["fit"]
    with zipfile.ZipFile(io.BytesIO(mike.get(found["obligations"]).content)) as archive:
        names = archive.namelist()
        assert any(n.startswith("older/") for n in names)
        assert all(b"(check-sat)" in archive.read(n) for n in names)
    listed = {c["reference"]: c for c in mike.get("/api/v1/controllers").json()["items"]}
    assert (listed["mill-door@2"]["proven"], listed["mill-door@2"]["violated"]) == (3, 0)
    assert listed["mill-door@1"]["proven"] is None


def test_a_changed_version_is_answered_anew_and_its_defects_are_told(mike):
    assert add(mike, lamp("slow"), machine_type="mill-500").status_code == 201
    found = settled(mike, mike.post("/api/v1/controllers/slow@1/checks", json={"depth": 3, "seconds": 30}))
    assert found["report"]["answers"][0]["outcome"] == "proven"
    assert add(mike, lamp("slow", 2, "button and not button"), machine_type="mill-500").status_code == 201
    found = settled(mike, mike.post("/api/v1/controllers/slow@2/checks", json={"depth": 3, "seconds": 30}))
    assert found["report"]["answers"][0]["outcome"] == "violated"
    assert found["report"]["findings"]


def test_owners_bring_in_what_their_machine_has_and_others_do_not_see_it(adam, anna, olga):
    assert add(adam, lamp("own"), twin="mill-1").status_code == 201
    assert anna.get("/api/v1/controllers/own@1").json()["may_check"] is False
    refused = anna.post("/api/v1/controllers/own@1/checks", json={})
    assert (refused.status_code, refused.json()["code"]) == (403, "access:not-permitted")
    assert olga.get("/api/v1/controllers/own@1").status_code == 404
    assert add(anna, lamp("hers"), twin="mill-1").status_code == 403
    assert add(olga, lamp("theirs"), twin="mill-1").status_code == 404
    assert add(adam, lamp("typed"), machine_type="mill-500").status_code == 403
    found = settled(adam, adam.post("/api/v1/controllers/own@1/checks", json={"twin": "mill-1", "seconds": 20}))
    assert found["conformance"]["twin"] == "mill-1"
    assert olga.get(f"/api/v1/controllers/checks/{found['id']}").status_code == 404


@pytest.mark.parametrize(
    ("text", "query", "status", "code"),
    [
        (lamp(), {}, 400, "controller:whose"),
        (lamp(), {"twin": "mill-1", "machine_type": "mill-500"}, 400, "controller:whose"),
        (lamp(), {"machine_type": "mill-9000"}, 404, "machine-type:unknown"),
        (b"\xff\xfe", {"machine_type": "mill-500"}, 400, "file:not-utf-8"),
        (b"", {"machine_type": "mill-500"}, 400, None),
        (lamp(guard="buton"), {"machine_type": "mill-500"}, 400, None),
        (b"x" * 1_100_000, {"machine_type": "mill-500"}, 400, "file:too-large"),
    ],
)
def test_what_is_wrong_is_told(mike, text, query, status, code):
    answer = add(mike, text, **query)
    assert answer.status_code == status, answer.text
    assert code in (None, answer.json()["code"])


def test_a_version_never_changes_and_questions_have_bounds(mike):
    assert add(mike, lamp("fixed"), machine_type="mill-500").status_code == 201
    changed = add(mike, lamp("fixed", guard="not button"), machine_type="mill-500")
    assert (changed.status_code, changed.json()["code"]) == (409, "controller:other-content")
    for body in ({"depth": -1}, {"seconds": 1e9}, {"depth": 10**9}, {"seconds": "NaN"}, {"more": 1}):
        assert mike.post("/api/v1/controllers/fixed@1/checks", json=body).status_code == 422, body
    same = mike.post("/api/v1/controllers/fixed@1/checks", json={"against": 1})
    assert same.json()["code"] == "controller:same-version"
    assert mike.post("/api/v1/controllers/fixed@1/checks", json={"against": 7}).status_code == 404
    assert mike.get("/api/v1/controllers/checks/none").status_code == 404
    assert mike.get("/api/v1/controllers/none@1").status_code == 404


def test_an_scxml_document_comes_with_its_side_file(mike):
    sent = {"text": (EXAMPLES / "fan.scxml").read_text("utf-8"), "side": (EXAMPLES / "fan.yaml").read_text("utf-8")}
    answer = mike.post("/api/v1/controllers", json=sent, params={"machine_type": "mill-500"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["declared"]
