"""The JSON Schemas that editors use and the reader agree: what one refuses for its structure the other does too."""

import copy
import json
from functools import cache
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.connectors.mqtt import plugin as mqtt
from servitwin.formats.contract_file import read_contract
from servitwin.formats.controller_file import read_controller
from servitwin.formats.machine_type_file import read_machine_type
from servitwin.formats.plant_file import read_plant
from servitwin.formats.structure import CHECKS, Structure, schema
from servitwin.formats.yaml_node import read_yaml

HERE = Path(__file__).parent
CONTROLLER = HERE.parents[2] / "examples" / "controllers" / "mill-door.yaml"
CONTRACT = HERE.parents[2] / "examples" / "demo" / "contracts" / "crane-98.yaml"
EXAMPLES = {
    "machine-type": HERE / "mill-500.yaml",
    "plant": HERE / "plant.yaml",
    "contract": CONTRACT,
    "controller": CONTROLLER,
}
READERS = {
    "machine-type": read_machine_type,
    "plant": read_plant,
    "contract": read_contract,
    "controller": read_controller,
}
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.floats(-5, 5), st.sampled_from(["", "x", "5s", "kW", "on-change"]),
    st.just([]), st.just({}), st.just([1, 2]), st.just({"x": 1}), st.just({"equals": 1}), st.just(["a"]),
)  # fmt: skip


@cache
def example(name):
    root, faults = read_yaml(EXAMPLES[name].read_text("utf-8"))
    assert faults == []
    return root.plain()


def rules(node):
    """Every rule of a schema."""
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from rules(child)
    elif isinstance(node, list):
        for child in node:
            yield from rules(child)


@pytest.mark.parametrize("name", EXAMPLES)
def test_schemas_are_schemas_and_accept_the_examples(name):
    jsonschema.Draft202012Validator.check_schema(schema(name))
    jsonschema.Draft202012Validator(schema(name)).validate(example(name))


@pytest.mark.parametrize(
    ("mapping", "right"),
    [
        ({"topic": "shop/+/t", "twin": "{1}", "time_unit": "ms", "signals": {"T": "temperature"}}, True),
        ({"topic": "shop/+/t"}, False),
        ({"topic": "shop/+/t", "twin": "{1}", "time_unit": "min"}, False),
        ({"topic": "shop/+/t", "twin": "{1}", "valuez": "v"}, False),
    ],
)
def test_schema_and_connector_agree_on_mappings(mapping, right):
    config = {"mappings": [mapping]}
    document = {"plant": "shop", "connections": {"presses": {"connector": "mqtt", "config": config}}}
    assert jsonschema.Draft202012Validator(schema("plant")).is_valid(document) is right
    assert (not mqtt.check(config)) is right


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_reader_knows_every_keyword_that_a_schema_uses(name):
    known = {
        "$schema", "$id", "$defs", "$ref", "title", "description", "type", "properties", "additionalProperties",
        "required", "propertyNames", "minProperties", "maxProperties", "enum", "pattern", "minimum", "maximum",
        "exclusiveMinimum",
        "items", "minItems", "maxItems", "minLength", "maxLength", "anyOf", "x-check", "x-hint", "x-refused",
        "allOf",  # for editors: what a connector's own check says of its configuration
    }  # fmt: skip
    whole = schema(name)
    places = [whole, *whole["$defs"].values()]
    found = set()
    while places:
        rule = places.pop()
        found |= rule.keys()
        places += rule.get("properties", {}).values()
        places += [rule[k] for k in ("additionalProperties", "items", "propertyNames") if isinstance(rule.get(k), dict)]
        places += rule.get("anyOf", [])
    assert found <= known
    used = {rule["x-check"] for rule in rules(whole) if isinstance(rule.get("x-check"), str)}
    assert used <= CHECKS.keys()


def paths(value, path=()):
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from paths(child, (*path, key))


def changed(name, path, action, odd):
    document = copy.deepcopy(example(name))
    if not path:
        return document
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    if action == "remove":
        del holder[path[-1]]
    elif action == "add" and isinstance(holder, dict):
        holder["unheard_of"] = odd
    else:
        holder[path[-1]] = odd
    return document


@pytest.mark.parametrize("name", EXAMPLES)
@settings(max_examples=40, deadline=None)
@given(data=st.data(), action=st.sampled_from(["remove", "add", "replace"]), odd=ODD)
def test_reader_and_schema_refuse_the_same_structures(name, data, action, odd):
    path = data.draw(st.sampled_from(list(paths(example(name)))))
    document = changed(name, path, action, odd)
    text = json.dumps(document)
    structure = Structure(read_yaml(text)[0], name)
    structure.clean()
    beyond_schema = {"duration:not-understood", "unit:unknown", "file:outside-folder", "date:not-understood",
                     "time:not-rfc3339", "time:out-of-range"}  # fmt: skip
    own = [f for f in structure.faults if f.code not in beyond_schema]
    theirs = list(jsonschema.Draft202012Validator(schema(name)).iter_errors(document))
    assert bool(own) == bool(theirs), ([str(f) for f in own], [e.message for e in theirs])
    read, faults = READERS[name](text)
    assert (read is None) == bool(faults)
    assert not structure.faults or faults
