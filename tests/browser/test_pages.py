"""People's ways through the pages, in a real browser on a real node with the demo plant."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from servitwin.domain.instant import parse_duration

AXE = Path(__file__).resolve().parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
PLACES = {
    "home": "?view=production",
    "ledger": "",
    "operator": "?view=operator",
    "machines": "machines",
    "tiles": "machines?view=tiles",
    "twin": "machines/mill-1",
    "trends": "machines/mill-1/trends?span=15m",
    "states": "machines/mill-1/states?span=8h",
    "oee": "machines/mill-1/oee?span=8h&by=cause",
    "availability": "machines/mill-1/availability?span=24h",
    "commands": "machines/mill-1/commands",
    "level": "machines/mill-1/level",
    "data": "machines/mill-1/data?span=1h",
    "line": "machines/line-1",
    "contracts": "contracts",
    "contract": "contracts/crane-98",
    "contract-time": "contracts/crane-98/time",
    "contract-claims": "contracts/crane-98/claims",
    "contract-settlements": "contracts/crane-98/money",
    "contract-trial": "contracts/cell-trial/trial",
    "contract-terms": "contracts/crane-98/terms",
    "requirements": "machines/crane-1/requirements",
    "cases": "cases?which=all",
    "verify": "verify",
    "decisions": "decisions",
    "invoices": "invoices",
    "offer": "offer?from=cell-trial",
    "quarantine": "quarantine",
    "health": "health",
    "administration": "administration/tokens",
    "audit": "administration/audit",
}


def settle(page):
    """Until the page shows data in place of its skeletons."""
    expect(page.locator("#main h1, #main ix-content-header").first).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)


def test_signing_in_leads_to_the_plant_and_a_wrong_password_says_so(site, open_page, shoot):
    page = open_page(signed_in=False)
    page.get_by_label("Account").fill(site.account)
    page.get_by_label("Password", exact=True).fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    shoot(page, "sign-in")
    page.get_by_label("Password", exact=True).fill(site.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Contract ledger")).to_be_visible()


def test_fleet_sorts_filters_and_keeps_it_in_the_address(open_page):
    page = open_page("machines?q=hall 1")
    settle(page)
    rows = page.locator("table.grid tbody tr")
    expect(rows).to_have_count(5)
    page.get_by_role("button", name="Machine", exact=True).click()
    expect(page).to_have_url(re.compile("sort=machine"))
    names = rows.locator("td:first-child").all_inner_texts()
    assert names == sorted(names)
    page.get_by_role("searchbox").fill("crane")
    expect(rows).to_have_count(1)
    page.reload()
    expect(rows).to_have_count(1)
    rows.first.get_by_role("link", name="Crane 1").click()
    expect(page.get_by_role("heading", name="Crane 1")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("searchbox")).to_have_value("crane")


def test_values_of_a_machine_move_by_themselves(open_page):
    page = open_page("machines/crane-1")
    settle(page)
    # The sensor's noise shows in every report, also while the crane waits for work.
    temperature = page.locator("tr.value", has_text="Brake temperature").locator(".figure-value")
    before = temperature.inner_text()
    expect(temperature).not_to_have_text(before)


def test_every_figure_opens_where_it_came_from_and_the_link_can_be_shared(open_page, shoot):
    page = open_page("machines/mill-1/oee?span=8h")
    settle(page)
    page.locator(".kpi.main button.figure").click()
    drawer = page.get_by_role("dialog", name="Where this figure comes from")
    expect(drawer).to_contain_text("oee-iso22400")
    shoot(page, "provenance")
    shared = open_page(page.url.split("/app/")[1])
    expect(shared.get_by_role("dialog")).to_contain_text("oee-iso22400")
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)


def test_a_moment_of_the_past_goes_with_every_link(open_page):
    page = open_page("machines/mill-1?as_of=2026-01-01T00:00:00Z")
    expect(page.get_by_text("You are looking at the past:")).to_be_visible()
    page.get_by_role("tab", name="States").click()
    expect(page).to_have_url(re.compile(r"/states\?as_of=2026-01-01"))
    page.locator(".banner.past").get_by_role("button", name="Back to now").click()
    expect(page).not_to_have_url(re.compile("as_of"))


def test_times_are_the_plants_not_the_browsers(site, open_page):
    with site.client() as client:
        zone = client.get("/api/v1/session").json()["time_zone"]
    page = open_page("machines/mill-1/states?span=1h")
    settle(page)
    assert page.locator("time").first.get_attribute("title").endswith(f"({zone})")


def asks_for_buckets(request):
    return request.url.endswith("/observations/query") and '"every"' in (request.post_data or "")


def bucket_ns(request):
    return parse_duration(json.loads(request.post_data)["every"])


def test_zooming_a_trend_asks_for_finer_data_and_is_part_of_the_address(open_page):
    page = open_page("machines/mill-1/trends?signals=power&span=1h")
    settle(page)
    expect(page.locator(".chart canvas")).to_be_visible()
    with page.expect_request(asks_for_buckets) as asked:
        page.get_by_role("button", name="Zoom in").click()
    coarse = bucket_ns(asked.value)
    expect(page).to_have_url(re.compile("from=.*to="))
    with page.expect_request(asks_for_buckets) as asked:
        page.locator(".chart").focus()
        for _ in range(5):
            page.keyboard.press("+")
    assert bucket_ns(asked.value) < coarse


def test_a_fault_from_the_tray_is_seen_on_the_machine(site, open_page, shoot):
    page = open_page("machines/mill-2")
    settle(page)
    page.get_by_role("button", name="Break it").click()
    tray = page.get_by_role("region", name="Break it")
    fault = tray.locator("h3:has-text('mill-2') + ul li", has_text="Emergency stop")
    fault.get_by_role("button", name="Break").click()
    expect(fault.get_by_role("button", name="Mend")).to_be_visible()
    expect(page.locator("tr.value", has_text="Emergency stop")).to_contain_text("TRIGGERED")
    shoot(page, "tray")
    fault.get_by_role("button", name="Mend").click()
    expect(fault.get_by_role("button", name="Break")).to_be_visible()


def test_the_pages_can_be_walked_by_keyboard_alone(open_page):
    page = open_page("machines")
    settle(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    search = page.get_by_role("searchbox")
    search.focus()
    page.locator("table.grid tbody tr a").first.focus()
    page.keyboard.press("ArrowDown")
    second = page.locator("table.grid tbody tr").nth(1).get_by_role("link").first
    expect(second).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab", name="Overview")).to_be_visible()
    page.get_by_role("tab", name="Overview").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Health")).to_be_focused()
    expect(page.get_by_role("tab", name="Health")).to_have_attribute("aria-selected", "true")


def test_a_lost_connection_is_told_and_comes_back_by_itself(open_page, shoot):
    # Without a shared worker the page holds the stream itself, where the test can cut it.
    page = open_page("machines/crane-1", before="delete window.SharedWorker", cut="**/api/v1/events*")
    settle(page)
    banner = page.get_by_role("alert").filter(has_text="Connection to servitwin lost")
    expect(banner).to_be_visible()
    shoot(page, "connection-lost")
    page.unroute("**/api/v1/events*")
    expect(banner).to_have_count(0)
    # The sensor's noise shows in every report, also while the crane waits for work.
    temperature = page.locator("tr.value", has_text="Brake temperature").locator(".figure-value")
    before = temperature.inner_text()
    expect(temperature).not_to_have_text(before)


@pytest.mark.parametrize(
    ("appearance", "names"),
    [("light", list(PLACES)), ("dark", ["home", "twin", "states", "oee"]), ("hmi", ["operator", "twin", "commands"])],
)
def test_axe_finds_nothing_serious(appearance, names, site, open_page, shoot):
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run `make check` or `npm ci` in ui/")
    page = open_page(PLACES[names[0]], appearance=appearance)
    serious = []
    for name in names:
        page.goto(f"{site.url}/app/{PLACES[name]}")
        settle(page)
        shoot(page, f"{name}-{appearance}-1440")
        page.evaluate(AXE.read_text("utf-8") + ";0")
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        bad = [v for v in found if v["impact"] in ("serious", "critical")]
        serious += [f"{name}: {v['id']}: {v['nodes'][0]['html'][:200]}" for v in bad]
    assert serious == []


@pytest.mark.parametrize(
    ("width", "appearance", "names"),
    [(390, "dark", list(PLACES)), (1024, "light", ["home", "machines", "twin", "trends", "oee"])],
)
def test_no_page_is_wider_than_its_screen(width, appearance, names, site, open_page, shoot):
    page = open_page(PLACES[names[0]], width=width, appearance=appearance)
    wide = []
    for name in names:
        page.goto(f"{site.url}/app/{PLACES[name]}")
        settle(page)
        shoot(page, f"{name}-{width}")
        if not page.locator("#main").evaluate("e => e.scrollWidth <= e.clientWidth + 1 && e.clientWidth <= innerWidth"):
            wide.append(name)
    assert wide == [], "something sticks out of these pages"
