"""Two mills of a company that plans its production, its customer and its supplier."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.stories.waiting import Api, wait_for

TYPE = """machine_type: mill
version: 1
title: Mill
manufacturer: acme
signals:
  execution: {type: text, title: Execution, reporting: {mode: on-change}}
states:
  word: execution
  rules:
    - {when: {execution: RUN}, state: producing}
    - {when: {execution: FAULT}, state: failed, cause: spindle}
"""
PLANT = """plant: hall
parties:
  acme: {name: Acme, kind: manufacturer}
  shop: {name: Shop, kind: customer}
  steel: {name: Steel, kind: partner}
calendars:
  always:
    time_zone: UTC
    shifts:
      day: {days: daily, from: "00:00", to: "24:00"}
twins:
  m1: {type: mill@1, title: Mill 1, owner: shop, calendar: always, commissioned: 2024-01-01}
  m2: {type: mill@1, title: Mill 2, owner: shop, calendar: always, commissioned: 2024-01-01}
"""


def hours(n: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=n)).strftime("%Y-%m-%dT%H:%M:%SZ")


def entries(api: Api, kind: str, *bodies: dict[str, Any]) -> None:
    api.ask("POST", f"/registers/{kind}", json=list(bodies), params={"party": "shop"})


def done(api: Api, job: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = wait_for(
        api.node, "the job is over", 300, lambda: (j := api.get(f"/jobs/{job['id']}"))["ended"] is not None and j
    )
    return found
