"""What people do from the pages: send commands, mend what was quarantined, look at another moment."""

import re
import time
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from tests.browser.test_pages import settle

WORDS = {
    "producing": "Producing", "setup": "Set-up", "standby": "Standby", "starved": "Starved", "blocked": "Blocked",
    "failed": "Failed", "repair": "In repair", "preventive": "Preventive maintenance", "off": "Off",
    "planned_stop": "Planned stop", "external": "External cause", "unknown": "Unknown",
}  # fmt: skip


def ago(**span):
    return (datetime.now(UTC) - timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")


def mill_that_hears(site):
    """A mill that nobody works at: one in repair refuses commands, and machines of the demo fail by themselves."""
    deaf = {"failed", "repair", "preventive", "unknown", "external", "off"}
    deadline = time.monotonic() + 120
    with site.client() as client:
        while True:
            for mill in ("mill-1", "mill-2", "mill-3"):
                if client.get(f"/api/v1/twins/{mill}").json()["state"]["state"] not in deaf:
                    return mill
            assert time.monotonic() < deadline, "every mill is out of order"
            time.sleep(2)


def test_a_command_from_the_page_is_acknowledged_and_its_effect_is_seen(site, open_page, shoot):
    page = open_page(f"machines/{mill_that_hears(site)}/commands")
    settle(page)
    feed = page.locator(".card", has=page.get_by_role("heading", name="Set feed override"))
    percent = str(60 + int(time.time()) % 40)
    feed.get_by_label(re.compile("percent")).fill(percent)
    feed.get_by_role("button", name="Send").click()
    sent = page.locator(".sent-one").first
    expect(sent).to_contain_text(f"percent {percent}")
    steps = sent.locator(".steps li")
    expect(steps.filter(has_text="Acknowledged")).to_have_class("done")
    expect(steps.filter(has_text="Effect seen")).to_have_class("done")
    shoot(page, "command-effect")
    page.get_by_role("tab", name="Overview").click()
    override = page.locator("tr.value", has_text="Feed override").locator(".figure-value")
    expect(override).to_have_text(re.compile(rf"^{percent}(\.0*)?"))


def test_a_refused_command_says_why(site, open_page, shoot):
    page = open_page("machines/mill-2/commands")
    settle(page)
    feed = page.locator(".card", has=page.get_by_role("heading", name="Set feed override"))
    with site.client() as client:
        stop = {"twin": "mill-2", "fault": "emergency-stop"}
        client.post("/api/v1/simulator/faults", json={**stop, "active": True}).raise_for_status()
        try:
            deadline = time.monotonic() + 30
            while client.get("/api/v1/twins/mill-2/state").json()["values"]["emergency_stop"]["value"] != "TRIGGERED":
                assert time.monotonic() < deadline, "the emergency stop was not seen"
                time.sleep(0.2)
            feed.get_by_label(re.compile("percent")).fill("80")
            feed.get_by_role("button", name="Send").click()
            expect(feed.get_by_role("alert")).to_contain_text("The machine is in safety stop")
            expect(feed.get_by_role("alert")).to_contain_text("Release it at the machine")
            expect(page.locator(".sent-one").first).to_contain_text("The machine is in safety stop")
            shoot(page, "command-refused")
        finally:
            client.post("/api/v1/simulator/faults", json={**stop, "active": False}).raise_for_status()


def test_a_quarantined_message_is_sent_again_to_the_twin_it_was_meant_for(site, open_page, shoot):
    """A message for a twin that was not registered: replayed too early it stays, after registration it is stored."""
    ghost = f"press-{time.time_ns()}"
    with site.client() as client:
        body = {"time": datetime.now(UTC).isoformat(), "values": {"execution": "READY"}}
        client.post("/api/v1/twins/mill-3/observations", json={"values": {"no.such.signal": 1}}).raise_for_status()
        kind = client.get("/api/v1/twins/mill-3").json()["type"]
        page = open_page("quarantine")
        entry = page.locator("table.grid tbody tr", has_text="mill-3").first
        expect(entry).to_be_visible()
        entry.get_by_role("link").click()
        drawer = page.get_by_role("dialog", name="Quarantined payload")
        expect(drawer).to_contain_text("no.such.signal")
        # Mended: another payload for another twin, which does not exist yet.
        drawer.get_by_label(re.compile("^Payload")).fill(str(body).replace("'", '"'))
        drawer.get_by_label("Send it to another machine (id)").fill(ghost)
        shoot(page, "quarantine-entry")
        drawer.get_by_role("button", name="Send mended").click()
        expect(drawer).to_have_count(0)
        again = page.locator("table.grid tbody tr", has_text=ghost)
        expect(again).to_contain_text("twin:unknown")
        client.put(f"/api/v1/twins/{ghost}", json={"kind": "machine", "type": kind}).raise_for_status()
        again.get_by_role("link").click()
        drawer.get_by_role("button", name="Send again").click()
        expect(page.locator("ix-toast").filter(has_text="1").first).to_be_visible()
        expect(drawer).to_have_count(0)
        page.goto(f"{site.url}/app/machines/{ghost}")
        expect(page.locator("tr.value", has_text="Execution").first).to_contain_text("READY")


OLD_PUMP = """
machine_type: old-pump
version: 1
signals:
  pressure: {unit: bar, range: [1, 8], reporting: {mode: periodic, max_gap: 1h}}
"""


def test_a_machine_that_was_silent_for_three_years_shows_its_gap(site, open_page, shoot):
    """Its type tells of no states: the time line says that they are unknown instead of loading for ever."""
    day, now = 86_400, int(time.time())
    with site.client() as client:
        yaml = {"Content-Type": "application/yaml"}
        client.post("/api/v1/machine-types", content=OLD_PUMP, headers=yaml).raise_for_status()
        body = {"kind": "machine", "type": "old-pump@1", "commissioned": "2015-01-01T00:00:00Z"}
        client.put("/api/v1/twins/old-pump", json=body).raise_for_status()
        days = [now - d * day for d in (*range(1500, 1300, -1), *range(100, 0, -1))]
        sent = {"times": [d * 10**9 for d in days], "values": {"pressure": [4 + d % 3 for d in days]}}
        client.post("/api/v1/twins/old-pump/observations", json=sent).raise_for_status()
    page = open_page("machines/old-pump/trends?span=5y&signals=pressure")
    settle(page)
    expect(page.locator(".chart canvas")).to_be_visible()
    shoot(page, "gap-trend")
    page.goto(f"{site.url}/app/machines/old-pump/states?span=5y")
    settle(page)
    expect(page.locator("#main canvas").first).to_be_visible()
    shoot(page, "gap-states")


def test_a_slow_node_shows_the_shape_of_what_comes_then_data(open_page):
    page = open_page("quarantine")
    settle(page)
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    slow = {"offline": False, "latency": 2000, "downloadThroughput": -1, "uploadThroughput": -1}
    network.send("Network.emulateNetworkConditions", slow)
    page.get_by_role("menuitem", name="Machines").click()
    expect(page.locator(".skeleton")).to_be_visible(timeout=3000)
    assert page.locator("ix-spinner").count() == 0
    expect(page.locator("table.grid tbody tr").first).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)


