"""Remaining life on the machine's page and by urgency: what is left, why, and what is not known."""

import re

from playwright.sync_api import expect

from tests.browser.test_pages import settle


def test_a_crane_shows_its_design_life_and_a_mill_says_what_it_knows(site, open_page, shoot) -> None:
    page = open_page("machines/crane-1/health")
    settle(page)
    hoist = page.get_by_role("article", name="hoist")
    expect(hoist).to_contain_text(re.compile(r"% of the design life are left|I do not know"))
    page = open_page("machines/mill-1/health")
    settle(page)
    tool = page.get_by_role("article", name="tool")
    expect(tool).to_contain_text(re.compile(r"min in use|I do not know"))
    expect(page.get_by_text("Chance of a failure, from events").first).to_be_visible()
    shoot(page, "remaining-life")
    page = open_page("plan/life")
    settle(page)
    for machine in ("crane-1", "mill-2", "mill-3"):
        expect(page.get_by_role("link", name=machine).first).to_be_visible()
    failures = page.get_by_role("region", name="Failures within days")
    expect(failures.get_by_role("row").filter(has_text="mill-500")).to_contain_text("3 of 3 machines")
    failures.get_by_role("button", name="Train mill-500").click()
    expect(failures).to_contain_text(re.compile(r"failed \d times on machines that may teach, 10 failures are needed"))
    page.get_by_role("link", name="mill-1").first.click()
    expect(page).to_have_url(re.compile("machines/mill-1/health"))


def test_on_a_phone_what_to_do_stands_under_its_machine(open_page, shoot) -> None:
    page = open_page("plan/life", width=390, appearance="dark")
    settle(page)
    rows = page.get_by_role("group", name="Remaining life").locator("tbody tr")
    expect(rows.first).to_be_visible()
    for row in rows.all():
        cell = row.locator("td").last
        edges = cell.evaluate("cell => [cell.getBoundingClientRect().left, cell.getBoundingClientRect().right]")
        assert edges[0] >= 0 and edges[1] <= 390, f"{cell.inner_text()!r} lies from {edges[0]} to {edges[1]} px"
        label = cell.evaluate("cell => getComputedStyle(cell, '::before').content")
        assert label == '"What to do"'
    shoot(page, "remaining-life-phone-dark")
