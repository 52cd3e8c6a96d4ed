"""Questions to history over real tables, with rights that follow ownership."""

import base64
import io
import json
import time

import numpy as np
import pyarrow.ipc
import pyarrow.parquet
import pytest
from api_node import T0, Node, uid

from servitwin.domain.instant import NS, format_instant
from servitwin.domain.observation import Quarantined, Rows
from servitwin.engines.history import DeltaWriter, DuckReader, mark_replayed

HOUR = 3600 * NS
MINUTE = 60 * NS
START, END = format_instant(T0), format_instant(T0 + HOUR)


def rows(twin, signal, times, values, first_seq):
    n = len(times)
    numbers = np.full(n, np.nan)
    text, flag = None, None
    if isinstance(values[0], str):
        text = list(values)
    elif isinstance(values[0], bool):
        flag = np.array(values, np.int8)
    else:
        numbers = np.array(values, np.float64)
    return Rows(
        [twin], [signal], np.zeros(n, np.int32), np.zeros(n, np.int32), np.array(times, np.int64),
        np.array(times, np.int64) + 5, numbers, text, flag, np.zeros(n, np.uint8), np.zeros(n, np.bool_),
        np.zeros(n, np.int32), np.arange(first_seq, first_seq + n), np.zeros(n, np.int32),
    )  # fmt: skip


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    folder = tmp_path_factory.mktemp("node")
    writer = DeltaWriter(folder / "history", shard=0, now=lambda: T0)
    minutes = [T0 + i * MINUTE for i in range(-10, 60)]
    quarantined = [
        Quarantined(0, 400, 0, T0 + 1, "servitwin.mill-1.observations", "mill-1", "signal:unknown", "no such",
                    "values.x", b'{"time":"2023-11-14T22:13:21Z","values":{"x":1.5},"session":"s","seq":1}'),
        Quarantined(0, 401, 0, T0 + 2, "servitwin.ghost.observations", "ghost", "twin:unknown", "no twin", "",
                    b"\xff\x00"),
        Quarantined(0, 402, 0, T0 + 3, "servitwin.other-mill.observations", "other-mill", "value:wrong-type", "text",
                    "values.power", b'{"values":{"power":"much"}}'),
    ]  # fmt: skip
    writer.commit(
        [
            rows(uid(2), "spindle.temperature", minutes, [float(i) for i in range(70)], 0),
            rows(uid(2), "execution", [T0, T0 + 45 * MINUTE], ["ACTIVE", "READY"], 100),
            rows(uid(2), "door", [T0, T0 + MINUTE], [True, False], 110),
            rows(uid(5), "power", [T0 - 2 * MINUTE, T0 - MINUTE, T0 + MINUTE], [1.0, 2.0, 3.0], 200),
            rows(uid(4), "power", [T0 + MINUTE], [9.0], 300),
        ],
        quarantined,
        {"S/1/0": 402},
        {},
    )
    reader = DuckReader(
        folder / "history", define=lambda uid, name: running.registry.signals(uid, time.time_ns()).get(name)
    )
    with Node(folder, history=reader) as running:

        def replayed(payload):
            ids = [tuple(int(p) for p in id.split("-")) for id in json.loads(payload)["ids"]]
            mark_replayed(folder / "history", ids, now=lambda: T0)
            return b"{}"

        running.bus.answers["ask.replayed"] = replayed
        yield running


def series(client, twin, signal, **params):
    return client.get(f"/api/v1/twins/{twin}/signals/{signal}/observations", params=params)


def test_raw_pages_cover_the_range_once(anna):
    seen, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        answer = series(anna, "mill-1", "spindle.temperature", **{"from": START, "to": END, "limit": 25, **more})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        seen += [i["value"] for i in body["items"]]
        cursor = body.get("next")
        if cursor is None:
            break
    assert seen == [float(i) for i in range(10, 70)]
    assert body["unit"] == "Cel"
    assert body["cut"] == {"0": 402}


def test_times_come_back_to_the_nanosecond(anna):
    first = series(anna, "mill-1", "door", **{"from": T0, "to": T0 + HOUR}).json()["items"]
    assert first == [
        {"time": "2023-11-14T22:13:20.000000000Z", "value": True, "quality": 0},
        {"time": "2023-11-14T22:14:20.000000000Z", "value": False, "quality": 0},
    ]


