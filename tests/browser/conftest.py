"""A browser and a node with the demo plant; `SERVITWIN_URL` names a running one to test instead.

With `SERVITWIN_URL`, `SERVITWIN_ACCOUNT` and `SERVITWIN_PASSWORD` say who signs in (default: the demo's people), and
`SERVITWIN_DATA` where its data are, for tests that put rows into its records.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.conftest import Node

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "src" / "servitwin" / "web" / "ui" / "index.html"
SCREENSHOTS = ROOT / "build" / "screenshots"
PATIENCE_MS = 60_000
LONGEST_S = 600  # of one test: some walk through a dozen pages while the demo still fills in its past
# The first is Chromium without windows: a page in it takes less than half of the processor time.
BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
expect.set_options(timeout=PATIENCE_MS)


@dataclass(frozen=True)
class Site:
    """Where the pages are, whose password is known, and where its data are (None: not on this machine)."""

    url: str
    account: str
    password: str
    data: Path | None = None

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """The API, signed in as the same person."""
        with httpx.Client(base_url=self.url, timeout=60) as client:
            answer = client.post("/api/v1/session", json={"account": self.account, "password": self.password})
            answer.raise_for_status()
            client.headers["X-CSRF-Token"] = answer.json()["csrf"]
            yield client


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(LONGEST_S))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running node with the demo plant whose first states are known."""
    if not PAGES.is_file():
        pytest.skip("the pages are not built: run `make ui`")
    account = os.environ.get("SERVITWIN_ACCOUNT", "hanna")
    password = os.environ.get("SERVITWIN_PASSWORD", "demo")
    if url := os.environ.get("SERVITWIN_URL"):
        data = os.environ.get("SERVITWIN_DATA")
        yield Site(url.rstrip("/"), account, password, Path(data) if data else None)
        return
    node = Node(tmp_path_factory.mktemp("demo"), arguments=["--demo"])
    node.start()
    site = Site(node.web, account, password, node.data)
    try:
        _wait_for_life(site)
        yield site
    finally:
        node.stop()


def _wait_for_life(site: Site) -> None:
    """Until the first machine is in a known state: the demo fills in its past first."""
    deadline = time.monotonic() + 120
    with site.client() as client:
        while time.monotonic() < deadline:
            twins = client.get("/api/v1/twins").json()["items"]
            if any(t["state"] and t["state"]["state"] != "unknown" for t in twins):
                return
            time.sleep(1)
    raise AssertionError("no machine of the demo plant came to a known state within two minutes")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without any page."""
    path = next((p for name in BROWSERS if (p := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium here: run tools/install_system_packages")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*quiet, "--disable-sync"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Opens pages in contexts of their own; any error a page reports fails the test."""
    contexts = []
    errors: list[str] = []

    def make(
        path: str = "",
        *,
        width: int = 1440,
        appearance: str = "light",
        signed_in: bool = True,
        before: str = "",
        cut: str = "",
    ) -> Page:
        height = 900 if width > 500 else 844
        context = browser.new_context(viewport={"width": width, "height": height}, timezone_id="Pacific/Auckland")
        context.add_init_script(f"localStorage.setItem('servitwin.appearance', '{appearance}')")
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(before)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        # Nothing may be fetched from anywhere but the node itself.
        page.on("request", lambda request: None if _own(request.url, site) else errors.append(f"asks {request.url}"))
        if cut:
            page.route(cut, lambda route: route.abort())
        if signed_in:
            answer = page.request.post(
                f"{site.url}/api/v1/session", data={"account": site.account, "password": site.password}
            )
            assert answer.ok, answer.text()
        page.goto(f"{site.url}/app/{path}")
        return page

    yield make
    for context in contexts:
        context.close()
    assert errors == []


def _own(url: str, site: Site) -> bool:
    return url.startswith((site.url, "data:", "blob:"))


@pytest.fixture
def shoot() -> Callable[[Page, str], None]:
    """Keeps a picture under build/screenshots for people to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return lambda page, name: page.screenshot(path=SCREENSHOTS / f"{name}.png")
