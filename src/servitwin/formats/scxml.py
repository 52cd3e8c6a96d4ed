"""Import of W3C SCXML 1.0: the part whose meaning a step of the model keeps; all else is refused at its line.

The document becomes the data of a controller file and is read as one. What it cannot say (ranges, properties, the
tick, signals) stands in attributes of the namespace ``urn:servitwin:scxml`` or in a side file, a controller file
without states. ``docs/concepts/controller.md`` has the list of what is taken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from servitwin.domain.controller import Controller
from servitwin.domain.controller_flat import flatten
from servitwin.domain.controller_term import names_in
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.formats.controller_file import ONLY_REGION, read_controller
from servitwin.formats.scxml_tree import SCXML, Element, read_xml
from servitwin.formats.yaml_node import Node, parse

OTHER_EVENT = "other_event"  # stands for every event that no transition names, where one takes them all
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,62}\Z", re.ASCII)
_LINK = re.compile(r"\.|\[")
_SIDE_REFUSED = ("states", "regions", "initial", "events")
_STATES = ("state", "final", "parallel", "history")


def read_scxml(
    text: str, file: str | None = None, side: str | None = None, side_file: str | None = None
) -> tuple[Controller | None, list[Fault]]:
    """The controller of an SCXML document and its side file; None as soon as there is one fault.

    Faults: ``xml:...``, ``scxml:...`` with the document's line; ``yaml:...``, ``file:...``, ``controller:...``,
    ``expression:...`` with the line of the document or of the side file.
    """
    try:
        root = read_xml(text, file)
    except InvalidInputError as e:
        return None, list(e.faults)
    translation = _Translation(file)
    data = translation.translate(root)
    beside: Node | None = None
    if side is not None:
        parsed = parse(side, side_file)
        beside = parsed.root
        translation.faults += parsed.faults
        if beside is not None and isinstance(beside.value, dict):
            _join(data, beside, side_file, translation)
    if translation.faults:
        return None, sorted(translation.faults, key=lambda f: f.line or 0)
    found, faults = read_controller(json.dumps(data), file)
    if found is not None:
        faults = list(_order_matters(found, file))
    return (None if faults else found), [_placed(f, translation.lines, beside, file, side_file) for f in faults]


def _order_matters(controller: Controller, file: str | None) -> Iterator[Fault]:
    """SCXML runs the content of parallel parts one after the other; a step of the model runs them side by side."""
    flat = flatten(controller)
    writers = {name: t.region for t in flat.transitions for name, _ in t.assigns}
    writers |= {r.name: r.name for r in controller.regions}
    seen = set()
    for t in flat.transitions:
        for _, value in t.assigns:
            for name in names_in(value):
                if writers.get(name, t.region) != t.region and (t.region, name) not in seen:
                    seen.add((t.region, name))
                    message = (
                        f"{t.region!r} computes with {name!r}, which {writers[name]!r} can change in the same step"
                    )
                    hint = "Compute with what the part itself sets, or with inputs"
                    yield Fault("scxml:order-matters", message, hint, f"regions.{t.region}", file=file)


def _join(data: dict[str, Any], beside: Node, side_file: str | None, translation: _Translation) -> None:
    for key, node in beside.value.items():
        line, column = beside.key_places[key]
        if key in _SIDE_REFUSED:
            message = f"{key!r} comes from the SCXML document"
            fault = Fault("scxml:side-file", message, "Remove it here", key, line, column, side_file)
            translation.faults.append(fault)
        elif isinstance(node.value, dict) and isinstance(data.get(key), dict):
            data[key] = {**data[key], **node.plain()}
        elif isinstance(node.value, list) and isinstance(data.get(key), list):
            data[key] = [*data[key], *node.plain()]
        else:
            data[key] = node.plain()


def _placed(fault: Fault, lines: dict[str, int], beside: Node | None, file: str | None, side_file: str | None) -> Fault:
    """A fault of the translated data at the line it came from."""
    where = fault.where
    while where:
        if where in lines:
            return msgspec.structs.replace(fault, line=lines[where], column=None, file=file)
        where = where[: max((m.start() for m in _LINK.finditer(where)), default=0)]
    path = tuple(int(p) if p.isdigit() else p for p in re.split(r"[.\[\]]+", fault.where.rstrip("]")) if p)
    if beside is not None and path and isinstance(beside.value, dict) and path[0] in beside.value:
        line, column = beside.place(path)
        return msgspec.structs.replace(fault, line=line, column=column, file=side_file)
    return msgspec.structs.replace(fault, line=1, column=None, file=file)


class _Translation:
    def __init__(self, file: str | None) -> None:
        self._file = file
        self.faults: list[Fault] = []
        self.lines: dict[str, int] = {}
        self._events: list[str] = []
        self._any_event = False
        self._spontaneous: list[str] = []  # when a transition without an event can be taken
        self._limits: list[str] = []
        self._regions: dict[str, set[str]] = {}
        self._foreign = False

    def translate(self, root: Element) -> dict[str, Any]:
        """The data of a controller file."""
        if root.name != "scxml" or root.space != SCXML:
            self._say(root, "scxml:root", f"The root is {root.name!r}", f'Begin with <scxml xmlns="{SCXML}">')
            return {}
        if root.attributes.get("datamodel", "null") not in ("null", "ecmascript"):
            self._say(root, "scxml:datamodel", "This data model is not read", 'Use datamodel="ecmascript"')
        name = re.sub(r"[^a-z0-9_-]+", "-", root.attributes.get("name", "controller").lower()).strip("-_")
        data: dict[str, Any] = {"controller": name or "controller", "version": 1, "inputs": {}, "variables": {}}
        self._collect_events(root)
        tops = self._states_in(root, others=("datamodel",))
        for model in (c for c in root.children if c.name == "datamodel"):
            self._datamodel(model, data)
        if len(tops) == 1 and tops[0].name == "parallel":
            data["regions"] = self._parallel(tops[0])
        else:
            self._regions[ONLY_REGION] = {s.attributes.get("id", "") for s in _all_states(tops)}
            data["states"] = {i: b for s in tops for i, b in [self._state(s, "states", ONLY_REGION)]}
            data["initial"] = self._initial(root, tops)
        if self._any_event:
            self._events.append(OTHER_EVENT)
        if self._events:
            data["events"] = self._events
            if self._spontaneous:  # SCXML 3.13: events wait until no transition without event is enabled
                some = " or ".join(f"({t})" for t in self._spontaneous)
                data["assume"] = [f"({some}) -> event is none"]
                self.lines["assume[0]"] = root.line
        if self._foreign:
            self._limits.append("Elements of other namespaces were left out: they are taken to have no effect")
        data["limits"] = self._limits
        return data

    def _say(self, element: Element, code: str, message: str, hint: str) -> None:
        if len(self.faults) < 200:
            self.faults.append(Fault(code, message, hint, element.name, element.line, None, self._file))

    def _refuse(self, element: Element) -> None:
        if element.space != SCXML:
            self._foreign = True
            return
        hint = "Only states, final, parallel at the top, transitions, onentry, onexit, assign, log and data are read"
        self._say(element, "scxml:not-supported", f"<{element.name}> is not supported here", hint)

    def _states_in(self, parent: Element, others: tuple[str, ...] = ()) -> list[Element]:
        for child in parent.children:
            if child.space != SCXML or child.name not in (*_STATES[:3], *others):
                self._refuse(child)
        return [c for c in parent.children if c.space == SCXML and c.name in _STATES[:3]]

    def _collect_events(self, root: Element) -> None:
        for t in _walk(root):
            for word in t.attributes.get("event", "").split() if t.name == "transition" else ():
                plain = word.removesuffix(".*").removesuffix(".")
                if word == "*":
                    self._any_event = True
                elif not _NAME.match(plain):
                    self._say(t, "scxml:event", f"{word!r} cannot be an event here", "Use letters, digits, _ and .")
                elif plain.split(".")[0] in ("done", "error"):
                    self._say(
                        t, "scxml:not-supported", f"The event {word!r} of the platform is not modelled", "Remove it"
                    )
                elif plain not in self._events:
                    self._events.append(plain)

    def _datamodel(self, model: Element, data: dict[str, Any]) -> None:
        for item in model.children:
            if item.name != "data" or item.space != SCXML:
                self._refuse(item)
                continue
            name, expression = item.attributes.get("id", ""), item.attributes.get("expr", item.text.strip())
            if "src" in item.attributes:
                self._say(item, "scxml:not-supported", "Data from elsewhere are not read", "Write expr=")
            block = self._range(item, expression)
            is_input = item.own("input") == "true"
            self.lines[f"{'inputs' if is_input else 'variables'}.{name}"] = item.line
            if block is None:
                continue  # a side file may declare it; where none does, the name is unknown where it is used
            if not is_input and expression:
                block["initial"] = _literal(expression)
            data["inputs" if is_input else "variables"][name] = block

    def _range(self, item: Element, expression: str) -> dict[str, Any] | None:
        if (bounds := item.own("range")) is not None:
            try:
                return {"range": [int(b) for b in bounds.split()]}
            except ValueError:
                self._say(item, "scxml:range", f"{bounds!r} is no range", 'Write servitwin:range="0 100"')
        if (words := item.own("values")) is not None:
            return {"values": words.split()}
        if item.own("flag") == "true" or expression in ("true", "false"):
            return {"type": "flag"}
        return None

    def _parallel(self, top: Element) -> dict[str, Any]:
        regions: dict[str, Any] = {}
        parts = self._states_in(top)
        for part in parts:
            inside = [s for s in part.children if s.name in _STATES[:3] and s.space == SCXML]
            self._regions[part.attributes.get("id", "")] = {s.attributes.get("id", "") for s in _all_states(inside)}
        for part in parts:
            name = self._id(part)
            path = f"regions.{name}"
            self.lines[path] = part.line
            inside = self._states_in(part, others=("initial",))
            if not inside:
                self._regions[name] = {f"{name}.only"}
                regions[name] = {"initial": f"{name}.only", "states": {f"{name}.only": {"final": True}}}
                continue
            states = {i: b for s in inside for i, b in [self._state(s, f"{path}.states", name)]}
            regions[name] = {"initial": self._initial(part, inside), "states": states}
        return regions

    def _id(self, element: Element) -> str:
        name = element.attributes.get("id", "")
        if not _NAME.match(name):
            self._say(element, "scxml:id", f"{name!r} cannot be the id of a state", "Use letters, digits, _ and .")
        return name

    def _initial(self, parent: Element, inside: list[Element]) -> str:
        given = parent.attributes.get("initial", "")
        for child in (c for c in parent.children if c.name == "initial"):
            ways = [t for t in child.children if t.name == "transition"]
            if len(ways) != 1 or ways[0].children:
                self._say(
                    child, "scxml:not-supported", "An initial transition may only have a target", "Remove the rest"
                )
            elif ways:
                given = ways[0].attributes.get("target", "")
        if len(given.split()) > 1:
            self._say(parent, "scxml:not-supported", "Several initial states are not read", "Name one")
        return given or (inside[0].attributes.get("id", "") if inside else "")

    def _state(self, element: Element, path: str, region: str) -> tuple[str, dict[str, Any]]:
        name = self._id(element)
        path = f"{path}.{name}"
        self.lines[path] = element.line
        if element.name == "parallel":
            self._say(element, "scxml:not-supported", "Parallel states are read at the top alone", "Move it to the top")
            return name, {}
        block: dict[str, Any] = {"transitions": []}
        if element.name == "final":
            block["final"] = True
        inside = self._states_in(element, others=("initial", "transition", "onentry", "onexit"))
        if inside:
            block["initial"] = self._initial(element, inside)
            block["states"] = {i: b for s in inside for i, b in [self._state(s, f"{path}.states", region)]}
        for child in element.children:
            if child.space != SCXML:
                continue
            if child.name in ("onentry", "onexit"):
                key = "entry" if child.name == "onentry" else "exit"
                parts = [p for p in (block.get(key, ""), self._actions(child)) if p]
                block[key] = "; ".join(parts)
                self.lines[f"{path}.{key}"] = child.line
            elif child.name == "transition":
                for one in self._transitions(child, name, region):
                    self.lines[f"{path}.transitions[{len(block['transitions'])}]"] = child.line
                    block["transitions"].append({**one, "priority": min(len(block["transitions"]) + 1, 999)})
        return name, block

    def _transitions(self, element: Element, source: str, region: str) -> Iterator[dict[str, Any]]:
        target = element.attributes.get("target", "")
        if len(target.split()) > 1:
            self._say(element, "scxml:not-supported", "A transition with several targets is not read", "Name one")
        elif target and target not in self._regions[region]:
            hint = "A transition stays in its part of the parallel state, and names a state that there is"
            self._say(element, "scxml:target", f"The target {target!r} is not in {region!r}", hint)
        if element.attributes.get("type") == "internal" and target:
            self._say(element, "scxml:not-supported", "Internal transitions with a target are not read", "Remove type")
        block: dict[str, Any] = {"to": target} if target else {}
        condition = element.attributes.get("cond", "").strip()
        if condition:
            block["when"] = condition
        if actions := self._actions(element):
            block["do"] = actions
        words = element.attributes.get("event", "").split()
        if not words:
            self._spontaneous.append(f"{region} is {source}" + (f" and ({condition})" if condition else ""))
            yield block
            return
        known = [*self._events, OTHER_EVENT] if self._any_event else self._events
        yield from ({**block, "event": e} for e in known if any(_matches(w, e) for w in words))

    def _actions(self, parent: Element) -> str:
        found = []
        for action in parent.children:
            if action.name == "assign" and action.space == SCXML:
                value = action.attributes.get("expr", action.text.strip())
                found.append(f"{action.attributes.get('location', '')} := {value}")
            elif action.name == "log" and action.space == SCXML:
                note = "Log messages were left out: they have no effect"
                self._limits += [note] if note not in self._limits else []
            else:
                self._refuse(action)
        return "; ".join(found)


def _matches(descriptor: str, event: str) -> bool:
    """SCXML 3.12.1: a descriptor matches an event with the same tokens at its beginning."""
    plain = descriptor.removesuffix(".*").removesuffix(".")
    return descriptor == "*" or event == plain or event.startswith(f"{plain}.")


def _literal(expression: str) -> Any:
    text = expression.strip()
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"-?\d{1,12}", text):
        return int(text)
    return text.strip("'\"")


def _walk(element: Element) -> Iterator[Element]:
    yield element
    for child in element.children:
        yield from _walk(child)


def _all_states(elements: list[Element]) -> Iterator[Element]:
    for element in elements:
        yield from (e for e in _walk(element) if e.name in _STATES and e.space == SCXML)