def test_buckets(anna):
    body = series(
        anna,
        "mill-1",
        "spindle.temperature",
        **{"from": START, "to": END, "every": "30m", "aggregate": ["min", "max", "mean"]},
    ).json()
    assert [(b["min"], b["max"], b["mean"], b["count"]) for b in body["buckets"]] == [
        (10.0, 39.0, 24.5, 30),
        (40.0, 69.0, 54.5, 30),
    ]
    assert body["buckets"][1]["from"] == format_instant(T0 + 30 * MINUTE)


def test_durations_of_words(anna):
    asked = {"from": START, "to": END, "every": "1h"}
    body = series(anna, "mill-1", "execution", **asked, aggregate="duration").json()
    assert body["buckets"][0]["seconds"] == {"ACTIVE": 2700.0, "READY": 900.0}
    wrong = series(anna, "mill-1", "execution", **asked, aggregate="mean")
    assert wrong.json()["code"] == "aggregate:not-for-text"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"from": END, "to": START}, "range:ends-before-it-starts"),
        ({"from": "yesterday"}, "time:not-rfc3339"),
        ({"from": START, "to": END, "every": "soon"}, "duration:not-understood"),
        ({"from": START, "to": END, "every": "0s"}, "query:too-many-buckets"),
        ({"from": START, "to": END, "every": "1us"}, "query:too-many-buckets"),
        ({"from": "9" * 30, "to": END}, "time:out-of-range"),
        ({"cursor": "AAAA"}, "page:cursor-not-understood"),
        ({"from": START, "to": END, "every": "0." + "1" * 5000 + "s"}, "duration:not-understood"),
        ({"from": START, "to": END, "every": "9" * 90 + "d"}, "duration:too-long"),
        ({"from": "1970-01-01", "to": END, "every": "1h", "aggregate": ["mean", "tw_mean"]}, "time:not-rfc3339"),
        ({"from": 0, "to": END, "every": "1h"}, "query:too-many-buckets"),
    ],
)
def test_wrong_questions(anna, params, code):
    answer = series(anna, "mill-1", "spindle.temperature", **params)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_old_and_new_owner_each_see_their_own_time(anna, olga):
    whole = {"from": T0 - HOUR, "to": T0 + HOUR}
    old = series(anna, "sold-mill", "power", **whole).json()
    new = series(olga, "sold-mill", "power", **whole).json()
    assert [i["value"] for i in old["items"]] == [1.0, 2.0]
    assert old["to"] == START
    assert [i["value"] for i in new["items"]] == [3.0]
    assert new["from"] == START
    late = series(anna, "sold-mill", "power", **{"from": T0, "to": T0 + HOUR})
    assert (late.status_code, late.json()["code"]) == (403, "range:not-yours")


def forged(*place):
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def test_a_cursor_reaches_no_further_than_the_question_and_the_right(anna, olga):
    asked = {"from": T0 - HOUR, "to": T0 + 2 * HOUR, "limit": 1}
    mine = series(olga, "sold-mill", "power", **asked).json()
    assert [i["value"] for i in mine["items"]] == [3.0]
    cut = mine["cut"]
    before_mine = series(olga, "sold-mill", "power", **asked, cursor=forged(T0 - HOUR, 0, cut))
    assert (before_mine.status_code, before_mine.json()["code"]) == (400, "page:cursor-not-understood")
    beyond = {"from": START, "to": END, "limit": 1}
    for place in (
        (T0 - HOUR, 0, cut),
        (T0 + 10**15, 0, cut),
        (T0, -1, cut),
        (T0, 10**9, cut),
        (T0, 0),
        (10**30, 0, cut),
        (T0 + 0.5, 0, cut),
        (T0, 0, {"0": "1"}),
        ("T0", 0, cut),
        ([], {}),
    ):
        answer = series(anna, "mill-1", "spindle.temperature", **beyond, cursor=forged(*place))
        assert (answer.status_code, answer.json()["code"]) == (400, "page:cursor-not-understood"), place


