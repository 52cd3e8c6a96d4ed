"""Usage records over HTTP: 2 000 a second with duplicates removed, then read into an invoice and the ledger.

Run: ``python benchmarks/usage.py [RECORDS] [BATCH]``. A tenth of the records is sent twice, one in a thousand again
with other content. It fails if what is billed is not the sum of what was sent once.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
import urllib.request
from decimal import Decimal
from pathlib import Path
from typing import Any

from node import TYPE, start

BUSINESS = (
    "business: {{country: {0}, street: Street 1, city: City, postcode: '20100', vat_id: {0}{1}, email: a@b.example}}"
)
PLANT = f"""plant: bench
parties:
  maker: {{name: Maker, kind: manufacturer, {BUSINESS.format("FI", "12345678")}}}
  plant: {{name: Plant, kind: customer, {BUSINESS.format("NL", "123456789B01")}}}
twins:
  m1: {{type: probe@1, serial: S1, owner: plant}}
"""
CONTRACT = """contract: parts
version: 1
title: Pay per part
provider: maker
customer: plant
machines: [m1]
period: {from: 2026-01-01, to: 2027-01-01, time_zone: UTC}
currency: EUR
price: {fee: 12000, usage: {parts: {rate: 0.01}}}
guarantee:
  level: 98
  settle: month
  credit: {form: stepped, step: 0.1, percent: 0.5, cap: 10}
"""
PATIENCE_S = 120


class Api:
    """The node's API with a token."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url + "/api/v1"
        self._token = token

    def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        """The answer as JSON."""
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": kind}
        request = urllib.request.Request(self._url + path, content, headers, method=method)  # own node
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # as above
            return json.loads(answer.read())

    def token(self, party: str, role: str) -> str:
        """A token of a party."""
        body = {"label": "bench", "party": party, "roles": [role]}
        return str(self.ask("POST", "/tokens", body)["token"])


def events(count: int) -> tuple[list[dict[str, Any]], Decimal]:
    """Records as they are sent, repeated and contradicting ones among them, and the sum of what counts."""
    rng = random.Random(1)
    sent: list[dict[str, Any]] = []
    total = Decimal(0)
    for n in range(count):
        quantity = rng.randint(1, 50)
        total += quantity
        moment = f"2026-03-{1 + n % 28:02}T{n % 24:02}:{n % 60:02}:00Z"
        data = {"contract": "parts", "meter": "parts", "quantity": str(quantity)}
        event = {"id": f"p-{n}", "source": "line-plc", "time": moment, "subject": "m1", "data": data}
        sent.append(event)
        if n % 10 == 0:
            sent.append(event)
        if n % 1000 == 0:
            sent.append({**event, "data": {**data, "quantity": "999"}})
    return sent, total


def measure(node: Api, maker: Api, plant: Api, count: int, batch: int) -> None:
    """Print the table."""
    node.ask("POST", "/contracts", CONTRACT.encode(), "application/yaml")
    for side in (maker, plant):
        side.ask("POST", "/contracts/parts/signatures", {})
    sent, total = events(count)
    taken = {"taken": 0, "repeated": 0, "conflicts": 0}
    began = time.perf_counter()
    for first in range(0, len(sent), batch):
        for name, more in maker.ask("POST", "/usage", sent[first : first + batch]).items():
            taken[name] += more
    took = time.perf_counter() - began
    assert taken == {"taken": count, "repeated": -(-count // 10), "conflicts": -(-count // 1000)}, taken
    began = time.perf_counter()
    maker.ask("POST", "/contracts/parts/settlements/2026-03")
    invoice = maker.ask("POST", "/contracts/parts/settlements/2026-03/invoices")["invoices"][0]
    billed = time.perf_counter() - began
    fee = Decimal(1000)
    expected = fee + (total * Decimal("0.01")).quantize(Decimal("0.01"))
    assert Decimal(invoice["net"]) == expected, (invoice["net"], expected)
    again = maker.ask("GET", f"/invoices/{invoice['number']}")
    assert again["net"] == invoice["net"]
    revenue = maker.ask("GET", "/profit-and-loss")[0]["revenue"]
    assert Decimal(revenue) == expected, (revenue, expected)
    print("| work | measured |\n| --- | --- |")
    print(f"| usage records a second, in batches of {batch}, duplicates removed | {len(sent) / took:,.0f} |")
    print(f"| settle and bill a month of {count} records, with its postings | {billed:.2f} s |")


def main() -> None:
    """Start a node, measure, and end it."""
    count, batch = (int(a) for a in [*sys.argv[1:], *("20000", "1000")[len(sys.argv) - 1 :]])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "probe.yaml").write_text(TYPE)
        (folder / "plant.yaml").write_text(PLANT)
        data = folder / "data"
        process, _ = start(data, "--plant", str(folder / "probe.yaml"), "--plant", str(folder / "plant.yaml"))
        try:
            address = json.loads((data / "run" / "address.json").read_text())
            node = Api(address["web"], address["token"])
            maker = Api(address["web"], node.token("maker", "service_manager"))
            plant = Api(address["web"], node.token("plant", "procurement"))
            measure(node, maker, plant, count, batch)
        finally:
            process.terminate()
            process.wait(60)


if __name__ == "__main__":
    main()
