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


def test_what_cannot_begin_yet_invites_nobody_to_begin_it(site, open_page):
    waiting = 0
    for machine in ("mill-1", "mill-2", "mill-3", "cell-1"):
        page = signed_in_as(open_page, site, "otto", f"?machine={machine}")
        cards = page.get_by_role("region", name="In the plan").locator(".operator-task")
        expect(cards.first).to_be_visible()
        for card in cards.all():
            reason = card.get_by_text("Cannot begin yet:")
            if reason.count() == 0:
                expect(card.get_by_role("button", name="Begin all the same")).to_have_count(0)
                continue
            waiting += 1
            anyway = card.get_by_role("button", name="Begin all the same")
            expect(anyway).to_have_class("plain")
            expect(anyway).to_have_accessible_description(re.compile("Cannot begin yet: .+"))
            expect(card.get_by_role("button", name="Begin", exact=True)).to_have_count(0)
    assert waiting, "no operation of the demo's plan waits for anything: nothing was looked at"


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


def test_deliveries_stand_where_events_and_people_say_and_a_supplier_says_its_own(site, open_page, shoot):
    page = signed_in_as(open_page, site, "paula", "plan/just-in-time")
    own = page.get_by_role("region", name="Deliveries", exact=True)
    row = own.get_by_role("row").filter(has_text="AM-2207")
    expect(row).to_contain_text("under way")
    expect(row).to_contain_text(re.compile(r"aurora · event"))
    lost = page.get_by_role("region", name="Told, but about no delivery that is known")
    expect(lost).to_contain_text("TS-8821")
    expect(lost).to_contain_text("Enter the reference")
    assert serious(page) == []
    shoot(page, "plan-deliveries")

    other = signed_in_as(open_page, site, "hanna", "plan/just-in-time")
    theirs = other.get_by_role("region", name="Deliveries of other companies, from you or to you")
    expect(theirs).to_contain_text("AM-2231")
    expect(theirs).not_to_contain_text("bar-60")
    theirs.get_by_role("button", name="Say of AM-2231").click()
    word = other.get_by_role("form", name="Your word on AM-2231")
    word.get_by_label("How much").fill("170")
    word.get_by_label("Why").fill("one bar was cracked")
    assert serious(other) == []
    word.get_by_role("button", name="Say it").click()
    expect(theirs.get_by_role("row").filter(has_text="AM-2231")).to_contain_text("170 instead of 180")

    # The house's page hears of it while it is open, and says whose word it is, but not which person's.
    changed = own.get_by_role("row").filter(has_text="AM-2231")
    expect(changed).to_contain_text("170 instead of 180")
    expect(changed).to_contain_text("one bar was cracked")
    expect(changed).not_to_contain_text("hanna")


def test_a_board_that_is_opened_later_still_says_why_a_plan_is_proposed(site, open_page):
    page = signed_in_as(open_page, site, "paula", "plan/board")
    csrf = page.request.get(f"{site.url}/api/v1/session").json()["csrf"]

    def put(path, body):
        answer = page.request.put(f"{site.url}/api/v1/{path}", data={"body": body}, headers={"X-CSRF-Token": csrf})
        assert answer.ok, answer.text()

    order = page.request.get(f"{site.url}/api/v1/registers/orders/K-1055").json()["body"]
    try:
        put("registers/replanning/production", {"on": True, "budget_s": 2})
        put("registers/orders/K-1055", {**order, "weight": order.get("weight", 1) + 1})
        box = page.get_by_role("status").filter(has_text="A new plan is proposed")
        expect(box).to_contain_text("order K-1055 changed", timeout=120_000)
        page.goto(f"{site.url}/app/plan/board")  # whoever comes later
        expect(box).to_contain_text("order K-1055 changed")
        box.get_by_role("button", name="Compare it").click()
        expect(page.get_by_text("This plan was made because: ")).to_contain_text("order K-1055 changed")
    finally:
        put("registers/replanning/production", {"on": False})
        put("registers/orders/K-1055", order)
