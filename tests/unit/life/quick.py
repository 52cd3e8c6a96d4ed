"""A small model of the lives of ``wear``, learnt once for all tests that need one."""

from __future__ import annotations

from functools import cache
from typing import Any
from unittest import mock

from servitwin.domain.remaining_life.model import LifeBook, LifeModel, read_book
from servitwin.services.maintenance.remaining_life_training import grow, plugin
from tests.unit.life.wear import lives

_QUICK = {"TREES": 40, "LEAVES": 8, "HIDDEN": (16,), "NETWORKS": 1}


def trained(dataset: dict[str, Any], seed: int = 1) -> bytes:
    """The artefact of a quick training."""
    with mock.patch.multiple(grow, **_QUICK):
        return plugin.fit(dataset, seed)


@cache
def book() -> LifeBook:
    return read_book(trained(lives(60, preventive_cost=1.0, failure_cost=5.0)))


def model() -> LifeModel:
    return book().models["press/bearing"]
