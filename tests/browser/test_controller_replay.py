"""A counterexample replayed in the simulator from its page, and the controllers on a machine's page."""

import re

from playwright.sync_api import expect

from tests.browser.test_controllers import RUN, checked
from tests.browser.test_pages import AXE, settle

REPLAY_MS = 90_000


def accessible(page):
    page.evaluate(AXE.read_text("utf-8") + ";0")
    found = page.evaluate("axe.run()")["violations"]
    assert not [v for v in found if v["impact"] in ("serious", "critical")], found


def test_the_player_follows_the_simulated_machine_and_the_page_says_what_it_showed(site, open_page, shoot):
    checked(site)
    page = open_page(f"controllers/mill-door@2?run={RUN}")
    settle(page)
    run = page.get_by_role("region", name="Run", exact=True)
    expect(run.get_by_role("status")).to_contain_text("Step 0 of 34")
    replay = page.get_by_role("region", name="Replay in the simulator")
    expect(replay).to_contain_text("Not replayed yet")
    replay.get_by_label("Pace").select_option("5")
    replay.get_by_role("button", name="Replay in the simulator").click()
    expect(replay.get_by_role("status")).to_contain_text(re.compile(r"is at step \d+ of 34"), timeout=REPLAY_MS)
    expect(run.get_by_role("status")).not_to_contain_text("Step 0 of 34")
    shoot(page, "controller-replay-runs")
    expect(replay.get_by_role("status")).to_contain_text(
        "broke no-turning-behind-an-open-door at step 34 of 34", timeout=REPLAY_MS
    )
    expect(run.get_by_role("status")).to_contain_text("Step 34 of 34")
    replay.scroll_into_view_if_needed()
    shoot(page, "controller-replay")
    accessible(page)

    replay.get_by_label("Model").select_option("2")
    replay.get_by_label("Pace").select_option("10")
    replay.get_by_role("button", name="Replay in the simulator").click()
    expect(replay.get_by_role("status")).to_contain_text("kept no-turning-behind-an-open-door", timeout=REPLAY_MS)
    expect(run.get_by_role("status")).to_contain_text("Step 34 of 34")
    replay.get_by_label("Model").select_option("1")
    replay.get_by_role("link", name="The simulated machine").click()
    settle(page)
    expect(page.get_by_role("note")).to_contain_text("Simulation: this twin runs the model of mill-door@1")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Simulated: Door interlock of a mill, version 1")
    expect(page.get_by_role("tab")).to_have_count(3)
    expect(page.locator(".twin-head")).to_contain_text("Simulated machine")
    expect(page.locator(".twin-head")).not_to_contain_text("Digital")
    expect(page.get_by_role("region", name="Work orders")).to_have_count(0)
    expect(page.locator("#main")).to_contain_text("state.spindle")
    shoot(page, "simulated-machine")
    accessible(page)
    page.get_by_role("note").get_by_role("link").click()
    expect(page).to_have_url(re.compile("controllers/mill-door@1"))


def test_the_replay_fits_a_phone(site, open_page, shoot):
    checked(site)
    page = open_page(f"controllers/mill-door@2?run={RUN}", width=390, appearance="dark")
    settle(page)
    page.get_by_role("region", name="Replay in the simulator").scroll_into_view_if_needed()
    wide = page.evaluate("document.querySelector('#main').scrollWidth - document.querySelector('#main').clientWidth")
    assert wide <= 1
    shoot(page, "controller-replay-phone-dark")


def test_a_machine_shows_its_controllers_with_answers_and_conformance(site, open_page, shoot):
    checked(site)
    page = open_page("machines/mill-1/controllers")
    settle(page)
    card = page.get_by_role("region", name="Door interlock of a mill")
    expect(card).to_contain_text("version 2")
    expect(card.get_by_text(re.compile("^Proven by"))).to_have_count(3)
    expect(card).to_contain_text("Model and machine")
    expect(card).to_contain_text("Older versions")
    accessible(page)
    shoot(page, "machine-controllers")
    card.get_by_role("link", name="Door interlock of a mill").click()
    expect(page).to_have_url(re.compile("controllers/mill-door@2"))


def test_a_machine_without_a_controller_says_how_one_is_brought_in(site, open_page, shoot):
    page = open_page("machines/crane-1/controllers", width=390, appearance="dark")
    settle(page)
    expect(page.locator(".empty")).to_contain_text("No controller of this machine is known")
    expect(page.locator(".empty")).to_contain_text("servitwin controllers add FILE --twin crane-1")
    expect(page.get_by_role("tab", name="Controllers")).to_be_in_viewport(ratio=0.9)
    shoot(page, "machine-without-controllers-phone-dark")


def test_a_group_has_no_controllers(open_page):
    page = open_page("machines/line-1")
    settle(page)
    expect(page.get_by_role("tab", name="Controllers")).to_have_count(0)
