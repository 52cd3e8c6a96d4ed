"""A machine changes hands: each owner knows of the cases of his time, and shows no observations of the other's."""

from __future__ import annotations

import json
from contextlib import closing

import msgspec
import pytest
from api_node import T0, uid

from servitwin.domain.case import Case, CaseStep, Found, Noted
from servitwin.domain.finding import Explanation, Finding, FoundSignal, Sample
from servitwin.domain.instant import HOUR, NS, format_instant
from servitwin.sdk.finding import ServiceFinding
from servitwin.sdk.service import Outcome
from servitwin.usecases.keep_findings import Finder, KeepFindings
from servitwin.usecases.registry import Registry


@pytest.fixture(scope="module", autouse=True)
def cases(node):
    """Of a machine that acme sold to other at T0: one case from before, one that goes on, one from after."""
    spans = {"before": (T0 - HOUR, T0 - HOUR + NS), "goes-on": (T0 - 60 * NS, None), "after": (T0 + NS, T0 + 2 * NS)}
    for name, (start, end) in spans.items():
        finding = Finding(uid(5), name, "sha256:0", "", "high", start, start, end)
        why = Explanation(start, (Sample("speed", start, 123.5),))
        steps = [CaseStep(name, 1, start + NS, "monitor", Found(finding, why))]
        if name == "goes-on":
            steps.append(CaseStep(name, 2, T0 + NS, "oscar", Noted("the new owner's own business")))
        assert node.records.add_case(Case(name, uid(5), name, "sha256:0", "", "high", start + NS), steps)
    _found_by_a_service(node)


SOLD = "sold-mill"


def _found_by_a_service(node):
    """An anomaly that began before the sale and goes on, and one after it: in outcomes, and in a case."""
    told = [
        ServiceFinding("anomaly:deviates", at, "speed is 77.5", (FoundSignal("speed"),)) for at in (T0 - NS, T0 + NS)
    ]
    results = [{"anomaly": {"kind": "deviates", "peak": 2.0, "version": 1}} for _ in told]
    outcome = msgspec.json.encode(Outcome(results, told))
    node.records.save_outcome("anomaly", "1", uid(5), "{}", T0 - HOUR, T0 + HOUR, 0, "{}", outcome, b"")
    keep = KeepFindings(Registry(node.records), node.records, iter(("odd", "never")).__next__)
    twin = Registry(node.records).by_uid(uid(5))
    keep.take(twin, Finder("anomaly", "1", "{}"), told, {}, T0 + HOUR, T0 + 2 * NS)


def listed(client):
    return {c["id"] for c in client.get("/api/v1/cases").json()["items"]}


def test_each_owner_lists_the_cases_of_his_time(anna, olga, root):
    assert listed(anna) == {"before", "goes-on"}  # the service found it when it had been sold
    assert listed(olga) == {"goes-on", "after", "odd"}
    assert listed(root) == {"before", "goes-on", "after", "odd"}
    assert anna.get("/api/v1/cases/after").status_code == 404
    assert olga.get("/api/v1/cases/before").status_code == 404


def test_who_sold_the_machine_knows_the_case_as_it_was_then(anna):
    told = anna.get("/api/v1/cases/goes-on").json()
    assert [s["kind"] for s in told["steps"]] == ["found"]
    assert told["explanation"]["samples"][0]["value"] == 123.5


def test_who_bought_it_is_shown_none_of_the_seller_s_observations(olga):
    told = olga.get("/api/v1/cases/goes-on").json()
    assert [s["kind"] for s in told["steps"]] == ["found", "note"]
    assert told["active"] is True
    assert told["explanation"] is None
    for paper in ("proof", "certificate"):
        refused = olga.get(f"/api/v1/cases/goes-on/{paper}")
        assert (refused.status_code, refused.json()["code"]) == (403, "case:time-not-readable")


def test_who_sold_it_acts_on_nothing_any_more(node):
    with closing(node.browser("adam")) as adam:
        refused = adam.post("/api/v1/cases/goes-on/steps", json={"kind": "note", "text": "still mine"})
        assert refused.status_code == 403


def test_who_bought_it_reads_no_anomaly_of_the_seller_s_time(olga, root):
    def read(client):
        window = {"from": format_instant(T0 - HOUR), "to": format_instant(T0 + HOUR)}
        return client.get(f"/api/v1/twins/{SOLD}/anomalies", params=window).json()["items"]

    before, after = format_instant(T0 - NS), format_instant(T0 + NS)
    assert {a["from"] for a in read(root)} == {before, after}
    assert {a["from"] for a in read(olga)} == {after}
    hidden = next(a["id"] for a in read(root) if a["from"] == before)
    assert olga.get(f"/api/v1/twins/{SOLD}/anomalies/{hidden}").status_code == 404
    case = olga.get("/api/v1/cases/odd").json()
    assert {f["from"]: f["told"] is None for f in case["findings"]} == {before: True, after: False}
    assert json.dumps(case).count("77.5") == json.dumps(root.get("/api/v1/cases/odd").json()).count("77.5") - 2
