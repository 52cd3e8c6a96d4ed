"""A partner's planner and trainer do their work in processes of their own; what they do wrong harms their job alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from servitwin.bootstrap.children import start_ticks
from tests.conftest import Node
from tests.stories.waiting import Api, plant, wait_for

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("nodes")]

PLANNER = '''
"""Subset of numbers whose sum comes closest to a target from below."""
import itertools, os, time
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.sdk.service import Plan

def check(problem):
    if not isinstance(problem.get("numbers"), list):
        return [Fault("knapsack:numbers", "There are no numbers", "Give a list", "numbers")]
    return []

def solve(problem, budget, seed, cancel):
    how = problem.get("how")
    print("a word that is no plan")
    if how == "eat":
        kept = [bytes(2**24) for _ in range(10**6)]
    if how == "crash":
        os._exit(3)
    if how == "raise":
        raise ValueError("the pencil broke")
    if how == "none":
        raise InvalidInputError([Fault("knapsack:impossible", "Nothing fits"), Fault("knapsack:too", "And more")])
    best, numbers = -1.0, problem["numbers"]
    for size in range(len(numbers) + 1):
        for chosen in itertools.combinations(numbers, size):
            total = float(sum(chosen))
            if best < total <= problem["target"]:
                best = total
                yield Plan(total, float(problem["target"]), {"chosen": list(chosen), "pid": os.getpid(), "seed": seed})
    while how == "forever" and not cancel():
        time.sleep(0.05)
    while how == "deaf":
        time.sleep(0.05)
'''
TRAINER = '''
"""Mean of numbers."""
import json
from servitwin.domain.error import Fault

def check(dataset):
    return [] if dataset.get("numbers") else [Fault("mean:numbers", "There are no numbers", "Give some", "numbers")]

def fit(dataset, seed):
    n = dataset["numbers"]
    return json.dumps({"mean": sum(n) / len(n), "of": len(n)}).encode()

def describe(artefact):
    found = json.loads(artefact)
    return {"score": float(found["of"]), **found}
'''
MANIFEST = """name = "{name}"
version = "0.3.0"
kind = "{kind}"
summary = "For a test."
stage = "operation"
benefits = ["customer"]
value = "You get the best there is."
reads = ["*"]
writes = ["plan"]
journey = ["ask", "get"]
[limits]
memory_mb = 400
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("jobs")
    root = folder / "site" / "partner_sums"
    for name, kind, code in (("knapsack", "planner", PLANNER), ("mean", "trainer", TRAINER)):
        (root / name).mkdir(parents=True)
        (root / name / "__init__.py").write_text("")
        (root / name / "plugin.py").write_text(code)
        (root / name / "manifest.toml").write_text(MANIFEST.format(name=name, kind=kind))
    (root / "__init__.py").write_text("")
    info = folder / "site" / "partner_sums-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: partner-sums\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[servitwin.services]\nknapsack = partner_sums.knapsack.plugin\nmean = partner_sums.mean.plugin\n"
    )
    made = Node(folder / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder / "site"))
        made.start()
        yield made
    assert made.stop() == 0, made.logs()


@pytest.fixture(scope="module")
def api(node: Node) -> Api:
    return plant(node)


def ask(api: Api, service: str, problem: dict[str, Any], **more: Any) -> dict[str, Any]:
    job: dict[str, Any] = api.post(f"/services/{service}/jobs", {"problem": problem, "budget_s": 5, **more}, 202)
    return job


def over(api: Api, job: dict[str, Any], seconds: float = 30) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = api.get(f"/jobs/{job['id']}")
        return found if found["state"] in ("done", "failed", "cancelled") else None

    done: dict[str, Any] = wait_for(api.node, f"job {job['id']} is over", seconds, look)
    return done


def test_a_problem_is_solved_and_its_plan_kept_with_what_it_came_from(api: Api) -> None:
    kinds = {s["name"]: s["kind"] for s in api.get("/services")["items"]}
    assert (kinds["knapsack"], kinds["mean"], kinds["oee"]) == ("planner", "trainer", "evaluator")
    problem = {"numbers": [3, 5, 9, 14], "target": 22}
    job = over(api, ask(api, "knapsack", problem, seed=7, about="shelf"))
    assert job["state"] == "done", job
    assert (job["value"], job["bound"], job["version"], job["seed"]) == (22.0, 22.0, "0.3.0", 7)
    assert sorted(job["plan"]["chosen"]) == [3, 5, 14]
    assert job["plan"]["seed"] == 7
    assert job["plans"] > 3, "each better plan counts"
    again = ask(api, "knapsack", problem)
    assert again["problem"] == job["problem"], "the same problem has the same address"
    over(api, again)
    assert [j["id"] for j in api.get("/jobs", about="shelf")["items"]] == [job["id"]]


