"""The page of robots: the map by mouse and keyboard alone, an aisle blocked and opened, a transport, on a phone."""

import re

from playwright.sync_api import expect

from tests.browser.test_pages import AXE, settle


def test_an_aisle_is_blocked_by_keyboard_and_opened_and_robots_are_told_in_words(site, open_page, shoot):
    page = open_page("plan/robots")
    expect(page.locator(".robots-facts")).to_contain_text(re.compile(r"\d of 8 robots ready"))
    settle(page)
    board = page.get_by_role("application", name=re.compile("^Map of the robots"))
    board.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    chosen = page.get_by_role("region", name="Map")
    expect(chosen).to_contain_text("Place 4-1")
    chosen.get_by_label("Reason").fill("a pallet fell")
    chosen.get_by_role("button", name="Block").click()
    events = page.get_by_role("region", name="What happened")
    expect(events).to_contain_text("zone at 4-1 is blocked (a pallet fell)")
    expect(chosen).to_contain_text("blocked: zone at 4-1")
    chosen.get_by_role("button", name="Open zone at 4-1 again").click()
    expect(chosen).not_to_contain_text("blocked: zone at 4-1")
    with site.client() as client:
        assert client.get("/api/v1/fleets/robots-1").json()["zones"] == []
    page.get_by_role("button", name=re.compile("^.*Robot 3")).click()
    expect(page).to_have_url(re.compile("robot=agv-3"))
    robots = page.get_by_role("region", name="Robots", exact=True)
    expect(robots).to_contain_text(re.compile(r"planned with \d\.\d of 0\.5 m/s"))
    expect(robots).to_contain_text("there at")
    form = page.get_by_role("form", name="Ask for a transport")
    form.get_by_label("Load").fill("a test piece")
    form.get_by_role("button", name="Send").click()
    expect(page.get_by_role("region", name="Transports")).to_contain_text("a test piece")
    planned = page.get_by_role("region", name="Next by the production plan")
    expect(planned).to_contain_text(re.compile(r"operation \S+ of K-\d+"))
    page.evaluate(AXE.read_text("utf-8") + ";0")
    found = page.evaluate("axe.run()")["violations"]
    assert not [v for v in found if v["impact"] in ("serious", "critical")], found
    shoot(page, "robots")
    phone = open_page("plan/robots", width=390, appearance="dark")
    expect(phone.locator(".robots-facts")).to_contain_text("robots ready")
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    shoot(phone, "robots-phone")
