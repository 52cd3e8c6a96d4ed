"""One recording under several definitions of available, side by side: why a contract names its formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.observation import Cut
from servitwin.domain.state_time_span import Spans
from servitwin.domain.twin import Twin
from servitwin.usecases.machine_time import Sources


class Definition(msgspec.Struct, frozen=True):
    """Which of the machine's words do not count as available; every other known word does, or the other way round."""

    name: str
    title: str
    bad: tuple[str, ...] = ()
    good: tuple[str, ...] = ()

    def counts(self, word: str) -> bool:
        """Whether time of that word counts as available."""
        return word in self.good if self.good else word not in self.bad


# Words of MTConnect EXECUTION (Part 3); the third names what the machine does, the first two what stops it.
EXERCISE = (
    Definition("held", "Only a held program is bad", bad=("INTERRUPTED", "FEED_HOLD")),
    Definition("held-or-stopped", "A stopped program is bad too", bad=("INTERRUPTED", "FEED_HOLD", "STOPPED")),
    Definition("only-active", "Only a running program is good", good=("ACTIVE",)),
)


class Compared(msgspec.Struct, frozen=True):
    """A definition's figure over known time, as recorded and without the declared gaps; nanoseconds."""

    definition: Definition
    value: float | None
    numerator: int
    denominator: int


class Comparison(msgspec.Struct, frozen=True):
    """All definitions over one range."""

    signal: str
    start: int
    end: int
    recorded: tuple[Compared, ...]
    without_gaps: tuple[Compared, ...]
    unknown: int
    declared: int
    words: dict[str, int]
    cut: Cut


def compare_definitions(
    sources: Sources, twin: Twin, start: int, end: int, definitions: Sequence[Definition] = EXERCISE
) -> Comparison:
    """Availability by each definition over the time in which the machine's word is known.

    Raises:
        InvalidInputError: ``definition:no-word`` where the machine's type has no word for its state.
    """
    machine_type = sources.registry.type_at(twin, end - 1)
    signal = machine_type.states.word if machine_type is not None and machine_type.states is not None else ""
    if not signal:
        raise InvalidInputError(
            Fault("definition:no-word", f"{twin.id} has no word of its own for its state", "Its type names none", "id")
        )
    pair = (twin.uid, signal)
    words = _durations(sources, pair, start, end)
    gaps = Spans.of((max(g.start, start), min(g.end, end)) for g in sources.records.gaps(twin.uid))
    outside = dict(words)
    for begin, stop in gaps.pairs():
        for word, ns in _durations(sources, pair, begin, stop).items():
            outside[word] = outside.get(word, 0) - ns
    return Comparison(
        signal,
        start,
        end,
        tuple(_compare(d, words) for d in definitions),
        tuple(_compare(d, outside) for d in definitions),
        words.get("", 0),
        gaps.total(),
        {word: ns for word, ns in sorted(words.items()) if word},
        sources.cut,
    )


def _durations(sources: Sources, pair: tuple[str, str], start: int, end: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for _, bucket in sources.history.durations([pair], start, end, cut=sources.cut)[pair]:
        for word, ns in bucket.items():
            key = "" if word in ("", "UNAVAILABLE") else word
            found[key] = found.get(key, 0) + ns
    return found


def _compare(definition: Definition, words: Mapping[str, int]) -> Compared:
    known = sum(ns for word, ns in words.items() if word)
    good = sum(ns for word, ns in words.items() if word and definition.counts(word))
    return Compared(definition, good / known if known else None, good, known)
