"""A twin without a machine type shows what it has said; and health tells how far upkeep is behind."""

import time
from contextlib import closing

import numpy as np
import pytest
from api_node import T0, Node, uid
from test_history import rows

from servitwin.domain.instant import NS, format_instant
from servitwin.domain.twin import Dated, Twin
from servitwin.engines.history import DeltaWriter

MINUTE = 60 * NS
SPAN = {"from": format_instant(T0), "to": format_instant(T0 + 60 * MINUTE)}
SAID = {"speed": [1.5, 2.5], "mode": ["auto", "manual"], "lid": [True, False]}


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    folder = tmp_path_factory.mktemp("node")
    writer = DeltaWriter(folder / "history", shard=0, now=time.time_ns)
    times = [T0, T0 + MINUTE]
    batches = [rows(uid(9), s, times, values, 10 * n + 1) for n, (s, values) in enumerate(SAID.items())]
    gone = rows(uid(9), "program", times, ["p1", "p2"], 41)
    gone.text[1] = None  # UNAVAILABLE at the end
    silent = rows(uid(9), "never", times, [1.0, 1.0], 51)
    silent.number[:] = np.nan
    writer.commit([*batches, gone, silent], [], {"test/0": 52}, {})
    made = Node(folder)
    for n, id in ((9, "odd-box"), (10, "mute-box")):
        made.records.save_twin(Twin(uid(n), id, "machine", created=T0, owner=(Dated("acme", 0),)))
    made.registry.reload()
    with made as running:
        yield running


def test_signals_are_listed_with_inferred_types_and_no_unit(anna):
    found = {s["name"]: s for s in anna.get("/api/v1/twins/odd-box").json()["signals"]}
    types = {name: s["type"] for name, s in found.items()}
    assert types == {"speed": "number", "mode": "text", "lid": "flag", "program": "text", "never": "number"}
    assert not any(s.get("unit") for s in found.values()), "nobody has said a unit"


@pytest.mark.parametrize("signal", SAID)
def test_observations_are_answered(anna, signal):
    answer = anna.get(f"/api/v1/twins/odd-box/signals/{signal}/observations", params=SPAN)
    assert answer.status_code == 200, answer.text
    assert [i["value"] for i in answer.json()["items"]] == SAID[signal]
    assert not answer.json().get("unit")


def test_words_last_as_long_as_they_hold(anna):
    path = "/api/v1/twins/odd-box/signals/mode/observations"
    answer = anna.get(path, params={**SPAN, "aggregate": "duration"}).json()
    assert answer["seconds"] == {"auto": 60.0, "manual": 3540.0}


@pytest.mark.parametrize("twin", ["odd-box", "mute-box"])
def test_a_signal_never_said_is_unknown(anna, twin):
    answer = anna.get(f"/api/v1/twins/{twin}/signals/pressure/observations", params=SPAN)
    assert (answer.status_code, answer.json()["code"]) == (404, "signal:unknown")


def test_a_silent_twin_without_a_type_has_no_signals(anna):
    assert anna.get("/api/v1/twins/mute-box").json()["signals"] == []


def test_another_company_learns_nothing_of_them(olga):
    assert olga.get("/api/v1/twins/odd-box/signals/speed/observations", params=SPAN).status_code == 404


def test_health_and_metrics_tell_what_upkeep_has_to_do(node):
    with closing(node.program(node.node_token)) as root:
        upkeep = {u["job"]: u for u in root.get("/api/v1/health").json()["upkeep"]}
        assert (upkeep["roll-up"]["files"], upkeep["roll-up"]["rows"]) == (1, 10)
        assert 0 < upkeep["roll-up"]["seconds"] < 3600
        assert (upkeep["compaction"]["files"], upkeep["compaction"]["seconds"]) == (0, 0.0)
        metrics = root.get("/metrics").text
    assert 'servitwin_upkeep_waiting_rows{job="roll-up"} 10\n' in metrics
    assert 'servitwin_upkeep_waiting_files{job="compaction"} 0\n' in metrics


def test_values_of_now_and_then_are_answered(node, anna):
    then = anna.get("/api/v1/twins/odd-box/state", params={"as_of": format_instant(T0 + MINUTE // 2)}).json()
    assert {name: v["value"] for name, v in then["values"].items() if name in SAID} == {
        name: values[0] for name, values in SAID.items()
    }
    now = time.time_ns()
    node.bus.live("odd-box", uid(9), {"speed": [now, 7.5, 0, now], "mode": [now, "auto", 0, now]})
    values = anna.get("/api/v1/twins/odd-box/state").json()["values"]
    assert (values["speed"]["value"], values["mode"]["value"]) == (7.5, "auto")
