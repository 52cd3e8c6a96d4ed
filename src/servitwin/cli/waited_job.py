"""Jobs of planners and trainers as commands meet them: waited for, and where they failed told with all their faults."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NoReturn

import typer

from servitwin.cli.node import FINDING, tell_faults
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
    return job


def end_for(job: Job, as_json: bool) -> NoReturn:
    """Tell what the job failed of, and end the command with exit code 1."""
    tell_faults(ServitwinError(Fault(f["code"], f["message"], f["hint"], f["where"]) for f in job["faults"]), as_json)
    raise typer.Exit(FINDING)
