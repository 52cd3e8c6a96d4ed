"""Guarantee time: state x cause x responsible party, sorted by a contract's rules into what counts.

A state is not a liability. Each stretch of a period ends in one category, with the rule that put it there:

1. time that is not planned, not accepted yet or still to come lies outside;
2. the formula (or the machine's own words) says which states are available, unavailable or not counted;
3. unavailable time counts by its responsible party: a work order's word holds before a reason that a person gave, and
   that before what the machine's type derives from fault conditions. A word counts unless it favours the party that
   said it (then it is only a ground for a claim); where nobody is named the contract's burden of proof decides;
4. time without data counts by the contract's rule, never to the gain of the party that lost the data;
5. accepted claims leave stopped time out, in the contract's order of priority and within its budgets of hours.

The model is IEC 61400-26-1 (categories, priority, entry and exit points; secondary).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from servitwin.domain.availability import formula
from servitwin.domain.contract import Contract, ExclusionKind, Guarantee
from servitwin.domain.guarantee_gap import gap_category
from servitwin.domain.instant import HOUR
from servitwin.domain.observation import Int64s
from servitwin.domain.reason import Reason
from servitwin.domain.state_time import State
from servitwin.domain.state_time_span import Spans
from servitwin.domain.time_table import STATES, Codes, TimeTable


class Category(IntEnum):
    """What a stretch counts as. Available and unavailable make the denominator; the rest is left out of it."""

    AVAILABLE = 0
    UNAVAILABLE = 1
    EXCLUDED = 2
    NOT_COUNTED = 3
    OUTSIDE = 4


RULES = (
    "formula", "words", "responsible-party", "burden-of-proof", "reason-claimed-only", "gap", "gap-against-its-loser",
    "exclusion", "budget-spent", "not-planned", "not-yet", "clock-not-started", "other-contract",
)  # fmt: skip
_RULE = {name: n for n, name in enumerate(RULES)}
# The contract makers' own formula: able to run is available, every stop needs a ground to be left out.
_GUARANTEE = {
    **dict.fromkeys((State.FAILED, State.REPAIR, State.PREVENTIVE), Category.UNAVAILABLE),
    **dict.fromkeys((State.PLANNED_STOP, State.OFF), Category.NOT_COUNTED),
}
_FULL = 10_000  # weight of a stretch that is wholly available


@dataclass(frozen=True, slots=True, eq=False)
class Claims:
    """What of the claims is decided so far: accepted stretches by ground, with the claim of each."""

    kind: ExclusionKind
    spans: Spans
    ids: tuple[tuple[int, int, str], ...] = ()

    def id_at(self, at: int) -> str:
        """The claim that covers an instant."""
        return next((id for start, end, id in self.ids if start <= at < end), "")


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What is known of one machine and period beside its states.

    Attributes:
        planned: planned time, None where all time counts.
        outside: time in which the clock does not run, with the rule that says why.
        reasons: in force, in the order in which they were said.
        orders: what work orders in force say, in the order in which they were opened; they hold before reasons.
        claims: accepted ones by ground.
    """

    planned: Spans | None = None
    outside: Sequence[tuple[str, Spans]] = ()
    reasons: Sequence[Reason] = ()
    orders: Sequence[Reason] = ()
    claims: Sequence[Claims] = ()

    @property
    def words(self) -> tuple[Reason, ...]:
        """Everything that people said of causes, from the weakest word to the strongest."""
        return (*self.reasons, *self.orders)


