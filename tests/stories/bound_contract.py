"""A node with a contract that binds, for tests that attack it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import Node
from tests.stories.test_guarantee import CONTRACT, PLANT, SAID, march, say, write
from tests.stories.waiting import Api, wait_for

YAML = {"Content-Type": "application/yaml"}
Sides = tuple[Node, Api, Api]  # the node, the maker and the customer


@contextmanager
def bound(folder: Path, plant_file: str = PLANT, unavailable_s: int = 75_600) -> Iterator[Sides]:
    """A contract that both signed, with a quarter of its crane's data; stopped in order at the end."""
    arguments = write(folder)
    (folder / "plant.yaml").write_text(plant_file)
    with Node(folder / "node", arguments=arguments).running() as node:
        api = Api.of(node)
        maker = Api.of(node, api.token("maker", "service_manager")["token"])
        plant = Api.of(node, api.token("plant", "procurement")["token"])
        say(api, SAID)
        maker.ask("POST", "/contracts", 201, content=CONTRACT, headers=YAML)
        for side in (maker, plant):
            side.post("/contracts/crane-98/signatures", {})

        def counted() -> bool:
            return bool(march(maker)["machines"][0]["seconds"]["unavailable"] == str(unavailable_s))

        wait_for(node, "the crane's stops", 20, counted)
        yield node, maker, plant


def settle(maker: Api) -> dict[str, str]:
    """March settled; again it is the same settlement."""
    settled: dict[str, str] = maker.post("/contracts/crane-98/settlements/2026-03", {})
    return settled
