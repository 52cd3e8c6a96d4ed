"""Maintenance on the pages: placed, proposed, answered by the customer, scheduled, and closed on a phone."""

import re

from playwright.sync_api import expect

from tests.browser.test_pages import settle


def sign_in(page, site, account):
    answer = page.request.post(f"{site.url}/api/v1/session", data={"account": account, "password": site.password})
    assert answer.ok, answer.text()


def test_a_task_goes_from_its_place_in_the_schedule_to_a_closed_job(site, open_page, shoot):
    page = open_page("plan/maintenance")
    settle(page)
    plan = page.get_by_role("region", name="Where it costs least")
    plan.get_by_role("button", name=re.compile("^Place")).click()
    expect(plan.get_by_text("No plan is below")).to_be_visible(timeout=90_000)
    expect(plan.get_by_role("button", name="Propose to the customers")).to_be_enabled(timeout=90_000)
    shoot(page, "maintenance")
    plan.get_by_role("button", name="Propose to the customers").click()
    recommended = page.get_by_role("region", name="Recommendations")
    belt = recommended.get_by_role("listitem").filter(has_text="Renew the belt joint").first
    expect(belt).to_contain_text("waits for kivi")

    customer = open_page("plan/maintenance", signed_in=False, width=390)
    sign_in(customer, site, "paula")
    customer.reload()
    settle(customer)
    asked = customer.get_by_role("listitem").filter(has_text="Renew the belt joint").first
    asked.get_by_role("button", name="Accept").click()
    expect(asked).to_contain_text("Accepted")
    wide = customer.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390, f"the page is {wide} px wide on a phone"
    shoot(customer, "maintenance-390")

    page.reload()
    settle(page)
    belt.get_by_role("button", name="Schedule").click()
    expect(belt).to_contain_text("Scheduled")
    jobs = open_page("plan/my-jobs", width=390)
    settle(jobs)
    sheet = jobs.get_by_role("region", name="Renew the belt joint")
    sheet.get_by_role("button", name="Close the job").click()
    expect(jobs.locator("ix-toast").first).to_contain_text("is not done")
    for box in sheet.get_by_role("checkbox").all():
        box.click()  # ticked once the node has kept it
        expect(box).to_be_disabled()
    shoot(jobs, "my-jobs-390")