@dataclass(slots=True, eq=False)
class GuaranteeTime:
    """Every stretch of the period with its category and rule; nothing overlaps, nothing is missing."""

    table: TimeTable
    category: Codes
    rule: Codes
    said: Codes  # place of the word that applies in ``words``, or -1
    ground: Codes  # place of the claim's ground in ``grounds``, or -1
    weight: Codes  # ten-thousandths of available time that count
    words: tuple[Reason, ...]  # reasons, then what work orders say
    reason_count: int  # how many of the words are reasons
    grounds: tuple[Claims, ...]

    def total(self, category: Category) -> int:
        """Nanoseconds in a category."""
        return int(self.duration[self.category == category].sum())

    def places(self, category: str) -> Sequence[int]:
        """Places of the stretches of a category, by its name in small letters."""
        found: list[int] = np.flatnonzero(self.category == Category[category.upper()]).tolist()
        return found

    @property
    def duration(self) -> Int64s:
        """Nanoseconds of each stretch."""
        return self.table.end - self.table.start

    @property
    def numerator(self) -> int:
        """Available nanoseconds; of degraded running the agreed part, rounded down for each stretch."""
        available = self.category == Category.AVAILABLE
        lost = self.duration[available] * (_FULL - self.weight[available].astype(np.int64)) // _FULL
        return int(self.duration[available].sum() - lost.sum())

    @property
    def denominator(self) -> int:
        """Nanoseconds that count: available and unavailable."""
        return self.total(Category.AVAILABLE) + self.total(Category.UNAVAILABLE)

    @property
    def down_share(self) -> Decimal | None:
        """Unavailable share of the time in which the clock runs, planned or not; None where nothing is known of it.

        Planned time of which nothing is known, and which no rule of gaps counts, has the share of the planned time
        that is known. Time before the clock has started, of another contract, or still to come has no part in it.
        """
        unknown = self.table.state == STATES.index(State.UNKNOWN)
        to_come = unknown & (self.table.reason == self.table.number("not-yet"))
        runs = ~to_come & ~np.isin(self.rule, [_RULE["clock-not-started"], _RULE["other-contract"]])
        planned = runs & (self.rule != _RULE["not-planned"])
        counted = (self.category == Category.AVAILABLE) | (self.category == Category.UNAVAILABLE)
        known = int(self.duration[planned & (counted | ~unknown)].sum())
        if not known:
            return None
        of_planned = Decimal(self.total(Category.UNAVAILABLE)) / known
        return of_planned * int(self.duration[planned].sum()) / int(self.duration[runs].sum())

    @property
    def rules(self) -> tuple[str, ...]:
        """Every rule that put a stretch where it is, by name."""
        return tuple(RULES[n] for n in np.unique(self.rule).tolist())


def sort_time(table: TimeTable, contract: Contract, facts: Facts, start: int, end: int) -> GuaranteeTime:
    """The time of one machine in [start, end), sorted by the contract's rules."""
    guarantee = contract.guarantee
    assert guarantee is not None
    edges = [s for _, s in facts.outside] + ([facts.planned] if facts.planned is not None else [])
    edges += [_edges(facts.words)] if facts.words else []
    sorted_once = _sort(table.covering(start, end), edges, contract, facts)
    if not facts.claims:
        return sorted_once
    effective, spent = _effective(sorted_once, guarantee, facts.claims)
    again = _sort(table.covering(start, end), [*edges, *(c.spans for c in effective), spent], contract, facts)
    _leave_out(again, effective, spent)
    return again


def exit_point(table: TimeTable, at: int, guarantee: Guarantee) -> int:
    """Where a contract's clock really starts or ends: with ``crossing: first`` a stop is followed to its end."""
    if guarantee.crossing == "split" or not len(table.start):
        return at
    stopped = _base(table, guarantee)[0] == Category.UNAVAILABLE
    place = int(np.searchsorted(table.end, at, side="right"))  # the stretch that holds the instant
    if place >= len(stopped) or not stopped[place]:
        return at
    began_before = table.start[place] < at or (place > 0 and stopped[place - 1] and table.end[place - 1] == at)
    while began_before and place < len(stopped) and stopped[place]:
        at = int(table.end[place])
        place += 1
    return at


def _sort(whole: TimeTable, edges: Sequence[Spans], contract: Contract, facts: Facts) -> GuaranteeTime:
    guarantee = contract.guarantee
    assert guarantee is not None
    table = _cut(whole, edges)
    category, rule = _base(table, guarantee)
    party, said, own = _attributed(table, contract, facts.words)
    _judge(category, rule, party, own, contract, table)
    unknown = table.state == STATES.index(State.UNKNOWN)
    if unknown.any():
        found = gap_category(category, unknown, _lost_by(table, party, contract), guarantee.gaps)
        category[unknown], rule[unknown] = found[0], np.where(found[1], _RULE["gap-against-its-loser"], _RULE["gap"])
    not_yet = unknown & (table.reason == table.number("not-yet"))
    category[not_yet], rule[not_yet] = Category.OUTSIDE, _RULE["not-yet"]
    if facts.planned is not None:
        _put_outside(category, rule, ~facts.planned.contain(table.start), "not-planned")
    for name, spans in facts.outside:
        _put_outside(category, rule, spans.contain(table.start), name)
    nothing = np.full(len(table.start), -1, np.int32)
    return GuaranteeTime(
        table, category, rule, said, nothing, _weights(table, guarantee), facts.words,
        len(facts.reasons), (),
    )  # fmt: skip


