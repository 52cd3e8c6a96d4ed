from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from servitwin.connectors.simulator.plant import MachineConfig, SimulatorConfig

DEMO = Path(__file__).parents[3] / "examples" / "demo"


def demo_connections() -> dict[str, Any]:
    return dict(YAML(typ="safe").load((DEMO / "plant.yaml").read_text("utf-8"))["connections"])


@pytest.fixture(scope="session")
def hall() -> list[MachineConfig]:
    """All machines of the demo plant, as its first connection names them."""
    import msgspec

    config = msgspec.convert(demo_connections()["demo-crane"]["config"], SimulatorConfig)
    return [*config.machines, *config.neighbours]
