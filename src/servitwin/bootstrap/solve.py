"""A process that solves one problem: it knows the problem and nothing else of the node, and ends.

On standard input is one :class:`SolveRequest`; on standard output each plan, or the artefact, is one line of JSON.
SIGTERM asks a planner to come to an end.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from servitwin.bootstrap.priority import give_way
from servitwin.bootstrap.worker import die_with_parent, limit_memory
from servitwin.domain.error import Fault, ServitwinError
from servitwin.domain.plain_number import number_faults
from servitwin.sdk.discovery import Plugin, plugin
from servitwin.sdk.service import Plan

OUT_OF_MEMORY = 12  # exit code, ENOMEM
AT_ONCE_S = 2.0


class SolveRequest(msgspec.Struct):
    """What a planner or trainer is given: the problem as JSON, ns to use, and a seed."""

    problem: msgspec.Raw
    budget: int
    seed: int


class Said(msgspec.Struct, omit_defaults=True):
    """A line of the answer: a plan, what was learnt, or why there is nothing."""

    plan: Plan | None = None
    artefact: bytes | None = None
    evaluation: dict[str, Any] = {}
    faults: Sequence[Fault] = ()


def main(service: str, parent: int) -> None:
    """Load the service, wait for the problem, solve, say, and end.

    Loading comes before the problem: a process that waits for one has it behind itself. A planner gives way from its
    first plan on, which somebody waits for, or when it has none after :data:`AT_ONCE_S`; a trainer from the start.
    """
    die_with_parent(parent)
    os.umask(0o077)
    # Whatever the plugin or one of its libraries prints is no plan.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    cancelled = False

    def cancel(*_: object) -> None:
        nonlocal cancelled
        cancelled = True

    signal.signal(signal.SIGTERM, cancel)
    try:
        found = plugin("service", service)
        limit_memory(found.manifest.limits.memory_mb)
        found.load()
        request = msgspec.json.decode(sys.stdin.buffer.read(), type=SolveRequest)
        with _Hurry(at_once=found.manifest.kind == "planner") as hurry:
            for said in _work(found, request, lambda: cancelled):
                answers.write(msgspec.json.encode(said) + b"\n")
                answers.flush()
                hurry.end()
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except ServitwinError as e:
        answers.write(msgspec.json.encode(Said(faults=e.faults)) + b"\n")
    except Exception as e:  # noqa: BLE001 - foreign code: whatever it raises is told as its fault
        message = f"{service}: {type(e).__name__}: {e}"[:500]
        answers.write(msgspec.json.encode(Said(faults=[Fault("service:failed", message, "Tell its maker")])) + b"\n")
    answers.flush()


class _Hurry:
    """Gives way once: when told to, or by itself after :data:`AT_ONCE_S`; outside of it no alarm is due."""

    def __init__(self, *, at_once: bool) -> None:
        self._over = False
        if not at_once:
            self.end()
            return
        signal.signal(signal.SIGALRM, self.end)
        signal.setitimer(signal.ITIMER_REAL, AT_ONCE_S)

    def __enter__(self) -> _Hurry:
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)  # Python forgets its handlers as it ends: an alarm would kill it then

    def end(self, *_: object) -> None:
        if not self._over:
            self._over = True
            signal.setitimer(signal.ITIMER_REAL, 0)
            give_way()


def _work(found: Plugin, request: SolveRequest, cancelled: Any) -> Iterator[Said]:
    problem = msgspec.json.decode(request.problem, type=dict[str, Any])
    beyond = number_faults(problem)
    if beyond:
        yield Said(faults=beyond)
        return
    if found.manifest.kind == "trainer":
        trainer = found.trainer()
        faults = trainer.check(problem)
        if faults:
            yield Said(faults=faults)
            return
        artefact = trainer.fit(problem, request.seed)
        yield Said(artefact=artefact, evaluation=trainer.describe(artefact))
        return
    planner = found.planner()
    faults = planner.check(problem)
    if faults:
        yield Said(faults=faults)
        return
    for plan in planner.solve(problem, request.budget, request.seed, cancelled):
        yield Said(plan=plan)
