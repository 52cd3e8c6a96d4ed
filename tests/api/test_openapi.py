import json
import re
import runpy
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from servitwin.web.api.description import PUBLISHED

ROOT = Path(__file__).resolve().parents[2]
METHODS = ("get", "put", "post", "delete")


@pytest.fixture(scope="module")
def document(node):
    with node.client() as client:
        return client.get("/api/v1/openapi.json").json()


def test_document_is_valid_openapi(document):
    validate(document)


def test_published_document_is_the_one_that_is_served(document):
    published = json.loads(PUBLISHED.read_text("utf-8"))
    fresh = runpy.run_path(str(ROOT / "tools" / "write_openapi"))["document"]()
    assert published == json.loads(json.dumps(fresh)), "run tools/write_openapi and commit what it wrote"
    assert {**published, "info": None} == {**document, "info": None}


def operations(document):
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def test_every_operation_says_what_it_does_and_how_it_fails(document):
    for path, method, operation in operations(document):
        name = f"{method} {path}"
        assert len(operation.get("description", "")) > 10, name
        assert operation["operationId"].isidentifier(), name
        if path.startswith("/api/v1"):
            for code in ("401", "403", "404", "422", "503"):
                told = operation["responses"][code]
                if "$ref" in told:
                    told = document["components"]["responses"][told["$ref"].removeprefix("#/components/responses/")]
                shape = told["content"]["application/json"]["schema"]
                assert shape == {"$ref": "#/components/schemas/ErrorShape"}, f"{name} {code}"


def test_operation_ids_are_unique(document):
    ids = [o["operationId"] for _, _, o in operations(document)]
    assert len(ids) == len(set(ids))


_PLACES = {"id": "mill-1", "signal": "power", "reference": "x@1", "size": "1", "index": "0"}


def test_every_documented_path_answers_somebody_without_rights_with_a_fault(node, document):
    """Nothing answers data to nobody, and no documented path is missing."""
    with node.client() as client:
        for path, method, _ in operations(document):
            if path.startswith("/health") or (path, method) == ("/api/v1/session", "post"):
                continue
            concrete = re.sub(r"\{(\w+)\}", lambda m: _PLACES.get(m[1], "x"), path)
            answer = client.request(method, concrete, json={} if method in ("post", "put") else None)
            assert answer.status_code == 401, f"{method} {concrete}: {answer.status_code} {answer.text}"
            assert answer.json()["code"] == "session:required"


def test_no_shape_lacks_an_explanation(document):
    for name, schema in document["components"]["schemas"].items():
        if name.startswith(("Page_", "HTTP", "Validation", "Body_")):
            continue
        assert schema.get("description"), name


def test_no_whole_number_that_is_asked_for_is_without_an_end(document):
    """One of sixty digits is the caller's mistake, not a fault of the database that cannot hold it."""
    for path, method, operation in operations(document):
        for parameter in operation.get("parameters", []):
            shapes = [parameter["schema"], *parameter["schema"].get("anyOf", [])]
            for shape in (s for s in shapes if s.get("type") == "integer"):
                assert "maximum" in shape, f"{method} {path}: {parameter['name']}"
