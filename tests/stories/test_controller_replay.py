"""A counterexample replayed: a simulated machine speaks to the broker, history holds it, and the page is told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Node
from tests.stories.waiting import Api, plant, wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(600), pytest.mark.xdist_group("nodes")]
LAMP = """controller: lamp
version: {version}
tick: 200ms
inputs: {{button: {{type: flag}}}}
timers: {{burnt: 2}}
regions:
  lamp:
    initial: dark
    states:
      dark: {{transitions: [{{to: lit, when: button, do: start burnt, name: light}}]}}
      lit: {{transitions: [{{to: dark, when: {guard}, do: stop burnt, name: put out}}]}}
properties:
  answers: {{text: It is dark again in time., whenever: lamp is lit, then: lamp is dark, within: 3}}
observe:
  lamp: {{signal: execution, values: {{ACTIVE: lit, READY: dark}}}}
"""
BROKEN, MENDED = "button", "button or expired(burnt)"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("replay")).running() as made:
        yield made


@pytest.fixture(scope="module")
def api(node: Node) -> Api:
    """Both versions are there, and the first has been checked."""
    api = plant(node)
    for version, guard in ((1, BROKEN), (2, MENDED)):
        text = LAMP.format(version=version, guard=guard)
        api.ask(
            "POST", "/controllers", 201, content=text, params={"machine_type": "press"},
            headers={"Content-Type": "application/yaml"},
        )  # fmt: skip
        check = api.post(f"/controllers/lamp@{version}/checks", {"depth": 20, "seconds": 60}, 202)
        done = wait_for(node, "the check", 120, lambda id=check["id"]: ended(api, f"/controllers/checks/{id}"))
        outcome = done["report"]["answers"][0]["outcome"]
        assert outcome == ("violated" if version == 1 else "proven"), done
    return api


def ended(api: Api, path: str) -> dict[str, Any] | None:
    found: dict[str, Any] = api.get(path)
    return found if found["state"] in ("done", "failed") else None


def replayed(node: Node, api: Api, reference: str, **asked: Any) -> dict[str, Any]:
    asked = {"property": "answers", "pace": 20, **asked}
    replay = api.post(f"/controllers/{reference}/replays", asked, 202)
    found: dict[str, Any] = wait_for(
        node, "the replay", 120, lambda: ended(api, f"/controllers/replays/{replay['id']}")
    )
    return found


def told(api: Api, twin: str, signal: str, replay: dict[str, Any]) -> list[Any]:
    path = f"/twins/{twin}/signals/{signal}/observations"
    return [i["value"] for i in api.get(path, **{"from": replay["began"], "to": replay["ended"]})["items"]]


def test_the_simulated_machine_shows_the_violation_step_by_step_in_a_history_of_its_own(node: Node, api: Api) -> None:
    replay = replayed(node, api, "lamp@1")
    last = replay["positions"] - 1
    assert replay["state"] == "done", replay
    assert (replay["recorded"], replay["broken_at"], replay["same"]) == (last + 1, last, True)
    assert "without the solver" in replay["says"]
    twin = api.get(f"/twins/{replay['twin']}")
    assert twin["simulates"] == "lamp@1"
    assert twin["title"].startswith("Simulated")
    assert told(api, twin["id"], "run.step", replay) == list(range(last + 1))
    lamp = told(api, twin["id"], "state.lamp", replay)
    assert lamp[-4:] == ["lit"] * 4
    assert told(api, twin["id"], "execution", replay)[-1] == "ACTIVE"
    assert api.get(f"/twins/{twin['id']}/state")["values"]["state.lamp"]["value"] == "lit"


def test_the_same_inputs_do_no_harm_to_the_mended_version(node: Node, api: Api) -> None:
    replay = replayed(node, api, "lamp@2", inputs_of=1)
    assert (replay["state"], replay["broken_at"], replay["same"]) == ("done", None, None), replay
    assert replay["twin"] != replayed(node, api, "lamp@1")["twin"]
    assert "kept answers" in replay["says"]


def test_a_simulated_machine_is_among_no_machines_and_counts_nowhere(node: Node, api: Api) -> None:
    twin = replayed(node, api, "lamp@1")["twin"]
    assert twin not in {t["id"] for t in api.get("/twins")["items"]}
    assert twin not in {t["id"] for t in api.get("/twins", q="simulated")["items"]}
    assert api.get(f"/twins/{twin}/level")["items"] == []
    assert not [e for e in api.get("/machine-types")["items"] if "simul" in e["name"]]
    body = {"formula": "always true", "text": "what it does is no case"}
    refused = api.ask("PUT", f"/twins/{twin}/requirements/own", 409, json=body)
    assert refused["code"] == "twin:simulated"
    taken = api.ask("PUT", f"/twins/{twin}", 409, json={"kind": "machine", "type": "press@1"})
    assert taken["code"] == "twin:simulated"


def test_again_is_the_same_twin_and_each_replay_counts_once(node: Node, api: Api) -> None:
    first, second = replayed(node, api, "lamp@1"), replayed(node, api, "lamp@1")
    assert first["twin"] == second["twin"]
    assert first["ended"] <= second["began"]
    listed = [r["id"] for r in api.get("/controllers/lamp@1/replays")["items"]]
    assert listed[:2] == [second["id"], first["id"]]
    steps = told(api, first["twin"], "run.step", {"began": first["began"], "ended": second["ended"]})
    assert steps == list(range(first["positions"])) * 2


@pytest.mark.parametrize(
    ("reference", "asked", "status", "code"),
    [
        ("lamp@2", {}, 404, "controller:no-run"),
        ("lamp@1", {"property": "nothing"}, 400, "controller:property-unknown"),
        ("lamp@1", {"inputs_of": 7}, 404, "controller:unknown"),
        ("lamp@7", {}, 404, "controller:unknown"),
        ("lamp@1", {"pace": 0}, 422, None),
        ("lamp@1", {"pace": "NaN"}, 422, None),
        ("lamp@1", {"more": 1}, 422, None),
    ],
)
def test_what_cannot_be_replayed_is_told(
    api: Api, reference: str, asked: dict[str, Any], status: int, code: str | None
) -> None:
    answer = api.ask("POST", f"/controllers/{reference}/replays", status, json={"property": "answers", **asked})
    assert code in (None, answer["code"])


def test_another_company_has_a_simulated_machine_of_its_own_and_does_not_see_ours(node: Node, api: Api) -> None:
    ours = replayed(node, api, "lamp@1")
    other = Api.of(node, api.token("other", "administrator")["token"])
    other.ask("GET", f"/controllers/replays/{ours['id']}", 404)
    other.ask("GET", f"/twins/{ours['twin']}", 404)
    theirs = replayed(node, other, "lamp@1")
    assert theirs["twin"] != ours["twin"]
    assert [r["id"] for r in other.get("/controllers/lamp@1/replays")["items"]] == [theirs["id"]]
    viewer = Api.of(node, api.token("other", "viewer")["token"])
    viewer.get(f"/controllers/replays/{theirs['id']}")
    viewer.ask("POST", "/controllers/lamp@1/replays", 403, json={"property": "answers"})


def test_the_command_line_ends_with_one_where_the_machine_breaks_the_property(node: Node, api: Api) -> None:
    command = [sys.executable, "-m", "servitwin.bootstrap", "controllers", "replay"]
    where = ["--data", str(node.data), "--pace", "20"]
    broken = subprocess.run(
        [*command, "lamp@1", "answers", *where], capture_output=True, text=True, timeout=120, env=dict(os.environ)
    )
    assert broken.returncode == 1, broken.stderr + node.logs()
    assert "The simulated machine broke answers at step" in broken.stdout
    kept = subprocess.run(
        [*command, "lamp@2", "answers", "--inputs-of", "1", *where], capture_output=True, text=True, timeout=120,
        env=dict(os.environ),
    )  # fmt: skip
    assert kept.returncode == 0, kept.stderr + node.logs()
    unknown = subprocess.run(
        [*command, "lamp@2", "answers", *where], capture_output=True, text=True, timeout=120, env=dict(os.environ)
    )
    assert unknown.returncode not in (0, 1)
    assert "controller:no-run" in unknown.stderr
