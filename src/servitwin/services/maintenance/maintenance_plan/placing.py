"""The placement as a CP-SAT model: a truth value for each begin of each task with each technician."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from ortools.sat.python import cp_model

from servitwin.domain.instant import NS
from servitwin.domain.machine_occupation import LostCost
from servitwin.domain.maintenance_placement import (
    LEAVING_OUT,
    PlacementPlan,
    PlacementProblem,
    PlacementTask,
    site_of,
)
from servitwin.sdk.anytime import newest
from servitwin.services.maintenance.maintenance_plan.begins import Begins
from servitwin.services.maintenance.maintenance_plan.reasons import told

CENTS = 100
_Chosen = dict[str, tuple[str, int]]  # task -> technician, place among its begins with that technician


class _Model:
    """The model, with what each of its variables stands for."""

    def __init__(self, problem: PlacementProblem) -> None:
        self.problem = problem
        self.model = cp_model.CpModel()
        self._by_id = {t.id: t for t in problem.tasks}
        lost = {m.machine: LostCost(m) for m in problem.machines}
        self.begins: dict[tuple[str, str], Begins] = {}
        self.begin: dict[tuple[str, str, int], cp_model.IntVar] = {}
        self.with_: dict[tuple[str, str], cp_model.IntVar] = {}
        self._start: dict[str, cp_model.IntVar] = {}
        self._objective: list[cp_model.LinearExpr | int] = []
        for task in problem.tasks:
            self._add_task(task, lost[task.machine])
        self._one_at_a_time()
        self._drives()
        self._parts()
        self._visits()
        self.model.minimize(cp_model.LinearExpr.sum(self._objective))

    def _add_task(self, task: PlacementTask, lost: LostCost) -> None:
        problem, model = self.problem, self.model
        left_out = model.new_bool_var(f"without {task.id}")
        self._objective.append(left_out * round(LEAVING_OUT * CENTS))
        every, weighed = [left_out], []
        for technician in problem.technicians:
            if not set(task.skills) <= set(technician.skills):
                continue
            begins = Begins(problem, task, technician, lost)
            if not len(begins.start):
                continue
            self.begins[task.id, technician.id] = begins
            chosen = [model.new_bool_var(f"{task.id} {technician.id} {n}") for n in range(len(begins.start))]
            for n, variable in enumerate(chosen):
                self.begin[task.id, technician.id, n] = variable
                weighed.append(variable * self._second(int(begins.start[n])))
                self._objective.append(variable * round(float(begins.cost[n]) * CENTS))
            self.with_[task.id, technician.id] = with_ = model.new_bool_var(f"{task.id} {technician.id}")
            model.add(sum(chosen) == with_)
            every.append(with_)
        model.add_exactly_one(every)
        self._start[task.id] = start = model.new_int_var(0, self._second(task.latest), f"start {task.id}")
        model.add(start == cp_model.LinearExpr.sum(weighed))

    def _one_at_a_time(self) -> None:
        by_machine: dict[str, list[cp_model.IntervalVar]] = {}
        by_technician: dict[str, list[cp_model.IntervalVar]] = {}
        for task in self.problem.tasks:
            start, length = self._start[task.id], task.duration_s
            for technician in self.problem.technicians:
                with_ = self.with_.get((task.id, technician.id))
                if with_ is not None:
                    name = f"interval {task.id} {technician.id}"
                    interval = self.model.new_optional_fixed_size_interval_var(start, length, with_, name)
                    by_technician.setdefault(technician.id, []).append(interval)
                    by_machine.setdefault(task.machine, []).append(interval)
        for intervals in (*by_machine.values(), *by_technician.values()):
            self.model.add_no_overlap(intervals)

    def _drives(self) -> None:
        """Between two sites a technician drives."""
        tasks, gap = self.problem.tasks, self.problem.visit_s
        for n, one in enumerate(tasks):
            for other in tasks[n + 1 :] if gap else ():
                if site_of(one) == site_of(other):
                    continue
                before = self.model.new_bool_var(f"{one.id} before {other.id}")
                for technician in self.problem.technicians:
                    a, b = self.with_.get((one.id, technician.id)), self.with_.get((other.id, technician.id))
                    if a is not None and b is not None:
                        first, second = self._start[one.id], self._start[other.id]
                        self.model.add(first + one.duration_s + gap <= second).only_enforce_if(a, b, before)
                        self.model.add(second + other.duration_s + gap <= first).only_enforce_if(a, b, ~before)

    def _parts(self) -> None:
        """Before more arrive, no more pieces are used than there are."""
        for part in self.problem.parts:
            early = [
                variable * need.quantity
                for task in self.problem.tasks
                for need in task.parts
                if need.part == part.id
                for (id, who, n), variable in self.begin.items()
                if id == task.id and (part.arrives is None or self.begins[id, who].start[n] < part.arrives)
            ]
            if early:
                self.model.add(cp_model.LinearExpr.sum(early) <= part.stock)

    def _visits(self) -> None:
        """A technician's shift at a site costs once, however many tasks it serves."""
        site = {t.id: site_of(t) for t in self.problem.tasks}
        used: dict[tuple[str, str, int], dict[str, list[cp_model.IntVar]]] = {}
        for (id, who, n), variable in self.begin.items():
            shift = int(self.begins[id, who].shift[n])
            used.setdefault((who, site[id], shift), {}).setdefault(id, []).append(variable)
        cost = round(self.problem.visit_cost * CENTS)
        for (who, place, shift), tasks in used.items() if cost else ():
            visit = self.model.new_bool_var(f"visit {who} {place} {shift}")
            self._objective.append(visit * cost)
            for variables in tasks.values():
                self.model.add(sum(variables) <= visit)

    def hint(self) -> None:
        """Begin the search with each task in turn, the least room first, at its cheapest begin that is still free."""
        chosen: _Chosen = {}
        gap = self.problem.visit_s * NS
        held = {p.id: p.stock for p in self.problem.parts}
        for task in sorted(self.problem.tasks, key=lambda t: (t.latest - t.earliest, t.id)):
            length = task.duration_s * NS
            options = sorted(
                (float(b.cost[n]), who, n)
                for (id, who), b in self.begins.items()
                if id == task.id
                for n in range(len(b.start))
            )
            for _, who, n in options:
                start = int(self.begins[task.id, who].start[n])
                if not all(self._apart(task, start, start + length, who, id, c, gap) for id, c in chosen.items()):
                    continue
                arrives = {p.id: p.arrives for p in self.problem.parts}
                early = [d for d in task.parts if (t := arrives[d.part]) is None or start < t]
                if all(held[d.part] >= d.quantity for d in early):
                    chosen[task.id] = (who, n)
                    for d in early:
                        held[d.part] -= d.quantity
                    break
        for (id, who, n), variable in self.begin.items():
            self.model.add_hint(variable, chosen.get(id) == (who, n))

    def _apart(
        self, task: PlacementTask, start: int, end: int, who: str, other_id: str, other: tuple[str, int], gap: int
    ) -> bool:
        """Whether a begin leaves alone what is placed already."""
        item = self._by_id[other_id]
        there = int(self.begins[other_id, other[0]].start[other[1]])
        apart = gap if site_of(item) != site_of(task) else 0
        if who == other[0] and start < there + item.duration_s * NS + apart and there < end + apart:
            return False
        return item.machine != task.machine or start >= there + item.duration_s * NS or there >= end

    def _second(self, ns: int) -> int:
        return (ns - self.problem.now) // NS


