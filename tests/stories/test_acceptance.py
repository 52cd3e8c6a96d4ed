"""A machine is accepted: people judge, the twin measures, both sign it off, and the guarantee's clock starts (C21)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Node
from tests.stories.test_guarantee import CONTRACT, SAID, march, say, servitwin, write
from tests.stories.waiting import Api, wait_for

TERMS = (
    CONTRACT
    + """
warranty: {months: 24}
acceptance: required
criteria:
  - {step: site_readiness, name: Power connected}
  - {step: training, name: Operators trained}
  - {step: factory_test, name: Load lifted, signal: load, statistic: max, at_least: 5, at_most: 5.2, hours: 2}
  - {step: site_test, name: Three days of operation, availability: 98, hours: 72}
"""
)
URL = "/contracts/crane-98/acceptances"


def results(api: Api, until: str) -> dict[str, str]:
    return {c["name"]: c["result"] for c in api.get(f"{URL}/crane-1/criteria", until=until)}


def test_both_accept_what_the_twin_measured_and_the_clock_starts(
    node_factory: Callable[..., Node], tmp_path: Path
) -> None:
    arguments = write(tmp_path)
    crane = (tmp_path / "crane.yaml").read_text()
    (tmp_path / "crane.yaml").write_text(crane.replace("signals:\n", "signals:\n  load: {unit: t}\n", 1))
    node = node_factory(*arguments)
    api = Api.of(node)
    maker = Api.of(node, api.token("maker", "service_manager")["token"])
    plant = Api.of(node, api.token("plant", "procurement")["token"])
    rival = Api.of(node, api.token("rival", "procurement")["token"])
    say(api, SAID)
    yaml = {"Content-Type": "application/yaml"}
    unknown = maker.ask("POST", "/contracts", 400, content=TERMS.replace("signal: load", "signal: lode"), headers=yaml)
    assert unknown["code"] == "contract:signal-unknown"
    maker.ask("POST", "/contracts", 201, content=TERMS, headers=yaml)
    for side in (maker, plant):
        side.post("/contracts/crane-98/signatures", {})
    wait_for(
        node, "the crane's words", 20,
        lambda: len(api.values("crane-1", "execution", **{"from": "2026-01-01T00:00:00Z"})) == 5,
    )  # fmt: skip

    # Before anything is shown nobody can accept, whatever they say of it.
    run = "2026-03-08T00:00:00Z"
    assert results(maker, run) == {
        "Power connected": "open", "Operators trained": "open", "Load lifted": "open",
        "Three days of operation": "passed",
    }  # fmt: skip
    judged = [["Power connected", "passed", "protocol 12"], ["Operators trained", "open", "night shift on Friday"]]
    accept = {"twin": "crane-1", "answer": "accepted", "criteria": judged, "until": run}
    assert maker.post(URL, accept, 409)["code"] == "acceptance:criterion-missing"
    claimed = {**accept, "criteria": [*judged, ["Load lifted", "passed", "I saw it"]]}
    assert maker.post(URL, claimed, 400)["code"] == "acceptance:criterion-unknown"

    # The load is lifted, too heavy first: what failed cannot be accepted, and a test run with a stop in it fails.
    def lift(time: str, tons: float) -> None:
        before = len(api.values("crane-1", "load", **{"from": "2026-01-01T00:00:00Z"}))
        line = json.dumps({"time": time, "values": {"load": tons}})
        headers = {"Content-Type": "application/x-ndjson"}
        api.ask("POST", "/twins/crane-1/observations", content=line, headers=headers)
        found = {"from": "2026-01-01T00:00:00Z"}
        wait_for(node, "the load", 20, lambda: len(api.values("crane-1", "load", **found)) == before + 1)

    lift("2026-03-07T20:00:00Z", 6.0)
    lift("2026-03-07T23:00:00Z", 5.1)
    assert results(maker, "2026-03-07T21:00:00Z")["Load lifted"] == "failed"
    heavy = {**accept, "until": "2026-03-07T21:00:00Z"}
    assert maker.post(URL, heavy, 409)["code"] == "acceptance:criterion-failed"
    assert results(maker, "2026-03-11T06:00:00Z")["Three days of operation"] == "failed", "16 h of fault in 72"
    refused = plant.post(URL, {"twin": "crane-1", "answer": "refused", "text": "Too heavy"}, 201)[0]
    assert (refused["accepted_at"], refused["steps"][0]["party"]) == (None, "plant")

    # A run that the other party refused is over: without an end the present is measured, where nothing was lifted.
    anew = {c["name"]: c for c in maker.get(f"{URL}/crane-1/criteria")}
    assert (anew["Load lifted"]["result"], anew["Load lifted"]["to"] > "2026-03-12") == ("open", True)

    # The maker accepts by API; the customer by command line, judging the same test run; a stranger knows nothing.
    shown = maker.post(URL, accept, 201)[0]["steps"][-1]
    evidence = {name: text for name, _, text in shown["criteria"]}
    assert evidence["Load lifted"].startswith("5.1 t, max of 1 values, 2026-03-07T22:00:00Z to 2026-03-08T00:00:00Z")
    assert evidence["Three days of operation"].startswith("100.0000 % by guarantee@1, 0.0 % unknown")
    assert rival.ask("GET", URL, 404)["code"] == "contract:unknown"
    assert rival.ask("GET", f"{URL}/crane-1/criteria", 404)["code"] == "contract:unknown"
    assert march(maker)["machines"][0]["seconds"]["outside"] == str(743 * 3600), "the clock stands"
    token = api.token("plant", "procurement")["token"]
    criteria = ["--criterion", "Power connected=passed:seen", "--criterion", "Operators trained=open:Friday"]
    wrong = ["contracts", "accept", "crane-98", "crane-1", "accepted", "--criterion", "Power connected"]
    assert servitwin(*wrong, "--to", node.web, code=2, token=token)["code"] == "cli:criterion"
    # What is shown without an end is what will be judged: the run that the maker accepted.
    shown_now = servitwin("contracts", "acceptance", "crane-98", "crane-1", "--to", node.web, token=token)
    assert {c["to"] for c in shown_now if c["measured"]} == {"2026-03-08T00:00:00Z"}
    said = ("contracts", "accept", "crane-98", "crane-1", "accepted", *criteria)
    assert servitwin(*said, "--to", node.web, token=token)[0]["accepted_at"] is not None
    # What both accepted stays accepted: nobody stops the guarantee's clock by a later word.
    late = maker.post(URL, {"twin": "crane-1", "answer": "refused", "text": "March was bad"}, 409)
    assert late["code"] == "acceptance:done"
    after = maker.get(URL)[0]
    assert after["accepted_at"] is not None
    ends = {s["tested_until"] for s in after["steps"][1:]}
    assert ends == {"2026-03-08T00:00:00Z"}, after
    status = maker.get("/contracts/crane-98/status", period="2026-03")
    assert not any("not accepted" in note for note in status["notes"])

    # The warranty began with the acceptance; what was measured can be looked at, at the cut it was measured at.
    year = int(after["accepted_at"][:4])
    assert after["warranty_until"].startswith(f"{year + 2}-")
    assert status["warranty"] == {"crane-1": after["warranty_until"]}
    load = next(m for m in after["steps"][1]["measured"] if m["signal"] == "load")
    assert (load["value"], load["statistic"], bool(load["cut"])) == ("5.1", "max", True)
    # Its owner opens it; the maker has no grant on the crane here.
    assert plant.ask("GET", load["provenance"].removeprefix("/api/v1"))["inputs"][0]["name"] == "crane-1/load"

    a_later_version_with_other_criteria_does_not_set_the_clock_back(maker, plant, after["accepted_at"])


def a_later_version_with_other_criteria_does_not_set_the_clock_back(maker: Api, plant: Api, accepted: str) -> None:
    later = TERMS.replace("version: 1", "version: 2").replace("at_most: 5.2", "at_most: 6")
    maker.ask("POST", "/contracts", 201, content=later, headers={"Content-Type": "application/yaml"})
    for side in (maker, plant):
        side.post("/contracts/crane-98/signatures", {"version": 2})
    now = maker.get(URL)[0]
    assert (now["accepted_at"], now["accepted_by"], now["other_criteria"]) == (accepted, 1, True)
    assert plant.post(URL, {"twin": "crane-1", "answer": "accepted"}, 409)["code"] == "acceptance:done"
