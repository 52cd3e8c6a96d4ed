"""A set-up is simulated before it is used, and the machine compared with it afterwards, from the page alone."""

import re
import time
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from tests.browser.test_pages import AXE, settle
from tests.conftest import shared_data


def wait_until_heard(site, twin: str, signal: str) -> None:
    """A node that has just started stores a past of days first; until then it has heard nothing of this minute."""
    deadline = time.monotonic() + 120
    with site.client() as client:
        while time.monotonic() < deadline:
            minute_ago = (datetime.now(UTC) - timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%SZ")
            path = f"/api/v1/twins/{twin}/signals/{signal}/observations"
            if client.get(path, params={"from": minute_ago}).raise_for_status().json()["items"]:
                return
            time.sleep(0.5)
    raise AssertionError(f"nothing was heard of {signal} of {twin}")


def test_a_set_up_is_simulated_compared_and_its_deviation_has_a_case(site, open_page, shoot):
    fmu = shared_data("fmu") / "Dahlquist.fmu"
    wait_until_heard(site, "mill-1", "spindle.temperature")
    page = open_page("plan/set-ups")
    settle(page)
    models = page.get_by_role("region", name="Models")
    models.get_by_label("File (.fmu or .ssp)").set_input_files({"name": "x.fmu", "mimeType": "", "buffer": b"PK\3\4"})
    models.get_by_label("Name").fill("cooling")
    models.get_by_role("button", name="Keep it").click()
    expect(models.get_by_role("alert")).to_contain_text("it was cut short")
    models.get_by_label("File (.fmu or .ssp)").set_input_files(fmu)
    page.keyboard.press("Tab")
    models.get_by_role("button", name="Keep it").click()
    expect(models.get_by_role("row", name=re.compile("cooling"))).to_contain_text("FMI 2.0")

    ask = page.get_by_role("region", name="Simulate a set-up")
    ask.get_by_label("Name of the set-up").fill("cool-down")
    ask.get_by_label("Start values").fill("k=")
    expect(ask.get_by_role("button", name="Simulate")).to_be_disabled()
    ask.get_by_label("Start values").fill("k=0.05")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("job="))  # the answer to this question, not the newest of before
    simulated = page.get_by_role("region", name="Simulated")
    expect(simulated).to_contain_text("600 steps of 0.1 s", timeout=120_000)
    expect(simulated.get_by_role("img", name=re.compile("cooling.x .*as simulated"))).to_be_visible()

    compare = page.get_by_role("region", name="Compare with the machine")
    compare.get_by_label("Machine").first.select_option("mill-1")
    compare.get_by_role("combobox", name=re.compile("^Signal")).select_option("spindle.temperature")
    compare.get_by_label("Within").fill("2")
    compare.get_by_label("Open cases for deviations").check()
    compare.get_by_role("button", name="Compare").click()
    result = page.get_by_role("region", name="The machine and its set-up")
    expect(result).to_contain_text("1 deviation in 1 signal")
    expect(result.get_by_role("img", name=re.compile("spindle.temperature as measured"))).to_be_visible()
    shoot(page, "set-up-compared")
    page.evaluate(AXE.read_text("utf-8") + ";0")
    found = page.evaluate("axe.run()")["violations"]
    assert not [v for v in found if v["impact"] in ("serious", "critical")], found
    result.get_by_role("row").nth(1).get_by_role("link").click()
    settle(page)
    expect(page.locator("#main")).to_contain_text("did not follow the set-up cool-down")


def test_the_page_fits_a_phone(open_page, shoot):
    page = open_page("plan/set-ups", width=390, appearance="dark")
    settle(page)
    expect(page.get_by_role("region", name="Models")).to_be_visible()
    wide = page.evaluate("document.querySelector('#main').scrollWidth - document.querySelector('#main').clientWidth")
    assert wide <= 1
    shoot(page, "set-ups-phone-dark")
