"""Processes that solve problems: one is kept ready where that is wanted, and hurries until its first plan alone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path

import pytest

import servitwin.services.operation.schedule
from servitwin.bootstrap.children import start_ticks
from servitwin.bootstrap.job_process import JobProcess, JobProcesses
from servitwin.bootstrap.priority import NICENESS
from servitwin.domain.error import UnavailableError
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


def test_one_that_is_killed_in_the_middle_of_a_word_has_crashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half_a_plan = 'import os; os.write(1, b\'{"plan": {"val\'); os.kill(os.getpid(), 9)'

    async def started(self: JobProcesses, service: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(sys.executable, "-c", half_a_plan, stdin=pipe, stdout=pipe)

    monkeypatch.setattr(JobProcesses, "_started", started)

    async def story() -> None:
        process = JobProcesses(tmp_path / "jobs.log").start(SERVICE, PROBLEM, NS, 1)
        with pytest.raises(UnavailableError, match="job:crashed"):
            assert [said async for said in process.answers()] == []
        await process.end()

    asyncio.run(story())


def test_a_problem_with_a_number_that_can_be_none_is_told_with_its_place(tmp_path: Path) -> None:
    problem = json.loads(PROBLEM)
    problem["machines"][0]["blocked"] = [{"start": 0, "end": 10**22}]
    problem["orders"][0]["due"] = -1e308

    async def story() -> None:
        process = JobProcesses(tmp_path / "jobs.log").start(SERVICE, json.dumps(problem).encode(), NS, 1)
        (said,) = [said async for said in process.answers()]
        await process.end()
        assert {(f.code, f.where) for f in said.faults} == {
            ("number:too-large", "machines[0].blocked[0].end"),
            ("number:too-large", "orders[0].due"),
        }

    asyncio.run(story())