def _edges(words: Sequence[Reason]) -> Spans:
    """Where words begin and end, as stretches that do not run together."""
    edges = sorted({at for word in words for at in (word.start, word.end)})
    return Spans(np.array(edges[:-1], np.int64), np.array(edges[1:], np.int64))


def _put_outside(category: Codes, rule: Codes, where: npt.NDArray[np.bool_], name: str) -> None:
    category[where], rule[where] = Category.OUTSIDE, _RULE[name]


def _cut(table: TimeTable, edges: Sequence[Spans]) -> TimeTable:
    """The intervals, cut wherever one of the spans begins or ends."""
    if not edges or not len(table.start):
        return table
    inside = np.concatenate([np.concatenate([s.start, s.end]) for s in edges])
    first, last = table.start[0], table.end[-1]
    starts = np.unique(np.concatenate([table.start, inside[(inside > first) & (inside < last)]]))
    index = np.searchsorted(table.start, starts, side="right") - 1
    return table.take(index, starts, np.append(starts[1:], last))


def _base(table: TimeTable, guarantee: Guarantee) -> tuple[Codes, Codes]:
    """Category by the formula alone."""
    if guarantee.formula == "words@1":
        good = np.array([w in guarantee.words for w in table.names], np.bool_)
        known = table.word != 0
        by_word = np.where(good[table.word], Category.AVAILABLE, Category.UNAVAILABLE)
        category = np.where(known, by_word, Category.NOT_COUNTED).astype(np.int32)
        return category, np.full(len(category), _RULE["words"], np.int32)
    lookup = _lookup(guarantee.formula)
    found: Codes = lookup[table.state]
    return found.copy(), np.full(len(found), _RULE["formula"], np.int32)


def _lookup(key: str) -> Codes:
    if key == "guarantee@1":
        by_state: Mapping[State, Category] = {s: _GUARANTEE.get(s, Category.AVAILABLE) for s in STATES}
    else:
        chosen = formula(key)
        good = {s for term in chosen.numerator for s in chosen.terms[term]}
        bad = {s for term in chosen.denominator for s in chosen.terms[term]} - good
        by_state = {
            s: Category.AVAILABLE if s in good else Category.UNAVAILABLE if s in bad else Category.NOT_COUNTED
            for s in STATES
        }
    return np.array([by_state[s] for s in STATES], np.int32)


_NOBODY, _PROVIDER, _CUSTOMER, _THIRD = 0, 1, 2, 3


def _attributed(
    table: TimeTable, contract: Contract, words: Sequence[Reason]
) -> tuple[Codes, Codes, npt.NDArray[np.bool_]]:  # fmt: skip
    """Responsible party of each stretch, the word that says so, and whether that word favours its own author.

    A later word holds before an earlier one; one that only claims does not hide one that counts.
    """
    side = np.array([_side(name, contract) for name in table.names], np.int32)
    party: Codes = side[table.party]
    said = np.full(len(table.start), -1, np.int32)
    own = np.zeros(len(table.start), np.bool_)
    counts = np.zeros(len(table.start), np.bool_)
    for place, word in enumerate(words):
        first, last = np.searchsorted(table.start, [word.start, word.end])
        part = slice(int(first), int(last))
        responsible = _side(word.party, contract)
        gains = contract.customer if responsible == _PROVIDER else contract.provider
        claimed = responsible != _NOBODY and word.author_party == gains
        if claimed:
            said[part] = np.where(counts[part], said[part], place)
            own[part] = ~counts[part]
            continue
        said[part], own[part] = place, False
        if responsible != _NOBODY:
            party[part], counts[part] = responsible, True
    return party, said, own


