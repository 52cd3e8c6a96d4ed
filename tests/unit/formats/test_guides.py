"""The examples in the guides are right: whoever copies them begins with a file that passes."""

import re
from pathlib import Path

from servitwin.formats.machine_type_file import read_machine_type
from servitwin.formats.plant_file import read_plant

GUIDES = Path(__file__).parents[3] / "docs" / "guides"


def example(name):
    (block,) = re.findall(r"^```yaml\n(.*?)^```", (GUIDES / name).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return block


def test_the_machine_type_of_the_guide_passes():
    assert read_machine_type(example("machine-types.md"))[1] == []


def test_the_plant_of_the_guide_passes():
    assert read_plant(example("plant.md"))[1] == []


def test_every_key_of_the_tables_is_known_to_the_schema():
    from servitwin.formats.structure import schema

    text = (GUIDES / "machine-types.md").read_text("utf-8")
    keys = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert keys
    assert set(keys) <= schema("machine-type")["$defs"]["signal"]["properties"].keys()
