"""The demo as a visitor sees it: a plant that lives, breaks, is mended and goes on where it was."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from servitwin.domain.instant import parse_instant
from tests.conftest import Node
from tests.stories.waiting import Api, wait_for

pytestmark = [pytest.mark.timeout(1800), pytest.mark.xdist_group("nodes")]
MACHINES = ("crane-1", "mill-1", "mill-2", "mill-3", "cell-1")
MILLS = ("mill-1", "mill-2")
NS = 1_000_000_000
STANDS_S = 420.0  # longer than a mill stands by itself


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("demo"), arguments=["--demo"]).running() as made:
        yield made


@pytest.fixture(scope="module")
def api(node: Node) -> Api:
    """Once the past is filled in and every machine speaks."""
    api = Api.of(node)
    wait_for(node, "twins that live", 240, lambda: all(0 <= age(api, t) < 30 for t in MACHINES))
    return api


def state(api: Api, twin: str) -> str:
    told = api.get(f"/twins/{twin}")["state"]
    return "" if told is None else str(told["state"])


def age(api: Api, twin: str) -> float:
    """Seconds since the latest observation of its power."""
    return float(api.get(f"/twins/{twin}/state")["values"]["power"]["age_s"])


def value(api: Api, twin: str, signal: str) -> Any:
    return api.get(f"/twins/{twin}/state")["values"][signal]


def simulate(node: Node, *arguments: str) -> None:
    command = [sys.executable, "-m", "servitwin.bootstrap", "simulate", "fault", *arguments, "--data", str(node.data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=dict(os.environ))
    assert done.returncode == 0, done.stderr + node.logs()


def all_fresh(api: Api, group: str) -> bool:
    coverage = api.get(f"/twins/{group}/state")["coverage"]["energy"]
    return coverage["fresh"] == coverage["of"] > 0


def test_every_machine_has_a_known_state_and_groups_rise_with_them(node: Node, api: Api) -> None:
    wait_for(node, "known states", 60, lambda: all(state(api, t) not in ("", "unknown") for t in MACHINES))
    for group in ("line-1", "hall-1", "fleet-aurora"):
        first = value(api, group, "energy")
        wait_for(
            node, f"energy of {group} rises from {first}", 90,
            lambda group=group, first=first: value(api, group, "energy")["value"] > first["value"],
        )  # fmt: skip
        # On a slow machine a value may be stale for a moment.
        wait_for(node, f"all of {group} fresh", 60, lambda group=group: all_fresh(api, group))
    mills = [value(api, t, "energy")["value"] for t in ("mill-1", "mill-2", "mill-3", "cell-1")]
    assert value(api, "line-1", "energy")["value"] == pytest.approx(sum(mills), abs=0.5)


@pytest.mark.long
def test_a_broken_spindle_is_seen_everywhere_and_mended(node: Node, api: Api) -> None:
    # A mill stands for some minutes now and then, for a tool or a setter, and only a spindle that turns shows its
    # bearing: all are broken, and the first that shows it is watched.
    begin = api.get("/twins/mill-1/state")["as_of"]
    for each in MILLS:
        simulate(node, each, "spindle-bearing")
    wait_for(node, "the faults shown in the tray", 30, lambda: all(is_active(api, m, "spindle-bearing") for m in MILLS))
    mill = wait_for(
        node, "vibration out of range", STANDS_S,
        lambda: next((m for m in MILLS if (v := value(api, m, "spindle.vibration"))["value"] > v["range"][1]), ""),
    )  # fmt: skip
    wait_for(node, "the mill failed", STANDS_S, lambda: state(api, mill) == "failed")
    alarms = api.get(f"/twins/{mill}/alarms", active=True)["items"]
    assert any(a["signal"] == "spindle.condition" for a in alarms), alarms
    wait_for(node, "failed time in the day's states", 60, lambda: failed_seconds(api, mill, begin) > 3)
    told = api.get(f"/twins/{mill}/availability", **{"from": begin, "formula": "en15341-m12@1"})
    assert told["value"] is not None and told["value"] < 1.0, told
    oee = api.get(f"/twins/{mill}/oee", **{"from": begin})
    assert any(loss.get("state") == "failed" and loss["seconds"] > 0 for loss in oee["losses"]), oee["losses"]
    for each in MILLS:
        api.post("/simulator/faults", {"twin": each, "fault": "spindle-bearing", "active": False})
    wait_for(node, "the mill mended", 180, lambda: state(api, mill) not in ("failed", "repair", "unknown"))
    assert not [a for a in api.get(f"/twins/{mill}/alarms", active=True)["items"] if a["signal"] == "spindle.condition"]


def is_active(api: Api, twin: str, fault: str) -> bool:
    return any(f["active"] for f in api.get("/simulator")["faults"] if (f["twin"], f["fault"]) == (twin, fault))


def failed_seconds(api: Api, mill: str, begin: str) -> float:
    return float(api.get(f"/twins/{mill}/states", **{"from": begin})["totals"].get("failed", 0.0))


def test_the_tray_of_the_api_presses_and_releases_an_emergency_stop(node: Node, api: Api) -> None:
    api.post("/simulator/faults", {"twin": "crane-1", "fault": "emergency-stop", "active": True})
    wait_for(node, "the crane stopped from outside", 60, lambda: state(api, "crane-1") == "external")
    api.post("/simulator/faults", {"twin": "crane-1", "fault": "emergency-stop", "active": False})
    wait_for(node, "the crane at work again", 60, lambda: state(api, "crane-1") not in ("external", "unknown"))


def finished(api: Api, command: str) -> dict[str, Any] | None:
    told: dict[str, Any] = api.get(f"/commands/{command}")
    return told if told["status"] not in ("sent", "acknowledged") else None


def test_level_is_shadow_for_people_and_twin_for_a_program_that_is_heard(node: Node, api: Api) -> None:
    person = Api.of(node)
    person.http.headers.pop("authorization")
    signed = person.post("/session", {"account": "paula", "password": "demo"})
    person.http.headers["X-CSRF-Token"] = signed["csrf"]
    sent = person.post("/twins/mill-2/commands/set-feed", {"parameters": {"percent": 95}}, 202)
    told = wait_for(node, "the person's command carried out", 90, lambda: finished(api, sent["id"]))
    assert told["status"] == "effective", told
    assert api.get("/twins/mill-2/level")["items"][-1] is not None
    assert level(api, "mill-2") == "shadow", "a person's command made a twin"
    program = Api.of(node, api.token("kivi", "production_manager")["token"])
    sent = program.post("/twins/mill-2/commands/set-feed", {"parameters": {"percent": 88}}, 202)
    told = wait_for(node, "the program's command carried out", 90, lambda: finished(program, sent["id"]))
    assert told["status"] == "effective", told
    assert told["answered"] <= told["effect_seen"]
    wait_for(node, "the level twin", 30, lambda: level(api, "mill-2") == "twin")
    assert value(api, "mill-2", "feed.override")["value"] == 88
    assert level(api, "mill-1") == "shadow", "the neighbour rose too"


def level(api: Api, twin: str) -> str:
    return str(api.get(f"/twins/{twin}")["level"]["level"])


def test_ctrl_c_loses_nothing_and_the_next_start_goes_on(node: Node, api: Api) -> None:
    parts = {t: value(api, t, "parts.total")["value"] for t in ("mill-1", "mill-2")}
    begin = value(api, "mill-2", "power")["time"]
    wait_for(node, "a few more values", 60, lambda: len(powers(api, begin, None)) >= 5)
    before = powers(api, begin, None)
    assert node.stop() == 0, node.logs()
    node.start()
    again = Api.of(node)
    wait_for(node, "the plant lives again", 240, lambda: all(0 <= age(again, t) < 30 for t in MACHINES))
    after = powers(again, begin, None)
    assert after[: len(before)] == before, "history changed over the restart"
    times = [t for t, _ in after]
    assert len(times) == len(set(times)), "a value was counted twice"
    gap = max(b - a for a, b in zip(seconds(times), seconds(times)[1:], strict=False))
    assert gap > 0.5
    for twin, made in parts.items():
        assert value(again, twin, "parts.total")["value"] >= made, "the simulator began anew"
    assert api_quarantine(again) == {}, "the demo's own machines sent what is not understood"
    assert level(again, "mill-2") == "twin", "the level was forgotten"


def powers(api: Api, begin: str, end: str | None) -> list[tuple[str, Any]]:
    return api.values("mill-2", "power", **{"from": begin, **({"to": end} if end else {})})


def seconds(times: list[str]) -> list[float]:
    return [parse_instant(t) / NS for t in times]


def api_quarantine(api: Api) -> dict[str, int]:
    counts: dict[str, int] = api.get("/quarantine")["counts"]
    return counts
