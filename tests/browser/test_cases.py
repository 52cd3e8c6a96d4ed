"""Cases in the browser: what is urgent, why it is violated, what people do about it, what is still to be proven."""

import re
import time
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from servitwin.domain.case import Case, CaseStep, Ended, Found, Repaired, Verified
from servitwin.domain.finding import Explanation, Finding, Hypothesis, Sample
from servitwin.engines.records import SqlRecords
from tests.browser.test_pages import AXE, settle

NS = 10**9
HOLDS = "brake.holds-the-load"
CAUSES = (
    Hypothesis("cause", "lining-worn", "Brake lining is worn", 0.7, ("It was last measured at 2.1 mm",)),
    Hypothesis("cause", "oil-on-disc", "Oil on the brake disc", 0.3, ("One slip in five",)),
)


@dataclass(frozen=True)
class Seeded:
    """Cases that are in the node's records; the monitor of the demo may add its own."""

    safety: str
    high: str
    mended: str
    acted: str


def open_case(records, id, twin, requirement, severity, start, explanation=None, later=()):
    """``requirement``: its name and digest; a case is read by the requirement as it was."""
    name, digest = requirement
    component = name.split(".", maxsplit=1)[0]
    finding = Finding(twin, name, digest, component, severity, start, start + NS, None, -6.4, -5.8, {"0": 1})
    bodies = [Found(finding, explanation, CAUSES), *(body(finding) if callable(body) else body for body in later)]
    steps = [CaseStep(id, n, start + n * NS, "", body) for n, body in enumerate(bodies, 1)]
    assert records.add_case(Case(id, twin, name, digest, component, severity, start), steps)


def ended(finding):
    return Ended(finding.id, finding.start + 60 * NS, -6.4, -5.8)


