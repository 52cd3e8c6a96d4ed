"""People choose what they see; it is kept for each account in its browser."""

import re

from playwright.sync_api import expect

from tests.browser.test_pages import settle


def test_columns_of_the_fleet_stay_chosen(site, open_page):
    page = open_page("machines")
    settle(page)
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("group", name="Columns").get_by_label("Serial number").check()
    page.get_by_role("group", name="Columns").get_by_label("Level").uncheck()
    expect(page).to_have_url(re.compile("columns=.*serial"))
    page.goto(f"{site.url}/app/machines")
    settle(page)
    expect(page.get_by_role("columnheader", name="Serial number")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Level")).to_have_count(0)
    # Another person's browser knows nothing of it.
    other = open_page("machines")
    settle(other)
    expect(other.get_by_role("columnheader", name="Level")).to_be_visible()


def test_values_of_a_machine_type_are_hidden_and_shown_again(site, open_page, shoot):
    page = open_page("machines/mill-1")
    settle(page)
    row = page.locator("tr.value", has_text="Energy used")
    expect(row).to_be_visible()
    page.get_by_role("button", name="Choose values").click()
    page.get_by_role("group", name="Choose values").get_by_label("Energy used").uncheck()
    expect(row).to_have_count(0)
    shoot(page, "choose-values")
    page.goto(f"{site.url}/app/machines/mill-3")
    settle(page)
    expect(page.locator("tr.value", has_text="Parts made")).to_be_visible()
    expect(row).to_have_count(0)
    expect(page.get_by_text("1 hidden")).to_be_visible()
    page.get_by_role("button", name="Choose values").click()
    page.get_by_role("button", name="Show all").click()
    expect(row).to_be_visible()


def test_cards_of_the_home_are_hidden(site, open_page):
    page = open_page("?view=production")
    settle(page)
    line = page.locator(".card").get_by_role("link", name="Line 1")
    expect(line.first).to_be_visible()
    page.get_by_role("button", name="Choose cards").click()
    page.get_by_role("group", name="Choose cards").get_by_label("Line 1").uncheck()
    expect(line).to_have_count(0)
    page.goto(f"{site.url}/app/?view=production")
    settle(page)
    expect(page.get_by_text("1 hidden")).to_be_visible()
    expect(line).to_have_count(0)
