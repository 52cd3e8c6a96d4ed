"""Work of planners and trainers that a process of its own does, and what trainers leave behind."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from servitwin.domain.error import Fault

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]
OVER: frozenset[JobState] = frozenset({"done", "failed", "cancelled"})


class Job(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem that a planner solves, or a data set that a trainer learns from.

    Attributes:
        service: name of the plugin, ``version`` as its manifest has it, ``kind`` what it is.
        party: company that asks; ``by`` who, ``at`` when (ns UTC).
        about: what it is about, as whoever asked says (a plan's id, a twin's id); free text.
        problem: address of the problem among the node's files; the same problem has the same address.
        budget: ns that the service may use; ``seed``: its randomness.
        began, ended: ns UTC, None before.
        plans: how many plans it brought so far, each better than the one before.
        value: worth of the best plan, ``bound`` of what no plan can be better than.
        result: address of the best plan, or of the artefact; empty before the first.
        cancelled_by: who asked that it ends early; a planner's best plan so far is kept.
        faults: why there is no result, or no better one.
        why: what made it necessary, where the platform asked for it by itself.
        known: when what it is made of was read (ns UTC), where that was before it was asked for.
    """

    id: str
    service: str
    version: str
    kind: Literal["planner", "trainer"]
    party: str
    by: str
    at: int
    problem: str
    budget: int
    seed: int
    about: str = ""
    state: JobState = "waiting"
    began: int | None = None
    ended: int | None = None
    plans: int = 0
    value: float | None = None
    bound: float | None = None
    result: str = ""
    cancelled_by: str = ""
    faults: tuple[Fault, ...] = ()
    why: tuple[str, ...] = ()
    known: int | None = None


class Artefact(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a trainer learnt, with where it comes from and how good it is.

    Attributes:
        digest: address of its bytes among the node's files.
        trainer: name of the service, ``version`` of it, that made it for ``party``.
        job: the job that made it; ``dataset`` address of what it was trained on; ``made`` ns UTC.
        evaluation: what the trainer says of it (figures from machines kept out of training).
        score: the one figure by which artefacts of a trainer are compared, larger is better; None: not comparable.
        state: a candidate is used by nobody; one artefact of a trainer and party is promoted, and used.
        promoted, retired: ns UTC; ``why`` says in a sentence why it is in its state.
    """

    digest: str
    trainer: str
    version: str
    party: str
    job: str
    dataset: str
    made: int
    evaluation: dict[str, Any] = {}
    score: float | None = None
    state: Literal["candidate", "promoted", "retired"] = "candidate"
    promoted: int | None = None
    retired: int | None = None
    why: str = ""
