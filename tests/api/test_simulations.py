"""Lines, scenarios and co-simulations over the API and on the command line; FMUs that misbehave end their job alone."""

import io
import json
import sys
import time
import zipfile

import pytest
from typer.testing import CliRunner

from servitwin.bootstrap.starters import starters
from servitwin.cli.app import create_cli
from servitwin.sdk.model_archive import MOST_BYTES
from tests.unit.simulation.fmu_builder import decay, packed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="FMUs are sandboxed on Linux alone")
EXPONENTIAL = {"family": "exponential", "scale": 60.0}
LINE = {
    "name": "line-a",
    "stations": [
        {"id": "first", "cycle": EXPONENTIAL, "routes": [{"to": "last"}]},
        {"id": "last", "cycle": EXPONENTIAL, "places": 3, "routes": [{"to": ""}]},
    ],
    "sources": [{"to": "first"}],
}
FASTER = {"name": "faster", "changes": [{"what": "cycle", "station": "last", "times": 0.5}]}
QUICK = {"scenarios": [FASTER], "days": 2, "most": 6, "worth_per_part": "2.00", "currency": "EUR"}


def done(client, answer):
    assert answer.status_code == 202, answer.text
    until = time.monotonic() + 90
    while (job := client.get(answer.headers["Location"]).json())["state"] in ("waiting", "running"):
        assert time.monotonic() < until, job
        time.sleep(0.1)
    return job


def keep(client, id, content):
    return client.put(f"/api/v1/fmus/{id}", content=content, headers={"Content-Type": "application/octet-stream"})


def simulated(client, id, content, **more):
    assert keep(client, id, content).status_code == 200
    system = {"components": [{"name": "d", "fmu": "D"}], "stop": 1.0, "step": 0.1}
    return done(client, client.post("/api/v1/co-simulations", json={"system": system, "fmus": {"D": id}, **more}))


# set-ups -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"no archive", "fmu:not-a-zip"), (packed("<x/>", {})[:-30], "fmu:cut-short"),
        (packed("<x/>", {"../out": b""}), "fmu:entry"), (packed("<x/>", {}), "fmu:description"),
        (bytes(9_000_000), "fmu:too-large"),
    ],
)  # fmt: skip
def test_models_that_are_none_are_refused_when_they_are_brought_in(anna, content, code):
    refused = keep(anna, "bad", content)
    assert refused.status_code in (400, 413, 422), refused.text
    assert refused.json()["code"] == code or refused.status_code == 413
    assert anna.get("/api/v1/registers/fmus").json()["items"] == []


