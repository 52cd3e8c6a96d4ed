"""A controller's page: what is proven, what is violated, and the run that shows it, step by step."""

import re
import time

from playwright.sync_api import expect

from tests.browser.test_pages import AXE, settle

RUN = "older:no-turning-behind-an-open-door"


def checked(site):
    """The demo's checks are done by a process that gives way: wait for them."""
    until = time.monotonic() + 240
    with site.client() as client:
        while True:
            found = client.get("/api/v1/controllers/mill-door@2").json()["check"]
            if found["state"] in ("done", "failed"):
                break
            assert time.monotonic() < until, found
            time.sleep(1)
    assert found["state"] == "done", found["fault"]


def test_what_was_wrong_is_played_step_by_step_and_what_mends_it_is_proven(site, open_page, shoot):
    checked(site)
    page = open_page("controllers")
    settle(page)
    page.get_by_role("row", name=re.compile("mill-door 2")).get_by_role("link").first.click()
    settle(page)
    properties = page.get_by_role("region", name="Properties")
    expect(properties.get_by_text(re.compile("^Proven by"))).to_have_count(3)
    expect(properties).to_contain_text("model not compared with a machine")
    expect(page.locator(".controller-note")).to_contain_text("The model is not the controller")
    compared = page.get_by_role("region", name="Version 1 and version 2")
    expect(compared).to_contain_text("Violated after 34 steps")
    expect(compared).to_contain_text("mended")
    compared.get_by_role("button", name="Show the run").first.click()
    expect(page).to_have_url(re.compile("run=older"))

    run = page.get_by_role("region", name="Run")
    expect(run.get_by_role("status")).to_contain_text("Step 0 of 34")
    chart = page.get_by_role("region", name=re.compile("^State chart"))
    expect(chart.locator(".state.active")).to_have_count(3)
    expect(chart.locator('.state.active[data-state="stopped"]')).to_be_visible()
    expect(chart.locator(".way.taken")).to_contain_text("start")
    run.get_by_role("button", name="Step forward").click()
    expect(chart.locator('.state.active[data-state="turning"]')).to_be_visible()
    page.keyboard.press("End")
    expect(run.get_by_role("status")).to_contain_text("Step 34 of 34")
    expect(run.get_by_role("status")).to_contain_text("the property is broken")
    expect(chart.locator('.state.active[data-state="open"]')).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(run.get_by_role("status")).to_contain_text("Step 33 of 34")
    expect(run.get_by_role("row", name=re.compile("^door"))).to_contain_text("closed")
    shoot(page, "controller")
    page.reload()
    settle(page)
    expect(run.get_by_role("status")).to_contain_text("Step 33 of 34")
    page.evaluate(AXE.read_text("utf-8") + ";0")
    found = page.evaluate("axe.run()")["violations"]
    assert not [v for v in found if v["impact"] in ("serious", "critical")], found


def test_the_page_fits_a_phone(site, open_page, shoot):
    checked(site)
    page = open_page(f"controllers/mill-door@2?run={RUN}&step=33", width=390, appearance="dark")
    settle(page)
    expect(page.get_by_role("region", name="Run").get_by_role("status")).to_contain_text("Step 33 of 34")
    wide = page.evaluate("document.querySelector('#main').scrollWidth - document.querySelector('#main').clientWidth")
    assert wide <= 1
    shoot(page, "controller-phone-dark")
    page.locator(".chart-regions").scroll_into_view_if_needed()
    shoot(page, "controller-phone-dark-chart")
    page.get_by_role("region", name="Run").scroll_into_view_if_needed()
    shoot(page, "controller-phone-dark-run")
