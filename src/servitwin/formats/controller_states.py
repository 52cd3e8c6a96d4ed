"""The states block of a controller file: hierarchy, transitions and their expressions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from servitwin.domain.controller import Region, State, Transition
from servitwin.domain.controller_meaning import Scope
from servitwin.domain.controller_term import TRUE
from servitwin.formats.controller_text import Path, Texts
from servitwin.formats.structure import did_you_mean

Block = Mapping[str, Any]


def outline(states: Block) -> tuple[State, ...]:
    """The states with nothing in them but states: enough to know the names."""
    return tuple(State(n, states=outline((b or {}).get("states", {}))) for n, b in states.items())


def state_names(states: Block) -> list[str]:
    """Names of all states at any depth."""
    found: list[str] = []
    for name, block in states.items():
        found.append(name)
        found += state_names((block or {}).get("states", {}))
    return found


class StatesReader:
    """Reads the states of one region."""

    def __init__(self, texts: Texts, scope: Scope, events: tuple[str, ...]) -> None:
        self._texts = texts
        self._scope = scope
        self._events = events
        self._known: set[str] = set()

    def region(self, name: str, block: Block, path: Path) -> Region:
        """A region from its block with ``initial`` and ``states``."""
        states = block.get("states", {})
        names = state_names(states)
        self._known = set(names)
        for twice in {n for n in names if names.count(n) > 1}:
            self._texts.say(
                (*path, "states"), "controller:name-twice", f"Two states are called {twice!r}", "Rename one of them"
            )
        initial = block.get("initial", "")
        self._check_initial(initial, states, path)
        return Region(name, self._states(states, (*path, "states")), initial)

    def _check_initial(self, initial: str, states: Block, path: Path) -> None:
        if not initial:
            self._texts.say(path, "controller:no-initial", "It is not said where it begins", "Add `initial: STATE`")
        elif initial not in state_names(states):
            hint = did_you_mean(initial, states) or f"One of: {', '.join(list(states)[:12])}"
            self._texts.say((*path, "initial"), "controller:state-unknown", f"There is no state {initial!r}", hint)

    def _states(self, states: Block, path: Path) -> tuple[State, ...]:
        return tuple(self._state(n, b or {}, (*path, n)) for n, b in states.items())

    def _state(self, name: str, block: Block, path: Path) -> State:
        inner = block.get("states", {})
        if inner:
            self._check_initial(block.get("initial", ""), inner, path)
        texts, scope = self._texts, self._scope
        return State(
            name,
            tuple(self._transition(t, (*path, "transitions", i)) for i, t in enumerate(block.get("transitions", []))),
            texts.actions(block.get("entry", ""), (*path, "entry"), scope),
            texts.actions(block.get("exit", ""), (*path, "exit"), scope),
            self._states(inner, (*path, "states")),
            block.get("initial", ""),
            block.get("final", False),
            block.get("title", ""),
        )

    def _transition(self, block: Block, path: Path) -> Transition:
        target, event = block.get("to", ""), block.get("event", "")
        if target and target not in self._known:
            hint = did_you_mean(target, self._known) or "A transition stays inside its region"
            self._texts.say((*path, "to"), "controller:state-unknown", f"There is no state {target!r}", hint)
        if event and event not in self._events:
            hint = did_you_mean(event, self._events) or "Declare it in `events`"
            self._texts.say((*path, "event"), "controller:event-unknown", f"There is no event {event!r}", hint)
            event = ""
        when = block.get("when")
        return Transition(
            target,
            event,
            TRUE if when is None else self._texts.truth(when, (*path, "when"), self._scope),
            self._texts.actions(block.get("do", ""), (*path, "do"), self._scope),
            int(block.get("priority", 1)),
            block.get("name", ""),
            self._texts.line(path),
        )