def test_a_bomb_of_a_model_is_refused_before_it_unpacks(anna):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("modelDescription.xml", '<fmiModelDescription fmiVersion="2.0"/>')
        with archive.open("zeros", "w") as file:
            for _ in range(MOST_BYTES // 10_000_000 + 1):
                file.write(bytes(10_000_000))
    refused = keep(anna, "bomb", made.getvalue())
    assert refused.json()["code"] == "fmu:too-large" and refused.json()["hint"], refused.text


def test_a_set_up_is_simulated_and_the_machine_compared(adam, olga, tmp_path):
    job = simulated(adam, "decay", decay(tmp_path), title="fall")
    assert job["state"] == "done", job
    assert job["plan"]["columns"]["d.x"][-1] == pytest.approx(0.9**10)
    watched = [{"signal": "spindle.load", "shown": "d.x", "within": 0.2}]
    question = {"twin": "mill-1", "name": "fall", "begin": "2023-11-14T22:13:20Z", "signals": watched}
    compared = adam.post(f"/api/v1/co-simulations/{job['id']}/comparison", json=question)
    assert compared.status_code == 200, compared.text
    assert compared.json()["says"] == "1 signal as simulated; nothing was heard of spindle.load"
    (one,) = compared.json()["signals"]
    assert one["simulated"][0] == [0.0, 1.0, pytest.approx(0.8), pytest.approx(1.2)] and one["measured"] == []
    for change, code in (
        ({"signals": []}, "setup:nothing-watched"),
        ({"signals": [{**watched[0], "shown": "d.y"}]}, "setup:not-shown"),
        ({"signals": [{**watched[0], "within": 0}]}, "expected:tolerance"),
        ({"twin": "nobody"}, "twin:unknown"),
    ):
        refused = adam.post(f"/api/v1/co-simulations/{job['id']}/comparison", json={**question, **change})
        assert refused.json()["code"] == code, refused.text
    assert olga.post(f"/api/v1/co-simulations/{job['id']}/comparison", json=question).status_code in (403, 404)
    assert olga.post("/api/v1/co-simulations", json={"fmus": {"D": "decay"}}).json()["code"] == "register:entry-unknown"


@pytest.mark.parametrize(("kind", "codes"), [(1, {"fmu:crashed"}), (2, {"fmu:hangs"}), (3, {"fmu:writes-files"})])
def test_an_fmu_that_crashes_hangs_or_writes_ends_its_job_alone(adam, tmp_path, kind, codes):
    began = time.monotonic()
    job = simulated(adam, f"bad-{kind}", decay(tmp_path, kind), budget_s=1)
    assert job["state"] == "failed", job
    (fault,) = job["faults"]
    assert fault["code"] in codes and "d: " in fault["message"] and fault["hint"]
    assert time.monotonic() - began < 60
    assert adam.get("/api/v1/session").status_code == 200


# lines -------------------------------------------------------------------------------------------------------------
@pytest.fixture
def line(adam):
    kept = adam.put("/api/v1/registers/line-models/line-a", json={"body": LINE})
    assert kept.status_code == 200, kept.text
    return "/api/v1/lines/line-a"


def test_a_line_without_history_or_model_says_so(olga, adam):
    refused = adam.post("/api/v1/lines/line-a/model", json={})
    assert refused.status_code in (400, 422) and refused.json()["code"].startswith("line:"), refused.text
    assert refused.json()["hint"]
    assert olga.get("/api/v1/lines/line-a/model").status_code in (403, 404)


def test_scenarios_have_intervals_and_money(adam, line):
    assert adam.get(f"{line}/model").json()["validation"] is None
    plan = done(adam, adam.post(f"{line}/comparisons", json=QUICK))["plan"]
    (scenario,) = plan["scenarios"]
    more = scenario["differences"]["parts_per_hour"]
    assert more["low"] < more["mean"] < more["high"] and more["clear"] and plan["replications"] >= 2
    assert float(scenario["worth"]["low"]) < float(scenario["worth"]["per_year"]) < float(scenario["worth"]["high"])


@pytest.mark.parametrize(
    ("scenario", "code"),
    [
        ({"what": "cycle", "station": "nowhere", "times": 0.5}, "line:change-station"),
        ({"what": "availability", "station": "last", "to": 1.5}, "line:change-value"),
    ],
)
def test_changes_that_cannot_be_made_are_told(adam, line, scenario, code):
    asked = adam.post(f"{line}/comparisons", json={**QUICK, "scenarios": [{"name": "x", "changes": [scenario]}]})
    faults = asked.json()["faults"] if asked.status_code != 202 else done(adam, asked)["faults"]
    assert [f["code"] for f in faults] == [code] and faults[0]["hint"]


def test_a_simulation_that_never_ends_is_ended_at_its_budget(adam, line):
    began = time.monotonic()
    job = done(adam, adam.post(f"{line}/comparisons", json={**QUICK, "days": 3660, "most": 2000, "budget_s": 2}))
    assert time.monotonic() - began < 60
    assert job["state"] in ("done", "failed") and (job["plan"] or job["faults"]), job
    asked = adam.post(f"{line}/comparisons", json={**QUICK, "days": 3660, "most": 2000, "budget_s": 600})
    assert adam.post(f"/api/v1/jobs/{asked.json()['id']}/cancel").status_code in (200, 202)
    assert done(adam, asked)["state"] in ("cancelled", "done")


def test_the_command_line_does_the_same(node, tmp_path, monkeypatch):
    monkeypatch.setenv("SERVITWIN_TOKEN", node.node_token)

    def run(*words):
        return CliRunner().invoke(create_cli(starters()), [*map(str, words), "--to", node.url])

    def written(name, body):
        (tmp_path / name).write_text(json.dumps(body), "utf-8")
        return tmp_path / name

    assert run("registers", "put", "line-models", "line-a", written("line.json", LINE)).exit_code == 0
    shown = run("lines", "model", "line-a")
    assert shown.exit_code == 0 and "stations first, last" in shown.output and "by the past: none" in shown.output
    compared = run("lines", "compare", "line-a", written("scenarios.json", QUICK))
    assert compared.exit_code == 0 and "faster" in compared.output and "EUR" in compared.output, compared.output
    (tmp_path / "d.fmu").write_bytes(decay(tmp_path))
    kept = run("set-ups", "keep", "cli-decay", tmp_path / "d.fmu", "--title", "Decay")
    assert kept.exit_code == 0 and "cli-decay: fmu 2.0 Decay" in kept.output, kept.output
    system = {"components": [{"name": "d", "fmu": "D"}], "stop": 1.0, "step": 0.1}
    asked = written("setup.json", {"system": system, "fmus": {"D": "cli-decay"}})
    simulated = run("set-ups", "simulate", asked)
    assert simulated.exit_code == 0 and "10 steps of 0.1 s" in simulated.output, simulated.output
    job = simulated.output.split("job ")[1].partition(":")[0]
    watched = [{"signal": "spindle.load", "shown": "d.x", "within": 0.2}]
    question = {"twin": "mill-1", "name": "fall", "begin": "2023-11-14T22:13:20Z", "signals": watched}
    compared = run("set-ups", "compare", job, written("compare.json", question))
    assert compared.exit_code == 0 and "nothing was heard of spindle.load" in compared.output, compared.output
    for words, exits, code in (
        (("lines", "model", "nobody"), 2, "twin:unknown"),
        (("lines", "build", "line-a"), 2, "line:"),
        (("set-ups", "keep", "x", tmp_path / "none.fmu"), 2, "file:unreadable"),
        (("set-ups", "keep", "x", asked), 2, "fmu:not-a-zip"),
        (("set-ups", "simulate", written("odd.json", {"fmus": {"D": "none"}})), 2, "register:entry-unknown"),
    ):
        failed = run(*words)
        assert failed.exit_code == exits and f"[{code}" in failed.output, (words, failed.output)
