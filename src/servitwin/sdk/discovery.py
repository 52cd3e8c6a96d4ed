"""Finding plugins: by entry point, ours and a partner's alike."""

from __future__ import annotations

import importlib.util
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from servitwin.domain.error import Fault, InvalidInputError, NotFoundError
from servitwin.sdk.manifest import Manifest, read_manifest
from servitwin.sdk.service import EvaluatorPlugin

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
            fault = Fault("plugin:incomplete", f"{self.name} has no check() and open()", "Run the shared checks on it")
            raise InvalidInputError(fault)
        return module

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
