"""The contract page over HTTP: a contract whose one period is a year with 10 000 intervals, while data come in.

Run: ``python benchmarks/contract_page.py [INTERVALS] [TIMES]``. Every call is asked again after another observation has
arrived, as it is while somebody looks at the page. The first look reads the whole year, and the very first one after
the node's start loads the history engine too. It fails if the period has fewer intervals than asked for.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

from node import start, stop
from usage import PATIENCE_S, PLANT, Api

TYPE = """machine_type: probe
version: 1
title: Probe
signals:
  execution: {type: text, reporting: {mode: on-change}}
states:
  word: execution
  rules:
    - {when: {execution: ACTIVE}, state: producing}
    - {when: {execution: FAULT}, state: failed, cause: drive}
  otherwise: standby
"""
CONTRACT = """contract: {id}
version: 1
title: A year in one period
provider: maker
customer: plant
machines: [m1]
period: {{from: {first}, to: {last}, time_zone: Europe/Helsinki}}
currency: EUR
rank: {rank}
price: {{fee: 48000, per: contract}}
guarantee:
  level: 98
  settle: contract
  credit: {{form: stepped, step: 0.1, percent: 0.5, cap: 10}}
  exclusions: [{{kind: access_refused}}, {{kind: planned_work, budget_hours: 40}}]
"""
WORDS = ("ACTIVE", "READY", "ACTIVE", "FAULT")
CLAIMS = 40


class Page:
    """The node, and the customer who looks at the page."""

    def __init__(self, data: Path) -> None:
        address = json.loads((data / "run" / "address.json").read_text())
        self.url, self.node = address["web"], Api(address["web"], address["token"])
        self.token = self.node.token("plant", "procurement")

    def say(self, said: list[tuple[int, str]]) -> None:
        """Observations of the machine: ns UTC and its word."""
        body = {"times": [at for at, _ in said], "values": {"execution": [word for _, word in said]}}
        self.node.ask("POST", "/twins/m1/observations", body)

    def timed(self, path: str) -> tuple[float, bytes]:
        """Seconds until the whole answer is there, and the answer."""
        request = urllib.request.Request(
            f"{self.url}/api/v1{path}", headers={"Authorization": f"Bearer {self.token}", "Accept-Encoding": "gzip"}
        )
        began = time.perf_counter()
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            content = answer.read()
        return time.perf_counter() - began, content


def fill(page: Page, intervals: int) -> None:
    """A year in which the machine changes its state so many times, with claims over it; the contract is signed."""
    now = datetime.now(UTC).replace(microsecond=0)
    first, last = (now - timedelta(days=364)).date(), (now + timedelta(days=1)).date()
    begin = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()) * 10**9
    step = (int(now.timestamp()) * 10**9 - begin) // intervals
    said = [(begin + n * step, WORDS[n % len(WORDS)]) for n in range(intervals)]
    for n in range(0, intervals, 1000):
        page.say(said[n : n + 1000])
    maker = Api(page.url, page.node.token("maker", "service_manager"))
    plant = Api(page.url, page.token)
    # The second one begins a day later, so that nothing of its past is kept from the first one.
    for rank, (id, day) in enumerate((("second", first + timedelta(days=1)), ("year", first))):
        terms = CONTRACT.format(id=id, rank=rank, first=day, last=last)
        maker.ask("POST", "/contracts", terms.encode(), "application/yaml")
        for side in (maker, plant):
            side.ask("POST", f"/contracts/{id}/signatures", {})
    faults = [n for n in range(100, intervals - 1) if WORDS[n % len(WORDS)] == "FAULT"]
    for n in faults[:: max(1, len(faults) // CLAIMS)]:
        body = {"twin": "m1", "kind": "access_refused", "from": said[n][0], "to": said[n][0] + step // 2, "text": ""}
        maker.ask("POST", "/contracts/year/exclusions", body)


def counted(page: Page) -> int:
    """Intervals that the period has by now."""
    return len(json.loads(page.timed("/contracts/year/intervals?limit=50000")[1])["items"])


def looked(page: Page, *paths: str) -> tuple[float, int]:
    """Seconds and bytes of calls, one after another."""
    answers = [page.timed(path) for path in paths]
    return sum(seconds for seconds, _ in answers), sum(len(content) for _, content in answers)


def measure(page: Page, times: int) -> list[tuple[str, float, float, int]]:
    """Median and slowest seconds of each call, and its bytes; what is only once is both."""
    rows = []
    for name, id in (("first look after the node's start", "year"), ("first look", "second")):
        seconds, size = looked(page, f"/contracts/{id}", f"/contracts/{id}/status")
        rows.append((f"page with its figures, {name}", seconds, seconds, size))
    calls = {
        "page with its figures (contract, status)": ("/contracts/year", "/contracts/year/status"),
        "claims": ("/contracts/year/exclusions?limit=1000",),
        "intervals of the year (tab Time)": ("/contracts/year/intervals?twin=m1&limit=50000",),
        "forecast, 20 000 simulated ends": ("/contracts/year/forecast",),
    }
    for name, paths in calls.items():
        taken = []
        for _ in range(times):
            page.say([(time.time_ns(), "ACTIVE")])
            taken.append(looked(page, *paths))
        seconds = [one for one, _ in taken]
        rows.append((name, statistics.median(seconds), max(seconds), taken[-1][1]))
    return rows


def main() -> None:
    """Start a node, fill it, start it again, measure, and end it."""
    intervals, times = (int(a) for a in [*sys.argv[1:], *("10000", "20")[len(sys.argv) - 1 :]])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "probe.yaml").write_text(TYPE)
        (folder / "plant.yaml").write_text(PLANT)
        data = folder / "data"
        files = ["--plant", str(folder / "probe.yaml"), "--plant", str(folder / "plant.yaml")]
        node, _ = start(data, *files)
        try:
            page = Page(data)
            fill(page, intervals)
            deadline = time.monotonic() + PATIENCE_S
            while counted(page) < intervals and time.monotonic() < deadline:
                time.sleep(0.5)
        finally:
            stop(node)
        node, _ = start(data)
        try:
            page = Page(data)
            rows = measure(page, times)
            found = counted(page)
        finally:
            stop(node)
    assert found >= intervals, f"{found} intervals"
    print(f"| a year of {found} intervals | median | slowest | kB |\n| --- | --- | --- | --- |")
    for title, median, slowest, size in rows:
        print(f"| {title} | {median:.3f} s | {slowest:.3f} s | {size / 1000:.0f} |")


if __name__ == "__main__":
    main()