def _side(name: str, contract: Contract) -> int:
    if not name:
        return _NOBODY
    if name in {contract.provider, "provider"}:
        return _PROVIDER
    return _CUSTOMER if name in {contract.customer, "customer"} else _THIRD


def _judge(
    category: Codes, rule: Codes, party: Codes, own: npt.NDArray[np.bool_], contract: Contract, table: TimeTable
) -> None:  # fmt: skip
    """Unavailable time by whose it is."""
    guarantee = contract.guarantee
    assert guarantee is not None
    stopped = category == Category.UNAVAILABLE
    rule[stopped & (party != _NOBODY)] = _RULE["responsible-party"]
    category[stopped & ((party == _CUSTOMER) | (party == _THIRD))] = Category.EXCLUDED
    nobody = stopped & (party == _NOBODY)
    rule[nobody] = np.where(own[nobody], _RULE["reason-claimed-only"], _RULE["burden-of-proof"])
    if guarantee.burden_of_proof == "customer":
        category[nobody] = Category.EXCLUDED


def _lost_by(table: TimeTable, party: Codes, contract: Contract) -> Codes:
    """Who lost the data of unknown time: who is named for it, else who runs the telemetry."""
    assert contract.guarantee is not None
    telemetry = {"provider": _PROVIDER, "customer": _CUSTOMER, "neither": _NOBODY}[contract.guarantee.gaps.telemetry]
    lost: Codes = np.where(party == _NOBODY, telemetry, party).astype(np.int32)
    return lost


def _weights(table: TimeTable, guarantee: Guarantee) -> Codes:
    by_word = [int(guarantee.degraded.get(w, Decimal(100)) * 100) if w else _FULL for w in table.names]
    weights: Codes = np.array(by_word, np.int32)[table.word]
    return weights


def _effective(time: GuaranteeTime, guarantee: Guarantee, claims: Sequence[Claims]) -> tuple[list[Claims], Spans]:
    """What of the accepted claims takes effect: on stopped or unknown time, in order of priority, within budgets."""
    table = time.table
    unknown = table.state == STATES.index(State.UNKNOWN)
    inside = time.category != Category.OUTSIDE
    stopped = _where(table, inside & ((time.category == Category.UNAVAILABLE) | unknown))
    nobody = (time.rule == _RULE["burden-of-proof"]) | (time.rule == _RULE["reason-claimed-only"])
    unproven = _where(table, inside & nobody & (time.category == Category.EXCLUDED))
    by_kind = {c.kind: c for c in claims}
    found: list[Claims] = []
    spent: list[tuple[int, int]] = []
    for term in guarantee.exclusions:
        claim = by_kind.get(term.kind)
        if claim is None:
            continue
        spans = claim.spans.meet(unproven if term.kind == "provider_failure" else stopped)
        if term.budget_hours is not None:
            within = _first(spans, int(term.budget_hours * HOUR))
            spent += spans.minus(within).pairs()
            spans = within
        stopped = stopped.minus(spans)
        found.append(Claims(term.kind, spans, claim.ids))
    return found, Spans.of(spent)


def _leave_out(time: GuaranteeTime, effective: Sequence[Claims], spent: Spans) -> None:
    beyond = spent.contain(time.table.start) & (time.category == Category.UNAVAILABLE)
    time.rule[beyond] = _RULE["budget-spent"]
    for place, claim in enumerate(effective):
        where = claim.spans.contain(time.table.start)
        time.category[where] = Category.UNAVAILABLE if claim.kind == "provider_failure" else Category.EXCLUDED
        time.rule[where] = _RULE["exclusion"]
        time.ground[where] = place
    time.grounds = tuple(effective)


def _where(table: TimeTable, mask: npt.NDArray[np.bool_]) -> Spans:
    return Spans.of(zip(table.start[mask].tolist(), table.end[mask].tolist(), strict=True))


def _first(spans: Spans, budget: int) -> Spans:
    """The first ``budget`` nanoseconds of the spans."""
    kept = []
    for start, end in spans.pairs():
        if budget <= 0:
            break
        kept.append((start, min(end, start + budget)))
        budget -= end - start
    return Spans.of(kept)