def test_a_bucket_wider_than_the_range_is_the_range(anna):
    for every in ("2h", "3000d"):
        body = series(anna, "mill-1", "spindle.temperature", **{"from": START, "to": END, "every": every}).json()
        assert [(b["from"], b["to"], b["count"]) for b in body["buckets"]] == [(body["from"], body["to"], 60)]


def test_the_same_twin_a_thousand_times_is_one_series(anna):
    query = {"twins": ["mill-1"] * 1000, "signals": ["door"] * 1000, "from": START, "to": END}
    answer = anna.post("/api/v1/observations/query", json=query)
    assert answer.status_code == 200, answer.text
    assert [s["signal"] for s in answer.json()["series"]] == ["door"]
    assert anna.post("/api/v1/observations/query", json={**query, "twins": ["mill-1"] * 1001}).status_code == 422


def test_more_observations_than_an_answer_holds_are_refused_before_all_are_read(anna, monkeypatch):
    monkeypatch.setattr("servitwin.web.api.history.MAX_ROWS", 50)
    query = {"twins": ["mill-1"], "signals": ["spindle.temperature"], "from": START, "to": END}
    answer = anna.post("/api/v1/observations/query", json=query)
    assert (answer.status_code, answer.json()["code"]) == (400, "query:too-many-rows")
    some = anna.post("/api/v1/observations/query", json={**query, "to": T0 + 50 * MINUTE})
    assert len(some.json()["series"][0]["items"]) == 50


def test_another_companys_series_do_not_exist(node, anna, olga):
    assert series(olga, "mill-1", "power").json()["code"] == "twin:unknown"
    assert series(anna, "mill-1", "no.such").json()["code"] == "signal:unknown"
    grant = node.grant("acme", "other", "mill-1", signals=("door",))
    assert series(olga, "mill-1", "door", **{"from": START, "to": END}).status_code == 200
    assert series(olga, "mill-1", "spindle.temperature").json()["code"] == "signal:unknown"
    query = {"twins": ["mill-1"], "signals": ["door", "spindle.temperature"], "from": START, "to": END}
    found = olga.post("/api/v1/observations/query", json=query).json()
    assert [s["signal"] for s in found["series"]] == ["door"]
    node.withdraw(grant)


def test_fleet_query(anna, olga):
    query = {"twins": ["mill-1", "mill-2"], "signals": ["spindle.temperature"], "from": START, "to": END, "every": "1h",
             "aggregates": ["count", "last"]}  # fmt: skip
    answer = anna.post("/api/v1/observations/query", json=query)
    assert answer.status_code == 200, answer.text
    got = {s["twin"]: s["buckets"][0] for s in answer.json()["series"]}
    assert got["mill-1"]["count"] == 60
    assert got["mill-1"]["last"] == 69.0
    assert got["mill-2"]["count"] == 0
    assert olga.post("/api/v1/observations/query", json=query).json()["code"] == "twin:unknown"


def test_export_in_open_formats(anna, olga):
    params = {"twins": "mill-1", "signals": "spindle.temperature,door", "from": START, "to": END}
    csv = anna.get("/api/v1/export", params=params)
    assert csv.headers["content-type"].startswith("text/csv")
    assert 'filename="servitwin-mill-1.csv"' in csv.headers["content-disposition"]
    lines = [x for x in csv.text.splitlines() if not x.startswith("#")]
    assert len(lines) == 1 + 60 + 2
    parquet = anna.get("/api/v1/export", params={**params, "form": "parquet"})
    table = pyarrow.parquet.read_table(io.BytesIO(parquet.content))
    assert table.num_rows == 62
    assert set(table["unit"].to_pylist()) == {"Cel", ""}
    arrow = anna.get("/api/v1/export", params={**params, "form": "arrow"})
    assert pyarrow.ipc.open_stream(arrow.content).read_all().num_rows == 62
    assert olga.get("/api/v1/export", params=params).status_code == 404
    partly = anna.get("/api/v1/export", params={"twins": "sold-mill", "from": T0 - HOUR, "to": T0 + HOUR})
    assert partly.json()["code"] == "range:partly-not-yours"


