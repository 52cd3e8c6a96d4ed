"""Alarms that came with a violation, on the page of its case; and a log of another party that was rewritten."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from typer.testing import CliRunner

from servitwin.bootstrap.starters import starters
from servitwin.cli.app import create_cli
from servitwin.config import Settings
from servitwin.domain.error import ConflictError
from servitwin.engines.files.log_heads import LogHeads
from servitwin.engines.files.party_keys import PartyKeyFolder
from tests.browser.conftest import PAGES, Site
from tests.browser.test_pages import AXE, settle
from tests.conftest import Node
from tests.stories.waiting import Api, wait_for
from tests.unit.evidence.samples import T0
from tests.unit.evidence.test_keep_log import Owner, Remote, follow

pytestmark = pytest.mark.timeout(600)
NS = 10**9
PASSWORD = "a long password"
OVEN = """machine_type: oven
version: 1
signals:
  trouble: {type: condition, title: Trouble}
components:
  chamber:
    title: Chamber
    signals:
      heat: {unit: Cel, title: Temperature}
      alarms: {type: condition, title: Chamber}
    requirements:
      stays-below: {text: The chamber stays below 100 degrees., formula: heat < 100 Cel, severity: high}
"""
PLANT = """plant: bakery
parties: {maker: {name: Maker, kind: manufacturer}}
twins:
  oven-1: {type: oven@1, owner: maker, title: Oven 1}
