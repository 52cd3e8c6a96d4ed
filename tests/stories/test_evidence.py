"""What was bound and co-signed stays: with all of the manufacturer's keys, a rewritten month is refused and named."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from servitwin.domain.canonical_json import canonical
from servitwin.domain.instant import DAY
from servitwin.engines.files.evidence_log import EvidenceLog, EvidenceReader
from servitwin.engines.files.log_heads import LogHeads
from servitwin.engines.files.party_keys import PartyKeyFolder
from servitwin.engines.history.bound import CommittedRows
from servitwin.engines.history.schema import write_file
from servitwin.proof.log.catalogue import ROW, describe, segment_of
from servitwin.proof.log.head import sign_head
from servitwin.proof.log.statement import exact_instant, glance, sign_statement, statement_bytes
from servitwin.usecases.bind_observations import body_of, plain_body
from tests.conftest import Node
from tests.stories.waiting import Api, plant, wait_for

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("nodes")]


def run(*arguments: str, token: str = "", code: int = 0) -> str:
    """A command line, and what it printed; fails unless it ends with that code."""
    done = subprocess.run(
        [sys.executable, "-m", "servitwin.bootstrap", *arguments], capture_output=True, text=True, timeout=200,
        env={**os.environ, "SERVITWIN_TOKEN": token},
    )  # fmt: skip
    assert done.returncode == code, f"{done.returncode}: {done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def send(api: Api, twin: str, start: int, values: list[float]) -> None:
    """Observations a minute apart, and wait until all are bound."""
    lines = "\n".join(
        json.dumps({"time": start + i * 60 * 10**9, "values": {"temperature": v, "mode": "run", "door": True}})
        for i, v in enumerate(values)
    )
    headers = {"Content-Type": "application/x-ndjson"}
    cut = api.ask("POST", f"/twins/{twin}/observations", 202, content=lines, headers=headers)["cut"]["1"]
    wait_for(api.node, "committed", 30, lambda: api.get("/cut")["committed"].get("1", -1) >= cut)
    # Binding gives way to everything else: with other nodes on the same two cores it may wait for a minute or more.
    wait_for(api.node, "bound", 90, lambda: api.get("/log/segments", shard=1, first=cut)["items"])


def forge(data: Path, value: float, instead: float) -> None:
    """With every key of the node: change an observation, and make the whole log anew as if it had always been so."""
    changed = 0
    for path in (data / "history" / "observations").rglob("*.parquet"):
        if "_delta_log" in path.parts:
            continue
        table = pq.read_table(path, partitioning=None)
        mask = pc.fill_null(pc.equal(table["number"], value), False)
        if pc.any(mask).as_py():
            numbers = pc.if_else(mask, pa.scalar(instead), table["number"])
            table = table.set_column(table.column_names.index("number"), "number", numbers)
            write_file(path.parent, path.name, table)
            changed += 1
    assert changed == 1
    keys, rows = PartyKeyFolder(data / "secrets" / "party-keys"), CommittedRows(data / "history")
    old, fresh = EvidenceReader(data / "evidence", ROW), EvidenceLog(data / "forged", ROW, describe)
    for raw in old.entries(0, len(old)):
        entry = glance(raw)
        said = entry.statement
        if said.kind == "segment":
            bound = segment_of(entry)
            found = rows.rows(bound.shard, bound.first, bound.last)
            body = plain_body(body_of(bound.shard, bound.first, bound.last, found, said.made_at))
            content = statement_bytes("segment", said.by, said.subject, said.made_at, body)
            fresh.append([sign_statement(content, said.by, keys.sign)])
        else:
            fresh.append([raw])
    head = sign_head(glance(old.entry(0)).key, len(fresh), fresh.root(), time.time_ns(), "acme", keys.sign)
    fresh.close()
    LogHeads(data / "forged").save_head(canonical(head))
    shutil.rmtree(data / "evidence")
    (data / "forged").rename(data / "evidence")


def test_a_rewritten_month_is_refused_and_the_segment_named(node_factory: Callable[..., Node], tmp_path: Path) -> None:
    node = node_factory()
    api = plant(node)
    month_ago = time.time_ns() - 30 * DAY
    send(api, "press-2", month_ago, [40.0, 41.5, 97.25, 42.0])
    send(api, "press-1", time.time_ns() - DAY, [20.0] * 50)
    token = api.token("other", "viewer")["token"]
    watch = ("log", "witness", "--data", str(tmp_path / "other"), "--party", "other", "--to", node.web)
    assert "co-signed" in run(*watch, token=token)
    wait_for(node, "the co-signature is shown", 10, lambda: api.get("/log")["cosignatures"])
    assert api.get("/log")["cosignatures"][0]["cosignature"]["party"] == "other"
    run("log", "check", "--to", node.web, "--witness", str(tmp_path / "other"), token=token)
    # What others may not read is shown by its hash; what is theirs can be shown without its neighbours.
    other = Api.of(node, token)
    first = api.get("/log/segments", shard=1)["items"][0]
    shown = other.get(f"/log/segments/{first['index']}/rows")
    assert [t["twin"] for t in shown["shown"]] == [api.get("/twins/press-2")["uid"]]
    assert node.stop() == 0, node.logs()
    run("log", "check", "--data", str(node.data), "--witness", str(tmp_path / "other"))

    forge(node.data, 97.25, 60.0)
    # In itself the forged log is perfect: who asks the manufacturer alone cannot see anything.
    assert "all is as it was bound" in run("log", "check", "--data", str(node.data))
    found = json.loads(
        run("log", "check", "--data", str(node.data), "--witness", str(tmp_path / "other"), "--json", code=1)
    )
    assert {d["what"] for d in found["differences"]} == {"rewritten", "differs"}
    for d in found["differences"]:
        assert (d["shard"], d["index"]) == (1, first["index"])
        assert d["from"] == exact_instant(month_ago)
    assert "REFUSED" in run("log", "check", "--data", str(node.data), "--witness", str(tmp_path / "other"), code=1)

    again = node_factory(data=node.data)
    said = run("log", "witness", *watch[2:-1], again.web, token=token, code=1)
    assert "log:forked" in said
    assert len(LogHeads(tmp_path / "other").lines("forks")) == 1
    refused = run("log", "check", "--to", again.web, "--witness", str(tmp_path / "other"), token=token, code=1)
    assert f"entry {first['index']}" in refused


@pytest.mark.long
def test_a_second_node_co_signs_and_keys_change(
    node_factory: Callable[..., Node], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = node_factory()
    api = plant(node)
    send(api, "press-2", time.time_ns() - DAY, [1.0, 2.0, 3.0])
    monkeypatch.setenv("SERVITWIN_WITNESS_TOKEN", api.token("other", "viewer")["token"])
    customer = node_factory("--witness", node.web, "--witness-party", "other")
    wait_for(customer, "co-signed", 60, lambda: api.get("/log")["cosignatures"])

    first = api.get("/parties/acme/keys")
    run("keys", "rotate", "acme", "--data", str(node.data))
    second = api.get("/parties/acme/keys")
    assert [k["id"] for k in second[:-1]] == [k["id"] for k in first]
    send(api, "press-2", time.time_ns() - DAY // 2, [4.0, 5.0])
    run("keys", "revoke", "acme", second[-1]["id"], "--reason", "a laptop was stolen", "--data", str(node.data))
    third = api.get("/parties/acme/keys")
    assert len(third) == len(second) + 1
    assert next(k for k in third if k["id"] == second[-1]["id"])["revoked"]
    document = httpx.get(f"{node.web}/parties/acme/did.json").json()
    assert document["id"] == "did:web:" + node.web.removeprefix("http://").replace(":", "%3A") + ":parties:acme"
    assert len(document["assertionMethod"]) == len(third) - 1
    assert all(m["publicKeyMultibase"].startswith("z6Mk") for m in document["verificationMethod"])
    send(api, "press-2", time.time_ns() - DAY // 3, [6.0])
    size = api.get("/log")["head"]["head"]["size"]
    wait_for(
        customer, "co-signed with the new keys", 90,
        lambda: api.get("/log")["cosignatures"][0]["head"]["head"]["size"] >= size,
    )  # fmt: skip
    assert node.stop() == 0, node.logs()
    said = json.loads(run("log", "check", "--data", str(node.data), "--json"))
    assert said["differences"] == []
    assert said["rows"] == 18


@pytest.mark.long
def test_rows_are_bound_within_ten_seconds(node: Node) -> None:
    api = plant(node)
    wait_for(node, "the log is kept", 90, lambda: api.get("/log")["head"])
    for i in range(5):
        began = time.monotonic()
        send(api, "press-1", time.time_ns() - DAY + i, [float(i)])
        assert time.monotonic() - began < 10, "rows must be bound within ten seconds after they are durable"


def test_rights(node: Node) -> None:
    api = plant(node)
    send(api, "press-1", time.time_ns() - DAY, [1.0])
    viewer = Api.of(node, api.token("other", "viewer")["token"])
    viewer.ask("POST", "/parties/acme/keys/rotate", 403)
    viewer.ask("GET", "/log/entries", 200, params={"from": 0, "limit": 10})
    viewer.ask("GET", "/log/proof", 404, params={"index": 10**9})
    viewer.ask("GET", "/log/proof", 422, params={"index": -1})
    viewer.ask("GET", "/log/consistency", 400, params={"from": 5, "to": 10**9})
    head = api.get("/log")["head"]
    stolen = {"party": "acme", "key": head["key"], "signature": head["signature"], "seen": head["head"]["made"]}
    body: dict[str, Any] = {"head": head, "cosignature": stolen}
    viewer.ask("POST", f"/log/heads/{head['head']['size']}/cosignatures", 403, json=body)
    body["cosignature"] = {**stolen, "party": "other"}
    viewer.ask("POST", f"/log/heads/{head['head']['size']}/cosignatures", 400, json=body)
    assert httpx.get(node.web + "/api/v1/log").status_code == 401
    assert httpx.get(node.web + "/parties/nobody/did.json").status_code == 404
    # Proofs as given hold.
    proof = api.get("/log/proof", index=0)
    assert proof["root"] == head["head"]["root"] or proof["size"] > head["head"]["size"]
    assert msgspec.json.decode(api.get("/log/entries")["items"][0]["entry"])["content"]["kind"] == "key"
