"""What tools/new_plugin makes passes every shared check as it is."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
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

ROOT = Path(__file__).resolve().parents[2]


def load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


scaffold_plugin: Any = load(ROOT / "tools" / "scaffold_plugin.py", "scaffold_plugin")


@pytest.mark.parametrize(
    ("kind", "case_type", "checks"),
    [
        ("connector", ConnectorCase, CONNECTOR_CHECKS),
        ("evaluator", EvaluatorCase, EVALUATOR_CHECKS),
        ("planner", PlannerCase, PLANNER_CHECKS),
        ("trainer", TrainerCase, TRAINER_CHECKS),
    ],
)
def test_a_new_plugin_passes_the_shared_checks(tmp_path: Path, kind: str, case_type: Any, checks: Any) -> None:
    folder = tmp_path / "probe"
    scaffold_plugin.scaffold(kind, "probe", folder)
    for check in FOLDER_CHECKS:
        check(folder)
    plugin = load(folder / "plugin.py", f"probe_{kind}")
    cases = read_cases(folder, case_type)
    assert cases
    for case in cases.values():
        for check in checks:
            check(plugin, case)


def test_a_wrong_name_and_an_existing_folder_are_refused(tmp_path: Path) -> None:
    assert scaffold_plugin.main(["connector", "Bad-Name", "--into", str(tmp_path)]) == 2
    (tmp_path / "probe").mkdir()
    assert scaffold_plugin.main(["connector", "probe", "--into", str(tmp_path)]) == 2


def test_registration_is_one_line(tmp_path: Path) -> None:
    pyproject = tmp_path / "pyproject.toml"
    before = (ROOT / "pyproject.toml").read_text("utf-8")
    pyproject.write_text(before, "utf-8")
    scaffold_plugin.register("service", "probe", "servitwin.services.operation.probe.plugin", pyproject)
    added = set(pyproject.read_text("utf-8").splitlines()) - set(before.splitlines())
    assert added == {'probe = "servitwin.services.operation.probe.plugin"'}
