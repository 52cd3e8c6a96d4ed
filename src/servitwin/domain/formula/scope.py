"""Names that a formula may use, where it stands, and where its faults are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from servitwin.domain.error import Fault
from servitwin.domain.formula.token import Tokens, fault_at
from servitwin.domain.formula.tree import STATE, Node
from servitwin.domain.signal import SignalDefinition


def near_words(word: str, known: Iterable[str]) -> list[str]:
    """Up to two known words that were probably meant, capitals or not."""
    by_small = {k.lower(): k for k in reversed(list(known))}
    return [by_small[m] for m in get_close_matches(word.lower(), list(by_small), 2, 0.6)]


class Scope:
    """Signals by full name, the component that the formula belongs to, its text, and the faults so far."""

    def __init__(self, signals: Mapping[str, SignalDefinition], component: str, text: str) -> None:
        self.signals = signals
        self.component = component
        self.text = text
        self.faults: list[Fault] = []

    def say(self, place: int, code: str, message: str, hint: str = "") -> None:
        """Add a fault at a character."""
        self.faults.append(fault_at(self.text, min(place, len(self.text)) if self.text else place, code, message, hint))

    def place(self, node: Node, word: str) -> int:
        """Where a word of a node stands in the text, else where the node begins."""
        inside = Tokens(self.text[node.at[0] : node.at[1]]).tokens
        places = [t.first for t in inside if t.text == word and t.kind in ("name", "text", "keyword")]
        return node.at[0] + (places[-1] if places else 0)

    def signal(self, name: str, place: int) -> SignalDefinition | None:
        """The signal of that name in this place; else a fault and None."""
        found = self.find(name)
        if found is None:
            self.say(place, "formula:signal-unknown", f"There is no signal {name[:60]!r}", self._meant(name))
        return found

    def find(self, name: str) -> SignalDefinition | None:
        """The signal of that name: the component's own first, then by its full name."""
        own = self.signals.get(f"{self.component}.{name}") if self.component else None
        return own if own is not None else self.signals.get(name)

    def _meant(self, name: str) -> str:
        dashed = next((s for s in self.signals if s.startswith(f"{name}-")), None)
        if dashed is not None:
            return f"Write names with - in backticks: `{dashed}`"
        prefix = f"{self.component}."
        own = [s.removeprefix(prefix) for s in self.signals if self.component and s.startswith(prefix)]
        ends = [s for s in self.signals if s.endswith(f".{name}")]
        near = ends[:2] or near_words(name, [*own, *self.signals, STATE])
        if near:
            return f"Did you mean {' or '.join(map(repr, near))}?"
        return "Name a signal of this machine type by its full name"
