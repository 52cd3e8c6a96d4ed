"""The place Quality: a failed part is found, its life read, its batch recalled; a chart marks what breaks a rule."""

import re
import time
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from playwright.sync_api import expect

from tests.browser.test_pages import AXE, settle


def traced(site):
    """The service has told the parts of the past that the demo fills in."""
    until = time.monotonic() + 240
    with site.client() as client:
        while len(client.get("/api/v1/parts", params={"verdict": "fail"}).json()["items"]) < 20:
            assert time.monotonic() < until
            time.sleep(1)


def test_a_failed_part_leads_to_its_batch_and_all_that_it_went_into(site, open_page, shoot):
    traced(site)
    page = open_page("quality?verdict=fail")
    settle(page)
    page.get_by_role("link", name=re.compile(r"^mill-\d-S\d+$")).first.click()
    expect(page.get_by_role("region", name="What happened")).to_contain_text("Scrapped")
    expect(page.get_by_role("region", name="Measured")).to_contain_text("bore")
    graph = page.get_by_role("region", name="Where it comes from, and where it went")
    graph.get_by_role("link", name=re.compile("^batch ")).first.click()
    page.get_by_role("link", name="Recall all it went into").click()
    expect(page.get_by_role("button", name=re.compile(r"\d+ parts"))).to_be_visible()
    expect(page.get_by_role("link", name="Save as CSV")).to_have_attribute("href", re.compile("form=csv"))
    expect(page.get_by_role("row")).not_to_have_count(1)
    shoot(page, "quality-recall")
    page = open_page("quality/control?hours=72")
    settle(page)
    expect(page.locator(".control-chart .broken").first).to_be_attached()
    expect(page.get_by_role("region", name="Capability")).to_contain_text("with 95 %")
    page.evaluate(AXE.read_text("utf-8") + ";0")
    serious = page.evaluate("axe.run().then(r => r.violations.filter(v => ['serious', 'critical'].includes(v.impact)))")
    assert not serious, [v["id"] for v in serious]


def test_a_recall_by_hours_of_a_machine_is_asked_in_the_plants_time(site, open_page):
    traced(site)
    with site.client() as client:
        zone = ZoneInfo(client.get("/api/v1/session").json()["time_zone"])
    begin = datetime(2026, 1, 5, 6, 30, tzinfo=zone)
    page = open_page("quality/recall")
    settle(page)
    page.get_by_label("Or a machine").select_option(label="Mill 2")
    page.get_by_label("From", exact=True).fill("2026-01-05T06:30")
    page.get_by_label("To", exact=True).fill("2026-01-05T08:30")
    page.get_by_role("button", name="Recall").click()
    asked = parse_qs(urlsplit(page.url).query)
    assert asked["machine"] == ["mill-2"]
    assert datetime.fromisoformat(asked["from"][0]) == begin
    assert datetime.fromisoformat(asked["to"][0]) == begin + timedelta(hours=2)
    page.reload()
    expect(page.get_by_label("From", exact=True)).to_have_value("2026-01-05T06:30")
