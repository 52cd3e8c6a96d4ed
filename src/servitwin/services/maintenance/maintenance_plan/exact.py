"""The placement as a CP-SAT model.

A truth value for each begin of each task, one for each shift of a technician that it could be done in, and one for each
visit (a technician's stay at a site in a shift). Costs are in whole cents, times in seconds after now.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping

from ortools.sat.python import cp_model

from servitwin.domain.instant import NS
from servitwin.domain.maintenance_placement import (
    LEAVING_OUT,
    PlacementProblem,
    PlacementTask,
    site_of,
)
from servitwin.sdk.anytime import newest
from servitwin.services.maintenance.maintenance_plan.begins import Begins, Shift
from servitwin.services.maintenance.maintenance_plan.first import Chosen

CENTS = 100


class _Model:
    """The model, with what each of its variables stands for."""

    def __init__(self, problem: PlacementProblem, begins: Mapping[str, Begins]) -> None:
        self.problem = problem
        self.model = cp_model.CpModel()
        self.tasks = {t.id: t for t in problem.tasks}
        self.begins = begins
        self.begin: dict[tuple[str, int], cp_model.IntVar] = {}  # task, place among its begins
        self.done: dict[tuple[str, str, Shift], cp_model.IntVar] = {}  # task, technician, shift
        self.visit: dict[tuple[str, str, Shift], cp_model.IntVar] = {}  # technician, site, shift
        self._left: dict[str, cp_model.IntVar] = {}
        self._start: dict[str, cp_model.IntVar] = {}
        self._objective: list[cp_model.LinearExpr | int] = []
        for task in problem.tasks:
            self._add_task(task)
        self._one_at_a_time()
        self._parts()
        self._visits()
        self.model.minimize(cp_model.LinearExpr.sum(self._objective))

    def _add_task(self, task: PlacementTask) -> None:
        model, begins = self.model, self.begins[task.id]
        self._left[task.id] = left = model.new_bool_var(f"without {task.id}")
        self._objective.append(left * round(LEAVING_OUT * CENTS))
        weighed, by_shift = [], dict[int, list[cp_model.IntVar]]()
        for n, place in enumerate(begins.shift):
            self.begin[task.id, n] = variable = model.new_bool_var(f"{task.id} at {n}")
            by_shift.setdefault(int(place), []).append(variable)
            weighed.append(variable * self._second(int(begins.start[n])))
            self._objective.append(variable * round(float(begins.cost[n]) * CENTS))
        every = [left]
        for place, (shift, people) in enumerate(begins.shifts):
            done = [model.new_bool_var(f"{task.id} {who} {place}") for who in people]
            for who, variable in zip(people, done, strict=True):
                self.done[task.id, who, shift] = variable
                self._objective.append(variable * round(begins.labour(who) * CENTS))
            model.add(sum(done) == sum(by_shift.get(place, [])))
            every += done
        model.add_exactly_one(every)
        self._start[task.id] = start = model.new_int_var(0, self._second(task.latest), f"start {task.id}")
        model.add(start == cp_model.LinearExpr.sum(weighed))

    def _one_at_a_time(self) -> None:
        """One task at a time on a machine, and for a technician."""
        groups: dict[tuple[object, ...], list[cp_model.IntervalVar]] = {}
        for task in self.problem.tasks:
            present = ~self._left[task.id]
            groups.setdefault((task.machine,), []).append(self._interval(task, present, task.machine))
        for (id, who, shift), done in self.done.items():
            groups.setdefault((who, shift), []).append(self._interval(self.tasks[id], done, who))
        for intervals in groups.values():
            if len(intervals) > 1:
                self.model.add_no_overlap(intervals)

    def _interval(self, task: PlacementTask, present: cp_model.LiteralT, name: str) -> cp_model.IntervalVar:
        start, name = self._start[task.id], f"{task.id} {name}"
        return self.model.new_optional_fixed_size_interval_var(start, task.duration_s, present, name)

    def _parts(self) -> None:
        """Before more arrive, no more pieces are used than there are."""
        for part in self.problem.parts:
            early = [
                variable * need.quantity
                for (id, n), variable in self.begin.items()
                for need in self.tasks[id].parts
                if need.part == part.id and (part.arrives is None or self.begins[id].start[n] < part.arrives)
            ]
            if early:
                self.model.add(cp_model.LinearExpr.sum(early) <= part.stock)

    def _visits(self) -> None:
        """A technician's stay at a site costs once, however many tasks it serves; between stays is a drive."""
        drive = self.problem.visit_s
        stays: dict[tuple[str, Shift], list[cp_model.IntervalVar]] = {}
        tasks: dict[tuple[str, str, Shift], list[str]] = {}
        for id, who, shift in self.done:
            tasks.setdefault((who, site_of(self.tasks[id]), shift), []).append(id)
        sites = {(who, shift): sum(1 for w, _, s in tasks if (w, s) == (who, shift)) for who, _, shift in tasks}
        for (who, site, shift), ids in tasks.items():
            self.visit[who, site, shift] = visit = self.model.new_bool_var(f"visit {who} {site} {shift}")
            self._objective.append(visit * round(self.problem.fee(site) * CENTS))
            for id in ids:
                self.model.add_implication(self.done[id, who, shift], visit)
            if sites[who, shift] > 1:
                low, high = self._second(shift[0]), self._second(shift[1])
                start, end = (self.model.new_int_var(max(0, low), high, f"{n} {who} {site} {shift}") for n in "se")
                size = self.model.new_int_var(0, high - low + drive, f"stay {who} {site} {shift}")
                for id in ids:
                    done = self.done[id, who, shift]
                    self.model.add(start <= self._start[id]).only_enforce_if(done)
                    self.model.add(end >= self._start[id] + self.tasks[id].duration_s).only_enforce_if(done)
                stay = self.model.new_optional_interval_var(start, size, end + drive, visit, f"stay {who} {site}")
                stays.setdefault((who, shift), []).append(stay)
        for intervals in stays.values():
            self.model.add_no_overlap(intervals)

    def begin_with(self, chosen: Chosen) -> None:
        """A plan to begin the search with."""
        where = {id: (who, self._shift(id, n)) for id, (who, n) in chosen.items()}
        visits = {(who, site_of(self.tasks[id]), shift) for id, (who, shift) in where.items()}
        for (id, n), variable in self.begin.items():
            self.model.add_hint(variable, id in chosen and chosen[id][1] == n)
        for (id, who, shift), variable in self.done.items():
            self.model.add_hint(variable, where.get(id) == (who, shift))
        for key, variable in self.visit.items():
            self.model.add_hint(variable, key in visits)
        for id, variable in self._left.items():
            self.model.add_hint(variable, id not in chosen)
            start = self._second(int(self.begins[id].start[chosen[id][1]])) if id in chosen else 0
            self.model.add_hint(self._start[id], start)

    def chosen(self, is_true: Callable[[cp_model.IntVar], bool]) -> Chosen:
        """Technician and begin of each task that is placed."""
        who = {id: person for (id, person, _), v in self.done.items() if is_true(v)}
        return {id: (who[id], n) for (id, n), v in self.begin.items() if is_true(v)}

    def _shift(self, id: str, place: int) -> Shift:
        begins = self.begins[id]
        return begins.shifts[int(begins.shift[place])][0]

    def _second(self, ns: int) -> int:
        return (ns - self.problem.now) // NS


