"""The operator moves work at the machine: told before what happens, done by keys, or asked of the planner by finger."""

import re
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from tests.browser.test_pages import settle
from tests.browser.test_plan_board import serious, signed_in_as

API = "api/v1/schedules"


def get(page, site, path, **params):
    return page.request.get(f"{site.url}/{path}", params=params)


def moves(page, site):
    """What could be moved behind the one after it, at each machine: the shown task, and what would happen."""
    for machine in ("mill-1", "mill-2", "mill-3", "cell-1"):
        tasks = get(page, site, f"{API}/next", machine=machine).json()["tasks"]
        waiting = [t for t in tasks if not t["running"]]
        if len(waiting) > 1:
            wish = {
                "machine": machine,
                "order": waiting[0]["order"],
                "operation": waiting[0]["operation"],
                "how": "later",
            }
            seen = get(page, site, f"{API}/moves", **wish)
            if seen.ok:
                yield wish, seen.json()


@contextmanager
def promised_for_its_planned_end(page, site, order):
    """As long as this lasts, the order has no time to spare."""
    csrf = page.request.get(f"{site.url}/api/v1/session").json()["csrf"]
    path, headers = f"{site.url}/api/v1/registers/orders/{order}", {"X-CSRF-Token": csrf}
    body = page.request.get(path).json()["body"]
    plan = get(page, site, f"{API}/published").json()
    end = next(o["end"] for o in plan["orders"] if o["order"] == order)
    assert page.request.put(path, data={"body": {**body, "due": end}}, headers=headers).ok
    try:
        yield
    finally:
        page.request.put(path, data={"body": body}, headers=headers)


def test_the_next_one_is_put_off_by_keys_after_its_price_is_told(site, open_page, shoot):
    page = signed_in_as(open_page, site, "otto", "")
    wish, seen = next((w, s) for w, s in moves(page, site) if s["allowed"])
    page.goto(f"{site.url}/app/?machine={wish['machine']}")
    settle(page)
    shift = page.get_by_role("region", name="In the plan")
    later = shift.get_by_role("button", name="Later")
    later.focus()
    page.keyboard.press("Enter")
    card = shift.get_by_role("region", name=f"Move {wish['order']}")
    expect(card.get_by_role("heading", name="This is what would happen")).to_be_focused()
    expect(card).to_contain_text(f"{seen['ahead']} first: it begins")
    expect(card).to_contain_text(re.compile(rf"{wish['order']}/\S+ begins .* later"))
    move = card.get_by_role("button", name="Move it")
    expect(move).to_be_disabled()
    expect(card).to_contain_text("Choose a reason first, or write it.")
    reason = card.get_by_role("button", name="Doubt about quality")
    reason.focus()
    page.keyboard.press("Space")
    expect(reason).to_have_attribute("aria-pressed", "true")
    assert serious(page) == []
    shoot(page, "operator-move")
    move.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Moved. The plan holds like this from now on.")).to_be_visible()
    first = seen["ahead"].split("/")[0]
    expect(shift.locator(".operator-task").filter(has_text="Next").first).to_contain_text(first)

    board = signed_in_as(open_page, site, "paula", "plan/board")
    made = board.get_by_text("This plan was made because: ")
    expect(made).to_contain_text(f"{wish['machine']} does {seen['ahead']} before {seen['behind']}: quality doubt")
    expect(made).not_to_contain_text("otto")


def test_what_would_make_somebody_late_is_asked_for_on_a_phone(site, open_page, shoot):
    planner = signed_in_as(open_page, site, "paula", "plan/board")
    phone = open_page("", signed_in=False, width=390, appearance="dark")
    assert phone.request.post(f"{site.url}/api/v1/session", data={"account": "otto", "password": "demo"}).ok
    for wish, seen in list(moves(planner, site)):
        with promised_for_its_planned_end(planner, site, wish["order"]):
            now = get(phone, site, f"{API}/moves", **wish).json()
            if now["allowed"] or not any(f["where"] == wish["order"] for f in now["against"]):
                continue
            before = get(phone, site, f"{API}/published").json()["revision"]
            phone.goto(f"{site.url}/app/?machine={wish['machine']}")
            settle(phone)
            shift = phone.get_by_role("region", name="In the plan")
            shift.get_by_role("button", name="Later").click()
            card = shift.get_by_role("region", name=f"Move {wish['order']}")
            expect(card).to_contain_text("This needs a planner, because")
            expect(card).to_contain_text(re.compile(rf"{wish['order']} would be .* late"))
            card.get_by_label("In your words").fill("the gauge is out for calibration")
            for button in card.get_by_role("button").all():
                assert button.bounding_box()["height"] >= 44
            assert phone.evaluate("document.documentElement.scrollWidth") <= 390
            assert serious(phone) == []
            shoot(phone, "operator-move-phone")
            card.get_by_role("button", name="Ask the planner").click()
            expect(phone.get_by_text("The planner has been told.")).to_be_visible()
            assert get(phone, site, f"{API}/published").json()["revision"] == before
            # The board that is open hears of it.
            asked = planner.get_by_role("status").filter(has_text="A shift asks for another sequence")
            expect(asked.filter(has_text="the gauge is out for calibration")).to_contain_text(seen["ahead"])
            asked.filter(has_text="the gauge is out").get_by_role("button", name="Compare it").click()
            expect(planner).to_have_url(re.compile(f"plan=shift-{wish['machine']}"))
            expect(planner.get_by_role("region", name="What moves, and why")).to_contain_text(wish["order"])
            assert serious(planner) == []
            shoot(planner, "plan-board-asked")
            return
    pytest.fail("no move of the demo would make an order late that has nothing to spare")
