"""A guarantee between two companies: measured, claimed, decided, settled, and recomputed by the other side."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Node
from tests.stories.waiting import Api, wait_for

PLANT = """
plant: hall
parties:
  maker:
    name: Maker
    kind: manufacturer
    business: {country: FI, street: Tie 1, city: Turku, postcode: "20100", vat_id: FI12345678, company_id: "1", email: a@maker.example, iban: FI2112345600000785}
  plant:
    name: Plant
    kind: customer
    business: {country: NL, street: Kade 3, city: Delft, postcode: 2611AA, vat_id: NL123456789B01, company_id: "2", email: b@plant.example}
  soft: {name: Soft, kind: partner}
  rival: {name: Rival, kind: customer}
twins:
  crane-1: {type: crane@1, owner: plant, commissioned: 2025-01-01}
"""  # noqa: E501
CRANE = """
machine_type: crane
version: 1
title: Crane
manufacturer: maker
signals:
  execution: {type: text, title: Execution, reporting: {mode: on-change}}
states:
  word: execution
  rules:
    - {when: {execution: RUN}, state: producing}
    - {when: {execution: FAULT}, state: failed, cause: brake}
    - {when: {execution: SERVICE}, state: preventive}
"""
CONTRACT = """
contract: crane-98
version: 1
title: Crane availability
provider: maker
customer: plant
machines: [crane-1]
period: {from: 2026-01-01, to: 2027-01-01, time_zone: Europe/Helsinki}
currency: EUR
price: {fee: 48000, per: year}
guarantee:
  level: 98
  settle: month
  credit: {form: stepped, step: 0.1, percent: 0.5, cap: 10}
  exclusions:
    - {kind: access_refused}
    - {kind: planned_work, budget_hours: 8}
"""
# Times of the crane's word, UTC; Helsinki's March 2026 is 743 h long and begins at 22:00 UTC of the last of February.
SAID = [
    ("2026-01-01T00:00:00Z", "RUN"),
    ("2026-03-10T06:00:00Z", "FAULT"),
    ("2026-03-10T22:00:00Z", "RUN"),
    ("2026-03-20T08:00:00Z", "SERVICE"),
    ("2026-03-20T13:00:00Z", "RUN"),
]


def write(folder: Path) -> list[str]:
    for name, text in (("crane.yaml", CRANE), ("plant.yaml", PLANT)):
        (folder / name).write_text(text)
    return ["--plant", str(folder / "crane.yaml"), "--plant", str(folder / "plant.yaml")]


def say(api: Api, said: list[tuple[str, str]]) -> None:
    lines = [json.dumps({"time": at, "values": {"execution": word}}) for at, word in said]
    api.ask(
        "POST", "/twins/crane-1/observations", content="\n".join(lines),
        headers={"Content-Type": "application/x-ndjson"},
    )  # fmt: skip


def servitwin(*arguments: str, code: int = 0, token: str = "") -> Any:
    """What a command prints as JSON; with ``token`` it asks as its bearer."""
    command = [sys.executable, "-m", "servitwin.bootstrap", *arguments, "--json"]
    environment = {**os.environ, "SERVITWIN_TOKEN": token}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout or done.stderr)


@pytest.fixture
def hall(node_factory: Callable[..., Node], tmp_path: Path) -> tuple[Node, Api, Api, Api]:
    """A node of the maker with the crane's first quarter, and the callers maker, plant and rival."""
    node = node_factory(*write(tmp_path))
    api = Api.of(node)
    sides = [Api.of(node, api.token(p, "service_manager" if p == "maker" else "procurement")["token"]) for p in
             ("maker", "plant", "rival")]  # fmt: skip
    say(api, SAID)
    wait_for(
        node,
        "the crane's words",
        20,
        lambda: len(api.values("crane-1", "execution", **{"from": "2026-01-01T00:00:00Z"})) == 5,
    )
    return node, *sides  # type: ignore[return-value]


def march(api: Api) -> dict[str, Any]:
    status: dict[str, Any] = api.get("/contracts/crane-98/status", period="2026-03")
    return status


