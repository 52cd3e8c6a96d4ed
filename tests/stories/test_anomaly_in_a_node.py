"""A pump taught to a running node by its first seven minutes: its half closed valve becomes a case, then normal."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
import threading
from datetime import UTC, datetime
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from tests.conftest import Node, shared_data
from tests.stories.waiting import Api, wait_for

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("nodes")]
NAMES = ("acc1", "acc2", "current", "pressure", "temperature", "thermocouple", "voltage", "flow")
PUMP = "machine_type: pump\nversion: 1\ntitle: Pump\nmanufacturer: acme\nsignals:\n" + "".join(
    f'  {n}: {{unit: "1"}}\n' for n in NAMES
)
VALVE = "2020-03-09T13:04:38Z"  # label of the recording: from here on the valve was closed


def test_a_half_closed_valve_is_told_with_the_flow_and_since_when(node: Node) -> None:
    path = shared_data("skab") / "valve1" / "8.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter=";"))[1:]
    api = Api.of(node)
    api.post("/parties", {"id": "acme", "name": "Acme", "kind": "manufacturer"})
    api.ask("POST", "/machine-types", content=PUMP, headers={"Content-Type": "application/yaml"})
    pump = {"kind": "machine", "type": "pump@1", "owner": "acme", "commissioned": "2020-01-01"}
    api.put("/twins/pump-1", pump)
    times = [datetime.fromisoformat(r[0]).replace(tzinfo=UTC).isoformat().replace("+00:00", "Z") for r in rows]
    values = {name: [float(r[1 + i]) for r in rows] for i, name in enumerate(NAMES)}
    api.post("/twins/pump-1/observations", {"times": times, "values": values, "session": "skab", "seq": 1})
    day = {"from": "2020-03-09T00:00:00Z", "to": "2020-03-10T00:00:00Z"}
    wait_for(node, "all rows are in history", 60, lambda: len(api.values("pump-1", "flow", **day)) == len(rows))
    wrong = api.http.put("/twins/pump-1/services/anomaly", json={"parameters": {"learn": "1m", "labels": True}})
    assert wrong.status_code in (400, 422) and "anomaly:parameter-unknown" in wrong.text
    parameters = {"every": "5s", "learn": "7m"}
    heard, events = _listen(node, api), api.get("/twins/pump-1/anomalies")
    assert events["watches"] == events["items"] == []
    api.put("/twins/pump-1/services/anomaly", {"parameters": parameters, "since": "2020-03-09T00:00:00Z"})

    def anomalies() -> dict[str, Any]:
        return dict(api.get("/twins/pump-1/anomalies", **day))

    wait_for(node, "the service has judged the recording", 120, lambda: anomalies()["items"])
    [watch] = anomalies()["watches"]
    assert [(m["version"], m["state"], m["regimes"]) for m in watch["models"]] == [(1, "learnt", {"all": 84})]
    assert watch["failure"] == "" and watch["running"]
    first = anomalies()["items"][-1]
    begin = datetime.fromisoformat(VALVE)
    assert 0 <= (datetime.fromisoformat(first["from"]) - begin).total_seconds() <= 10
    flow = first["signals"][0]
    assert flow["signal"] == "flow" and flow["value"] < flow["usual"] and "flow" in first["text"]
    assert api.get(f"/twins/pump-1/anomalies/{first['id']}") == first
    assert api.http.get("/twins/pump-1/anomalies/none").status_code == 404

    # it is a case of which nothing is proven, and the bus has heard of it
    case = api.get(f"/cases/{first['case']['id']}")
    assert (case["source"], case["requirement"], case["status"]) == ("anomaly", "anomaly:deviates", "violated")
    assert case["proofs"] == [] and case["told"]["signals"][0]["signal"] == case["signals"][0]
    assert api.http.get(f"/cases/{case['id']}/proof").json()["code"] == "proof:hypothesis"
    told = wait_for(node, "the case is told over MQTT", 30, lambda: [e for e in heard if e["kind"] == "finding-found"])
    assert case["id"] in {e["data"]["case"] for e in told} and {e["subject"] for e in told} == {"pump-1"}
    provenance = api.get("/provenance", kind="case", case=case["id"], of="violation")
    assert provenance["rule"] == "anomaly" and "not a proof" in provenance["explanation"]

    # the valve is to stay half closed: since then it is normal, and learnt anew
    said = {"kind": "dismissed", "text": "the valve stays half closed", "normal_since": first["from"]}
    closed = api.post(f"/cases/{case['id']}/steps", said)
    assert closed["status"] == "closed" and closed["dismissed"]["normal_since"] == first["from"]

    def learnt_anew() -> Any:
        models = anomalies()["watches"][0]["models"]
        return len(models) == 2 and models[1]["state"] == "learnt" and models[1]

    model = wait_for(node, "the pump is learnt anew", 120, learnt_anew)
    assert model["because"] == "said: the valve stays half closed" and model["from"] >= first["from"]
    assert [a["from"] for a in anomalies()["items"] if a["from"] < model["to"]] == []
    [change] = api.get("/twins/pump-1/changes")["items"]
    assert (change["kind"], change["at"], change["case"]) == ("said", first["from"], case["id"])
    command = [sys.executable, "-m", "servitwin.bootstrap", "anomalies", "list", "pump-1", "--data", str(node.data)]
    listed = subprocess.run([*command, "--from", day["from"], "--until", day["to"]], capture_output=True, text=True)
    assert listed.returncode in (0, 1) and "model 2: learnt" in listed.stdout, listed.stderr
    refused = api.http.post("/twins/pump-1/changes", json={"since": "2100-01-01T00:00:00Z", "text": " "}).json()
    assert {f["code"] for f in refused["faults"]} == {"change:reason-missing", "change:in-future"}


def _listen(node: Node, api: Api) -> list[dict[str, Any]]:
    """What the machine itself hears of its findings over MQTT."""
    heard: list[dict[str, Any]] = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="pump-1-panel")
    client.username_pw_set("pump-1-panel", api.credential("pump-1-panel", "pump-1"))
    client.on_message = lambda _c, _u, message: heard.append(json.loads(message.payload))
    granted = threading.Event()
    client.on_subscribe = lambda *_: granted.set()
    client.on_connect = lambda *_: client.subscribe("servitwin/pump-1/events/#")
    client.connect("127.0.0.1", node.mqtt_port())
    client.loop_start()  # and again, until the broker has learnt the name
    assert granted.wait(60)
    return heard
