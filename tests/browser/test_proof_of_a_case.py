"""From a broken brake to a proof that the browser has checked itself, on the running demo."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.browser.test_pages import settle

# The brake has to be worn down and the crane has to lift; on a busy machine that takes a while.
APPEARS_MS, MADE_MS = 240_000, 60_000


@pytest.fixture
def broken(site):
    """The crane's brake is worn for the length of one test; when it was broken, in seconds since 1970."""
    with site.client() as client:
        told = client.post("/api/v1/simulator/faults", json={"twin": "crane-1", "fault": "brake-worn", "active": True})
        if told.status_code == 404:
            pytest.skip("this node simulates no machines")
        assert told.status_code == 200, told.text
        yield time.time()
        client.post("/api/v1/simulator/faults", json={"twin": "crane-1", "fault": "brake-worn", "active": False})


@pytest.mark.long  # it waits for a lift with a worn brake
def test_a_broken_brake_becomes_a_proof_that_the_browser_checks(broken, site, open_page, shoot, tmp_path):
    page = open_page("cases?twin=crane-1")
    settle(page)
    mine = page.locator("table.grid tbody tr", has_text="The brake lining is never thinner than 2 mm")
    expect(mine.first).to_be_visible(timeout=APPEARS_MS)
    mine.first.get_by_role("link").first.click()
    settle(page)
    clock = page.get_by_role("region", name="Guarantee clock")
    expect(clock).to_contain_text(re.compile(r"One more hour of stop.*≈[\d.,\s]+EUR", re.S))
    violated = page.get_by_role("region", name="Evidence").locator("li", has_text="Proof of the violation").first

    def proof():
        """The downloaded file; where the node says what it still waits for, it is asked again as the page offers."""
        with page.expect_download(timeout=MADE_MS) as kept:
            violated.get_by_role("link", name="Proof file").click()
            page.wait_for_timeout(500)
            again = violated.get_by_role("button", name="Try again")
            end = time.monotonic() + MADE_MS / 1000
            while violated.locator("progress").count() or again.count():
                assert time.monotonic() < end, violated.inner_text()
                if again.count():
                    page.wait_for_timeout(2000)
                    again.click()
                page.wait_for_timeout(250)
        return kept.value

    kept = proof()
    assert kept.suggested_filename.endswith(".proof")
    file = tmp_path / "case.proof"
    kept.save_as(file)
    violated.get_by_role("button", name="Verify in this browser").click()
    expect(violated.locator(".proof-passed")).to_be_visible()
    expect(violated).to_contain_text("No byte was changed since the key named aurora sealed it.")
    expect(violated).to_contain_text("Who the signers are")
    shoot(page, "case-verified")
    page.get_by_role("button", name=re.compile("^Margin")).first.click()
    drawer = page.get_by_role("dialog", name="Where this figure comes from")
    expect(drawer).to_contain_text("servitwin-stl")
    expect(drawer).to_contain_text("crane-1/brake.lining")

    stranger = open_page("verify", signed_in=False)
    asked = []
    stranger.get_by_role("heading", name="Verify a proof file").wait_for()
    stranger.on("request", lambda request: asked.append(request.url))
    stranger.get_by_label("Choose a proof file").set_input_files(file)
    expect(stranger.locator(".proof-passed")).to_be_visible()
    expect(stranger.locator(".proof-outcome")).to_contain_text("The brake lining is never thinner than 2 mm.")
    with site.client() as client:
        keys = tmp_path / "keys.json"
        keys.write_text(client.get("/api/v1/parties/aurora/keys").text, "utf-8")
    stranger.get_by_label("Keys of parties that you trust").set_input_files(keys)
    expect(stranger.locator(".proof-outcome")).to_contain_text("The signers are known from the keys that you gave.")
    shoot(stranger, "verify")
    content = file.read_bytes()
    changed = content.replace(b'"verdict":"false"', b'"verdict":"true"', 1)
    assert changed != content
    bad = {"name": "changed.proof", "mimeType": "application/json", "buffer": changed}
    stranger.get_by_label("Choose a proof file").set_input_files(bad)
    expect(stranger.locator(".proof-outcome")).to_contain_text("Refused")
    expect(stranger.locator(".proof-passed")).to_have_count(0)
    assert asked == [], "a proof file is checked without asking anybody"