@pytest.fixture(scope="module")
def cases(site):
    if site.data is None:
        pytest.skip("name the data folder of the node at SERVITWIN_URL by SERVITWIN_DATA")
    with site.client() as client:
        uid = {id: client.get(f"/api/v1/twins/{id}").json()["uid"] for id in ("crane-1", "mill-1", "mill-3")}
        known = {
            (twin, one["name"]): (one["name"], one["digest"])
            for twin in uid
            for one in client.get(f"/api/v1/twins/{twin}/requirements").json()["items"]
        }
        kind = client.get("/api/v1/twins/crane-1").json()["type"]
        kinds = client.get(f"/api/v1/machine-types/{kind}").json()
    brake = next(c for c in kinds["components"] if c["path"] == "brake")
    formula = next(r["formula"] for r in brake["requirements"] if r["name"] == "holds-the-load")
    records = SqlRecords(f"sqlite:///{site.data}/records.db")
    start = (time.time_ns() // NS - 900) * NS

    def part(text, verdict):
        at = formula.index(text)
        return at, at + len(text), verdict

    samples = (
        Sample("brake.state", start - 20 * NS, "CLOSED"),
        Sample("load_cell.load", start - 2 * NS, 6.2),
        Sample("brake.slip", start, 14.1),
    )
    parts = ((0, len(formula), "false"), part("load_cell.load > 4 t", "true"), part("slip <= 8 mm", "false"))
    run = time.time_ns()
    seeded = Seeded(*(f"seeded-{run}-{name}" for name in ("safety", "high", "mended", "acted")))
    why = Explanation(start, samples, parts)
    open_case(records, seeded.safety, uid["crane-1"], known["crane-1", HOLDS], "safety", start, why)
    open_case(
        records, seeded.high, uid["mill-1"], known["mill-1", "spindle.runs-smoothly"], "high", start, later=(ended,)
    )
    open_case(records, seeded.acted, uid["mill-3"], known["mill-3", "spindle.runs-smoothly"], "high", start, why)
    mended = Repaired("brake", "brake lining BL-12", "part", "Timo", start - 10**5 * NS)
    proven = Verified(start - 10**5 * NS, start, 3, 3, 0.63)
    early = start - 2 * 10**5 * NS
    cools = known["crane-1", "brake.cools-down"]
    open_case(records, seeded.mended, uid["crane-1"], cools, "medium", early, later=(ended, mended, proven))
    return seeded


def row(page, id):
    return page.locator("table.grid tbody tr", has=page.locator(f'a[href*="/cases/{id}"]'))


def test_the_most_urgent_case_comes_first_and_the_view_is_in_the_address(cases, open_page, shoot):
    page = open_page("cases")
    settle(page)
    shown = page.locator("table.grid tbody tr a[href*='/cases/']").evaluate_all("all => all.map(a => a.href)")
    places = [
        next(i for i, address in enumerate(shown) if id in address) for id in (cases.safety, cases.acted, cases.high)
    ]
    assert places == sorted(places)
    crane = row(page, cases.safety)
    expect(crane).to_contain_text("a load of more than 4 t slips by no more than 8 mm")
    for word in ("Safety", "Crane 1", "brake", "Violated now", "Unacknowledged", "find the cause"):
        expect(crane).to_contain_text(word)
    expect(row(page, cases.mended)).to_have_count(0)
    expect(page.get_by_role("menuitem", name=re.compile(r"^\d+ Cases$|^Cases$"))).to_be_visible()
    shoot(page, "cases")
    page.get_by_role("button", name="All", exact=True).click()
    expect(row(page, cases.mended)).to_contain_text("Proven mended")
    page.get_by_role("combobox", name="Machine").select_option("crane-1")
    expect(row(page, cases.high)).to_have_count(0)
    page.reload()
    expect(row(page, cases.mended)).to_be_visible()
    expect(row(page, cases.high)).to_have_count(0)
    row(page, cases.mended).get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Whenever the brake is hotter")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("combobox", name="Machine")).to_have_value("crane-1")


def test_a_case_shows_what_is_violated_why_and_what_is_proven(cases, open_page, shoot):
    page = open_page(f"cases/{cases.safety}")
    settle(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("a load of more than 4 t")
    expect(page.locator(".case-head")).to_contain_text("Hoist brake")
    clock = page.get_by_role("region", name="Guarantee clock")
    expect(clock).to_contain_text("crane-98")
    expect(clock).to_contain_text("At stake in this period")
    expect(page.locator(".chart canvas")).to_be_visible()
    expect(page.get_by_role("application", name="Violation")).to_be_visible()
    why = page.get_by_role("region", name="Why it is violated")
    expect(why.locator(".formula .part-false", has_text="slip <= 8 mm")).to_be_visible()
    expect(why.locator(".formula .part-true")).to_have_text("load_cell.load > 4 t")
    expect(why.get_by_role("list", name="Parts of the formula at that instant")).to_contain_text("slip <= 8 mm false")
    expect(page.get_by_role("region", name="Hypotheses, not proven")).to_contain_text("Brake lining is worn")
    evidence = page.get_by_role("region", name="Evidence")
    proof = evidence.get_by_role("link", name="Proof file")
    expect(proof).to_have_attribute("href", re.compile(rf"/cases/{cases.safety}/proof\?kind=violated"))
    expect(evidence.get_by_role("button", name="Proof file")).to_be_disabled()
    expect(evidence).to_contain_text("The repair is not proven yet.")
    shoot(page, "case")
    why.locator("button.figure", has_text="14.1").click()
    expect(page.get_by_role("dialog", name="Where this figure comes from")).to_contain_text("brake.slip")
    page.keyboard.press("Escape")


def test_a_safety_case_is_never_shelved_and_the_page_says_why(cases, site, open_page):
    page = open_page(f"cases/{cases.safety}")
    settle(page)
    acts = page.get_by_role("region", name="What to do")
    expect(acts.get_by_role("button", name="Acknowledge")).to_be_visible()
    expect(acts.get_by_role("button", name="Shelve alarm")).to_have_count(0)
    expect(acts).to_contain_text("A safety requirement is never shelved")
    page.goto(f"{site.url}/app/cases/{cases.high}")
    settle(page)
    page.get_by_role("button", name="Shelve alarm").click()
    page.get_by_label("For how long").select_option("1 hour")
    page.get_by_label("Reason").fill("Bearing is ordered")
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.locator(".case-head")).to_contain_text("Shelved")
    expect(page.locator(".case-steps")).to_contain_text("Bearing is ordered")


def test_people_take_a_case_from_seen_to_repaired_by_keyboard(cases, site, open_page, shoot):
    page = open_page(f"cases/{cases.acted}")
    settle(page)
    page.get_by_role("button", name="Acknowledge").press("Enter")
    expect(page.locator(".case-head .pill")).to_have_text("Acknowledged")
    cause = page.locator(".hypotheses li", has_text="Oil on the brake disc").last
    cause.get_by_role("button", name="Take as diagnosis").press("Enter")
    expect(page.locator(".act-form label", has_text="Cause").locator("select")).to_have_value("oil-on-disc")
    page.get_by_role("button", name="Record", exact=True).press("Enter")
    expect(page.locator(".case-head")).to_contain_text("Cause said")
    page.get_by_role("button", name="Record repair").press("Enter")
    page.get_by_label("What was replaced or changed").last.fill("spindle bearing")
    page.get_by_label("Done at").fill("yesterday")
    page.get_by_role("button", name="Record", exact=True).press("Enter")
    expect(page.get_by_text("Write the time like 2026-09-21 08:15.")).to_be_visible()
    # Before the violation: the node says what is wrong with it, and what was typed stays.
    page.get_by_label("Done at").fill("2026-01-01 08:15")
    page.get_by_role("button", name="Record", exact=True).press("Enter")
    expect(page.get_by_role("region", name="What to do").get_by_role("alert")).to_contain_text(
        "The repair is dated before the violation that it mends"
    )
    page.get_by_label("Done at").fill("")
    shoot(page, "case-repair")
    page.get_by_role("button", name="Record", exact=True).press("Enter")
    expect(page.locator(".case-head")).to_contain_text("Repaired, not yet proven")
    with site.client() as client:
        kept = client.get(f"/api/v1/cases/{cases.acted}").json()
    assert kept["diagnosis"]["cause"] == "oil-on-disc"
    assert (kept["repair"]["what"], kept["repair"]["change"]) == ("spindle bearing", "part")
    assert kept["steps"][-1]["by"] == site.account


def test_who_acts_second_is_told_and_can_act_after_reading_again(cases, site, open_page):
    # Without the event stream the page does not hear of the other one's step.
    page = open_page(f"cases/{cases.high}?act=note", before="delete window.SharedWorker", cut="**/api/v1/events*")
    settle(page)
    page.get_by_label("Remark", exact=True).fill("Mine")
    page.route("**/api/v1/cases/**", lambda route: route.abort() if route.request.method == "GET" else route.fallback())
    with site.client() as client:
        told = client.post(f"/api/v1/cases/{cases.high}/steps", json={"kind": "note", "text": "Theirs"})
        assert told.status_code == 201, told.text
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="Somebody else acted on this case just now")).to_be_visible()
    page.unroute("**/api/v1/cases/**")
    page.get_by_role("button", name="Read the case again").click()
    expect(page.locator(".case-steps")).to_contain_text("Theirs")
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.locator(".case-steps")).to_contain_text("Mine")


