"""Processes that solve problems: one is kept ready where that is wanted, and hurries until its first plan alone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path

import servitwin.services.operation.schedule
from servitwin.bootstrap.children import start_ticks
from servitwin.bootstrap.job_process import JobProcess, JobProcesses
from servitwin.bootstrap.priority import NICENESS
from servitwin.domain.instant import NS

FIXTURES = Path(servitwin.services.operation.schedule.__path__[0]) / "fixtures"
PROBLEM = json.dumps(json.loads((FIXTURES / "shop-with-everything.json").read_text())["problem"]).encode()
SERVICE = "schedule"


def pid_of(process: JobProcess) -> int:
    assert process._process is not None
    return process._process.pid


async def solved(processes: JobProcesses) -> int:
    """The process that gave a plan; it has ended."""
    process = processes.start(SERVICE, PROBLEM, 1 * NS, 1)
    plans = []
    async for said in process.answers():
        plans.append(said)
        process.ask_to_end()
    await process.end()
    assert plans, "no answer"
    assert all(said.plan is not None for said in plans), plans[-1].faults
    return pid_of(process)


async def waiting(processes: JobProcesses) -> int:
    """The process that waits for a problem, as soon as there is one."""
    while SERVICE not in processes._ready:
        await asyncio.sleep(0.01)
    return processes._ready[SERVICE].pid


def test_the_next_problem_goes_to_the_process_that_waits(tmp_path: Path) -> None:
    async def story() -> None:
        processes = JobProcesses(tmp_path / "jobs.log", lambda name: name == SERVICE)
        first = await solved(processes)
        ready = await waiting(processes)
        assert ready != first
        assert os.getpriority(os.PRIO_PROCESS, ready) == 0, "it has not given way: somebody will wait for its plan"
        assert await solved(processes) == ready
        lost = await waiting(processes)
        os.kill(lost, signal.SIGKILL)
        await processes._ready[SERVICE].wait()
        assert await solved(processes) != lost, "one that was lost is no reason to fail"
        last = await waiting(processes)
        await processes.close()
        assert start_ticks(last) is None, "nothing stays behind"

    asyncio.run(story())


def test_nothing_waits_where_nobody_wants_it(tmp_path: Path) -> None:
    async def story() -> None:
        processes = JobProcesses(tmp_path / "jobs.log")
        await solved(processes)
        processes.renew([SERVICE])
        assert not processes._starting
        assert not processes._ready
        await processes.close()

    asyncio.run(story())


def test_a_planner_gives_way_from_its_first_plan_on(tmp_path: Path) -> None:
    async def story() -> None:
        processes = JobProcesses(tmp_path / "jobs.log")
        process = processes.start(SERVICE, PROBLEM, 20 * NS, 1)
        niceness = []
        async for _ in process.answers():
            deadline = asyncio.get_running_loop().time() + 5
            with contextlib.suppress(ProcessLookupError):
                while not (seen := os.getpriority(os.PRIO_PROCESS, pid_of(process))):
                    assert asyncio.get_running_loop().time() < deadline
                    await asyncio.sleep(0.01)
                niceness.append(seen)
            process.ask_to_end()
        await process.end()
        assert niceness
        assert set(niceness) == {NICENESS}

    asyncio.run(story())
