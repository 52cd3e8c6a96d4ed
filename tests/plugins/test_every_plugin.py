"""Every connector and service passes the shared checks; a plugin is found by its entry point alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from servitwin.sdk.checks import (
    CONNECTOR_CHECKS,
    EVALUATOR_CHECKS,
    FOLDER_CHECKS,
    PLANNER_CHECKS,
    TRAINER_CHECKS,
    ConnectorCase,
    EvaluatorCase,
    PlannerCase,
    TrainerCase,
    read_cases,
)
from servitwin.sdk.connector import ConnectorPlugin
from servitwin.sdk.discovery import Plugin, plugins
from servitwin.sdk.service import EvaluatorPlugin, PlannerPlugin, TrainerPlugin

ALL = [*plugins("connector"), *plugins("service")]


def case_checks() -> list[Any]:
    """Each recorded case of each plugin with each check of its kind."""
    wanted: list[Any] = []
    for plugin in ALL:
        kind = plugin.manifest.kind
        if kind == "connector":
            pairs: list[tuple[dict[str, Any], tuple[Callable[..., None], ...]]] = [
                (dict(read_cases(plugin.folder, ConnectorCase)), CONNECTOR_CHECKS)
            ]
        elif kind == "evaluator":
            pairs = [(dict(read_cases(plugin.folder, EvaluatorCase)), EVALUATOR_CHECKS)]
        elif kind == "planner":
            pairs = [(dict(read_cases(plugin.folder, PlannerCase)), PLANNER_CHECKS)]
        else:
            pairs = [(dict(read_cases(plugin.folder, TrainerCase)), TRAINER_CHECKS)]
        for cases, checks in pairs:
            for name, case in cases.items():
                wanted += [
                    pytest.param(plugin, case, check, id=f"{plugin.name}-{name}-{check.__name__}") for check in checks
                ]
    return wanted


@pytest.mark.parametrize("check", FOLDER_CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("plugin", ALL, ids=lambda p: p.name)
def test_folder(plugin: Plugin, check: Callable[[Path], None]) -> None:
    check(plugin.folder)


@pytest.mark.parametrize(("plugin", "case", "check"), case_checks())
def test_case(plugin: Plugin, case: Any, check: Callable[[Any, Any], None]) -> None:
    check(plugin.load(), case)


@pytest.mark.parametrize("plugin", ALL, ids=lambda p: p.name)
def test_module_has_the_functions_of_its_kind(plugin: Plugin) -> None:
    kind = plugin.manifest.kind
    protocol = {
        "connector": ConnectorPlugin, "evaluator": EvaluatorPlugin, "planner": PlannerPlugin, "trainer": TrainerPlugin,
    }[kind]  # fmt: skip
    module: object = plugin.load()
    assert isinstance(module, protocol), f"{plugin.name} lacks a function of {protocol.__name__}"
