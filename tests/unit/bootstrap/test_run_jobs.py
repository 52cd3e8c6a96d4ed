"""Jobs are done one after the other: one that breaks in a way nobody thought of ends, and the next has its turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from servitwin.bootstrap.solve import Said
from servitwin.domain.instant import NS
from servitwin.domain.job import Job
from servitwin.engines.files import FileFolder
from servitwin.engines.records import SqlRecords, migrate
from servitwin.sdk.service import Plan
from servitwin.usecases.run_jobs import RunJobs

NOW = 1_789_997_640 * NS


class Broken:
    """A process whose answer cannot be read."""

    async def answers(self) -> AsyncIterator[Said]:
        raise ValueError("Separator is not found, and chunk exceed the limit")
        yield Said()

    def ask_to_end(self) -> None:
        pass

    async def end(self) -> None:
        pass


class Whole(Broken):
    """A process that brings a plan."""

    async def answers(self) -> AsyncIterator[Said]:
        yield Said(plan=Plan(1.0, 1.0, {"made": True}))


@pytest.fixture
def records(tmp_path: Path) -> SqlRecords:
    url = f"sqlite:///{tmp_path}/records.db"
    migrate(url)
    return SqlRecords(url)


def test_a_job_that_breaks_is_not_said_to_run_for_ever(records: SqlRecords, tmp_path: Path) -> None:
    files = FileFolder(tmp_path / "files")
    for n, service in enumerate(("broken", "whole")):
        job = Job(service, service, "1", "planner", "acme", "anna", NOW + n, files.put(b"{}"), NS, 0)
        records.save_job(job)

    async def story() -> None:
        start = {"broken": Broken, "whole": Whole}
        jobs = RunJobs(records, files, lambda service, *_: start[service](), lambda *_: None, lambda: NOW)
        await jobs.begin()
        async with asyncio.timeout(30):
            while records.jobs_in("waiting") or records.jobs_in("running"):
                await asyncio.sleep(0.05)
        await jobs.stop()

    asyncio.run(story())
    broken, whole = records.job("broken"), records.job("whole")
    assert broken is not None and whole is not None
    assert (broken.state, broken.faults[0].code, broken.ended) == ("failed", "job:failed", NOW)
    assert "ValueError" in broken.faults[0].message and broken.faults[0].hint
    assert whole.state == "done"
