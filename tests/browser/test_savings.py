"""Savings per service and customer, on the ledger of contracts; each number opens the contract's value."""

import re

from playwright.sync_api import expect

from tests.browser.test_pages import settle
from tests.browser.test_plan_board import serious, signed_in_as


def test_sales_see_savings_by_service_and_customer_and_open_the_value(site, open_page, shoot):
    page = signed_in_as(open_page, site, "hanna", "contracts")
    card = page.get_by_role("region", name="Saved against the baseline, a year")
    expect(card.get_by_role("row").filter(has_text="All customers")).to_contain_text("Availability guarantee")
    customer = card.get_by_role("row").filter(has_text="All services")
    expect(customer).to_contain_text("kivi")
    expect(customer).to_contain_text(re.compile(r"≈ .*EUR"))
    settle(page)
    card.scroll_into_view_if_needed()
    assert serious(page) == []
    shoot(page, "savings")
    rows = page.request.get(f"{site.url}/api/v1/savings").json()["items"]
    assert {r["contract"] for r in rows if r["counted"] and r["counted"]["agreed"]} == {"crane-98", "mills-m10"}
    number = card.get_by_role("row").filter(has_text="Crane").get_by_role("link", name=re.compile("Value and baseline"))
    number.first.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("contracts/crane-98/trial"))
    expect(page.get_by_role("region", name="Value against the agreed baseline")).to_contain_text("Saved a year")


def test_the_customer_sees_it_too_and_on_a_phone(site, open_page):
    page = signed_in_as(open_page, site, "petra", "contracts")
    expect(page.get_by_role("region", name="Saved against the baseline, a year")).to_be_visible()
    page = open_page("contracts", signed_in=False, width=390, appearance="dark")
    assert page.request.post(f"{site.url}/api/v1/session", data={"account": "petra", "password": "demo"}).ok
    page.goto(f"{site.url}/app/contracts")
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert serious(page) == []
