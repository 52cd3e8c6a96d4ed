"""Jobs that wait are done one after the other, planners beside trainers; each better plan is kept as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Literal, Protocol

import msgspec

from servitwin.domain.error import Fault, ServitwinError
from servitwin.domain.instant import NS
from servitwin.domain.job import Job
from servitwin.sdk.service import Plan
from servitwin.usecases.ports import Files, Records
from servitwin.usecases.take_in import take_in

log = logging.getLogger("servitwin.jobs")
Lane = Literal["planner", "trainer"]
_LOOK_EVERY_S = 0.5  # for who wants a job to end
_GRACE_S = 15.0  # over its budget, for loading, checking and saying the last plan
TRAINER_S = 3600.0  # a trainer has no budget of its own
MOST_AT_ONCE: Mapping[Lane, int] = {"planner": 2, "trainer": 1}


class Answer(Protocol):
    """A line of what a solving process says."""

    plan: Plan | None
    artefact: bytes | None
    evaluation: dict[str, Any]
    faults: Any


class Solving(Protocol):
    """A process that solves one problem."""

    def answers(self) -> AsyncIterator[Answer]:
        """What it says, until it ends.

        Raises:
            ServitwinError: it ended without being able to say why.
        """
        ...

    def ask_to_end(self) -> None:
        """Ask it to come to an end."""
        ...

    async def end(self) -> None:
        """It has ended when this returns, whatever it was doing."""
        ...


Start = Callable[[str, bytes, int, int], "Solving"]
Publish = Callable[[str, bytes], None]


class RunJobs:
    """Does what waits. A long training keeps no plan waiting, nor does a search that has its first plan already."""

    def __init__(self, records: Records, files: Files, start: Start, publish: Publish, now: Callable[[], int]) -> None:
        """``start``: begins a process for (service, problem as JSON, budget in ns, seed)."""
        self._records = records
        self._files = files
        self._start = start
        self._publish = publish
        self._now = now
        self._lanes: dict[Lane, list[asyncio.Task[None]]] = {"planner": [], "trainer": []}
        self._awaited: dict[str, Lane] = {}  # jobs that run and have given nothing yet

    async def begin(self) -> None:
        """Close what a node that was killed left running, then do what waits."""
        await asyncio.to_thread(self._close_interrupted)
        self.wake()

    def wake(self) -> None:
        """See to it that what waits is done; returns at once."""
        for lane, most in MOST_AT_ONCE.items():
            running = [task for task in self._lanes[lane] if not task.done()]
            if len(running) < most and lane not in self._awaited.values():
                running.append(asyncio.create_task(self._go(lane)))
            self._lanes[lane] = running

    async def stop(self) -> None:
        """End what runs; it is told as interrupted at the next start."""
        running = [task for tasks in self._lanes.values() for task in tasks]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _go(self, lane: Lane) -> None:
        while (job := await asyncio.to_thread(self._claim, lane)) is not None:
            self._awaited[job.id] = lane
            try:
                await self._do(job)
            except ServitwinError as e:
                await asyncio.to_thread(self._finish, job.id, "failed", e.faults)
            except Exception as e:  # whatever breaks one job: it must not be said to run for ever
                log.exception("job %s of %s", job.id, job.service)
                message = f"{job.service}: {type(e).__name__}: {e}"[:500]
                fault = Fault("job:failed", message, "Ask again; if it lasts, see the node's log")
                await asyncio.to_thread(self._finish, job.id, "failed", (fault,))
            finally:
                self._awaited.pop(job.id, None)

    def _claim(self, lane: Lane) -> Job | None:
        with self._records.together("jobs"):
            waiting = self._records.jobs_in("waiting", lane, 1)
            return self._change(waiting[0].id, state="running", began=self._now()) if waiting else None

    async def _do(self, job: Job) -> None:
        content = await asyncio.to_thread(self._files.get, job.problem)
        if content is None:
            fault = Fault("file:missing", "The problem is gone from the node's files", "Restore a backup, or ask again")
            await asyncio.to_thread(self._finish, job.id, "failed", (fault,))
            return
        longest = job.budget / NS if job.kind == "planner" else TRAINER_S
        process = self._start(job.service, content, job.budget, job.seed)
        watching = asyncio.create_task(self._watch(job.id, process))
        faults: tuple[Fault, ...] = ()
        try:
            async with asyncio.timeout(longest + _GRACE_S):
                async for said in process.answers():
                    faults = tuple(said.faults)
                    await asyncio.to_thread(self._keep, job, said)
                    if self._awaited.pop(job.id, None) is not None:
                        self.wake()
        except TimeoutError:
            message = f"{job.service} did not end within {longest:g} s and {_GRACE_S:g} s of grace"
            faults = (Fault("job:too-slow", message, "Give it more time, or tell its maker"),)
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
            await process.end()
        ended = await asyncio.to_thread(self._records.job, job.id)
        assert ended is not None
        if not faults and not ended.result and not ended.cancelled_by:
            faults = (
                Fault("job:no-plan", f"{job.service} found no plan in its time", "Give it more time", "budget_s"),
            )
        state: Literal["done", "failed", "cancelled"] = "done"
        if not ended.result:
            state = "failed" if faults else "cancelled"
        await asyncio.to_thread(self._finish, job.id, state, faults)

    async def _watch(self, id: str, process: Solving) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            job = await asyncio.to_thread(self._records.job, id)
            if job is not None and job.cancelled_by:
                process.ask_to_end()
                await asyncio.sleep(_GRACE_S)
                await process.end()
                return

    # what is kept ----------------------------------------------------------------------------------------------
    def _keep(self, job: Job, said: Answer) -> None:
        if said.plan is not None:
            address = self._files.put(msgspec.json.encode(said.plan.plan))
            with self._records.together("jobs"):  # one commit for the plan and the word of it
                present = self._records.job(job.id)
                assert present is not None
                plan = said.plan
                changed = self._change(
                    job.id, plans=present.plans + 1, value=plan.value, bound=plan.bound, result=address
                )
                event = self._told(changed)
            self._publish("happened", event)
        if said.artefact is not None:
            self._learn(job, said.artefact, said.evaluation)

    def _learn(self, job: Job, content: bytes, evaluation: dict[str, Any]) -> None:
        made = take_in(self._records, self._files, job, content, evaluation, self._now())
        self._change(job.id, plans=1, value=made.score, result=made.digest)

    def _change(self, id: str, **values: Any) -> Job:
        """Change where a job stands; one that somebody ended stays ended."""
        with self._records.together("jobs"):
            job = self._records.job(id)
            assert job is not None
            if job.state in ("waiting", "running"):
                job = msgspec.structs.replace(job, **values)
                self._records.save_job(job)
        return job

    def _finish(self, id: str, state: str, faults: tuple[Fault, ...] = ()) -> None:
        job = self._change(id, state=state, ended=self._now(), faults=faults)
        if faults:
            log.info("job %s of %s: %s", job.id, job.service, "; ".join(str(f) for f in faults)[:1000])
        self._publish("happened", self._told(job))

    def _close_interrupted(self) -> None:
        for job in self._records.jobs_in("running"):
            fault = Fault("job:interrupted", "The node ended before the job was done", "Ask again")
            self._finish(job.id, "done" if job.result else "failed", (fault,))

    def _told(self, job: Job) -> bytes:
        """Where a job stands, kept in the event table; what is returned goes to whoever listens."""
        data = {
            "job": job.id, "service": job.service, "about": job.about, "party": job.party, "state": job.state,
            "plans": job.plans, "value": job.value, "bound": job.bound,
        }  # fmt: skip
        at = self._now()
        number = self._records.add_event("job", job.party, at, data)
        return msgspec.json.encode({"id": number, "kind": "job", "subject": job.party, "at": at, "data": data})
