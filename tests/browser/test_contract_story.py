"""The story of a guarantee in the browser: ledger, two taps, a claim decided in part, settlement, invoice, margin."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from tests.browser.test_pages import settle


@pytest.fixture
def as_person(open_page, site):
    """Opens a page signed in as one of the demo's people."""

    def make(account, path, **more):
        page = open_page(signed_in=False, **more)
        page.get_by_label("Account").fill(account)
        page.get_by_label("Password", exact=True).fill(site.password)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#main h1").first).to_be_visible()
        page.goto(f"{site.url}/app/{path}")
        return page

    return make


def test_the_home_of_the_service_head_is_the_contract_ledger(as_person, shoot):
    page = as_person("hanna", "")
    settle(page)
    crane = page.locator(".ledger-row", has_text="Availability guarantee, crane 1")
    expect(crane).to_contain_text("48\u202f000 EUR a year")
    expect(crane.locator(".ledger-value .figure-value")).to_have_text(re.compile(r"^9\d\.\d\d$|^100\.00$"))
    expect(crane).to_contain_text("Probability of missing")
    # One figure is opened down to its observations.
    crane.locator(".ledger-value button.figure").click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("servitwin-settlement")
    expect(drawer).to_contain_text("crane-1/execution")
    shoot(page, "ledger-provenance")


def test_procurement_accepts_nine_minutes_of_a_claim_and_the_figures_move(as_person, site, shoot):
    page = as_person("petra", "decisions")
    settle(page)
    claim = page.locator(".claim", has_text="Access refused")
    expect(claim).to_contain_text("24 min")
    expect(claim.get_by_role("button", name="Accept in part")).to_be_disabled()
    with site.client() as client:
        before = client.get("/api/v1/contracts/crane-98/status").json()["machines"][0]["seconds"]
    claim.get_by_label(re.compile("^Minutes accepted")).fill("9")
    claim.get_by_role("button", name="Accept in part").click()
    expect(page.get_by_text("Nothing waits for your party's decision.")).to_be_visible()
    page.goto(f"{site.url}/app/contracts/crane-98/claims")
    settle(page)
    decided = page.locator(".claim", has_text="Access refused")
    expect(decided).to_contain_text("Accepted in part")
    expect(decided).to_contain_text("9 min")
    shoot(page, "claim-decided")
    with site.client() as client:
        after = client.get("/api/v1/contracts/crane-98/status").json()["machines"][0]["seconds"]
    assert Decimal(after["excluded"]) - Decimal(before["excluded"]) == 9 * 60


def test_a_period_is_settled_and_invoiced_and_what_is_left_is_shown(as_person, site, shoot):
    page = as_person("hanna", "contracts/crane-98/money")
    settle(page)
    row = page.locator("tbody tr", has=page.get_by_role("button", name=re.compile("^Settle"))).first
    period = row.locator("th").inner_text()
    row.get_by_role("button", name="Settle").click()
    row = page.locator("tbody tr", has_text=period)
    expect(row).to_contain_text("Revision 1")
    row.get_by_role("button", name="Invoice").click()
    invoices = page.locator(".card", has=page.get_by_role("heading", name="Invoices and credit notes"))
    invoice = invoices.locator("tbody tr", has_text="Invoice").first
    expect(invoice).to_be_visible()
    expect(page.locator(".card", has=page.get_by_role("heading", name="Shares of partners"))).to_contain_text("lumo")
    shoot(page, "settlements")
    with page.expect_popup() as opened:
        invoice.get_by_role("link", name="UBL").click()
    opened.value.close()
    page.goto(f"{site.url}/app/invoices")
    settle(page)
    form = page.locator(".cost-form")
    form.get_by_label("Contract").select_option("crane-98")
    form.get_by_label("Amount").fill("640.00")
    form.get_by_label("What for").fill("Brake lining changed")
    form.get_by_role("button", name="Book").click()
    result = page.get_by_role("region", name="Profit and loss").locator("tr", has_text="crane-98")
    expect(result).to_contain_text("640.00")
    shoot(page, "profit-and-loss")


def test_the_operator_says_why_in_two_taps(as_person, site, shoot):
    page = as_person("otto", "")
    for machine in ("mill-1", "mill-2", "mill-3", "cell-1", "crane-1"):
        page.goto(f"{site.url}/app/?view=operator&machine={machine}")
        settle(page)
        entry = page.get_by_role("region", name="Why did it stop?")
        if entry.count():
            break
    else:
        pytest.skip("no machine has stood for a minute in the last eight hours")
    entry.get_by_role("button", name="Operation").click()
    entry.get_by_role("button", name="No material").click()
    expect(entry).to_contain_text("Reason given: No material")
    shoot(page, "reason-given")
    entry.get_by_role("button", name="Correct it").click()
    entry.get_by_role("button", name="Machine").click()
    entry.get_by_role("button", name="Mechanical fault").click()
    expect(entry).to_contain_text("Reason given: Mechanical fault")
    with site.client() as client:
        kept = client.get(f"/api/v1/twins/{machine}/reasons").json()["items"]
    assert [(r["cause"], r["in_force"]) for r in kept[-2:]] == [("no-material", False), ("mechanical", True)]


def test_an_offer_on_trial_shows_its_price(as_person, shoot):
    page = as_person("hanna", "contracts/cell-trial/trial")
    settle(page)
    expect(page.get_by_role("heading", name="Price of the risk")).to_be_visible()
    expect(page.get_by_text(re.compile("Premium that covers it in 90 of 100 portfolios"))).to_be_visible()
    expect(page.locator("tr.sum")).to_contain_text("In all")
    shoot(page, "trial-and-price")


def test_a_machine_is_judged_by_people_and_by_its_twin(as_person, shoot):
    page = as_person("hanna", "contracts/cell-trial/terms")
    settle(page)
    card = page.locator(".card", has=page.get_by_role("heading", name="Acceptance"))
    run = card.locator(".criteria li", has_text="Three days of operation")
    expect(run).to_contain_text(re.compile("by guarantee@1|is unknown"))
    expect(run.locator("select")).to_have_count(0)  # nobody's word is taken for what the twin measures
    # What was not shown yet cannot be accepted; a party may refuse, and what it said stands there.
    card.get_by_label("Result of Light curtains checked").select_option("failed")
    card.get_by_label("Evidence of Light curtains checked").fill("Curtain 2 does not stop the cell")
    card.get_by_role("button", name="Accept for your party").click()
    expect(page.get_by_text("acceptance:criterion-failed")).to_be_visible()
    card.get_by_role("button", name="Refuse").click()
    expect(card).to_contain_text("aurora refused")
    shoot(page, "acceptance")