def test_state_as_it_was(anna):
    body = anna.get("/api/v1/twins/mill-1/state", params={"as_of": format_instant(T0 + 5 * MINUTE)}).json()
    assert body["values"]["spindle.temperature"]["value"] == 15.0
    assert body["values"]["execution"]["value"] == "ACTIVE"
    assert body["values"]["door"]["value"] is False
    assert body["as_of"] == format_instant(T0 + 5 * MINUTE)


@pytest.mark.parametrize("path", ["states", "availability", "oee", "alarms"])
def test_time_of_state_answers_with_cut_and_provenance(anna, olga, path):
    params = {"from": START, "to": END}
    answer = anna.get(f"/api/v1/twins/mill-1/{path}", params=params)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["cut"] == {"0": 402}
    told = anna.get(body["provenance"])
    assert told.status_code == 200, told.text
    assert told.json()["interval"] == [START, END]
    assert told.json()["rule"]
    assert olga.get(f"/api/v1/twins/mill-1/{path}", params=params).status_code == 404
    assert olga.get(body["provenance"]).status_code == 404


def test_states_cover_the_range_exactly(anna):
    body = anna.get("/api/v1/twins/mill-1/states", params={"from": START, "to": END}).json()
    assert body["intervals"][0]["from"] == START
    assert body["intervals"][-1]["to"] == END
    assert sum(body["totals"].values()) == 3600
    line = anna.get("/api/v1/twins/line-a/states", params={"from": START, "to": END}).json()
    assert set(line["children"]) == {"mill-1", "mill-2"}
    daily = anna.get("/api/v1/states/daily", params={"from": START, "to": END}).json()
    assert set(daily["twins"]) == {"mill-1", "mill-2"}
    assert len(daily["days"]) == 1


def test_quarantine_is_seen_by_who_may_read_the_twin(anna, olga, root):
    mine = anna.get("/api/v1/quarantine").json()
    assert [i["id"] for i in mine["items"]] == ["0-400-0"]
    assert mine["counts"] == {"signal:unknown": 1}
    assert [i["id"] for i in olga.get("/api/v1/quarantine").json()["items"]] == ["0-402-0"]
    everything = root.get("/api/v1/quarantine", params={"limit": 2}).json()
    assert [i["id"] for i in everything["items"]] == ["0-402-0", "0-401-0"]
    rest = root.get("/api/v1/quarantine", params={"limit": 2, "cursor": everything["next"]}).json()
    assert [i["id"] for i in rest["items"]] == ["0-400-0"]
    assert olga.get("/api/v1/quarantine/0-400-0").json()["code"] == "quarantine:unknown"
    assert anna.get("/api/v1/quarantine/0-400-0").json()["payload_text"].startswith('{"time"')
    assert root.get("/api/v1/quarantine/0-401-0").json()["payload_base64"] == "/wA="
    assert root.get("/api/v1/quarantine/nonsense").status_code == 400


def test_entry_is_sent_again_after_mending_and_listed_no_more(node, adam, anna, root):
    body = {"ids": ["0-400-0"], "mapping": {"signals": {"x": "power"}}}
    assert anna.post("/api/v1/quarantine/replay", json=body).status_code == 403
    answer = adam.post("/api/v1/quarantine/replay", json=body)
    assert answer.json() == {"replayed": 1, "repeated": 0, "failed": []}
    [(subject, id)] = [k for k in node.bus.stored if k[1].startswith("quarantine:0-400-0")]
    assert subject == "in.mill-1.observations"
    sent = json.loads(node.bus.stored[subject, id][1])
    assert sent["values"] == {"power": 1.5}
    assert sent["time"] == "2023-11-14T22:13:21Z"
    assert sent["session"].startswith("quarantine:0-400-0:"), "its first session was counted when it came in"
    assert adam.get("/api/v1/quarantine").json()["items"] == []
    again = adam.post("/api/v1/quarantine/replay", json=body).json()
    assert again == {"replayed": 0, "repeated": 1, "failed": []}
    ghost = root.post("/api/v1/quarantine/replay", json={"ids": ["0-401-0"], "mapping": {"payload": '{"values":{}}'}})
    assert ghost.status_code == 200, ghost.text
    for wrong in ({}, {"ids": ["0-402-0"], "code": "x"}, {"code": "x", "mapping": {"payload": "{}"}}):
        assert root.post("/api/v1/quarantine/replay", json=wrong).status_code == 400
