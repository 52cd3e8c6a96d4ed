"""A partner's package beside servitwin: it works by the same door, and what it does wrong harms itself alone."""

from __future__ import annotations

import itertools
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Node
from tests.stories.waiting import PRESS, Api, wait_for

pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("nodes")]

POLL = '''        """Ten readings a second, above and below the bound in turn."""
        n = 0
        while True:
            _misbehave("connector")
            n += 1
            for twin in ("press-1", "press-9"):
                yield f"{self._prefix}/{twin}", msgspec.json.encode({"temperature": 80.0 if n % 2 else 20.0})
            await asyncio.sleep(0.1)
'''
MISBEHAVE = '''
def _misbehave(who: str) -> None:
    """Once, as the test has written down; the next process finds nothing there."""
    path = Path(@FLAG@ + who)
    if not path.exists():
        return
    how = path.read_text()
    path.unlink()
    if how == "hang":
        time.sleep(10**6)
    if how == "eat":
        kept = [bytes(2**24) for _ in range(10**6)]
        raise AssertionError(len(kept))
    raise ValueError("the gauge fell off")
'''
PLANT = """plant: works
parties:
  acme: {name: Acme, kind: manufacturer}
twins:
  press-1: {type: press@1, owner: acme, commissioned: 2020-01-01}
  press-2: {type: press@1, owner: acme, commissioned: 2020-01-01}
connections:
  gauges: {connector: gauge, config: {prefix: hall}}
"""


def package(site: Path, flag: Path) -> None:
    """What pip would install of the partner's package: two folders made by tools/new_plugin, and its metadata."""
    root = site / "partner_gauges"
    root.mkdir(parents=True)
    (root / "__init__.py").write_text("")
    for arguments in (("connector", "gauge"), ("service", "operation", "watch")):
        subprocess.run([ROOT / "tools" / "new_plugin", *arguments, "--into", root], check=True, capture_output=True)
    extra = MISBEHAVE.replace("@FLAG@", repr(str(flag)))
    connector = root / "gauge" / "plugin.py"
    head, tail = connector.read_text().split('        """Nothing: the broker hands payloads over."""\n')
    tail = tail.replace("        return\n        yield  # what makes this an iterator\n", "", 1)
    text = (head + POLL + tail).replace("import math\n", "import asyncio\nimport math\nimport time\n")
    connector.write_text(text.replace("import msgspec\n", "from pathlib import Path\n\nimport msgspec\n", 1) + extra)
    service = root / "watch" / "plugin.py"
    text = service.read_text().replace(
        "        outcome = Outcome()\n", '        _misbehave("service")\n        outcome = Outcome()\n'
    )
    text = text.replace("import msgspec\n", "import time\nfrom pathlib import Path\n\nimport msgspec\n", 1)
    service.write_text(text + extra)
    for folder, cadence in (("gauge", ""), ("watch", 'cadence = "1s"\nlateness = "1s"\n')):
        manifest = root / folder / "manifest.toml"
        manifest.write_text(manifest.read_text() + cadence + "[limits]\nmemory_mb = 300\nstep_seconds = 8.0\n")
    broken = root / "broken"
    broken.mkdir()
    (broken / "plugin.py").write_text("raise RuntimeError('not even loaded')\n")
    (broken / "manifest.toml").write_text((root / "watch" / "manifest.toml").read_text().replace("watch", "broken", 1))
    info = site / "partner_gauges-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: partner-gauges\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[servitwin.connectors]\ngauge = partner_gauges.gauge.plugin\n"
        "[servitwin.services]\nwatch = partner_gauges.watch.plugin\nbroken = partner_gauges.broken.plugin\n"
    )


@pytest.fixture(scope="module")
def flag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("flags") / "next-"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, flag: Path) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("partner")
    package(folder / "site", flag)
    (folder / "press.yaml").write_bytes(PRESS)
    (folder / "plant.yaml").write_text(PLANT)
    plant = [x for name in ("press", "plant") for x in ("--plant", str(folder / f"{name}.yaml"))]
    made = Node(folder / "data", arguments=plant)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder / "site"))
        made.start()
    yield made
    assert made.stop() == 0, made.logs()


@pytest.fixture(scope="module")
def api(node: Node) -> Api:
    api = Api.of(node)
    wait_for(node, "the partner's connector speaks", 120, lambda: newest(api) > 0)
    return api