def test_faults_of_a_problem_come_all_at_once_and_end_its_job_alone(api: Api) -> None:
    wanted = {
        "check": ({}, ["knapsack:numbers"]),
        "none": ({"numbers": [], "target": 0, "how": "none"}, ["knapsack:impossible", "knapsack:too"]),
        "raise": ({"numbers": [], "target": 0, "how": "raise"}, ["service:failed"]),
        "crash": ({"numbers": [], "target": 0, "how": "crash"}, ["job:crashed"]),
        "eat": ({"numbers": [], "target": 0, "how": "eat"}, ["job:out-of-memory"]),
        "no plan": ({"numbers": [5], "target": -7}, ["job:no-plan"]),
    }
    jobs = {name: ask(api, "knapsack", problem) for name, (problem, _) in wanted.items()}
    for name, (_, codes) in wanted.items():
        job = over(api, jobs[name], 60)
        assert (job["state"], [f["code"] for f in job["faults"]]) == ("failed", codes), (name, job)
    assert over(api, ask(api, "knapsack", {"numbers": [1], "target": 1}))["state"] == "done"


def test_what_is_asked_wrongly_is_refused(api: Api) -> None:
    api.post("/services/nothing/jobs", {"problem": {}}, 404)
    api.post("/services/oee/jobs", {"problem": {}}, 404)
    api.post("/services/knapsack/jobs", {"problem": {}, "budget_s": 0}, 422)
    api.post("/services/knapsack/jobs", {"problem": []}, 422)
    stranger = Api.of(api.node, api.token("other", "viewer")["token"])
    stranger.post("/services/knapsack/jobs", {"problem": {}}, 403)
    mine = over(api, ask(api, "knapsack", {"numbers": [1], "target": 1}))
    stranger.ask("GET", f"/jobs/{mine['id']}", 404)
    stranger.ask("POST", f"/jobs/{mine['id']}/cancel", 404)
    assert stranger.get("/jobs")["items"] == []
    api.post(f"/jobs/{mine['id']}/cancel", {}, 409)


def test_a_job_that_nobody_wants_any_more_ends_and_keeps_its_best_plan(api: Api) -> None:
    job = ask(api, "knapsack", {"numbers": [4], "target": 4, "how": "forever"}, budget_s=600)
    wait_for(api.node, "its first plan", 30, lambda: api.get(f"/jobs/{job['id']}")["plans"] == 2)
    beside = ask(api, "knapsack", {"numbers": [4], "target": 4, "how": "forever"}, budget_s=600)
    wait_for(api.node, "another plan meanwhile", 30, lambda: api.get(f"/jobs/{beside['id']}")["plans"] == 2)
    waiting = ask(api, "knapsack", {"numbers": [4], "target": 4})
    assert api.post(f"/jobs/{waiting['id']}/cancel", {})["state"] == "cancelled", "two search at once, no more"
    api.post(f"/jobs/{beside['id']}/cancel", {})
    api.post(f"/jobs/{job['id']}/cancel", {})
    ended = over(api, job)
    assert (ended["state"], ended["plan"]["chosen"]) == ("done", [4])
    assert start_ticks(ended["plan"]["pid"]) is None, "its process is gone"


@pytest.mark.long
def test_one_that_hears_nothing_is_ended_by_force_and_keeps_its_best_plan(api: Api) -> None:
    deaf = over(api, ask(api, "knapsack", {"numbers": [4], "target": 4, "how": "deaf"}, budget_s=1), 60)
    assert (deaf["state"], [f["code"] for f in deaf["faults"]]) == ("done", ["job:too-slow"])
    assert start_ticks(deaf["plan"]["pid"]) is None