def test_a_moment_of_the_past_shows_what_was_then(site, open_page, shoot):
    then = ago(hours=6)
    with site.client() as client:
        deadline = time.monotonic() + 120
        while True:  # the demo fills in its past first
            listed = {t["id"]: t for t in client.get("/api/v1/twins", params={"as_of": then}).json()["items"]}
            if listed["mill-1"]["state"]["state"] != "unknown" or time.monotonic() > deadline:
                break
            time.sleep(1)
        words = client.get("/api/v1/twins/mill-1/level", params={"as_of": "2020-01-01T00:00:00Z"}).json()["items"]
    assert words == []
    assert any(t["state"] and t["state"]["since"] for t in listed.values())
    page = open_page(f"machines?as_of={then}&sort=machine")
    settle(page)
    for id in ("cell-1", "crane-1", "mill-1", "mill-2", "mill-3"):
        row = page.locator("table.grid tbody tr", has=page.locator(f'a[href*="/machines/{id}?"]'))
        expect(row.locator(".state-mark")).to_have_text(WORDS[listed[id]["state"]["state"]])
    shoot(page, "past-fleet")
    page.goto(f"{site.url}/app/machines/mill-1?as_of={then}")
    settle(page)
    expect(page.locator(".twin-now .state-mark")).to_have_text(WORDS[listed["mill-1"]["state"]["state"]])
    shoot(page, "past-twin")
    page.goto(f"{site.url}/app/machines/line-1?as_of={then}")
    settle(page)
    shoot(page, "past-line")
    # Before the first data no level was earned and no state was known.
    page.goto(f"{site.url}/app/machines/mill-1?as_of=2020-01-01T00:00:00Z")
    settle(page)
    expect(page.locator(".twin-now")).to_contain_text("Digital model")


def test_a_gateways_key_is_registered_and_revoked_from_the_page(site, open_page, shoot):
    with site.client() as client:
        like = client.get("/api/v1/twins/mill-1").json()
        twin = {"kind": "machine", "type": like["type"], "owner": like["owner"], "commissioned": "2024-01-01"}
        client.put("/api/v1/twins/mill-spare", json=twin).raise_for_status()
    page = open_page("administration/keys")
    page.get_by_role("combobox", name="Machine").first.select_option("mill-spare")
    expect(page.get_by_text("need not be signed")).to_be_visible()
    page.get_by_label("Holder").fill("gateway of hall 2")
    page.get_by_label("Public key").fill("not a key")
    page.get_by_role("button", name="Register").click()
    expect(page.locator(".problem")).to_contain_text("key")
    page.get_by_label("Public key").fill(
        "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    )  # RFC 8032, section 7.1, test 1
    page.get_by_role("button", name="Register").click()
    row = page.get_by_role("row", name=re.compile("gateway of hall 2"))
    expect(row).to_contain_text("counts")
    shoot(page, "machine-keys")
    row.get_by_role("button", name="Revoke").click()
    page.get_by_label("Why").fill("The gateway was stolen")
    page.get_by_label("Hear the machine unsigned from then on").check()
    page.get_by_role("button", name="Revoke").last.click()
    expect(row).to_contain_text("The gateway was stolen")
