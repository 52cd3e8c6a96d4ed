"""Finding plugins: by entry point, ours and a partner's alike."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from servitwin.domain.error import Fault, InvalidInputError, NotFoundError, ServitwinError
from servitwin.sdk.manifest import Manifest, read_manifest
from servitwin.sdk.service import EvaluatorPlugin, PlannerPlugin, TrainerPlugin

log = logging.getLogger("servitwin.plugins")
GROUPS = {"connector": "servitwin.connectors", "service": "servitwin.services"}


class Plugin:
    """An installed plugin; its code is imported only by :meth:`load`."""

    def __init__(self, entry: EntryPoint) -> None:
        self.name = entry.name
        self._entry = entry

    def load(self) -> ModuleType:
        """The plugin's module."""
        module = self._entry.load()
        assert isinstance(module, ModuleType), f"{self._entry.value} is not a module"
        return module

    def evaluator(self) -> EvaluatorPlugin:
        """The module as an evaluator.

        Raises:
            InvalidInputError: ``plugin:incomplete`` if it lacks a function of one.
        """
        module: object = self.load()
        if not isinstance(module, EvaluatorPlugin):
            raise self._incomplete("check() and open()")
        return module

    def planner(self) -> PlannerPlugin:
        """The module as a planner; raises as :meth:`evaluator`."""
        module: object = self.load()
        if not isinstance(module, PlannerPlugin):
            raise self._incomplete("check() and solve()")
        return module

    def trainer(self) -> TrainerPlugin:
        """The module as a trainer; raises as :meth:`evaluator`."""
        module: object = self.load()
        if not isinstance(module, TrainerPlugin):
            raise self._incomplete("check(), fit() and describe()")
        return module

    def _incomplete(self, wanted: str) -> InvalidInputError:
        hint = "Run the shared checks on it"
        return InvalidInputError(Fault("plugin:incomplete", f"{self.name} has no {wanted}", hint))

    @property
    def built_in(self) -> bool:
        """Whether it ships with servitwin; any other runs in a process of its own."""
        return self._entry.dist is not None and self._entry.dist.name == "servitwin"

    @property
    def folder(self) -> Path:
        """The folder of the plugin's module, with manifest and fixtures, found without running any of its code.

        Raises:
            NotFoundError: ``plugin:missing`` if the registered module is not there.
        """
        first, *rest = self._entry.module.split(".")
        spec = importlib.util.find_spec(first)
        if spec is not None and not rest and spec.origin is not None:
            return Path(spec.origin).parent
        for place in (spec.submodule_search_locations or ()) if spec is not None and rest else ():
            module = Path(place, *rest)
            if module.with_name(f"{module.name}.py").is_file():
                return module.parent
            if (module / "__init__.py").is_file():
                return module
        fault = Fault("plugin:missing", f"{self._entry.value} is not there", "Install its package again", self.name)
        raise NotFoundError(fault)

    @property
    def manifest(self) -> Manifest:
        """What the plugin says about itself."""
        return read_manifest(self.folder)


def plugins(kind: str) -> list[Plugin]:
    """All installed plugins of a kind (``connector`` or ``service``), by name."""
    return [Plugin(e) for e in sorted(entry_points(group=GROUPS[kind]), key=lambda e: e.name)]


@cache
def manifests(kind: str) -> Mapping[str, Manifest]:
    """Manifests of all installed plugins of a kind, by name; one that cannot be read is left out and logged.

    They are read once: what is installed later is seen at the next start.
    """
    found = {}
    for p in plugins(kind):
        try:
            found[p.name] = p.manifest
        except ServitwinError as e:
            log.error("%s %s is left out: %s", kind, p.name, e)
    return found


def plugin(kind: str, name: str) -> Plugin:
    """The installed plugin of that name.

    Raises:
        NotFoundError: ``plugin:unknown`` with the names there are.
    """
    found = plugins(kind)
    for p in found:
        if p.name == name:
            return p
    raise NotFoundError(
        Fault(
            "plugin:unknown",
            f"No {kind} named {name!r} is installed",
            "Installed: " + (", ".join(p.name for p in found) or "none"),
            name,
        )
    )
