"""A pump taught to a running node by its first seven minutes: its half closed valve is told over the API."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime
from typing import Any

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
    api.put("/twins/pump-1/services/anomaly", {"parameters": parameters, "since": "2020-03-09T00:00:00Z"})

    def results() -> list[dict[str, Any]]:
        found = api.get("/twins/pump-1/services/anomaly/outcomes")["items"]
        return [r for o in found for r in o["results"]]

    said = wait_for(node, "the service has judged the recording", 120, results)
    assert said[0]["anomaly_model"]["regimes"] == {"all": 84}
    first = next(r["anomaly"] for r in said if "anomaly" in r)
    begin = datetime.fromisoformat(VALVE).timestamp()
    assert 0 <= first["from"] / 1e9 - begin <= 10
    assert first["signals"][0]["signal"] == "flow" and first["signals"][0]["value"] < first["signals"][0]["usual"]
    assert api.get("/twins/pump-1/services")["items"][0]["failure"] == ""
