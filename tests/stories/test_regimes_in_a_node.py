"""A mill that names no regime: its two speeds are found and shown, and a load that is wrong for one is told."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import Node
from tests.stories.waiting import Api, wait_for

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("nodes")]
MILL = """machine_type: mill
version: 1
title: Mill
manufacturer: acme
signals:
  load: {unit: A}
  spindle_speed: {unit: "/min"}
  feed: {unit: "1"}
"""
BEGIN = datetime(2020, 3, 9, tzinfo=UTC)
DAY = {"from": "2020-03-09T00:00:00Z", "to": "2020-03-10T00:00:00Z"}
HOURS, FAULT = 6, 5  # from the sixth hour on the load is too high at the slow speed


def recorded() -> dict[str, Any]:
    """A row each half minute: a quarter of an hour at each speed; the feed is never changed."""
    rng = random.Random(1)
    rows = range(HOURS * 120)
    fast = [n // 30 % 2 == 1 for n in rows]
    load = [rng.gauss(60, 4) if f else rng.gauss(20, 1) + (8 if n >= FAULT * 120 else 0) for n, f in enumerate(fast)]
    times = [(BEGIN + timedelta(seconds=30 * n)).isoformat().replace("+00:00", "Z") for n in rows]
    speeds = [3000.0 if f else 1200.0 for f in fast]
    return {"times": times, "values": {"load": load, "spindle_speed": speeds, "feed": [0.3] * len(times)}}


def servitwin(node: Node, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "servitwin.bootstrap", "anomalies", *arguments, "--data", str(node.data)]
    return subprocess.run(command, capture_output=True, text=True)


def test_two_speeds_are_found_and_a_load_that_is_wrong_for_one_of_them_is_told(node: Node) -> None:
    api = Api.of(node)
    api.post("/parties", {"id": "acme", "name": "Acme", "kind": "manufacturer"})
    api.ask("POST", "/machine-types", content=MILL, headers={"Content-Type": "application/yaml"})
    mill = {"kind": "machine", "type": "mill@1", "owner": "acme", "commissioned": "2020-01-01"}
    api.put("/twins/mill-7", mill)
    rows = recorded()
    api.post("/twins/mill-7/observations", {**rows, "session": "shift", "seq": 1})
    count = len(rows["times"])
    wait_for(node, "all rows are in history", 60, lambda: len(api.values("mill-7", "load", **DAY)) == count)
    wrong = api.http.put("/twins/mill-7/services/anomaly", json={"parameters": {"settings": "spindle_speed"}})
    assert wrong.status_code in (400, 422) and "anomaly:settings-not-named" in wrong.text
    settings = ("--setting", "spindle_speed", "--setting", "feed")
    watched = servitwin(node, "watch", "mill-7", "--every", "1m", "--learn", "4h", *settings, "--since", DAY["from"])
    assert watched.returncode == 0, watched.stderr

    def anomalies() -> dict[str, Any]:
        return dict(api.get("/twins/mill-7/anomalies", **DAY))

    wait_for(node, "the service has judged the shift", 120, lambda: anomalies()["items"])
    [watch] = anomalies()["watches"]
    assert watch["failure"] == "" and watch["parameters"]["settings"] == ["spindle_speed", "feed"]
    [model] = watch["models"]
    slow, fast = "spindle_speed 1200, feed 0.3", "spindle_speed 3000, feed 0.3"
    assert model["state"] == "learnt" and model["left_out"] == []
    assert list(model["regimes"]) == [slow, fast] and min(model["regimes"].values()) > 100
    assert [(n["code"], n["where"]) for n in model["notes"]][:1] == [("anomaly:setting-constant", "feed")]
    first = anomalies()["items"][-1]
    begin = BEGIN + timedelta(hours=FAULT)
    assert 0 <= (datetime.fromisoformat(first["from"]) - begin).total_seconds() <= 120
    assert first["signals"][0]["signal"] == "load" and abs(first["signals"][0]["usual"] - 20) < 2

    listed = servitwin(node, "list", "mill-7", "--from", DAY["from"], "--until", DAY["to"])
    assert f"regime {slow}: {model['regimes'][slow]} bins" in listed.stdout, listed.stderr
    assert "feed stayed at one value" in listed.stdout
