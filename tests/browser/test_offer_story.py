"""An offer in the browser: configured, mended where it is wrong, compared, sent, found by the customer and signed."""

import json
import re

from playwright.sync_api import expect

from tests.browser.test_contract_story import as_person  # noqa: F401  # a fixture
from tests.browser.test_pages import settle


def result(page, name, column=0):
    """What the table of results says in a row."""
    return (
        page.locator(".offer-result tr", has=page.get_by_role("rowheader", name=name, exact=True))
        .locator("td")
        .nth(column)
    )


def configure(page):
    """The terms that the tests begin with: mill 3, which nobody guarantees yet."""
    page.get_by_label("Crane 1 kivi").uncheck()
    page.get_by_label("Cell 1 kivi").uncheck()
    page.get_by_label("Mill 3 kivi").check()
    page.get_by_label("Fee for all machines").fill("9600")


def test_terms_are_priced_compared_and_kept_as_a_file(as_person, shoot):  # noqa: F811
    page = as_person("hanna", "contracts")
    page.get_by_role("link", name="Configure an offer").click()
    settle(page)
    expect(page.get_by_text("Not complete yet")).to_be_visible()
    expect(page.get_by_role("button", name="Save as a draft")).to_be_disabled()
    configure(page)
    expect(page.get_by_label("Title")).to_have_value("Availability guarantee, Mill 3")
    expect(result(page, "Expected credit a period")).to_have_text(re.compile(r"^≈ [\d\u202f]+\.\d\d$"))
    expect(result(page, "Fee")).to_have_text("9\u202f600.00")
    expect(result(page, "Beyond the fee, if the level is kept")).to_have_text("\u2013")
    # What an hour down costs the customer makes the gain.
    page.get_by_label("Cost of an hour down").fill("400")
    expect(result(page, "Beyond the fee, if the level is kept")).to_have_text(re.compile("^≈ "))
    # A fault stands beside its field; the figures of before stay and say so.
    level = page.get_by_label("Level, %")
    level.fill("98,5")
    fault = page.locator(".field", has=page.get_by_label("Level, %")).get_by_role("alert")
    expect(fault).to_contain_text("must be a number")
    expect(level).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("button", name="Save as a draft")).to_be_disabled()
    shoot(page, "offer-fault")
    level.fill("98")
    expect(fault).to_be_hidden()
    # A second variant promises more: it is missed more often.
    page.get_by_role("button", name="Compare with a second variant").click()
    page.get_by_label("Level, %").fill("99.9")
    expect(page.get_by_role("columnheader", name="Variant B, EUR")).to_be_visible()
    expect(result(page, "Down that the level allows", 1)).to_have_text(re.compile(r"^\d h$"))
    credits = []
    for column in (0, 1):
        expect(result(page, "Credit", column)).not_to_have_text("…")
        credits.append(float(result(page, "Credit", column).inner_text().replace("\u202f", "")))
    assert credits[1] > credits[0]
    shoot(page, "offer-variants")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download the file").click()
    file = json.loads(saved.value.path().read_text("utf-8"))
    assert (file["contract"], file["guarantee"]["level"], file["price"]["fee"]) == ("offer-mill-3-b", 99.9, 9600)


def test_an_offer_is_sent_found_and_signed(as_person, site, shoot):  # noqa: F811
    page = as_person("hanna", "offer")
    settle(page)
    configure(page)
    page.get_by_label("Name of the contract").fill("mill-3-guarantee")
    page.get_by_role("button", name="Send to the customer").click()
    page.get_by_role("button", name="Sign and send").click()
    expect(page).to_have_url(re.compile("contracts/mill-3-guarantee/terms"))
    expect(page.get_by_text("kivi has not signed")).to_be_visible()
    # Other terms under the same name and version are refused: what was signed is not edited.
    page.goto(f"{site.url}/app/offer")
    settle(page)
    configure(page)
    page.get_by_label("Name of the contract").fill("mill-3-guarantee")
    page.get_by_label("Fee for all machines").fill("9700")
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_text("contract:version-exists")).to_be_visible()
    petra = as_person("petra", "decisions")
    settle(petra)
    offer = petra.get_by_role("region", name="Offers that wait for your signature").locator("li", has_text="Mill 3")
    shoot(petra, "offer-waits")
    offer.get_by_role("link", name="Read the terms and sign").click()
    petra.get_by_role("button", name="Sign for your party").click()
    expect(petra.get_by_text("Binding", exact=True)).to_be_visible()
    with site.client() as client:
        assert client.get("/api/v1/contracts/mill-3-guarantee").json()["life"] == "binding"
    # The service head changes the terms of what is there: the form begins with them, as the next version.
    page.goto(f"{site.url}/app/contracts/mill-3-guarantee/terms")
    page.get_by_role("link", name="Change these terms").click()
    settle(page)
    expect(page.get_by_label("Fee for all machines")).to_have_value("9600")


def test_renewals_say_what_ends_next(as_person, site, shoot):  # noqa: F811
    page = as_person("hanna", "invoices")
    settle(page)
    card = page.get_by_role("region", name="Renewals")
    row = card.locator("tr", has_text="crane-98")
    expect(row).to_contain_text("48\u202f000.00 EUR")
    expect(row).to_contain_text("Open")
    shoot(page, "renewals")
    row.get_by_role("link", name="Offer the next term").click()
    settle(page)
    expect(page.get_by_role("heading", name="Offer the term after crane-98")).to_be_visible()
    begins = page.get_by_label("First day").input_value()
    with site.client() as client:
        agreed = client.get("/api/v1/contracts/crane-98/file", params={"form": "json"}).json()
    assert begins == agreed["period"]["to"]
