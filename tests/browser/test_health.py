"""Health of a machine: what differs from what was learnt, its case, and that it is no fault."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import SCREENSHOTS, Site
from tests.browser.test_pages import AXE


def test_what_differs_is_shown_with_its_signals_and_dismissed_with_a_reason(
    site: Site, open_page: Callable[..., Page]
) -> None:
    page = open_page("machines/mill-1/health")
    expect(page.get_by_role("tab", name="Health")).to_have_attribute("aria-selected", "true")
    card = page.get_by_role("region", name="Anomalies")
    expect(card.get_by_text("a reason to look, never a proof")).to_be_visible()
    expect(card.get_by_text("Compared with what was learnt").first).to_be_visible(timeout=120_000)
    first = (
        card.get_by_role("list", name="Anomalies").get_by_role("listitem").filter(has=page.get_by_role("link")).first
    )
    expect(first).to_contain_text("deviate")
    _check(page)
    page.screenshot(path=SCREENSHOTS / "health.png")
    first.get_by_role("link", name="Open the case").click()
    expect(page.get_by_text("nothing is proven by that")).to_be_visible()
    expect(page.get_by_text("Proof file")).to_have_count(0)
    page.get_by_role("button", name="No fault").click()
    page.get_by_label("It happened once").check()
    page.get_by_label("Reason", exact=True).fill("a heavier casting was tried out")
    _check(page)
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_text(re.compile("No fault.*a heavier casting was tried out")).first).to_be_visible()
    page.screenshot(path=SCREENSHOTS / "case-dismissed.png", full_page=True)
    narrow = open_page("machines/mill-1/health", width=390, appearance="dark")
    expect(narrow.get_by_role("region", name="Anomalies")).to_contain_text("Compared with")
    assert narrow.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "it is wider than the phone"
    narrow.screenshot(path=SCREENSHOTS / "health-phone.png", full_page=True)


def _check(page: Page) -> None:
    """Nobody is shut out of what is on the page."""
    if not AXE.is_file():
        return
    page.evaluate(AXE.read_text("utf-8") + ";0")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    serious = [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found if v["impact"] in ("serious", "critical")]
    assert not serious, serious