def test_from_a_file_to_a_settlement_that_the_customer_recomputes(
    hall: tuple[Node, Api, Api, Api], node_factory: Callable[..., Node], tmp_path: Path
) -> None:
    node, maker, plant, rival = hall
    added = maker.ask("POST", "/contracts", 201, content=CONTRACT, headers={"Content-Type": "application/yaml"})
    assert (added["life"], added["you"], len(added["periods"])) == ("trial", "provider", 12)

    # What the machine did is its owner's to show, until the owner has signed.
    for look in ("status?period=2026-03", "intervals?period=2026-03", "trial", "price", "forecast", "calibration"):
        told = maker.ask("GET", f"/contracts/crane-98/{look}", 403)
        assert (told["code"], told["where"]) == ("contract:machine-not-readable", "machines[0]"), look
    Api.of(node).post("/grants", {"grantee": "maker", "action": "read", "twin": "crane-1", "grantor": "plant"}, 201)
    # A trial is measured alike, without money; nothing is settled before both have signed.
    assert march(maker)["life"] == "trial"
    assert maker.post("/contracts/crane-98/settlements/2026-03", {}, 409)["code"] == "settlement:not-binding"
    trial = maker.get("/contracts/crane-98/trial", **{"from": "2026-01-01", "to": "2026-04-01"})
    assert [p["credit"] for p in trial["periods"]] == ["0.00", "0.00", "160.00"]
    assert (trial["fee"], trial["credit"], trial["bonus"], trial["payable"]) == (
        "12000.00",
        "160.00",
        "0.00",
        "11840.00",
    )
    assert plant.http.get("/contracts/crane-98/document").content.startswith(b"%PDF")
    maker.post("/contracts/crane-98/signatures", {})
    assert plant.post("/contracts/crane-98/signatures", {})["life"] == "binding"

    # 743 h, of which 16 h failed and 5 h in service: (743 - 21)/743 = 97.17 %, 8 whole steps, 4 % of 4 000.
    machine = march(plant)["machines"][0]
    assert (machine["counted_s"], machine["seconds"]["unavailable"]) == (str(743 * 3600), str(21 * 3600))
    assert (machine["rounded_percent"], machine["credit"]) == ("97.17", "160.00")

    # A stranger does not know that the contract exists.
    assert rival.get("/contracts")["items"] == []
    assert rival.ask("GET", "/contracts/crane-98/status", 404)["code"] == "contract:unknown"
    assert rival.post("/contracts/crane-98/signatures", {}, 404)["code"] == "contract:unknown"

    # The service was planned work: accepted. Access was refused for six hours: two are accepted, four are rejected.
    work = claim(maker, "planned_work", "2026-03-20T08:00:00Z", "2026-03-20T13:00:00Z")
    assert maker.post(decide_path(work), {"answer": "accept"}, 403)["code"] == "exclusion:not-yours-to-decide"
    plant.post(decide_path(work), {"answer": "accept"})
    access = claim(maker, "access_refused", "2026-03-10T06:00:00Z", "2026-03-10T12:00:00Z")
    waiting = march(plant)
    # Undecided: 16 h of 738 count (97.83 %, 40.00) or 10 h of 732 do (98.63 %, nothing).
    assert (waiting["credit"], waiting["disputed"]) == ("0.00", "20.00")
    decided = plant.post(
        decide_path(access),
        {"answer": "accept_part", "parts": [{"from": "2026-03-10T06:00:00Z", "to": "2026-03-10T08:00:00Z"}]},
    )
    assert decided["status"] == "part_accepted"
    assert plant.post(decide_path(access), {"answer": "accept"}, 409)["code"] == "exclusion:decided"
    # 14 h of 736 h: 98.10 %: kept.
    assert march(maker)["machines"][0]["rounded_percent"] == "98.1"

    first = maker.post("/contracts/crane-98/settlements/2026-03", {})
    assert (first["fee"], first["credit"], first["payable"], first["revision"]) == ("4000.00", "0.00", "4000.00", 1)
    assert maker.post("/contracts/crane-98/settlements/2026-03", {})["digest"] == first["digest"]
    assert plant.post("/contracts/crane-98/settlements/2026-03", {}, 403)["code"] == "access:not-permitted"

    # Late data: the fault began ten hours earlier. A correction is a new revision; the first stays as it was.
    say(Api.of(node), [("2026-03-09T20:00:00Z", "FAULT")])
    wait_for(node, "the late word", 20, lambda: march(maker)["machines"][0]["rounded_percent"] != "98.1")
    second = maker.post("/contracts/crane-98/settlements/2026-03", {})
    assert (second["revision"], second["corrects"], second["credit"]) == (2, first["digest"], "240.00")
    assert plant.get("/contracts/crane-98/settlements/2026-03", revision=1)["digest"] == first["digest"]

    pdf = plant.http.get("/contracts/crane-98/settlements/2026-03/document")
    assert pdf.content.startswith(b"%PDF"), pdf.text[:300]
    saved = tmp_path / "saved"
    servitwin("contracts", "save", "crane-98", "2026-03", str(saved), "--data", str(node.data))
    stem = str(saved / "crane-98-2026-03")
    verify = ("verify", f"{stem}.json", "--observations", f"{stem}-observations.parquet", "--keys", f"{stem}-keys.json")
    done = servitwin(*verify)
    assert (done["ok"], done["credit"]) == (True, "240.00")
    assert sum("signed crane-98@1" in text for text in done["proven"]) == 2

    # The same from an ordinary export in CSV, and not from one that begins too late.
    export = str(saved / "all.csv")
    servitwin("export", "crane-1", "--from", "2026-01-01T00:00:00Z", "-o", export, "--data", str(node.data))
    assert servitwin("verify", f"{stem}.json", "--observations", export)["ok"]
    servitwin("export", "crane-1", "--from", "2026-03-10T00:00:00Z", "-o", export, "--data", str(node.data))
    refused = servitwin("verify", f"{stem}.json", "--observations", export, code=1)
    assert refused["faults"][0]["code"] == "observations:differ"

    # One byte of the settlement altered.
    altered = Path(f"{stem}.json").read_bytes().replace(b'"credit":"240.00"', b'"credit":"140.00"', 1)
    (saved / "altered.json").write_bytes(altered)
    assert servitwin("verify", str(saved / "altered.json"), code=1)["faults"][0]["code"] == "settlement:altered"

    value_is_counted_against_a_baseline_that_both_signed(node, maker, plant, rival)
    the_customers_node_computes_the_same(node_factory, tmp_path, maker, plant, second)


