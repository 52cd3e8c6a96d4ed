"""An offer is priced, tried and weighed before anybody keeps it; what was kept comes back as its file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Node
from tests.stories.test_guarantee import CONTRACT, SAID, say, write
from tests.stories.waiting import Api, wait_for

pytestmark = pytest.mark.timeout(300)
YAML = {"Content-Type": "application/yaml"}
RANGE = {"from": "2026-01-01", "to": "2026-04-01"}


def flat(likely: str) -> dict[str, str]:
    return {"low": likely, "likely": likely, "high": likely}


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Api, Api]]:
    """A crane with a quarter of data that its owner lets the maker read."""
    folder = tmp_path_factory.mktemp("offers")
    with Node(folder / "node", arguments=write(folder)).running() as node:
        yield node, *sides_of(node)


def sides_of(node: Node) -> tuple[Api, Api]:
    """The maker, who has brought in nothing yet, and the plant."""
    api = Api.of(node)
    maker = Api.of(node, api.token("maker", "service_manager")["token"])
    plant = Api.of(node, api.token("plant", "procurement")["token"])
    say(api, SAID)
    api.post("/grants", {"grantee": "maker", "action": "read", "twin": "crane-1", "grantor": "plant"}, 201)

    def down() -> bool:
        found = maker.post("/contracts/evaluate", {"file": CONTRACT, **RANGE})["trial"]
        return bool(found["periods"][2]["machines"][0]["seconds"]["unavailable"] == "75600")

    wait_for(node, "the crane's stops", 20, down)
    return maker, plant


def kept(maker: Api) -> dict[str, Any]:
    """The contract, brought in unless it has been."""
    if not maker.get("/contracts")["items"]:
        maker.ask("POST", "/contracts", 201, content=CONTRACT, headers=YAML)
    return dict(maker.get("/contracts/crane-98"))


def test_an_offer_is_weighed_and_nothing_of_it_is_kept(sides: tuple[Node, Api, Api]) -> None:
    _, maker, plant = sides
    costs = {"cost_per_hour": {"low": "300", "likely": "400", "high": "500"}, "visits": flat("4"),
             "cost_per_visit": flat("1000")}  # fmt: skip
    found = maker.post("/contracts/evaluate", {"file": CONTRACT, **RANGE, "costs": costs})
    # 21 of March's 743 hours are down: 97.17 %, eight whole steps below 98; 4 % of the month's 4 000.
    march = found["trial"]["periods"][2]
    assert (march["machines"][0]["rounded_percent"], march["credit"]) == ("97.17", "160.00")
    assert (found["trial"]["fee"], found["trial"]["payable"]) == ("12000.00", "11840.00")
    assert found["price"]["contract"] == "crane-98@1"
    assert float(found["price"]["expected_credit"]) >= 0
    gain = found["gain"]
    # A quarter of 2 159 h (an hour is lost to summer time), brought to 8 766 h; the level allows 2 % of what counts.
    assert float(gain["down_hours"]) == pytest.approx(21 * 8766 / 2159, abs=1e-3)
    assert gain["saved_hours"] == "0", "the year was better than the level"
    assert (gain["saved"], gain["fee"], gain["if_kept"]) == ("4000.00", "48000.00", "-44000.00")
    assert float(gain["credit"]) == pytest.approx(160 * 8766 / 2159, abs=0.01)
    assert float(gain["as_last_year"]) == pytest.approx(4000 - 48000 + 160 * 8766 / 2159, abs=0.01)
    # A higher level promises less down time, which is worth something, and costs more credit.
    strict = maker.post(
        "/contracts/evaluate", {"file": CONTRACT.replace("level: 98", "level: 99.5"), **RANGE, "costs": costs}
    )
    saved = 21 * 8766 / 2159 - 2157 / 2159 * 8766 * 0.005  # two hours before the crane's first word do not count
    assert float(strict["gain"]["saved_hours"]) == pytest.approx(saved, abs=1e-3)
    assert float(strict["gain"]["saved"]) == pytest.approx(4000 + 400 * saved, abs=0.02)
    assert float(strict["gain"]["low"]) < float(strict["gain"]["saved"]) < float(strict["gain"]["high"])
    assert float(strict["trial"]["credit"]) > float(found["trial"]["credit"])
    # The same terms brought in make the same trial; before that there was nothing.
    assert maker.get("/contracts")["items"] == []
    assert kept(maker)["digest"] == found["digest"]
    assert maker.get("/contracts/crane-98/trial", **RANGE) == found["trial"]
    assert plant.post("/contracts/evaluate", {"file": CONTRACT, **RANGE})["digest"] == found["digest"]


def test_faults_of_an_offer_name_the_key_that_they_concern(sides: tuple[Node, Api, Api]) -> None:
    _, maker, _ = sides
    offer: dict[str, Any] = {
        "contract": "crane-98", "version": 1, "provider": "maker", "customer": "nobody", "machines": ["crane-9"],
        "period": {"from": "2026-01-01", "to": "2025-01-01", "time_zone": "Europe/Helsinky"}, "currency": "EUR",
        "price": {"fee": "much"}, "guarantee": {"level": 101, "credit": {"form": "stepped", "step": "", "cap": 10,
        "percent": 1}},
    }  # fmt: skip
    told = maker.post("/contracts/evaluate", {"file": json.dumps(offer)}, 400)
    assert {f["where"] for f in told["faults"]} == {
        "customer", "machines[0]", "period.to", "period.time_zone", "price.fee", "guarantee.level",
        "guarantee.credit.step",
    }  # fmt: skip
    assert all(f["hint"] or f["code"].startswith("file:") for f in told["faults"])
    for body, where in (
        ({"file": ""}, None),
        ({"file": CONTRACT, "from": "2026-13-01"}, "from"),
        ({"file": CONTRACT, "from": "2026-04-01", "to": "2026-04-01"}, None),
        ({"file": CONTRACT, "costs": {"cost_per_hour": flat("many")}}, "costs.cost_per_hour.low"),
        ({"file": CONTRACT, "costs": {"cost_per_hour": {"low": "5", "likely": "4", "high": "6"}}}, "cost_per_hour"),
        ({"file": CONTRACT, "costs": {"cost_per_hour": flat("NaN")}}, "costs.cost_per_hour.low"),
    ):
        answer = maker.http.post("/contracts/evaluate", json=body)
        if body.get("to"):  # an empty range is a fault of the trial alone: the price stands
            assert answer.json()["trial_problem"]["code"] == "range:ends-before-it-starts"
            assert answer.json()["price"] is not None
            continue
        assert answer.status_code == 400, (body, answer.text[:300])
        assert where is None or answer.json()["faults"][0]["where"] == where, answer.text[:300]
    unpriced = CONTRACT.replace(
        "{form: stepped, step: 0.1, percent: 0.5, cap: 10}", "{form: liquidated, rate: 4, meter: parts}"
    )
    found = maker.post("/contracts/evaluate", {"file": unpriced, **RANGE})
    assert (found["price"], found["price_problem"]["code"]) == (None, "price:not-in-percent")
    assert found["trial"] is not None
    plain = CONTRACT[: CONTRACT.index("guarantee:")]
    found = maker.post("/contracts/evaluate", {"file": plain, **RANGE})
    assert found["trial_problem"]["code"] == found["price_problem"]["code"] == "contract:no-guarantee"


def test_an_offer_teaches_nobody_what_a_strangers_machine_did(sides: tuple[Node, Api, Api]) -> None:
    node, maker, plant = sides
    rival = Api.of(node, Api.of(node).token("rival", "service_manager")["token"])
    own = CONTRACT.replace("provider: maker", "provider: rival")
    told = rival.post("/contracts/evaluate", {"file": own}, 400)
    assert (told["code"], told["faults"][0]["where"]) == ("contract:machine-not-readable", "machines[0]")
    assert rival.post("/contracts/evaluate", {"file": CONTRACT}, 403)["code"] == "contract:not-a-party"
    operator = Api.of(node, Api.of(node).token("plant", "operator")["token"])
    assert operator.post("/contracts/evaluate", {"file": CONTRACT}, 403)["code"] == "access:not-permitted"
    # A guarantee that the other one may not know of is not named either; one of its own is.
    for side in (maker, plant):
        kept(maker)
        side.post("/contracts/crane-98/signatures", {})
    second = CONTRACT.replace("contract: crane-98", "contract: crane-97")
    assert maker.post("/contracts/evaluate", {"file": second, **RANGE})["overlaps"] == ["crane-98@1"]
    third = second.replace("provider: maker", "provider: rival")
    assert plant.post("/contracts/evaluate", {"file": third, **RANGE})["overlaps"] == ["crane-98@1"]
    ranked = second.replace("currency: EUR", "currency: EUR\nrank: 5")
    assert maker.post("/contracts/evaluate", {"file": ranked, **RANGE})["overlaps"] == []


def test_a_contract_comes_back_as_its_file(sides: tuple[Node, Api, Api]) -> None:
    node, maker, _ = sides
    digest = kept(maker)["digest"]
    for form in ("yaml", "json"):
        answer = maker.http.get("/contracts/crane-98/file", params={"form": form})
        assert answer.headers["content-disposition"].endswith(f'"crane-98-1.{form}"')
        assert maker.post("/contracts/evaluate", {"file": answer.text, **RANGE})["digest"] == digest
    rival = Api.of(node, Api.of(node).token("rival", "sales")["token"])
    assert rival.ask("GET", "/contracts/crane-98/file", 404)["code"] == "contract:unknown"


def test_the_command_line_weighs_an_offer(sides: tuple[Node, Api, Api], tmp_path: Path) -> None:
    node, maker, _ = sides
    file = tmp_path / "offer.yaml"
    file.write_text(CONTRACT)
    run = [sys.executable, "-m", "servitwin.bootstrap", "contracts"]
    where = ["--data", str(node.data)]
    asked = ["--from", RANGE["from"], "--until", RANGE["to"], "--cost-per-hour", "300/400/500"]
    done = subprocess.run(
        [*run, "evaluate", str(file), *asked, *where], capture_output=True, text=True, check=False, timeout=60
    )
    assert "credit 160.00" in done.stdout, done
    assert "customer's gain a year: -48000.00 EUR if the level is kept" in done.stdout, done
    wrong = subprocess.run(
        [*run, "evaluate", str(file), "--cost-per-hour", "3/4", *where], capture_output=True, text=True, check=False
    )
    assert (wrong.returncode, "LOW/LIKELY/HIGH" in wrong.stderr) == (2, True), wrong
    kept(maker)
    printed = subprocess.run([*run, "file", "crane-98", *where], capture_output=True, text=True, check=True)
    digest = maker.post("/contracts/evaluate", {"file": printed.stdout, **RANGE})["digest"]
    assert digest == maker.get("/contracts/crane-98")["digest"]
