"""The update gate on its page: tried, seen to be blocked with its step, and taken back; by keyboard, and on a phone."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.test_pages import AXE, settle

BLOCKED, RELEASE = "mill-500-4.2.0-rc1", "Update gate"
QUICK = {
    "needs": ["controller", "simulated", "performance"], "depth": 40, "seconds": 60, "runs": 2, "hours": 0.2,
    "worse_at_most": 1.0, "recorded_hours": 0, "machines": 0,
}  # fmt: skip


def asked(site):
    """The operator has it tried by a small policy, for the node's own takes a minute of a processor."""
    with site.client() as client:
        made = client.post(f"/api/v1/releases/{BLOCKED}/gate", json={"policy": QUICK})
        assert made.status_code in (202, 409), made.text


def test_a_release_is_blocked_with_its_reason_and_taken_back(site, open_page, shoot):
    page = open_page("releases")
    settle(page)
    row = page.get_by_role("row", name=re.compile("4.2.0-rc1"))
    expect(row).to_contain_text("mill-500")
    row.get_by_role("link").first.focus()
    page.keyboard.press("Enter")
    settle(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("mill-500 4.2.0-rc1")
    gate = page.get_by_role("region", name="Gate")
    expect(gate.get_by_role("button", name=re.compile("^Try it"))).to_be_enabled()
    asked(site)
    page.reload()
    settle(page)
    status = page.get_by_role("status").filter(has_text=re.compile("blocked"))
    expect(status).to_contain_text("bring it in as a new version", timeout=4 * PATIENCE_MS)
    expect(gate.get_by_role("listitem").filter(has_text="Controller proven").first).to_contain_text("failed")
    expect(gate).to_contain_text("no-turning-behind-an-open-door")
    expect(page.get_by_role("region", name="Release statement")).to_contain_text("no machine installs this release")
    page.evaluate(AXE.read_text("utf-8") + ";0")
    found = page.evaluate("axe.run()")["violations"]
    assert not [v for v in found if v["impact"] in ("serious", "critical")], found
    shoot(page, "release")

    page.get_by_label("Why is it taken back?").fill("The door opens while the spindle turns")
    page.keyboard.press("Enter")
    status = page.get_by_role("status").filter(has_text=re.compile("taken back"))
    expect(status).to_contain_text("The door opens while the spindle turns")
    expect(page.get_by_role("button", name=re.compile("^Try it"))).to_have_count(0)
    page.get_by_role("link", name=RELEASE).last.click()
    expect(page.get_by_role("row", name=re.compile("4.2.0-rc1"))).to_contain_text("taken back")


def test_the_list_fits_a_phone_and_an_unknown_release_leads_back(open_page, shoot):
    page = open_page("releases", width=390, appearance="dark")
    settle(page)
    expect(page.get_by_role("row", name=re.compile("4.2.0-rc1")).locator(".gate-state")).to_be_in_viewport()
    shoot(page, "releases-phone-dark")
    page = open_page("releases?release=nothing-1")
    expect(page.get_by_text("There is no such release")).to_be_visible()
    expect(page.locator("#main").get_by_role("link", name=RELEASE)).to_be_visible()
