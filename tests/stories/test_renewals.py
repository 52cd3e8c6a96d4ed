"""Contracts that ended are renewed, lost or still open, by what both parties have signed and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.conftest import Node
from tests.stories.test_guarantee import CONTRACT, PLANT, servitwin, write
from tests.stories.waiting import Api

YAML = {"Content-Type": "application/yaml"}
RANGE = {"from": "2025-06-01T00:00:00Z", "to": "2026-06-01T00:00:00Z"}
TWINS = "".join(f"  {id}: {{type: crane@1, owner: {owner}, commissioned: 2025-01-01}}\n"
                for id, owner in (("crane-2", "plant"), ("crane-3", "rival")))  # fmt: skip


def terms(id: str, machines: str, first: str, last: str, fee: int, customer: str = "plant") -> str:
    text = CONTRACT.replace("crane-98", id).replace("[crane-1]", machines).replace("48000", str(fee))
    text = text.replace("from: 2026-01-01, to: 2027-01-01", f"from: {first}, to: {last}")
    return text.replace("customer: plant", f"customer: {customer}")


def test_renewals_over_api_and_command_line(node_factory: Callable[..., Node], tmp_path: Path) -> None:
    arguments = write(tmp_path)
    (tmp_path / "plant.yaml").write_text(PLANT + TWINS)
    node = node_factory(*arguments)
    api = Api.of(node)
    token = api.token("maker", "service_manager")["token"]
    maker = Api.of(node, token)
    buyers = {p: Api.of(node, api.token(p, "procurement")["token"]) for p in ("plant", "rival")}

    def agree(text: str, *, signed: bool = True, customer: str = "plant") -> None:
        added = maker.ask("POST", "/contracts", 201, content=text, headers=YAML)
        for side in (maker, buyers[customer]) if signed else (maker,):
            side.post(f"/contracts/{added['id']}/signatures", {})

    agree(terms("old", "[crane-1, crane-2]", "2025-01-01", "2026-01-01", 20000))
    agree(terms("lost", "[crane-3]", "2025-03-01", "2026-03-01", 6000, "rival"), customer="rival")
    assert [r["outcome"] for r in maker.get("/profit-and-loss/renewals", **RANGE)["contracts"]] == ["churned"] * 2
    agree(terms("offered", "[crane-2]", "2026-01-01", "2027-01-01", 99000), signed=False)
    assert maker.get("/profit-and-loss/renewals", **RANGE)["totals"][0]["renewed"] == 0, "an offer is no renewal"
    agree(terms("new", "[crane-1]", "2026-01-10", "2027-01-01", 12000))
    found = maker.get("/profit-and-loss/renewals", **RANGE)
    (old, lost) = found["contracts"]
    assert (old["contract"], old["outcome"], old["before"]) == ("old", "partly", "20000.00")
    assert [(m["twin"], m["follow_up"], m["after"]) for m in old["machines"]] == [
        ("crane-1", "new@1", "12000.00"), ("crane-2", "", None),
    ]  # fmt: skip
    assert (lost["contract"], lost["outcome"], lost["customer"]) == ("lost", "churned", "rival")
    (total,) = found["totals"]
    assert (total["ended"], total["partly"], total["churned"], total["open"]) == (2, 1, 1, 0)
    assert (total["renewal_percent"], total["renewal_percent_by_fee"]) == ("50", "38.5")
    assert (total["before"], total["after"], total["net_retention_percent"]) == ("26000.00", "12000.00", "46.2")
    assert total["gross_retention_percent"] == "38.5"
    assert {c["customer"]: c["net_retention_percent"] for c in found["customers"]} == {"plant": "60", "rival": "0"}
    # Nine days are beyond a tolerance of eight; and before anybody signed there was nothing.
    assert maker.get("/profit-and-loss/renewals", **RANGE, tolerance_days=8)["totals"][0]["churned"] == 2
    assert maker.get("/profit-and-loss/renewals", **RANGE, at="2026-01-01T00:00:00Z")["contracts"] == []
    for query, code in (
        ("tolerance_days=-1", "renewals:tolerance"),
        ("tolerance_days=400", "renewals:tolerance"),
        ("from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", "range:ends-before-it-starts"),
        ("at=yesterday", "time:not-rfc3339"),
    ):
        assert maker.ask("GET", f"/profit-and-loss/renewals?{query}", 400)["code"] == code, query
    # Books are the provider's: its customer sees none, and counts none of its own as the provider's.
    assert buyers["plant"].ask("GET", "/profit-and-loss/renewals", 403)["code"] == "access:not-permitted"
    customer = Api.of(node, api.token("plant", "sales")["token"])
    assert customer.get("/profit-and-loss/renewals", **RANGE)["contracts"] == []
    told = servitwin(
        "contracts", "renewals", "--from", RANGE["from"], "--until", RANGE["to"], "--to", node.web, token=token
    )
    assert told == maker.get("/profit-and-loss/renewals", **RANGE) | {"known_at": told["known_at"]}
    assert servitwin("contracts", "profit", "--to", node.web, token=token) == []
