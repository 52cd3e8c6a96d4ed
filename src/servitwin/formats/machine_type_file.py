"""Machine types as manufacturers write them in YAML: read with all faults at once, each at its place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.instant import NS, parse_duration
from servitwin.domain.machine_type import (
    Component,
    DocumentReference,
    MachineType,
    Production,
)
from servitwin.domain.reason import ReasonChoice
from servitwin.domain.signal import Reporting, SignalDefinition
from servitwin.formats.machine_type_rules import Rules, number
from servitwin.formats.requirement import causes_of, check_requirements, requirements_of
from servitwin.formats.structure import Structure, did_you_mean
from servitwin.formats.yaml_node import Key, Parsed, parse

Path = tuple[Key, ...]
Block = Mapping[str, Any]


def _reasons(block: Block) -> tuple[ReasonChoice, ...]:
    return tuple(
        ReasonChoice(code, c.get("title", code), c.get("responsible", ""), _reasons(c.get("choices", {})))
        for code, c in block.items()
    )


class FileReference(msgspec.Struct, frozen=True):
    """A file that the type names, with the place where it does; whoever has the folder checks that it is there."""

    name: str
    line: int
    column: int


def read_machine_type(
    source: str | Parsed, file: str | None = None, *, parties: Collection[str] | None = None
) -> tuple[MachineType | None, list[Fault]]:
    """The machine type in a YAML (or JSON) text; None as soon as there is one fault.

    ``parties`` are those that exist, so that others can be told; None where they are not known.
    Faults of structure have codes ``yaml:...`` and ``file:...``; of meaning ``signal:...``, ``component:...``,
    ``command:...``, ``machine-type:...``; of requirements ``formula:...``, at the character. Signals belong to the
    machine or to a component; the full name of one is the component's path and its key joined by dots, or what ``name``
    says.
    """
    root, faults, file = parse(source, file)
    if root is None:
        return None, faults
    structure = Structure(root, "machine-type", file)
    structure.faults += faults
    read = _MachineTypeReader(structure, parties).read()
    found = sorted(structure.faults, key=lambda f: (f.line or 0, f.column or 0))
    return (None if found else read), found


def file_references(source: str | Parsed) -> list[FileReference]:
    """Documents and models that a type without faults names, with their places."""
    root = parse(source).root
    if root is None:
        return []
    structure = Structure(root, "machine-type")
    found: list[FileReference] = []

    def visit(block: Block, path: Path) -> None:
        for i, document in enumerate(block.get("documents", ())):
            if "file" in document:
                found.append(FileReference(document["file"], *root.place((*path, "documents", i, "file"))))
        for key, child in block.get("components", {}).items():
            visit(child, (*path, "components", key))

    data = structure.clean()
    visit(data, ())
    if data.get("model_3d"):
        found.append(FileReference(data["model_3d"], *root.place(("model_3d",))))
    return found


class _MachineTypeReader:
    def __init__(self, structure: Structure, parties: Collection[str] | None) -> None:
        self._parties = parties
        self._structure = structure
        self._say = structure.say_of_clean
        self._wrote = structure.wrote
        self._data: Block = structure.clean()
        self._signals: dict[str, SignalDefinition] = {}
        self._signal_paths: dict[str, Path] = {}
        self._components: list[Component] = []

    def read(self) -> MachineType:
        data = self._data
        self._read_signals(data, (), "")
        self._read_components(data, (), "")
        rules = Rules(self._say, self._signals)
        self._check_parties(data)
        check_requirements(self._structure, data, (), self._signals)
        return MachineType(
            name=data.get("machine_type", ""),
            version=int(data.get("version", 0)),
            title=data.get("title", ""),
            manufacturer=data.get("manufacturer", ""),
            semantic=data.get("semantic", ""),
            signals=tuple(self._signals.values()),
            components=tuple(self._components),
            commands=rules.commands(data.get("commands", {}), ("commands",)),
            states=rules.states(data["states"], ("states",)) if "states" in data else None,
            production=self._production(data["production"], rules) if "production" in data else None,
            modes=rules.modes(data.get("modes", {}), ("modes",)),
            requirements=requirements_of(data),
            causes=causes_of(data),
            documents=_documents(data),
            model_3d=data.get("model_3d", ""),
            reasons=_reasons(data.get("reasons", {})),
        )

    # components and signals -----------------------------------------------------------------------------------

    def _read_components(self, block: Block, path: Path, parent: str) -> None:
        for key, child in block.get("components", {}).items():
            place: Path = (*path, "components", key)
            name = f"{parent}.{key}" if parent else key
            self._components.append(
                Component(
                    path=name,
                    title=child.get("title", ""),
                    requirements=requirements_of(child),
                    causes=causes_of(child),
                    documents=_documents(child),
                    service_parts=tuple(child.get("service_parts", ())),
                )
            )
            self._read_signals(child, place, name)
            self._read_components(child, place, name)

    def _read_signals(self, block: Block, path: Path, component: str) -> None:
        for key, entry in block.get("signals", {}).items():
            place: Path = (*path, "signals", key)
            name = entry.get("name") or (f"{component}.{key}" if component else key)
            if name in self._signals:
                first = ".".join(str(p) for p in self._signal_paths[name])
                message = f"The signal {name!r} is already declared at {first}"
                self._say(place, "signal:duplicate", message, "Give one of the two another name", key=True)
                continue
            if len(name) > 200:
                message = f"The full name {name[:40]!r}... has {len(name)} characters"
                self._say(place, "signal:name-too-long", message, "Shorten it, or say `name:`", key=True)
            self._signal_paths[name] = place
            self._signals[name] = self._signal(name, entry, place, component)

    def _signal(self, name: str, entry: Block, path: Path, component: str) -> SignalDefinition:
        kind = entry.get("type", "number")
        self._check_signal(kind, entry, path)
        reporting = entry.get("reporting", {})
        gap = reporting.get("max_gap")
        return SignalDefinition(
            name=name,
            type=kind,
            unit=entry.get("unit", ""),
            semantic=entry.get("semantic", ""),
            title=entry.get("title", ""),
            range=_pair(entry.get("range")),
            limits=_pair(entry.get("limits")),
            accuracy=number(entry.get("accuracy")),
            values=tuple(entry.get("values", ())),
            reporting=Reporting(reporting.get("mode", "on-change"), None if gap is None else parse_duration(gap)),
            component=component,
            owner=entry.get("owner", ""),
        )

    def _check_signal(self, kind: str, entry: Block, path: Path) -> None:
        if kind == "number" and not self._wrote((*path, "unit")):
            message = f"The signal {path[-1]!r} is a number and has no unit"
            hint = 'Say its UCUM unit (`unit: Cel`), or `unit: "1"` for a bare number'
            self._say(path, "signal:unit-missing", message, hint, key=True)
        if kind != "number":
            for key in ("unit", "range", "limits", "accuracy"):
                if key in entry:
                    message = f"A {kind} signal has no {key}"
                    self._say((*path, key), "signal:not-a-number", message, "Remove it, or say type: number", key=True)
        if kind != "text" and "values" in entry:
            message = f"Only a text signal has a list of values, and this is a {kind}"
            self._say((*path, "values"), "signal:values-not-text", message, "Remove it, or say type: text", key=True)
        for key in ("range", "limits"):
            pair = _pair(entry.get(key))
            if pair is not None and pair[0] >= pair[1]:
                message = f"{key} begins at {pair[0]:g} and ends at {pair[1]:g}"
                self._say((*path, key), "signal:range-reversed", message, "Write the lower number first")
        inner, outer = _pair(entry.get("range")), _pair(entry.get("limits"))
        if inner and outer and not outer[0] <= inner[0] <= inner[1] <= outer[1] and inner[0] < inner[1]:
            message = f"range {list(inner)} lies outside limits {list(outer)}"
            self._say((*path, "range"), "signal:range-outside-limits", message, "Widen limits or narrow range")
        reporting = entry.get("reporting", {})
        if reporting.get("mode") == "periodic" and not self._wrote((*path, "reporting", "max_gap")):
            message = "A periodic signal must say after which silence its value is unknown"
            self._say((*path, "reporting"), "signal:max-gap-missing", message, "Add max_gap, such as max_gap: 5s")

    def _check_parties(self, data: Block) -> None:
        named: list[tuple[Path, str]] = []
        if "manufacturer" in data:
            named.append((("manufacturer",), data["manufacturer"]))
        for name, path in self._signal_paths.items():
            if self._signals[name].owner:
                named.append(((*path, "owner"), self._signals[name].owner))
        for i, rule in enumerate(data.get("states", {}).get("rules", ())):
            if "party" in rule:
                named.append((("states", "rules", i, "party"), rule["party"]))
        for path, party in named if self._parties is not None else ():
            if party not in (self._parties or ()):
                hint = did_you_mean(party, self._parties) or "Declare it under parties of the plant file"
                self._say(path, "machine-type:party-unknown", f"There is no party {party!r}", hint)

    # production -----------------------------------------------------------------------------------------------

    def _production(self, block: Block, rules: Rules) -> Production:
        path: Path = ("production",)
        for key in ("total", "good", "scrap"):
            if key in block:
                rules.signal(block[key], (*path, key), "number")
        if "product" in block:
            rules.signal(block["product"], (*path, "product"), "text")
        cycle = block.get("ideal_cycle", {})
        by_product = {"default": cycle} if isinstance(cycle, str) else cycle
        seconds = {("" if k == "default" else k): parse_duration(v) / NS for k, v in by_product.items()}
        for product, value in seconds.items():
            if value <= 0:
                place = path + (("ideal_cycle",) if isinstance(cycle, str) else ("ideal_cycle", product or "default"))
                self._say(place, "production:cycle-zero", "A part cannot take no time", "Say how long it ideally takes")
        signal = self._signals.get(block.get("product", ""))
        words = signal.values if signal is not None else ()
        for product in seconds if words else ():
            if product and product not in words:
                message = f"The signal {block['product']!r} never names a product {product!r}"
                hint = did_you_mean(product, words) or f"One of: {', '.join(words)}"
                self._say((*path, "ideal_cycle", product), "production:product-unknown", message, hint, key=True)
        return Production(
            total=block.get("total", ""),
            good=block.get("good", ""),
            scrap=block.get("scrap", ""),
            product=block.get("product", ""),
            ideal_cycle_s=seconds,
        )


def _pair(values: list[float] | None) -> tuple[float, float] | None:
    return (float(values[0]), float(values[1])) if values is not None and len(values) == 2 else None


def _documents(block: Block) -> tuple[DocumentReference, ...]:
    return tuple(
        DocumentReference(d.get("title", ""), d.get("file", ""), d.get("category", ""), d.get("language", "en"))
        for d in block.get("documents", ())
    )