def newest(api: Api) -> int:
    """How many readings history has."""
    return len(api.values("press-1", "temperature"))


def process(api: Api, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(p for p in api.get("/health")["processes"] if p["name"] == name)
    return found


def outcomes(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/twins/press-1/services/watch/outcomes")["items"]
    return [o for o in found if o["results"]]


@pytest.fixture(scope="module")
def watched(node: Node, api: Api) -> Api:
    """With the partner's service at work on press-1."""
    api.put("/twins/press-1/services/watch", {"parameters": {"signal": "temperature", "above": 50.0}})
    wait_for(node, "outcomes of the partner's service", 120, lambda: outcomes(api))
    return api


def test_a_partners_service_runs_on_what_its_connector_reads(watched: Api) -> None:
    api = watched
    wrong = api.http.put("/twins/press-1/services/watch", json={"parameters": {"signal": "temperature"}})
    assert wrong.status_code == 400 and wrong.json()["code"] == "watch:bound-missing", wrong.text
    first = outcomes(api)[0]
    excess = first["results"][0]["excess"]
    assert excess["value"] == 80.0
    assert first["usage"]["excesses"] == len(first["results"])


def test_a_service_that_cannot_be_loaded_stops_nobody_and_is_named(node: Node, api: Api) -> None:
    gone = wait_for(
        node, "the broken service named", 60, lambda: "plugin-service-broken" in api.get("/health")["missing"]
    )
    assert gone
    assert "not even loaded" in (node.data / "logs" / "plugin-service-broken.log").read_text()
    assert {"ingest", "services", "web"}.isdisjoint(api.get("/health")["missing"])


def test_values_of_an_unknown_twin_are_replayed_once_it_is_known(node: Node, api: Api) -> None:
    def waiting() -> list[str]:
        return [e["id"] for e in api.get("/quarantine", code="twin:unknown", twin="press-9")["items"]]

    ids = wait_for(node, "the unknown twin in quarantine", 60, waiting)[-3:]
    api.put("/twins/press-9", {"kind": "machine", "type": "press@1", "owner": "acme", "commissioned": "2020-01-01"})
    assert api.post("/quarantine/replay", {"ids": ids})["replayed"] == len(ids)
    wait_for(node, "its values", 60, lambda: len(api.values("press-9", "temperature")) >= len(ids))
    assert not set(ids) & set(waiting())


@pytest.mark.parametrize(
    ("how", "told"), [("hang", "watchdog"), ("eat", "more memory"), ("raise", "the gauge fell off")]
)  # fmt: skip
def test_a_connector_that_misbehaves_is_told_of_and_comes_back(
    node: Node, api: Api, flag: Path, how: str, told: str
) -> None:  # fmt: skip
    Path(f"{flag}connector").write_text(how)

    def seen() -> bool:
        health = api.get("/health")
        process = next(p for p in health["processes"] if p["name"] == "plugin-gauges")
        condition = next(p for p in health["plugins"] if p["connection"] == "gauges")
        return told in process["last_exit"] or told in condition.get("detail", "")

    wait_for(node, f"health says {told!r}", 90, seen)
    api.post("/twins/press-2/observations", {"values": {"count": 1.0}}, 202)
    before = newest(api)
    wait_for(node, "the connector at work again", 120, lambda: newest(api) > before + 5)


@pytest.mark.parametrize(
    ("how", "told"), [("hang", "no answer"), ("eat", "no answer"), ("raise", "the gauge fell off")]
)  # fmt: skip
def test_a_service_that_misbehaves_is_told_of_and_goes_on_without_a_hole(
    node: Node, watched: Api, flag: Path, how: str, told: str
) -> None:  # fmt: skip
    api = watched
    Path(f"{flag}service").write_text(how)
    began = time.monotonic()
    wait_for(node, f"health says {told!r}", 90, lambda: told in str(api.get("/health")["services"]["failures"]))
    api.post("/twins/press-2/observations", {"values": {"count": 1.0}}, 202)
    before = outcomes(api)[-1]["to"]
    wait_for(node, "later outcomes", 120, lambda: outcomes(api)[-1]["to"] > before)
    every = api.get("/twins/press-1/services/watch/outcomes")["items"]
    assert all(a["to"] == b["from"] for a, b in itertools.pairwise(every)), "a step was left out"
    assert time.monotonic() - began < 300