def test_what_somebody_else_does_is_seen_by_itself(cases, site, open_page):
    page = open_page(f"cases/{cases.mended}")
    settle(page)
    expect(page.get_by_role("button", name="Record repair")).to_have_count(0)
    with site.client() as client:
        told = client.post(f"/api/v1/cases/{cases.mended}/steps", json={"kind": "note", "text": "Looked at it again"})
        assert told.status_code == 201, told.text
    expect(page.locator(".case-steps")).to_contain_text("Looked at it again", timeout=20_000)


def test_cases_of_the_past_are_shown_as_they_were_and_take_no_steps(cases, site, open_page):
    page = open_page("cases?which=all&as_of=2020-01-01T00:00:00Z")
    settle(page)
    expect(page.get_by_text("No case yet")).to_be_visible()
    # When the brake was violated but not mended.
    then = time.time() - 900 - 2 * 10**5 + 30
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(then))
    page.goto(f"{site.url}/app/cases/{cases.mended}?as_of={moment}")
    settle(page)
    expect(page.get_by_text("go back to now to act")).to_be_visible()
    expect(page.locator(".case-head")).not_to_contain_text("Closed")


def test_a_component_and_the_homes_lead_to_open_cases(cases, site, open_page, shoot):
    page = open_page("machines/crane-1")
    settle(page)
    first = page.get_by_role("region", name="Components").get_by_role("listitem").first
    expect(first).to_contain_text("Hoist brake")
    expect(first).to_contain_text("Safety")
    first.get_by_role("link").click()
    expect(page).to_have_url(re.compile("/cases"))
    page.goto(f"{site.url}/app/?view=operator&machine=crane-1")
    settle(page)
    expect(page.locator(".open-cases")).to_contain_text("a load of more than 4 t")
    shoot(page, "operator-open-cases")
    page.goto(f"{site.url}/app/?view=production")
    page.locator(".open-cases").get_by_role("link", name=re.compile("open case")).click()
    expect(row(page, cases.safety)).to_be_visible()


