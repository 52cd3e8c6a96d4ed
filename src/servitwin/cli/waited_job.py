"""Jobs of planners and trainers as commands meet them: waited for, and where they failed told with all their faults."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NoReturn

import msgspec
import typer

from servitwin.cli.node import FINDING, print_json, tell_faults
from servitwin.client import Client
from servitwin.domain.error import Fault, ServitwinError

_LOOK_EVERY_S = 0.3
Job = dict[str, Any]


def waited_for(node: Client, job: Job, seen: Callable[[Job], None] = lambda _: None) -> Job:
    """The job as it is once it is over; ``seen`` is told of it at each look."""
    while job["state"] in ("waiting", "running"):
        time.sleep(_LOOK_EVERY_S)
        job = node.job(job["id"])
        seen(job)
    return job if "plan" in job else node.job(job["id"])


def tell_plans() -> Callable[[Job], None]:
    """Tells of each better plan as it comes; for :func:`waited_for`."""
    told = 0

    def tell(job: Job) -> None:
        nonlocal told
        if job["plans"] > told:
            told = job["plans"]
            typer.echo(f"plan {told}: value {job['value']}, bound {job['bound']}", err=True)

    return tell


def show(job: Job, as_json: bool) -> None:
    """Print a job with its plan; exit code 1 if it failed."""
    if as_json:
        print_json(job)
    else:
        typer.echo(f"job {job['id']} of {job['service']}: {job['state']}, {job['plans']} plans")
        if job.get("plan") is not None:
            typer.echo(msgspec.json.format(msgspec.json.encode(job["plan"])).decode())
    if job["state"] == "failed":
        end_for(job, as_json=False)


def end_for(job: Job, as_json: bool) -> NoReturn:
    """Tell what the job failed of, and end the command with exit code 1."""
    tell_faults(ServitwinError(Fault(f["code"], f["message"], f["hint"], f["where"]) for f in job["faults"]), as_json)
    raise typer.Exit(FINDING)
