"""The plan board: the published plan, why an order is late, a move by keys, and the operator's next task."""

import re

from playwright.sync_api import expect

from tests.browser.test_pages import AXE, settle


def signed_in_as(open_page, site, account, path):
    page = open_page(path, signed_in=False)
    answer = page.request.post(f"{site.url}/api/v1/session", data={"account": account, "password": "demo"})
    assert answer.ok, answer.text()
    page.goto(f"{site.url}/app/{path}")
    settle(page)
    return page


def serious(page):
    page.evaluate(AXE.read_text("utf-8") + ";0")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    bad = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
    return [f"{v['id']}: {n['html'][:300]}" for v in bad for n in v["nodes"]]


def test_a_plan_is_read_changed_by_keys_and_answered_at_the_machine(site, open_page, shoot):
    page = signed_in_as(open_page, site, "paula", "plan/board")
    board = page.get_by_role("group", name="Operations by machine and time")
    expect(board.locator(".gantt-op").first).to_be_visible()
    operation = board.locator(".gantt-op.movable").last
    operation.focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("region", name="Chosen operation")
    expect(panel).to_contain_text("Before it, it waits")
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("plan=by-hand-paula"))
    expect(page.get_by_role("region", name="What moves, and why")).to_be_visible()
    settle(page)
    assert serious(page) == []
    shoot(page, "plan-board")

    page = signed_in_as(open_page, site, "otto", "?machine=mill-1")
    shift = page.get_by_role("region", name="In the plan")
    expect(shift.locator("li").first).to_be_visible()
    shift.get_by_role("button", name="Not here").last.click()
    shift.get_by_role("button", name="Tool missing").click()
    expect(page.get_by_text("Noted. The next plan takes it into account.")).to_be_visible()


def test_a_plan_that_was_changed_elsewhere_comes_back_or_is_refused_by_line(site, open_page):
    page = signed_in_as(open_page, site, "paula", "plan/board")
    table = page.request.get(f"{site.url}/api/v1/schedules/published/table").text()
    bring = page.get_by_label("Bring a plan back")
    spoilt = table.replace(",mill-1,", ",mill-9,").encode()
    bring.set_input_files({"name": "spoilt.csv", "mimeType": "text/csv", "buffer": spoilt})
    refused = page.get_by_role("alert").filter(has_text="This was not done, because:")
    expect(refused).to_contain_text(re.compile(r"Line \d+: .* cannot be done on mill-9"))
    assert serious(page) == []
    bring.set_input_files({"name": "whole.csv", "mimeType": "text/csv", "buffer": table.encode()})
    expect(page).to_have_url(re.compile("plan=imported-paula"))
    expect(refused).to_have_count(0)
    expect(page.get_by_text("Nothing moves between the two plans.")).to_be_visible()


def test_just_in_time_shows_all_to_the_house_and_to_others_their_part(site, open_page, shoot):
    page = signed_in_as(open_page, site, "paula", "plan/just-in-time")
    needed = page.get_by_role("region", name="Material that is needed")
    expect(needed.get_by_role("columnheader", name="Where")).to_be_visible()
    expect(page.get_by_role("region", name="On time in full, last 90 days")).to_contain_text("Customer")
    assert serious(page) == []
    shoot(page, "plan-just-in-time")

    other = signed_in_as(open_page, site, "hanna", "plan/just-in-time")
    part = other.get_by_role("region", name="From the plan of kivi")
    expect(part.get_by_role("region", name="Material that is needed")).to_contain_text("aurora")
    expect(part.get_by_role("columnheader", name="Where")).to_have_count(0)
    expect(part).not_to_contain_text("mill-")