def test_a_trainer_leaves_artefacts_and_the_better_one_is_used(api: Api) -> None:
    for numbers in ([1.0, 2.0], [1.0, 2.0, 6.0], [5.0]):
        assert over(api, ask(api, "mean", {"numbers": numbers}))["state"] == "done"
    found = api.get("/services/mean/artefacts")["items"]
    assert [(a["score"], a["state"]) for a in found] == [(1.0, "candidate"), (3.0, "promoted"), (2.0, "retired")]
    assert "not above" in found[0]["why"].lower()
    assert found[1]["evaluation"]["mean"] == 3.0
    path = f"/services/mean/artefacts/{found[2]['digest']}/promote"
    assert api.post(path, {"why": "the other was trained on a broken sensor"})["state"] == "promoted"
    states = [a["state"] for a in api.get("/services/mean/artefacts")["items"]]
    assert states == ["candidate", "retired", "promoted"]
    failed = over(api, ask(api, "mean", {}))
    assert [f["code"] for f in failed["faults"]] == ["mean:numbers"]


def test_events_of_a_party_are_heard_over_mqtt_by_who_may(api: Api) -> None:
    heard: dict[str, list[tuple[str, dict[str, Any]]]] = {"acme": [], "other": []}
    clients = []
    for party in heard:
        body = {"user": f"listener-{party}", "twins": [], "parties": [party]}
        password = api.post("/machine-credentials", body)["password"]
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, f"listener-{party}")
        client.username_pw_set(f"listener-{party}", password)
        client.on_message = lambda _c, _u, m, p=party: heard[p].append((m.topic, json.loads(m.payload)))
        ready: list[bool] = []
        client.on_connect = lambda c, _u, _f, code, _p: code == 0 and c.subscribe("servitwin/@acme/events/#", 1)
        client.on_subscribe = lambda _c, _u, _m, codes, _p, r=ready: r.append(not codes[0].is_failure)
        client.reconnect_delay_set(0.2, 1)
        wait_for(
            api.node,
            "the bus knows the new user",
            20,
            lambda c=client: c.connect("127.0.0.1", api.node.mqtt_port()) == 0,
        )
        client.loop_start()
        wait_for(api.node, "it is subscribed, or refused", 20, lambda r=ready: r)
        clients.append(client)
    job = over(api, ask(api, "knapsack", {"numbers": [2], "target": 2}, about="heard"))
    wait_for(api.node, "it is heard", 20, lambda: [e for _, e in heard["acme"] if e["data"]["state"] == "done"])
    for client in clients:
        client.disconnect()
        client.loop_stop()
    topic, event = heard["acme"][-1]
    assert (topic, event["kind"], event["data"]["job"]) == ("servitwin/@acme/events/job", "job", job["id"])
    assert heard["other"] == []
    api.post("/machine-credentials", {"user": "nobody", "twins": []}, 400)
    stranger = Api.of(api.node, api.token("other", "administrator")["token"])
    stranger.post("/machine-credentials", {"user": "spy", "twins": [], "parties": ["acme"]}, 403)


def test_the_command_line_asks_waits_and_tells(api: Api, tmp_path: Path) -> None:
    def run(*arguments: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "servitwin.bootstrap", *arguments, "--data", str(api.node.data)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    (tmp_path / "problem.json").write_text(json.dumps({"numbers": [2, 3], "target": 5}))
    said = json.loads(run("jobs", "ask", "knapsack", str(tmp_path / "problem.json"), "--json"))
    assert said["plan"]["chosen"] == [2, 3]
    assert said["id"] in run("jobs", "list", "--service", "knapsack")
    (tmp_path / "bad.json").write_text("{}")
    assert "[knapsack:numbers]" in run("jobs", "ask", "knapsack", str(tmp_path / "bad.json"), code=1)
    assert "file:not-json" in run("jobs", "ask", "knapsack", str(Path(__file__)), code=2)


def test_a_killed_node_tells_its_job_as_interrupted(api: Api) -> None:
    job = ask(api, "knapsack", {"numbers": [], "target": -1, "how": "forever"}, budget_s=600)
    wait_for(api.node, "it runs", 30, lambda: api.get(f"/jobs/{job['id']}")["state"] == "running")
    listed = json.loads((api.node.data / "run" / "children.json").read_text())
    os.kill(next(c["pid"] for c in listed if c["name"] == "web"), signal.SIGKILL)
    time.sleep(0.5)
    ended = over(api, job, 60)
    assert (ended["state"], ended["faults"][0]["code"]) == ("failed", "job:interrupted")
    assert over(api, ask(api, "knapsack", {"numbers": [1], "target": 1}))["state"] == "done"
