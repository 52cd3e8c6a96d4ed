import msgspec
from api_node import MILL, T0, machine

from servitwin.domain.instant import NS
from servitwin.domain.twin import Dated


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [t["id"] for t in answer.json()["items"]]


def test_each_company_sees_its_own_twins_alone(anna, olga, root):
    assert ids(anna.get("/api/v1/twins")) == ["line-a", "mill-1", "mill-2", "sold-mill"]
    assert ids(olga.get("/api/v1/twins")) == ["other-mill", "sold-mill"]
    assert ids(root.get("/api/v1/twins")) == ["line-a", "mill-1", "mill-2", "other-mill", "sold-mill"]


def test_twin_of_another_company_does_not_exist(anna, olga):
    hidden = olga.get("/api/v1/twins/mill-1")
    missing = olga.get("/api/v1/twins/no-such-twin")
    assert hidden.status_code == missing.status_code == 404
    assert hidden.json()["code"] == missing.json()["code"] == "twin:unknown"
    assert hidden.text.replace("mill-1", "X") == missing.text.replace("no-such-twin", "X")
    for path in ("/state", "/level", "/gaps"):
        assert olga.get("/api/v1/twins/mill-1" + path).status_code == 404, path
        assert anna.get("/api/v1/twins/mill-1" + path).status_code == 200, path


