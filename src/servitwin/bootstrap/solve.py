"""A process that solves one problem: it knows the problem and nothing else of the node, gives way, and ends.

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
from servitwin.sdk.discovery import Plugin, plugin
from servitwin.sdk.service import Plan

OUT_OF_MEMORY = 12  # exit code, ENOMEM


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
    """Solve, say, and end."""
    die_with_parent(parent)
    os.umask(0o077)
    # Whatever the plugin or one of its libraries prints is no plan.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    give_way()
    cancelled = False

    def cancel(*_: object) -> None:
        nonlocal cancelled
        cancelled = True

    signal.signal(signal.SIGTERM, cancel)
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=SolveRequest)
    try:
        found = plugin("service", service)
        limit_memory(found.manifest.limits.memory_mb)
        for said in _work(found, request, lambda: cancelled):
            answers.write(msgspec.json.encode(said) + b"\n")
            answers.flush()
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except ServitwinError as e:
        answers.write(msgspec.json.encode(Said(faults=e.faults)) + b"\n")
    except Exception as e:  # noqa: BLE001 - foreign code: whatever it raises is told as its fault
        message = f"{service}: {type(e).__name__}: {e}"[:500]
        answers.write(msgspec.json.encode(Said(faults=[Fault("service:failed", message, "Tell its maker")])) + b"\n")
    answers.flush()


def _work(found: Plugin, request: SolveRequest, cancelled: Any) -> Iterator[Said]:
    problem = msgspec.json.decode(request.problem, type=dict[str, Any])
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