class _Listener(cp_model.CpSolverSolutionCallback):
    def __init__(self, model: _Model, put: Callable[[tuple[_Chosen, float]], None]) -> None:
        super().__init__()
        self._model, self._put = model, put

    def on_solution_callback(self) -> None:
        """Pass on a better plan with the bound as it is now."""
        chosen = {id: (who, n) for (id, who, n), v in self._model.begin.items() if self.boolean_value(v)}
        self._put((chosen, self.best_objective_bound / CENTS))


def place(
    problem: PlacementProblem, budget: int, seed: int, cancel: Callable[[], bool]
) -> Iterator[tuple[PlacementPlan, float]]:
    """Better and better plans, each with the bound known then; the last one again if the bound became better."""
    model = _Model(problem)
    model.hint()

    def work(put: Callable[[tuple[_Chosen, float]], None], closed: threading.Event) -> None:
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = max(0.05, budget / 1e9)
        solver.parameters.random_seed = seed % 2**31
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
            chosen = {id: (who, n) for (id, who, n), v in model.begin.items() if solver.boolean_value(v)}
            put((chosen, solver.best_objective_bound / CENTS))

    found = False
    for chosen, bound in newest(work, "maintenance-plan"):
        found = True
        yield told(problem, model.begins, chosen), bound
    if not found:
        yield told(problem, model.begins, {}), float("-inf")