def test_pages_cover_the_list_once_in_order(root):
    seen, cursor = [], None
    while True:
        answer = root.get("/api/v1/twins", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += [t["id"] for t in answer["items"]]
        assert len(answer["items"]) <= 2
        cursor = answer["next"]
        if cursor is None:
            break
    assert seen == ["line-a", "mill-1", "mill-2", "other-mill", "sold-mill"]


def test_filters(anna):
    assert ids(anna.get("/api/v1/twins", params={"kind": "line"})) == ["line-a"]
    assert ids(anna.get("/api/v1/twins", params={"parent": "line-a"})) == ["mill-1", "mill-2"]
    assert ids(anna.get("/api/v1/twins", params={"q": "SN-0003"})) == ["mill-2"]
    assert ids(anna.get("/api/v1/twins", params={"q": "mill 1"})) == ["mill-1"]


def test_unchanged_twin_is_not_sent_again(anna):
    first = anna.get("/api/v1/twins/mill-1")
    again = anna.get("/api/v1/twins/mill-1", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = anna.get("/api/v1/twins/mill-2", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


def test_detail_tells_type_signals_commands_and_place_in_the_plant(anna):
    mill = anna.get("/api/v1/twins/mill-1").json()
    assert (mill["type"], mill["parent"], mill["owner"], mill["kind"]) == ("mill-500@2", "line-a", "acme", "machine")
    assert [s["name"] for s in mill["signals"]][:2] == ["spindle.temperature", "spindle.load"]
    assert mill["signals"][0]["range"] == [15.0, 80.0]
    assert mill["commands"][0]["name"] == "set-speed"
    assert mill["permitted"] == ["read", "command", "treat"]
    assert mill["level"]["level"] == "model"
    assert mill["level"]["commands"] == {"set-speed": "model"}
    line = anna.get("/api/v1/twins/line-a").json()
    assert line["children"] == ["mill-1", "mill-2"]
    assert [s["name"] for s in line["signals"]] == ["power"]


def test_state_shows_latest_values_with_age_unit_and_staleness(node, anna):
    now = node.parts.now()
    mill = node.registry.by_id("mill-1")
    node.bus.live("mill-1", mill.uid, {
        "spindle.temperature": [now - 60 * NS, 71.5, 0, now - 60 * NS],
        "execution": [now, "ACTIVE", 0, now],
        "door": [now, None, 2, now],
        "system": [now, "Warning|433||HIGH|SAME PROGRAM EXISTS\nFault|9|||SPINDLE HOT", 0, now],
        "power": [now, 4.5, 0, now],
        "_state": [now, "producing", 0, now],
        "_word": [now, "ACTIVE", 0, now],
    })  # fmt: skip
    state = anna.get("/api/v1/twins/mill-1/state").json()
    hot = state["values"]["spindle.temperature"]
    assert (hot["value"], hot["unit"], hot["range"], hot["stale"]) == (71.5, "Cel", [15.0, 80.0], True)
    assert 60 <= hot["age_s"] < 65
    assert state["values"]["execution"]["stale"] is False
    assert state["values"]["door"]["value"] is None
    assert state["state"]["state"] == "producing"
    assert state["state"]["word"] == "ACTIVE"
    assert [(a["code"], a["severity"], a["text"]) for a in state["alarms"]] == [
        ("433", "warning", "SAME PROGRAM EXISTS"),
        ("9", "fault", "SPINDLE HOT"),
    ]
    assert state["cut"] == {"0": 7}
    line_a = node.registry.by_id("line-a")
    node.bus.live("line-a", line_a.uid, {"_coverage.power": [now, "1/2", 0, now]})
    line = anna.get("/api/v1/twins/line-a/state").json()
    assert line["coverage"] == {"power": {"fresh": 1, "of": 2}}
    listed = {t["id"]: t for t in anna.get("/api/v1/twins").json()["items"]}
    assert listed["mill-1"]["state"]["state"] == "producing"
    assert listed["mill-1"]["alarms"] == 2
    assert listed["mill-1"]["freshness_s"] < 5
    assert listed["mill-2"]["freshness_s"] is None


def test_state_unchanged_gives_304_until_a_value_changes(node, anna):
    uid, now = node.registry.by_id("mill-2").uid, node.parts.now()
    node.bus.live("mill-2", uid, {"power": [now, 1.0, 0, now]})
    tag = anna.get("/api/v1/twins/mill-2/state").headers["etag"]
    assert anna.get("/api/v1/twins/mill-2/state", headers={"If-None-Match": tag}).status_code == 304
    node.bus.live("mill-2", uid, {"power": [now + 1, 2.0, 0, now]})
    assert anna.get("/api/v1/twins/mill-2/state", headers={"If-None-Match": tag}).status_code == 200


def test_gaps_are_declared_once_and_shown(node, adam, anna):
    gap = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z", "reason": "missing-day", "source": "file"}
    for _ in range(2):
        answer = adam.post("/api/v1/twins/mill-2/gaps", json={"gaps": [gap]})
        assert answer.status_code == 200, answer.text
    assert anna.get("/api/v1/twins/mill-2/gaps").json() == {"gaps": [gap]}
    wrong = adam.post("/api/v1/twins/mill-2/gaps", json={"gaps": [{**gap, "to": gap["from"]}]})
    assert wrong.status_code == 400
    assert wrong.json()["where"] == "gaps[0].from"
    assert anna.post("/api/v1/twins/mill-2/gaps", json={"gaps": [gap]}).status_code == 403


def test_grant_on_some_signals_shows_these_alone(node, olga):
    grant = node.grant("acme", "other", "line-a", signals=("spindle.*",))
    now, uid = node.parts.now(), node.registry.by_id("mill-1").uid
    node.bus.live("mill-1", uid, {"spindle.load": [now, 50.0, 0, now], "power": [now, 4.5, 0, now]})
    mill = olga.get("/api/v1/twins/mill-1").json()
    assert [s["name"] for s in mill["signals"]] == ["spindle.temperature", "spindle.load"]
    assert mill["state"] is None
    state = olga.get("/api/v1/twins/mill-1/state").json()
    assert set(state["values"]) <= {"spindle.temperature", "spindle.load"}
    assert "spindle.load" in state["values"]
    node.withdraw(grant)
    assert olga.get("/api/v1/twins/mill-1").status_code == 404


def test_wrong_questions_get_a_fault(anna):
    for params in ({"limit": 0}, {"limit": "many"}, {"kind": "spaceship"}):
        answer = anna.get("/api/v1/twins", params=params)
        assert answer.status_code == 422
        assert answer.json()["code"] == "request:invalid"
    assert anna.get("/api/v1/twins", params={"cursor": "!!"}).json()["code"] == "page:cursor-not-understood"
    assert anna.get("/api/v1/nothing").json()["code"] == "request:path-unknown"
    assert anna.put("/api/v1/twins").json()["code"] == "request:method-not-allowed"


def test_a_moment_of_the_past_shows_type_place_and_level_of_then(node, adam):
    """A mill that changed its type, its line and its level."""
    hour = 3600 * NS
    old, new = T0 - 48 * hour, T0 - hour
    node.records.add_machine_type(msgspec.structs.replace(MILL, version=1, commands=()))
    mill = machine(9, "moved-mill", "acme")
    node.records.save_twin(
        msgspec.structs.replace(
            mill,
            type=(Dated("mill-500@1", 0, new), Dated("mill-500@2", new)),
            parent=(Dated("line-a", 0, new),),
            place=(Dated("hall 1", 0, new), Dated("hall 2", new)),
        )
    )
    flow = {"why": "Data flow"}
    node.records.save_levels(old, [(mill.uid, "", "shadow", flow), (mill.uid, "power", "shadow", {})])
    node.records.save_levels(new, [(mill.uid, "", "twin", {"why": "Commands have an effect"})])
    node.registry.reload()
    node.authoriser.forget()

    def seen(moment):
        query = {"as_of": moment} if moment else {}
        one = adam.get("/api/v1/twins/moved-mill", params=query).json()
        listed = {t["id"]: t for t in adam.get("/api/v1/twins", params=query).json()["items"]}["moved-mill"]
        assert {k: v for k, v in one.items() if k in listed and k != "level"} == {
            k: v for k, v in listed.items() if k != "level"
        }
        assert one["level"]["level"] == listed["level"]
        history = adam.get("/api/v1/twins/moved-mill/level", params=query).json()["items"]
        return one["type"], one["parent"], one["place"], listed["level"], len(one["commands"]), len(history)

    assert seen(old - 1) == ("mill-500@1", "line-a", "hall 1", "model", 0, 0)
    assert seen(new - 1) == ("mill-500@1", "line-a", "hall 1", "shadow", 0, 2)
    assert seen(None) == ("mill-500@2", None, "hall 2", "twin", 1, 3)
    assert adam.get("/api/v1/twins", params={"as_of": "yesterday"}).json()["code"] == "time:not-rfc3339"
