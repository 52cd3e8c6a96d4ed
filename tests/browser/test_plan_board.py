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
    page.evaluate(AXE.read_text("utf-8") + ";0")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [
        f"{v['id']}: {n['html'][:300]}"
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
        for n in v["nodes"]
    ]
    assert not serious, serious
    shoot(page, "plan-board")

    page = signed_in_as(open_page, site, "otto", "?machine=mill-1")
    shift = page.get_by_role("region", name="In the plan")
    expect(shift.locator("li").first).to_be_visible()
    shift.get_by_role("button", name="Not here").last.click()
    shift.get_by_role("button", name="Tool missing").click()
    expect(page.get_by_text("Noted. The next plan takes it into account.")).to_be_visible()
