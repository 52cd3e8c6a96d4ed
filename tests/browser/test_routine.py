"""Minutes of routine: said at the machine by keys and by finger, corrected, compared for the production manager."""

import re

from playwright.sync_api import expect

from tests.browser.test_pages import settle
from tests.browser.test_plan_board import serious, signed_in_as


def test_a_shift_says_it_by_keys_and_corrects_it_by_finger(site, open_page, shoot):
    page = signed_in_as(open_page, site, "otto", "?machine=mill-3")
    # Mill 3 works two shifts: whichever is over, the demo says nothing of it.
    card = page.get_by_role("region", name="Minutes of routine in a shift")
    toggle = card.get_by_role("button", name=re.compile("Say minutes of routine|Not now"))
    if toggle.get_attribute("aria-expanded") == "false":
        toggle.focus()
        page.keyboard.press("Enter")
    expect(card).to_contain_text("No name is kept with it")
    log = card.get_by_role("spinbutton", name="Writing the shift log, minutes")
    log.focus()
    for key in ("ArrowUp", "PageUp", "ArrowDown"):
        page.keyboard.press(key)
    expect(log).to_have_attribute("aria-valuenow", "15")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")  # below nothing there is nothing
    expect(log).to_have_attribute("aria-valuenow", "0")
    page.keyboard.press("PageUp")
    shoot(page, "operator-routine")
    assert serious(page) == []
    send = card.get_by_role("button", name="Send for this shift")
    send.focus()
    page.keyboard.press("Enter")
    expect(card).to_contain_text("Said: 15 minutes of routine")

    card.get_by_role("button", name="Correct").click()
    card.get_by_role("button", name="5 minutes more: Planning anew by hand").click()
    card.get_by_label(re.compile("part of the shift only")).check()
    send.click()
    expect(card).to_contain_text("Said: 20 minutes of routine")
    expect(card).to_contain_text("part of the shift")
    kept = page.request.get(f"{site.url}/api/v1/registers/shift_routine?limit=1000").json()["items"]
    mine = [e for e in kept if e["body"]["place"] == "mill-3"]
    assert [(e["revision"], e["by"], e["body"].get("whole")) for e in mine] == [(2, "kivi", False)]


def test_the_comparison_tells_what_is_sure_and_what_to_mind(site, open_page, shoot):
    page = signed_in_as(open_page, site, "paula", "plan/routine")
    whole = page.get_by_role("region", name="Routine a shift, before and after")
    expect(whole).to_contain_text(re.compile(r"\d+\.\d.*min.*less routine a shift", re.DOTALL))
    expect(whole).to_contain_text("With 95 % confidence between")
    expect(whole).to_contain_text("At the stated 42.00 EUR an hour")
    expect(whole).to_contain_text("the demo's own: made up from a seed")
    kinds = page.get_by_role("region", name="Saved a shift")
    expect(kinds.get_by_role("img", name=re.compile("Minutes saved a shift by kind"))).to_be_visible()
    expect(kinds.get_by_role("rowheader")).to_have_count(7)
    settle(page)
    assert serious(page) == []
    shoot(page, "plan-routine")

    # The figure opens where it came from: each shift with the revision that says it.
    figure = whole.get_by_role("button").first
    figure.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("shift before").first).to_be_visible()
    expect(page.get_by_text(re.compile("revision 1: ")).first).to_be_visible()
    page.keyboard.press("Escape")

    page.get_by_label("Place").select_option("mill-1")
    expect(page).to_have_url(re.compile("at=mill-1"))
    expect(whole).to_contain_text("shifts after")

    study = page.get_by_role("region", name="How it is asked")
    rate = study.get_by_label("Cost of an hour (empty: no money)")
    rate.fill("a lot")
    study.get_by_role("button", name="Save").click()
    expect(study.get_by_role("alert")).to_contain_text("routine:rate-invalid")
    rate.fill("42.00")
    study.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. Shifts are asked and compared by it from now on.")).to_be_visible()


def test_the_period_is_chosen_by_days_and_kept_in_the_address(site, open_page):
    page = signed_in_as(open_page, site, "paula", "plan/routine")
    whole = page.get_by_role("region", name="Routine a shift, before and after")
    period = page.get_by_role("group", name="Period that is compared")
    expect(period).to_contain_text("The last two years")
    comparison = page.request.get(f"{site.url}/api/v1/schedules/routine/comparison").json()
    since = comparison["since"]
    everything = comparison["total"]["after"]["count"]

    period.get_by_label("First day").fill(since)
    expect(page).to_have_url(re.compile(f"from={since}"))
    expect(whole).to_contain_text("Not enough shifts yet")  # all of them are after the assistant
    expect(page.get_by_text(f"Shifts that began {since}")).to_be_visible()
    page.reload()
    expect(period.get_by_label("First day")).to_have_value(since)
    expect(whole).to_contain_text("Not enough shifts yet")

    period.get_by_label("Last day").fill("2001-02-03")
    alert = page.locator("#main").get_by_role("alert")
    expect(alert).to_contain_text("range:ends-before-it-starts")
    period.get_by_label("First day").fill("2001-02-01")
    expect(alert).to_have_count(0)
    expect(page.get_by_text("No shift that began in this period has said anything")).to_be_visible()
    period.get_by_label("First day").fill("")
    period.get_by_label("Last day").fill("")
    expect(whole).to_contain_text(f"in {everything} shifts after")


def test_a_company_whose_shifts_said_nothing_reads_what_to_do(site, open_page):
    page = signed_in_as(open_page, site, "hanna", "plan/routine")
    expect(page.get_by_text("No shift of the last two years has said anything yet")).to_be_visible()
    expect(page.get_by_text("servitwin schedule routine say")).to_be_visible()
    expect(page.get_by_text("Writing the shift log: ")).to_have_count(0)


def test_both_fit_on_a_phone_in_the_dark(site, open_page, shoot):
    for account, path, name in (
        ("paula", "plan/routine", "plan-routine"),
        ("otto", "?machine=mill-2", "operator-routine"),
    ):
        page = open_page(path, signed_in=False, width=390, appearance="dark")
        answer = page.request.post(f"{site.url}/api/v1/session", data={"account": account, "password": "demo"})
        assert answer.ok
        page.goto(f"{site.url}/app/{path}")
        settle(page)
        if account == "otto":
            card = page.get_by_role("region", name="Minutes of routine in a shift")
            toggle = card.get_by_role("button", name=re.compile("Say minutes of routine|Not now"))
            if toggle.get_attribute("aria-expanded") == "false":
                toggle.click()
            card.scroll_into_view_if_needed()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert serious(page) == []
        if account == "paula":
            reads_whole(page)
        shoot(page, f"{name}-phone")


def reads_whole(page):
    """Names in the chart are not cut, and the table shows the interval of each row."""
    kinds = page.get_by_role("region", name="Saved a shift")
    drawn = "".join(kinds.locator("svg text.name").all_text_contents()).replace(" ", "")
    for row in kinds.locator("tbody tr").all():
        assert row.locator("td").last.evaluate("cell => cell.getBoundingClientRect().right") <= 390
        name = row.locator("th").inner_text()
        if name != "All together":
            assert name.replace(" ", "") in drawn
