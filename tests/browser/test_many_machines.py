"""Pages of a plant that is large, silent for years, or has machines without a type; and of a plant without any."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PAGES, Site
from tests.conftest import Node
from tests.stories.waiting import Api, wait_for

pytestmark = pytest.mark.timeout(600)
MACHINES = 300
YEAR = 365 * 86_400 * 10**9
PASSWORD = "a long password"
PROBE = """machine_type: probe
version: 1
signals:
  execution: {type: text, reporting: {mode: on-change, max_gap: 1m}}
  temperature: {unit: Cel, reporting: {mode: periodic, max_gap: 10s}}
states:
  word: execution
  needs: [execution]
  rules: [{when: {execution: {equals: ACTIVE}}, state: producing}]
  otherwise: standby
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Three hundred machines of a hall, one of which spoke three years ago and now; one more without a type."""
    if not PAGES.is_file():
        pytest.skip("the pages are not built: run `make ui`")
    folder: Path = tmp_path_factory.mktemp("many")
    (folder / "probe.yaml").write_text(PROBE)
    lines = ["plant: many", "parties: {maker: {name: Maker, kind: manufacturer}}", "twins:"]
    lines += ["  hall-1: {kind: factory, title: Hall 1}"]
    lines += [f"  m{n:03}: {{type: probe@1, part_of: hall-1, owner: maker}}" for n in range(MACHINES)]
    (folder / "plant.yaml").write_text("\n".join(lines) + "\n")
    files = [str(folder / name) for name in ("probe.yaml", "plant.yaml")]
    node = Node(folder / "data", arguments=["--plant", files[0], "--plant", files[1]])
    node.start()
    try:
        api = Api.of(node)
        api.post("/accounts", {"id": "ann", "name": "Ann", "party": "maker", "roles": ["administrator"],
                               "password": PASSWORD})  # fmt: skip
        now = time.time_ns()
        times = [now - 3 * YEAR, now - 3 * YEAR + 10**9, now - 1_200 * 10**9]
        values = {"temperature": [20.0, 21.0, 22.0], "execution": ["ACTIVE", "READY", "ACTIVE"]}
        api.post("/twins/m001/observations", {"times": times, "values": values})
        api.put("/twins/strange-1", {"kind": "machine", "title": "Untyped press", "owner": "maker"})
        lines = [json.dumps({"time": now - n * 10**9, "values": {"power": n % 7, "mode": "auto"}}) for n in range(60)]
        head = {"Content-Type": "application/x-ndjson"}
        api.ask("POST", "/twins/strange-1/observations", content="\n".join(lines).encode(), headers=head)
        wait_for(node, "all is readable", 60, lambda: len(api.values("strange-1", "power")) == 60)
        yield Site(node.web, "ann", PASSWORD)
    finally:
        node.stop()


def test_tiles_of_many_machines_come_when_asked_for(open_page: Callable[..., Page]) -> None:
    page = open_page("machines/hall-1")
    tiles = page.locator(".tiles > li")
    expect(tiles).to_have_count(120)
    page.get_by_role("button", name=f"Show 120 more of {MACHINES - 120}").click()
    page.get_by_role("button", name=f"Show 60 more of {MACHINES - 240}").click()
    expect(tiles).to_have_count(MACHINES)


@pytest.mark.parametrize("width", [1440, 1024])
def test_the_age_of_a_stale_value_stays_within_its_card(open_page: Callable[..., Page], width: int) -> None:
    page = open_page("machines/m001", width=width)
    age = page.locator(".value.stale .value-age").first
    expect(age).to_contain_text("stale")
    overhang = age.evaluate("cell => cell.scrollWidth - cell.clientWidth")
    assert overhang <= 0


def test_a_twin_without_a_type_says_in_words_what_cannot_be_told(open_page: Callable[..., Page]) -> None:
    page = open_page("machines/strange-1/oee?span=8h")
    expect(page.get_by_text("it is unknown what the machine did")).to_be_visible()
    expect(page.get_by_text("all-unknown")).to_have_count(0)
    data = open_page("machines/strange-1/data?span=1h")
    expect(data.get_by_role("row", name="power")).to_contain_text("60")
    expect(data.get_by_text("never")).to_have_count(0)
    level = open_page("machines/strange-1/level")
    expect(level.get_by_text("Digital shadow").first).to_be_visible(timeout=60_000)
    assert str(time.time_ns())[:4] not in level.locator("dl.evidence").first.inner_text(), "a moment is shown as one"