def test_a_case_that_is_not_there_leads_back_to_the_list(cases, open_page):
    page = open_page("cases/no-such-case")
    expect(page.get_by_text("There is no such case")).to_be_visible()
    page.locator("#main").get_by_role("link", name="Cases").click()
    expect(row(page, cases.safety)).to_be_visible()


@pytest.mark.parametrize(("width", "appearance"), [(1440, "light"), (1440, "hmi"), (390, "dark")])
def test_pages_of_cases_are_accessible_and_fit_their_screen(width, appearance, cases, site, open_page, shoot):
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run `make check` or `npm ci` in ui/")
    page = open_page("cases", width=width, appearance=appearance)
    found = []
    for name, path in {
        "cases": "cases",
        "case": f"cases/{cases.safety}?act=repair",
        "case-mended": f"cases/{cases.mended}",
    }.items():
        page.goto(f"{site.url}/app/{path}")
        settle(page)
        shoot(page, f"{name}-{appearance}-{width}")
        if not page.locator("#main").evaluate("e => e.scrollWidth <= e.clientWidth + 1 && e.clientWidth <= innerWidth"):
            found.append(f"{name} is wider than its screen")
        page.evaluate(AXE.read_text("utf-8") + ";0")
        answer = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        bad = [v for v in answer if v["impact"] in ("serious", "critical")]
        found += [f"{name}: {v['id']}: {v['nodes'][0]['html'][:200]}" for v in bad]
    assert found == []


def test_a_requirement_is_written_checked_tried_saved_and_taken_back(site, open_page, shoot):
    page = open_page("machines/crane-1/requirements")
    settle(page)
    expect(page.locator(".requirement", has_text="brake.holds-the-load")).to_contain_text("of the type")
    page.get_by_role("button", name="New requirement").click()
    formula = page.get_by_label("Formula", exact=True)
    formula.fill("always(hoist.temprature < 90)")
    told = page.locator(".formula-told")
    expect(told.locator(".field-problem")).to_contain_text("temprature")
    expect(page.locator(".formula-box .faulty")).to_contain_text("temprature")
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    shoot(page, "requirement-fault")
    formula.fill("always(hoist.temperature < 90)")
    expect(told).to_contain_text("Reads hoist.temperature")
    page.get_by_role("button", name="In the last 7 days").click()
    expect(page.locator(".try-out")).to_contain_text(re.compile("It would (not )?have fired"))
    shoot(page, "requirement-try-out")
    name = f"cool-motor-{time.time_ns()}"
    page.get_by_label("Name").fill(name)
    page.get_by_label("In plain words").fill("The hoist motor stays below 90 degrees.")
    page.get_by_role("button", name="Save").click()
    added = page.locator(".requirement", has_text=name)
    expect(added).to_contain_text("of this machine")
    added.get_by_role("button", name="Change").click()
    expect(page.get_by_label("Formula", exact=True)).to_have_value("always(hoist.temperature < 90)")
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("button", name="Remove it now").click()
    expect(page.locator(".requirement").first).to_be_visible()
    expect(added).to_have_count(0)
