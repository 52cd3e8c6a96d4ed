"""A node whose tree heads an authority stamps, and the customer who trusts that authority alone."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import Node
from tests.stories.test_evidence import run
from tests.stories.waiting import Api, plant, wait_for
from tests.timestamp_authority import Authority, Served

pytestmark = [pytest.mark.long, pytest.mark.timeout(300), pytest.mark.xdist_group("nodes")]


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[tuple[Authority, Served]]:
    made = Authority(tmp_path / "authority")
    with Served(made) as served:
        yield made, served


def proof(node: Node, api: Api) -> bytes:
    """The proof file of a press that was too hot."""
    rule = {"text": "Not too hot.", "formula": "temperature < 100 Cel"}
    api.put("/twins/press-1/requirements/cool", rule)
    wait_for(node, "the requirement watched", 60, lambda: api.get("/twins/press-1/requirements")["items"])
    for n, heat in enumerate((50, 150, 150, 50)):
        time = f"{datetime.now(UTC):%FT%T.%fZ}"
        body = {"values": {"temperature": heat}, "time": time, "session": "hot", "seq": n}
        api.post("/twins/press-1/observations", body, 202)
    case = wait_for(node, "a case", 60, lambda: api.get("/cases", twin="press-1")["items"])[0]

    def made() -> bytes:
        answer = api.http.get(f"/cases/{case['id']}/proof")
        return answer.content if answer.status_code == 200 else b""

    found: bytes = wait_for(node, "the proof file", 120, made)
    return found


def test_heads_are_stamped_and_a_customer_judges_them_by_the_root_that_he_trusts(
    tmp_path: Path, authority: tuple[Authority, Served]
) -> None:
    made, served = authority
    arguments = ["--timestamp-authority", served.url, "--timestamp-every", "1"]
    with Node(tmp_path / "data", arguments=arguments).running() as node:
        api = plant(node)
        wait_for(node, "a time stamp", 60, lambda: api.get("/log/timestamps")["sizes"])
        roots = made.folder / "root.pem"
        customer = api.token("other", "viewer")["token"]
        where = ["--to", node.web]
        said = run("log", "verify-timestamp", "--roots", str(roots), "--save", str(tmp_path / "a.tsr"), *where,
                   token=customer)  # fmt: skip
        assert "signed under a root that you trust" in said
        assert served.url in run("log", "timestamps", *where, token=customer)
        stranger = Authority(tmp_path / "stranger").folder / "root.pem"
        refused = run("log", "verify-timestamp", "--roots", str(stranger), *where, token=customer, code=2)
        assert "timestamp:not-verified" in refused
        size = api.get("/log/timestamps")["sizes"][0]
        file = tmp_path / "a.proof"
        file.write_bytes(proof(node, api))
        said = run("verify", str(file), "--timestamp-roots", str(roots))
        assert f"{served.url} says so (RFC 3161), under a root that you trust" in said
        assert "timestamp:not-verified" in run("verify", str(file), "--timestamp-roots", str(stranger), code=1)
        api.ask("GET", f"/log/timestamps/{size + 10**6}", 404)
    reply = subprocess.run(
        ["openssl", "ts", "-reply", "-in", str(tmp_path / "a.tsr"), "-text"], capture_output=True, text=True, check=True
    )
    assert "Status: Granted." in reply.stdout


def test_an_authority_that_is_not_there_stops_nothing(tmp_path: Path) -> None:
    arguments = ["--timestamp-authority", "http://127.0.0.1:9/tsr", "--timestamp-every", "1"]
    with Node(tmp_path / "data", arguments=arguments).running() as node:
        api = plant(node)
        wait_for(node, "the log", 60, lambda: api.http.get("/log").status_code == 200)
        wait_for(node, "a word about it", 30, lambda: "timestamp:unreachable" in node.logs())
        assert api.get("/log/timestamps")["sizes"] == []
    run("serve", "--data", str(tmp_path / "other"), "--timestamp-authority", "ftp://tsa", code=2)
