"""Every address that changes something, tried by a company that owns nothing there: what is there is as what is not."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.conftest import Node
from tests.stories.test_strangers import FORGE, LAMP, MARK, SECRETS, contract
from tests.stories.waiting import API, Api, plant

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("nodes")]
NONE = "no-such-thing"
ROLES = (
    "administrator", "engineer", "analyst", "operator", "production_manager", "maintenance", "technician",
    "service_manager", "procurement",
)  # fmt: skip


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Api, dict[str, str]]]:
    """A node on which acme has one of much, and by what name each parameter of a path and field of a body finds it."""
    with Node(tmp_path_factory.mktemp("strangers")).running() as node:
        api = plant(node)
        yaml = {"Content-Type": "application/yaml"}
        api.ask("POST", "/machine-types", content=FORGE, headers=yaml)
        api.put("/twins/forge-1", {"kind": "machine", "type": "acme-forge@1", "owner": "acme", "title": MARK})
        api.ask("POST", "/controllers", 201, content=LAMP, headers=yaml, params={"machine_type": "acme-forge"})
        contract(api)
        work = {"from": "2026-09-01T00:00:00Z", "cause": "maintenance", "text": MARK}
        order = api.ask("POST", "/twins/forge-1/work-orders", 201, json={"kind": "planned", **work})
        job = api.post("/services/schedule/jobs", {"problem": {MARK: MARK}, "about": MARK}, 202)
        api.put("/registers/crews/acme-crew?party=acme", {"body": {"skills": [MARK]}})
        release = {"machine_type": "acme-forge", "version": "9", "artefact": "sha256:" + "1" * 64, "title": MARK}
        api.http.post("/releases", json=release)
        known = {
            "twins": "forge-1", "lines": "forge-1", "contracts": "acme-98", "controllers": "acme-lamp@1",
            "jobs": job["id"], "plans": job["id"], "schedules": job["id"], "job": job["id"],
            "work-orders": order["id"], "order": order["id"], "registers": "crews", "{kind}": "acme-crew",
            "parties": "acme", "releases": "acme-forge-9", "commands": "warm-up", "requirements": "stays-cool",
            "settlements": "2026-09", "party": "acme", "house": "acme", "contract": "acme-98",
            "machine": "forge-1", "twin": "forge-1", "place": "forge-1", "machine_type": "acme-forge",
        }  # fmt: skip
        yield node, Api.of(node, api.token("other", *ROLES)["token"]), known


def body_of(schema: dict[str, Any], shapes: dict[str, Any], known: dict[str, str], name: str = "") -> Any:
    """The least body of a shape, with what is known by the name of its field."""
    if "$ref" in schema:
        return body_of(shapes[schema["$ref"].rpartition("/")[2]], shapes, known, name)
    if name in known and schema.get("type", "string") == "string":
        return known[name]
    for one_of in ("anyOf", "oneOf"):
        if one_of in schema:
            return body_of(schema[one_of][0], shapes, known, name)
    if "enum" in schema or "examples" in schema:
        return (schema.get("enum") or schema["examples"])[0]
    match schema.get("type"):
        case "object":
            wanted = {n for n in schema.get("properties", {}) if n in known} | set(schema.get("required", ()))
            return {n: body_of(schema["properties"][n], shapes, known, n) for n in sorted(wanted)}
        case "array":
            return [body_of(schema.get("items", {}), shapes, known, name)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case _:
            return "2026-09-01T00:00:00Z" if name in ("from", "start", "time", "until") else "x"


def calls(document: dict[str, Any], known: dict[str, str]) -> Iterator[tuple[str, str, dict[str, str], Any]]:
    """Method, path, query and body of each address that changes something, for what is there."""
    shapes = document["components"]["schemas"]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method not in ("post", "put", "delete") or path == f"{API}/session":
                continue
            parts = path.split("/")
            for n, part in enumerate(parts):
                if part.startswith("{"):
                    parts[n] = quote(known.get(parts[n - 1]) or known.get(path.split("/")[n - 1]) or "x", safe="")
            parameters = operation.get("parameters", [])
            query = {p["name"]: known[p["name"]] for p in parameters if p["in"] == "query" and p["name"] in known}
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            yield method, "/".join(parts), query, None if content is None else body_of(content["schema"], shapes, known)


def told(client: httpx.Client, call: tuple[str, str, dict[str, str], Any], names: set[str]) -> tuple[int, str]:
    """Status and text of an answer, without the names that were asked for."""
    method, path, query, body = call
    answer = client.request(method, path.removeprefix(API), params=query, json=body)
    text = answer.text
    for name in sorted({*names, NONE}, key=len, reverse=True):
        text = text.replace(name, "*")
    return answer.status_code, text


def test_no_address_that_changes_something_tells_a_stranger_what_is_there(
    there: tuple[Node, Api, dict[str, str]],
) -> None:
    node, stranger, known = there
    document = httpx.get(node.web + API + "/openapi.json", timeout=60).json()
    nothing = {n: v if n == "registers" else NONE for n, v in known.items()}
    names, tried, refused = set(known.values()) - {"crews"}, 0, 0
    for real, unreal in itertools.zip_longest(calls(document, known), calls(document, nothing)):
        found, other = (told(stranger.http, call, names) for call in (real, unreal))
        assert found[0] < 500, (real, found)
        if real != unreal:
            assert found == other, f"{real[:2]} tells what is there"
            tried += 1
        refused += found[0] in (403, 404)
        shown = [s for s in SECRETS if s in found[1].replace("*", "")]
        assert not shown, f"{real[:2]} shows {shown}: {found[1][:300]}"
    assert tried > 40 and refused > 40, (tried, refused)
