"""Maintenance from what is due to what was found: placed by a job, proposed, answered, scheduled, done, judged."""

import time
from contextlib import closing

import pytest

from servitwin.domain.instant import DAY, HOUR, format_instant
from servitwin.domain.party import Grant
from servitwin.domain.twin import Dated

NOW = time.time_ns()
TASK = {
    "twin": "mill-1", "component": "spindle", "title": "Replace bearings", "duration_hours": 2, "currency": "EUR",
    "interval": {"by": "time", "every": 90}, "last_done": format_instant(NOW - 88 * DAY), "skills": ["spindle"],
    "planned_cost": "900", "failure_cost": "9000", "parts": [{"part": "bearing", "quantity": 1}],
    "procedure": [{"text": "Lock out", "critical": True}, {"text": "Clean"}], "documents": ["Spindle manual"],
    "life": {"shape": 2.5, "scale_hours": 4200, "hours_per_day": 20},
}  # fmt: skip
PART = {"name": "Bearing", "stock": 1, "price": "300", "currency": "EUR", "lead_time_days": 9, "demand_per_year": 4}
SITE = {
    "name": "Acme hall", "customer": "acme", "place": {"lat": 61.5, "lon": 23.7}, "currency": "EUR",
    "machines": {"mill-1": {"busy_per_hour": "100"}, "mill-2": {"busy_per_hour": "100"}}, "visit_cost": "120",
}  # fmt: skip
PERSON = {
    "name": "Tea", "skills": ["spindle"], "base": {"lat": 61.4, "lon": 23.8}, "rate_per_hour": "70", "currency": "EUR",
    "rate_per_km": "0.45",
    "calendar": {
        "name": "days", "time_zone": "Europe/Helsinki",
        "shifts": [{"name": "day", "days": [0, 1, 2, 3, 4, 5, 6], "start": 0, "end": 1440}],
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def mike(node):
    """Administrator of the maker, whom acme lets work on its mills."""
    period = Dated("maker", 0)
    node.records.save_grant(Grant("g-read", "acme", "maker", "line-a", "read", period, purpose="service"))
    node.records.save_grant(Grant("g-work", "acme", "maker", "line-a", "command", period, purpose="service"))
    with closing(node.browser("mike")) as client:
        for kind, id, body in (
            ("maintenance-tasks", "bearings", TASK), ("spare-parts", "bearing", PART),
            ("service-sites", "acme-hall", SITE), ("technicians", "tea", PERSON),
        ):  # fmt: skip
            answer = client.put(f"/api/v1/registers/{kind}/{id}", json={"body": body})
            assert answer.status_code == 200, answer.text
        yield client


def done(client, job):
    """The job, once it is over."""
    for _ in range(1500):
        found = client.get(f"/api/v1/jobs/{job['id']}").json()
        if found["state"] not in ("waiting", "running"):
            return found
        time.sleep(0.1)
    raise AssertionError("the job does not end")


def post(client, path, body, status=201):
    answer = client.post(f"/api/v1{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_bad_entries_are_refused_with_all_that_is_wrong(mike):
    bad = {**TASK, "planned_cost": "-1", "skills": [], "interval": {"by": "time", "every": 0}, "last_done": "yesterday"}
    answer = mike.put("/api/v1/registers/maintenance-tasks/bad", json={"body": bad}).json()
    assert {f["code"] for f in answer["faults"]} == {
        "task:cost-negative", "task:no-skill", "task:interval-invalid", "time:not-rfc3339",
    }  # fmt: skip
    part = {**PART, "lead_time_days": None, "stock": -1, "service_level": 1}
    answer = mike.put("/api/v1/registers/spare-parts/bad", json={"body": part}).json()
    assert {f["code"] for f in answer["faults"]} == {
        "part:no-lead-time", "part:stock-negative", "part:service-level-invalid",
    }  # fmt: skip
    person = {**PERSON, "calendar": {**PERSON["calendar"], "shifts": []}, "rate_per_hour": "-3"}
    answer = mike.put("/api/v1/registers/technicians/bad", json={"body": person}).json()
    assert {f["code"] for f in answer["faults"]} == {"technician:no-shift", "technician:rate-negative"}


def test_from_what_is_due_to_what_was_found(node, mike, anna, olga):
    due = mike.get("/api/v1/maintenance/tasks").json()
    assert [(t["id"], t["overdue"], t["site"]) for t in due["items"]] == [("bearings", False, "acme-hall")]
    assert "Replace at" in due["items"][0]["advice"] and due["parts"][0]["reorder_point"] == 1
    assert olga.get("/api/v1/maintenance/tasks", params={"party": "maker"}).status_code == 403

    job = done(mike, post(mike, "/maintenance/plans", {"budget_s": 120}, 202))
    assert job["state"] == "done", job["faults"]
    plan = mike.get("/api/v1/maintenance/plan").json()
    placed = plan["placed"][0]
    assert placed["technician"] == "tea" and not plan["left_out"] and job["bound"] == pytest.approx(job["value"])
    assert placed["chosen"]["cost"] <= min(placed["at_once"]["cost"], placed["at_last"]["cost"]) and placed["why"]

    made = post(mike, f"/maintenance/plans/{job['id']}/recommendations", {})
    assert len(made["made"]) == 1
    again = post(mike, f"/maintenance/plans/{job['id']}/recommendations", {})
    assert again == {"made": [], "open_already": ["bearings"]}
    steps = f"/maintenance/recommendations/{made['made'][0]}/steps"

    # Nobody answers for the other side, and who is not concerned does not know that there is anything.
    assert mike.get("/api/v1/maintenance/recommendations").json()["items"][0]["may"] == ["withdraw"]
    assert post(mike, steps, {"action": "accept"}, 403)["code"] == "recommendation:not-yours"
    assert post(olga, steps, {"action": "accept"}, 404)["code"] == "recommendation:unknown"
    assert olga.get("/api/v1/maintenance/recommendations").json()["items"] == []
    assert anna.put("/api/v1/registers/recommendations/x", json={"body": {}}).status_code == 404

    # The customer names another window; the provider agrees.
    assert post(anna, steps, {"action": "refuse"}, 400)["code"] == "recommendation:reason-missing"
    past = {"action": "counter", "from": format_instant(NOW - 2 * DAY), "to": format_instant(NOW - DAY)}
    assert post(anna, steps, past, 400)["code"] == "recommendation:window-past"
    start, end = format_instant(NOW + 30 * HOUR), format_instant(NOW + 33 * HOUR)
    countered = post(anna, steps, {"action": "counter", "from": start, "to": end, "text": "After the rush order"})
    assert (countered["status"], countered["waiting_for"]) == ("countered", "maker")
    assert post(anna, steps, {"action": "accept"}, 403)["code"] == "recommendation:not-yours"
    assert post(mike, steps, {"action": "schedule"}, 409)["code"] == "recommendation:not-now"
    assert post(mike, steps, {"action": "accept"})["status"] == "accepted"
    scheduled = post(mike, steps, {"action": "schedule"})
    order = scheduled["work_order"]
    assert (scheduled["from"], scheduled["status"]) == (start, "scheduled") and order
    told = [p for s, p in node.bus.published if s == "happened" and b'"recommendation"' in p]
    assert len(told) == 4

    routes = done(mike, post(mike, "/maintenance/visits", {"budget_s": 60}, 202))
    assert routes["state"] == "done", routes["faults"]
    found = mike.get("/api/v1/maintenance/visits").json()
    assert [s["title"] for r in found["routes"] for s in r["stops"]] == ["Replace bearings, mill-1"]

    sheet = mike.get(f"/api/v1/maintenance/jobs/{order}").json()
    assert sheet["documents"] == ["Spindle manual"] and [s["done"] for s in sheet["procedure"]] == [False, False]
    assert post(mike, f"/maintenance/jobs/{order}/close", {}, 409)["code"] == "job-sheet:step-open"
    post(mike, f"/maintenance/jobs/{order}/ticks", {"step": 1, "note": "tag 7"})
    assert post(mike, f"/maintenance/jobs/{order}/ticks", {"step": 9}, 400)["code"] == "job-sheet:step-unknown"
    used = post(mike, f"/maintenance/jobs/{order}/parts", {"part": "bearing", "quantity": 1})
    assert used["order"] > 0 and "reorder point" in used["why"]
    assert post(mike, f"/maintenance/jobs/{order}/parts", {"part": "bearing", "quantity": 1}, 409)["code"] == (
        "part:not-enough"
    )
    assert mike.get("/api/v1/registers/spare-parts/bearing").json()["body"]["stock"] == 0
    wrong = {"case": "no-such-case"}
    assert post(mike, f"/maintenance/jobs/{order}/close", wrong, 400)["code"] == "job-sheet:case-unknown"
    assert post(olga, f"/maintenance/jobs/{order}/close", {}, 404)["code"] == "job-sheet:unknown"


def test_work_that_has_not_begun_cannot_be_closed_and_what_was_found_is_kept(node, mike, anna):
    item = mike.get("/api/v1/maintenance/recommendations").json()["items"][0]
    order, steps = item["work_order"], f"/maintenance/recommendations/{item['id']}/steps"
    early = post(mike, f"/maintenance/jobs/{order}/close", {"note": "done"}, 400)
    assert early["code"] == "work-order:period-reversed"
    assert mike.get(f"/api/v1/maintenance/jobs/{order}").json()["closed_at"] is None, (
        "the sheet stays open with its order"
    )
    change = {"action": "change", "from": format_instant(NOW - HOUR), "to": format_instant(NOW + HOUR)}
    post(mike, f"/twins/mill-1/work-orders/{order}/steps", change, 200)
    closed = post(mike, f"/maintenance/jobs/{order}/close", {"note": "Bearing was pitted"})
    assert closed["closed_by"] == "mike" and closed["used"][0]["part"] == "bearing"
    assert post(mike, f"/maintenance/jobs/{order}/close", {}, 409)["code"] == "job-sheet:closed"
    orders = mike.get("/api/v1/twins/mill-1/work-orders").json()["items"]
    assert [(o["id"], o["status"], o["kind"]) for o in orders] == [(order, "closed", "planned")]
    assert post(anna, steps, {"action": "judge", "found": "good"}, 403)["code"] == "recommendation:not-yours"
    assert post(mike, steps, {"action": "judge"}, 400)["code"] == "recommendation:found-missing"
    judged = post(mike, steps, {"action": "judge", "found": "near_failure", "text": "Pitted"})
    assert [s["action"] for s in judged["steps"]] == [
        "propose", "counter", "accept", "schedule", "done", "judge",
    ]  # fmt: skip
    followed = anna.get("/api/v1/maintenance/recommendations").json()["followed"]
    assert (followed["by_status"], followed["right"], followed["countered"]) == ({"judged": 1}, 1.0, 1)
    assert mike.get("/api/v1/maintenance/visit-counts").json()["items"] == [], "no contract, nothing to count against"
