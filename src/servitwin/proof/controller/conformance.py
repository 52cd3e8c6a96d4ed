"""How well the model explains what the real machine did: printed beside every answer of the checker.

Recorded signals become a row of observed values. Each change of the row is asked of the model: is there a way of a few
steps from a state that looks like the row before to one that looks like the row after, where everything observed has
the old or the new value on the way? And where a row stays, may the model stay too? The question starts from any state
that looks right (what was not observed is free), so that a "no" is certain and a "yes" is the best case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import z3

from servitwin.domain.controller import Controller, Observed
from servitwin.domain.controller_flat import flatten
from servitwin.domain.controller_term import Range
from servitwin.proof.controller.budget import Budget, OutOfBudget
from servitwin.proof.controller.clause import Clause, clause_term
from servitwin.proof.controller.conformance_report import Conformance, Seen, Unexplained
from servitwin.proof.controller.system import System
from servitwin.proof.controller.unroll import Unrolling

STEPS = 8
_TOLD = 100

Row = tuple[tuple[str, int], ...]  # observed names with a known value, by name


class Conform:
    """Compares recordings with one controller."""

    def __init__(self, controller: Controller, clauses: Sequence[Clause] = (), steps: int = STEPS) -> None:
        self._controller = controller
        self._system = System(flatten(controller), ())
        self._steps = steps
        self._clauses = [c for c in clauses if all(b.name in self._system.state for b in c)]
        self._ranges: dict[str, Range] = self._system.flat.names
        self._by_signal: dict[str, list[Observed]] = {}
        for o in controller.observe:
            self._by_signal.setdefault(o.signal, []).append(o)
        self._regions = {r.name for r in controller.regions} & {o.name for o in controller.observe}
        self._unrolling = self._prepared()
        self._answers: dict[tuple[Row, Row], tuple[bool, frozenset[int]]] = {}

    def _prepared(self) -> Unrolling:
        unrolling = Unrolling(self._system, anywhere=True)
        while unrolling.depth < self._steps:
            unrolling.extend()
        for clause in self._clauses:
            unrolling.solver.add(unrolling.at(0, clause_term(self._system, clause)))
        return unrolling

    def compare(
        self, observations: Iterable[Seen], seconds: float, clock: Callable[[], float],
        cancel: Callable[[], bool] = lambda: False,
    ) -> Conformance:  # fmt: skip
        """Go through observations in the order of time; disorder is put right, equal times count together."""
        budget = Budget(seconds, clock, cancel)
        count: Counter[str] = Counter()
        missing: dict[tuple[Row, Row], list[int]] = {}
        leaves: set[tuple[str, int]] = set()
        taken: set[int] = set()
        first = last = None
        before: tuple[int, Row] | None = None
        for time, row in self._rows(observations):
            first = time if first is None else first
            last = time
            leaves.update((n, v) for n, v in row if n in self._regions)
            if before is not None:
                self._judge(before, (time, row), count, missing, taken, budget)
            before = (time, row)
        flat = self._system.flat
        own = {t.number for t in flat.transitions if t.region in self._regions}
        told = sorted(missing.items(), key=lambda m: (-len(m[1]), m[1][0]))[:_TOLD]
        return Conformance(
            count["changes"], count["explained"], count["others"], count["others explained"],
            count["stays"], count["stays explained"], count["unknown"], count["not asked"],
            tuple(Unexplained(self._shown(a), self._shown(b), t[0], len(t)) for (a, b), t in told),
            tuple(sorted(f"{n}.{self._ranges[n].shown(v)}" for n, v in leaves)),
            sum(self._ranges[n].size for n in self._regions),
            tuple(sorted(flat.labels[n] for n in taken & own)), len(own),
            0 if first is None or last is None else last - first, self._steps,
        )  # fmt: skip

    def _rows(self, observations: Iterable[Seen]) -> Iterable[tuple[int, Row]]:
        known: dict[str, int] = {}
        pending: int | None = None
        last: Row | None = None
        for seen in sorted(observations, key=lambda s: s.time):
            observed = self._by_signal.get(seen.signal)
            if observed is None:
                continue
            if pending is not None and seen.time != pending:
                row = tuple(sorted(known.items()))
                if row != last:
                    yield pending, row
                last = row
            pending = seen.time
            for o in observed:
                value = meaning(o, self._ranges[o.name], seen.value)
                if value is None:
                    known.pop(o.name, None)
                else:
                    known[o.name] = value
        if pending is not None and tuple(sorted(known.items())) != last:
            yield pending, tuple(sorted(known.items()))

    def _judge(
        self, before: tuple[int, Row], after: tuple[int, Row], count: Counter[str],
        missing: dict[tuple[Row, Row], list[int]], taken: set[int], budget: Budget,
    ) -> None:  # fmt: skip
        (since, old), (time, new) = before, after
        tick = self._controller.tick
        if tick is not None and time - since > self._steps * tick and old:
            self._ask("stays", old, old, since, count, missing, taken, budget)
        if {n for n, _ in old} != {n for n, _ in new}:
            count["unknown"] += 1
            return
        moved = any(n in self._regions for n, _ in set(old) ^ set(new))
        self._ask("changes" if moved else "others", old, new, time, count, missing, taken, budget)

    def _ask(
        self, kind: str, old: Row, new: Row, time: int, count: Counter[str],
        missing: dict[tuple[Row, Row], list[int]], taken: set[int], budget: Budget,
    ) -> None:  # fmt: skip
        try:
            good, ways = self._explained(old, new, budget)
        except OutOfBudget:
            count["not asked"] += 1
            return
        count[kind] += 1
        taken |= ways
        if good:
            count["explained" if kind == "changes" else f"{kind} explained"] += 1
        else:
            missing.setdefault((old, new), []).append(time)

    def _explained(self, old: Row, new: Row, budget: Budget) -> tuple[bool, frozenset[int]]:
        known = self._answers.get((old, new))
        if known is not None:
            return known
        mark = z3.Bool(f"question {len(self._answers)}", self._system.context)
        self._unrolling.solver.add(z3.Implies(mark, self._question(old, new)))
        good = budget.satisfiable(self._unrolling.solver, mark)
        ways: frozenset[int] = frozenset()
        if good and old != new:
            run, _ = self._unrolling.run()
            end = next(i for i, p in enumerate(run) if all(p.state.get(n, v) == v for n, v in new))
            flat = self._system.flat
            ways = frozenset(flat.transitions[k].number for p in run[:end] for k in p.taken)
        self._answers[old, new] = (good, ways)
        return good, ways

    def _question(self, old: Row, new: Row) -> z3.BoolRef:
        """Looks like ``old`` at first, like ``new`` from some position on, and like one of them in between."""
        words, unrolling = self._system.words, self._unrolling
        state = self._system.state

        def looks(position: int, row: Row, *, of_state: bool) -> list[z3.BoolRef]:
            names = unrolling.positions[position]
            return [words.compared(names[n], self._ranges[n], "==", v) for n, v in row if (n in state) == of_state]

        def between(position: int, *, of_state: bool) -> list[z3.BoolRef]:
            pairs = zip(looks(position, old, of_state=of_state), looks(position, new, of_state=of_state), strict=True)
            return [z3.Or(a, b) for a, b in pairs]

        parts = looks(0, old, of_state=True)
        if old == new:
            for i in range(self._steps + 1):
                parts += [*looks(i, old, of_state=True), *looks(i, old, of_state=False)]
            return words.both(*parts)
        ends = []
        for end in range(self._steps + 1):
            way = [t for i in range(end) for s in (True, False) for t in between(i, of_state=s)]
            ends.append(words.both(*way, *looks(end, new, of_state=True), *looks(end, new, of_state=False)))
        return words.both(*parts, words.one_of(*ends))

    def _shown(self, row: Row) -> dict[str, str]:
        return {n: self._ranges[n].shown(v) for n, v in row}


def meaning(observed: Observed, range: Range, value: float | str | bool | None) -> int | None:
    """The number that a recorded value stands for; None where it stands for none."""
    if value is None:
        return None
    if observed.values:
        word = {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value
        return dict(observed.values).get(str(word))
    if range.kind == "word":
        return range.words.index(value) if isinstance(value, str) and value in range.words else None
    if range.kind == "flag":
        return {"true": 1, "false": 0, "True": 1, "False": 0, "1": 1, "0": 0, "1.0": 1, "0.0": 0}.get(str(value))
    try:
        number = float(value)
    except ValueError:
        return None
    whole = number == number and abs(number) < 1e15 and number == int(number)  # noqa: PLR0124  # NaN is not itself
    return int(number) if whole and range.low <= number <= range.high else None


__all__ = ["STEPS", "Conform", "Conformance", "Seen", "Unexplained", "meaning"]