def value_is_counted_against_a_baseline_that_both_signed(node: Node, maker: Api, plant: Api, rival: Api) -> None:
    def exactly(value: str) -> dict[str, str]:
        return {"low": value, "likely": value, "high": value}

    assert maker.ask("GET", "/contracts/crane-98/value", 404)["code"] == "value:no-baseline"
    figures = {"down_hours": exactly("400"), "cost_per_hour": {"low": "100", "likely": "200", "high": "300"},
               "visits": exactly("10"), "cost_per_visit": exactly("500"), "source": "log of 2025"}  # fmt: skip
    wrong = {**figures, "visits": {"low": "3", "likely": "2", "high": "1"}}
    assert maker.post("/contracts/crane-98/baselines", wrong, 400)["code"] == "value:estimate-invalid"
    maker.post("/contracts/crane-98/baselines", figures, 201)
    span = {"from": "2026-01-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}
    assert maker.get("/contracts/crane-98/value", **span)["agreed"] is False
    plant.post("/contracts/crane-98/baselines/signatures", {})
    value = plant.get("/contracts/crane-98/value", **span)
    assert value["agreed"] is True
    assert float(value["low"]) < float(value["saved"]) < float(value["high"])
    assert float(value["saved_hours"]) == pytest.approx(400 - float(value["down_hours"]), abs=1e-3)
    # 24 h of 2160 h, a year: 26 h of the fault less the two of refused access; the service was planned work.
    assert float(value["down_hours"]) == pytest.approx(24 / 2160 * 8766, abs=1e-3)
    # What lay before the contract, and two hours without data in it, change nothing.
    wider = {"from": "2025-01-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}
    earlier = plant.get("/contracts/crane-98/value", **wider)
    assert (earlier["from"], earlier["down_hours"]) == ("2025-12-31T22:00:00Z", value["down_hours"])
    savings_are_those_of_the_contracts(node, maker, plant, rival, span, value)


def savings_are_those_of_the_contracts(
    node: Node, maker: Api, plant: Api, rival: Api, span: dict[str, str], value: dict[str, Any]
) -> None:
    for side in (maker, plant):
        found = side.get("/savings", **span)
        (row,) = (r for r in found["items"] if r["contract"] == "crane-98")
        assert (row["service"], row["customer"], row["why"]) == ("availability-guarantee", "plant", None)
        same = ("saved", "low", "high", "fee", "after_fee", "saved_hours", "agreed")
        assert {k: row["counted"][k] for k in same} == {k: value[k] for k in same}
        for part, name in (("by_service", "availability-guarantee"), ("by_customer", "plant")):
            (total,) = found[part]
            assert (total["name"], total["contracts"], total["saved"]) == (name, ["crane-98"], value["saved"])
    assert rival.get("/savings", **span)["items"] == []
    assert maker.get("/savings", **{"from": "2025-01-01T00:00:00Z", "to": "2025-06-01T00:00:00Z"})["items"] == []
    shown = servitwin("contracts", "savings", "--from", span["from"], "--until", span["to"], "--data", str(node.data))
    assert shown["by_customer"] == maker.get("/savings", **span)["by_customer"]

    # A baseline that only one side has signed is shown, and counts in no sum.
    exactly = {n: {"low": "9", "likely": "9", "high": "9"} for n in ("cost_per_hour", "visits", "cost_per_visit")}
    hours = {"low": "900", "likely": "900", "high": "900"}
    maker.post("/contracts/crane-98/baselines", {**exactly, "down_hours": hours, "source": "a hope"}, 201)
    hoped = plant.get("/savings", **span)
    assert hoped["items"][0]["counted"]["agreed"] is False and float(hoped["items"][0]["counted"]["saved_hours"]) > 800
    assert hoped["by_service"] == hoped["by_customer"] == []


def the_customers_node_computes_the_same(
    node_factory: Callable[..., Node], tmp_path: Path, maker: Api, plant: Api, settled: dict[str, Any]
) -> None:
    """Contract, decisions and observations are shared; the cents are computed by the customer's own node."""
    content = plant.ask("GET", "/contracts/crane-98/settlements/2026-03")
    other = node_factory(*write(tmp_path))
    own = Api.of(other)
    administrator = Api.of(other, own.token("plant", "administrator")["token"])
    shared = administrator.post("/contracts/recompute", content)
    assert shared["faults"][0]["code"] == "observations:differ", "nothing is recomputed from observations it lacks"
    say(own, [*SAID, ("2026-03-09T20:00:00Z", "FAULT")])
    wait_for(
        other, "the same credit on the customer's node", 30,
        lambda: administrator.post("/contracts/recompute", content)["credit"] == settled["credit"],
    )  # fmt: skip
    done = administrator.post("/contracts/recompute", content)
    assert done["ok"], done
    assert maker.get("/contracts")["items"][0]["waiting"] == 0


def claim(api: Api, kind: str, start: str, end: str) -> str:
    body = {"twin": "crane-1", "kind": kind, "from": start, "to": end, "text": "as agreed on the phone"}
    return str(api.post("/contracts/crane-98/exclusions", body, 201)["id"])


def decide_path(claimed: str) -> str:
    return f"/contracts/crane-98/exclusions/{claimed}/decisions"


def test_from_a_settlement_to_an_invoice_and_what_is_left(node_factory: Callable[..., Node], tmp_path: Path) -> None:
    node = node_factory(*write(tmp_path))
    api = Api.of(node)
    maker = Api.of(node, api.token("maker", "service_manager")["token"])
    plant = Api.of(node, api.token("plant", "procurement")["token"])
    rival = Api.of(node, api.token("rival", "procurement")["token"])
    say(api, SAID)
    terms = CONTRACT.replace(
        "price: {fee: 48000, per: year}",
        "price: {fee: 48000, per: year, usage: "
        "{operating_hours: {tiers: [{up_to: 700, rate: 1.5}, {rate: 1}]}, parts: {rate: 0.1}}}\n"
        "partners: {soft: {share: 12.5}}",
    )
    maker.ask("POST", "/contracts", 201, content=terms, headers={"Content-Type": "application/yaml"})
    for side in (maker, plant):
        side.post("/contracts/crane-98/signatures", {})
    wait_for(node, "the crane's stops", 20, lambda: march(maker)["machines"][0]["seconds"]["unavailable"] == "75600")

    # Usage: 1 000 parts, sent twice, and once with other content, which is kept aside.
    event = {"id": "p-1", "source": "line-plc", "time": "2026-03-05T00:00:00Z", "subject": "crane-1"}
    data = {"contract": "crane-98", "meter": "parts", "quantity": "1000"}
    sent = maker.post("/usage", [{**event, "data": data}, {**event, "data": data}], 202)
    assert sent == {"taken": 1, "repeated": 1, "conflicts": 0}
    assert maker.post("/usage", [{**event, "data": {**data, "quantity": "9"}}], 202)["conflicts"] == 1
    assert rival.post("/usage", [{**event, "data": data}], 404)["code"] == "contract:unknown"

    settled = maker.post("/contracts/crane-98/settlements/2026-03", {})
    assert settled["credit"] == "160.00"
    billed = maker.post("/contracts/crane-98/settlements/2026-03/invoices", {})
    invoice, note = billed["invoices"]
    # 4 000 fee, 722 h of which 700 at 1.50 and 22 at 1.00, 1 000 parts at 0.10; reverse charge to the Netherlands.
    assert (invoice["type"], invoice["net"], invoice["tax"], invoice["total"]) == ("380", "5172.00", "0.00", "5172.00")
    assert (note["type"], note["total"], note["credits"]) == ("381", "160.00", invoice["number"])
    assert billed["shares"] == {"soft": "480.00"}
    assert maker.post("/contracts/crane-98/settlements/2026-03/invoices", {}) == billed, "billed once"
    # The partner sees its own share, and nothing of the contract's price or of its parties' books.
    soft = Api.of(node, api.token("soft", "analyst")["token"])
    (own,) = soft.get("/shares")
    assert (own["contract"], own["share_percent"], own["total"]) == ("crane-98", "12.5", "480.00")
    assert [(b["period"], b["amount"]) for b in own["booked"]] == [("2026-03", "480.00")]
    assert "48000" not in json.dumps(own)
    assert soft.ask("GET", "/contracts/crane-98", 404)["code"] == "contract:unknown"
    assert (rival.get("/shares"), maker.get("/shares"), soft.get("/invoices")["items"]) == ([], [], [])

    for form, begin in (("ubl", b"<?xml"), ("cii", b"<?xml"), ("pdf", b"%PDF")):
        answer = plant.http.get(f"/invoices/{note['number']}/document", params={"form": form})
        assert answer.content.startswith(begin), answer.text[:300]
    assert rival.get("/invoices")["items"] == []
    assert rival.ask("GET", f"/invoices/{invoice['number']}", 404)["code"] == "invoice:unknown"

    visit = {"contract": "crane-98", "kind": "visits", "amount": "640.00", "currency": "EUR", "text": "Brake changed"}
    maker.post("/ledger", visit, 201)
    assert maker.post("/ledger", {**visit, "currency": "EURO"}, 400)["code"] == "money:currency-unknown"
    maker.post(f"/invoices/{invoice['number']}/payments", {"amount": "5172.00"}, 201)
    assert maker.get(f"/invoices/{invoice['number']}")["paid"] is True
    twice = maker.post(f"/invoices/{invoice['number']}/payments", {"amount": "5172.00"}, 409)
    assert twice["code"] == "payment:exceeds-open"
    # It was paid whole, so the credit is open: it is paid back, once.
    assert maker.get(f"/invoices/{note['number']}")["open"] == "160.00"
    first = maker.get(f"/invoices/{invoice['number']}")
    assert (first["settled"], first["offset"], first["open"]) == ("5172.00", "0.00", "0.00")
    assert first["credited_by"] == [note["number"]]
    balances = maker.get("/ledger/balances")
    assert sum(float(own["EUR"]) for own in balances.values()) == pytest.approx(0, abs=1e-9)
    assert balances["receivable:plant"]["EUR"] == "-160.00"
    maker.post(f"/invoices/{note['number']}/payments", {"amount": "160.00"}, 201)
    assert maker.post(f"/invoices/{note['number']}/payments", {"amount": "0.01"}, 409)["code"] == "payment:exceeds-open"
    assert "receivable:plant" not in {a for a, own in maker.get("/ledger/balances").items() if float(own["EUR"])}
    taken = {**visit, "amount": "-640.00", "text": "Not ours"}
    assert maker.post("/ledger", {**taken, "corrects": "none"}, 400)["code"] == "ledger:corrects-unknown"
    result = maker.get("/profit-and-loss")[0]
    assert (result["revenue"], result["credits"], result["visits"], result["shares"], result["margin"]) == (
        "5172.00", "160.00", "640.00", "480.00", "3892.00",
    )  # fmt: skip
    assert plant.ask("GET", "/profit-and-loss", 403)["code"] == "access:not-permitted"

    # After the invoice was paid a late observation arrives: only the difference is credited.
    say(api, [("2026-03-09T20:00:00Z", "FAULT")])
    wait_for(node, "the late word", 20, lambda: march(maker)["machines"][0]["seconds"]["unavailable"] != "75600")
    again = maker.post("/contracts/crane-98/settlements/2026-03", {})
    assert again["credit"] == "400.00"
    more = maker.post("/contracts/crane-98/settlements/2026-03/invoices", {})["invoices"]
    # 240 more of the credit, which its cap holds at 10 %, and ten operating hours that were none.
    assert [(i["type"], i["total"], i["credits"]) for i in more] == [("381", "250.00", invoice["number"])]
    numbers = [i["number"] for i in maker.get("/invoices")["items"]]
    assert sorted(numbers) == [f"{numbers[0][:4]}-{n:05}" for n in (1, 2, 3)], "no number is left out"