class _Listener(cp_model.CpSolverSolutionCallback):
    def __init__(self, model: _Model, put: Callable[[tuple[Chosen, float]], None]) -> None:
        super().__init__()
        self._model, self._put = model, put

    def on_solution_callback(self) -> None:
        """Pass on a better plan with the bound as it is now."""
        self._put((self._model.chosen(self.boolean_value), self.best_objective_bound / CENTS))


def search(
    problem: PlacementProblem, begins: Mapping[str, Begins], first: Chosen, until: float, seed: int,
    cancel: Callable[[], bool],
) -> Iterator[tuple[Chosen, float]]:  # fmt: skip
    """Better and better plans from a first one on, with the bound known then; ``until`` on the monotonic clock."""
    model = _Model(problem, begins)
    model.begin_with(first)

    def work(put: Callable[[tuple[Chosen, float]], None], closed: threading.Event) -> None:
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = max(0.05, until - time.monotonic())
        solver.parameters.random_seed = seed % 2**31
        solver.parameters.linearization_level = 2  # visits that are shared make the relaxation weak: cuts pay
        solver.parameters.num_workers = 1  # one worker gives the same plan for the same seed
        listener, ended = _Listener(model, put), threading.Event()

        def watch() -> None:
            while not ended.wait(0.1):
                if closed.is_set() or cancel():
                    solver.stop_search()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            status = solver.solve(model.model, listener)
        finally:
            ended.set()
            watcher.join()
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            put((model.chosen(solver.boolean_value), solver.best_objective_bound / CENTS))

    yield from newest(work, "maintenance-plan")