"""
OTHER = "http://127.0.0.1:9"  # nobody answers there any more


def forked(folder: Path, witness: Path) -> None:
    """What a witness keeps of a log whose owner, with his own keys, made another one."""
    owner = Owner(folder / "owner")
    assert owner.keep.open()
    owner.segment(0, 1)
    follow(witness, Remote(owner))
    again = Owner(folder / "again")
    again.keys, again.clock = PartyKeyFolder(owner.folder / "keys"), T0
    again.log.append([owner.log.entry(0)])
    again.keep = again._keep()
    for n in range(3):
        again.segment(10 * n, 10 * n + 9)
    with pytest.raises(ConflictError):
        follow(witness, Remote(again))
    assert len(LogHeads(witness).lines("forks")) == 1


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    if not PAGES.is_file():
        pytest.skip("the pages are not built: run `make ui`")
    folder = tmp_path_factory.mktemp("alarms")
    (folder / "oven.yaml").write_text(OVEN)
    (folder / "plant.yaml").write_text(PLANT)
    data = folder / "data"
    files = [str(folder / name) for name in ("oven.yaml", "plant.yaml")]
    arguments = ["--plant", files[0], "--plant", files[1], "--witness", OTHER, "--witness-party", "other"]
    with Node(data, arguments=arguments).running() as made:
        forked(folder, folder / "kept")
        kept = Settings(str(data)).witness_folder(OTHER)
        kept.mkdir(parents=True, exist_ok=True)
        for file in (folder / "kept").iterdir():
            if file.is_file():
                shutil.copy2(file, kept / file.name)
        yield made


@pytest.fixture(scope="module")
def api(node: Node) -> Api:
    api = Api.of(node)
    person = {"id": "ann", "name": "Ann", "party": "maker", "roles": ["administrator", "engineer", "maintenance"]}
    api.post("/accounts", {**person, "password": PASSWORD})
    return api


@pytest.fixture(scope="module")
def site(node: Node, api: Api) -> Site:
    return Site(node.web, "ann", PASSWORD, node.data)


@pytest.fixture(scope="module")
def case(node: Node, api: Api) -> str:
    """The oven gets too hot for some seconds; alarms come with it, most of them late, after the process was killed."""

    def say(start: int, told: list[tuple[float, str, object]]) -> None:
        lines = [json.dumps({"time": start + int(at * NS), "values": {name: value}}) for at, name, value in told]
        headers = {"Content-Type": "application/x-ndjson"}
        api.ask("POST", "/twins/oven-1/observations", 202, content="\n".join(lines), headers=headers)

    say(time.time_ns(), [(0, "chamber.heat", 20.0), (0, "trouble", "normal"), (0, "chamber.alarms", "normal")])
    time.sleep(8)  # the monitor knows the oven
    start = time.time_ns()
    say(start, [(0, "chamber.heat", 130.0), (0.5, "chamber.alarms", "fault|E17|||Overheated")])
    found = wait_for(node, "a case", 60, lambda: api.get("/cases", twin="oven-1")["items"])
    id = str(found[0]["id"])
    wait_for(node, "its alarm", 30, lambda: api.get(f"/cases/{id}")["alarms"])
    [services] = [p for p in api.get("/health")["processes"] if p["name"] == "services"]
    os.kill(services["pid"], signal.SIGKILL)  # what is joined when is not remembered by anybody
    late: list[tuple[float, str, object]] = [(1 + n, "trouble", f"warning|X{n}|||Axis {n} lags") for n in range(7)]
    late += [(0.6 + n, "chamber.alarms", "warning|W3|||Fan slow") for n in range(5)]
    late += [(0.9 + n, "chamber.alarms", "normal|W3") for n in range(5)]
    late += [(8, "chamber.heat", 20.0), (9, "trouble", "normal"), (9, "chamber.alarms", "normal|E17")]
    say(start, sorted(late))
    wait_for(node, "all of them", 90, lambda: len(api.get(f"/cases/{id}")["alarms"]) == 9)
    wait_for(node, "the flood", 30, lambda: api.get(f"/cases/{id}")["floods"])
    wait_for(node, "their ends", 90, lambda: all(a["to"] for a in api.get(f"/cases/{id}")["alarms"]))
    return id


def test_the_page_of_a_case_shows_its_alarms(case, api, open_page, shoot):
    assert len(api.get("/cases", twin="oven-1")["items"]) == 1, "a flood is no case of its own"
    steps = [s["said"]["alarms"] for s in api.get(f"/cases/{case}")["steps"] if s["kind"] == "alarms"]
    assert [a["to"] is None for said in steps for a in said if a["code"] == "E17"] == [True, False], "raised, and ended"
    page = open_page(f"cases/{case}")
    settle(page)
    alarms = page.get_by_role("region", name="Alarms")
    expect(alarms.locator("li", has_text="Overheated")).to_contain_text("chamber.alarms · E17")
    expect(alarms.locator("li", has_text="Fan slow")).to_have_count(1)
    expect(alarms.locator("li", has_text="Fan slow")).to_contain_text("raised 5 times")
    expect(alarms).to_contain_text("Flood of alarms: 13 alarms from")
    expect(alarms.locator("li", has_text="Overheated")).not_to_contain_text("goes on")
    for severity in ("faults", "warnings"):
        expect(page.get_by_role("application", name=f"Alarms: {severity}")).to_be_visible()
    expect(page.locator(".case-steps")).to_contain_text("Alarms of the machine")
    shoot(page, "case-alarms")


@pytest.mark.parametrize(("width", "appearance"), [(1440, "light"), (1440, "dark"), (390, "dark")])
def test_both_pages_fit_their_screen_and_are_accessible(width, appearance, case, site, open_page, shoot):
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run `make check` or `npm ci` in ui/")
    page = open_page(f"cases/{case}", width=width, appearance=appearance)
    found = []
    for name, path, there in (
        ("case-alarms", f"cases/{case}", page.get_by_role("region", name="Alarms")),
        ("forked-log", "health", page.get_by_role("region", name="Evidence logs")),
    ):
        page.goto(f"{site.url}/app/{path}")
        settle(page)
        there.scroll_into_view_if_needed()
        shoot(page, f"{name}-{appearance}-{width}")
        if not page.locator("#main").evaluate("e => e.scrollWidth <= e.clientWidth + 1 && e.clientWidth <= innerWidth"):
            found.append(f"{name} is wider than its screen")
        page.evaluate(AXE.read_text("utf-8") + ";0")
        answer = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        bad = [v for v in answer if v["impact"] in ("serious", "critical")]
        found += [f"{name}: {v['id']}: {v['nodes'][0]['html'][:200]}" for v in bad]
    assert found == []


def test_a_rewritten_log_is_told_with_both_signed_heads_and_what_to_do(node, api, open_page, shoot):
    [watched] = api.get("/log/watched")["items"]
    [fork] = watched["forks"]
    done = CliRunner().invoke(create_cli(starters()), ["log", "watched", "--data", str(node.data)])
    assert done.exit_code == 1, done.output
    assert "FORK noticed" in done.output
    assert fork["second"]["signature"] in done.output
    page = open_page("health")
    settle(page)
    told = page.get_by_role("alert", name="This log was rewritten")
    expect(told).to_be_visible()
    for head in (fork["first"], fork["second"]):
        for text in (head["head"]["root"], head["signature"], head["key"]):
            expect(told.get_by_text(text).first).to_be_visible()
    expect(told).to_contain_text("The two cannot both be true")
    expect(told).to_contain_text("servitwin log check")
    expect(page.get_by_role("region", name="Evidence logs")).to_contain_text(OTHER)
    shoot(page, "forked-log")
