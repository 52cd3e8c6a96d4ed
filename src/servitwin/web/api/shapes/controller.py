"""Shapes of controllers: states, transitions, properties, and what a check found."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from servitwin.web.api.shapes.base import FaultShape, Instant, InstantIn, Shape

Count = Annotated[int, Field(ge=0)]


class ControllerIn(Shape):
    """A W3C SCXML document with its side file, or a YAML file."""

    text: str
    side: str | None = None


class ControllerSummary(Shape):
    """A version of a controller, and how its last finished check went."""

    name: str = Field(examples=["mill-door"])
    version: int
    reference: str = Field(examples=["mill-door@1"])
    title: str
    machine_type: str = Field(description="name of the type whose machines have it; empty: it belongs to `twin`")
    twin: str = Field(description="id of the twin that has it; empty: it belongs to a type")
    at: Instant
    by: str
    properties: int
    proven: int | None = Field(description="null: never checked")
    violated: int | None
    not_settled: int | None = Field(description="properties without a violation up to a depth: that is no proof")


class ControllerTransition(Shape):
    """A way out of a state; `label` is how runs name it."""

    label: str
    target: str
    event: str
    guard: str
    actions: list[str]
    priority: int
    name: str
    line: int | None


class ControllerStateShape(Shape):
    """A state; with `states` inside it is always in exactly one of them."""

    name: str
    title: str
    initial: bool
    final: bool
    entry: list[str]
    exit: list[str]
    transitions: list[ControllerTransition]
    states: list[ControllerStateShape]


class ControllerRegion(Shape):
    """A part that is always in exactly one of its leaf states."""

    name: str
    states: list[ControllerStateShape]


class ControllerName(Shape):
    """Something that has a value: what is remembered, what counts time, what the world sets."""

    name: str
    kind: Literal["variable", "timer", "input"]
    values: str = Field(examples=["0 to 30 ticks"])
    initial: str
    title: str


class ControllerProperty(Shape):
    """What must be true of every run."""

    name: str
    kind: Literal["always", "never", "response"]
    text: str
    formula: str
    severity: Literal["low", "medium", "high", "safety"]


class ObservedShape(Shape):
    """Which signal of the real machine shows a name of the model."""

    name: str
    signal: str


class RunStep(Shape):
    """A position of a run: values and inputs there, and the transitions that lead to the next one."""

    index: int
    time_ns: int | None
    values: dict[str, str]
    inputs: dict[str, str]
    taken: list[str]


class RunShape(Shape):
    """A run of the model that shows something at its last position."""

    steps: list[RunStep]
    shortest: bool
    replayed: int = Field(description="positions that an interpreter went through; always all of them")


class ProofShape(Shape):
    """Why something holds in every run."""

    method: Literal["k-induction", "reachability"]
    k: int
    invariant: list[str]
    rechecked: int = Field(description="obligations that a fresh solver confirmed")


class AnswerShape(Shape):
    """What is known of one property of the model. It says nothing of the real controller by itself."""

    name: str
    kind: Literal["always", "never", "response"]
    text: str
    formula: str
    severity: Literal["low", "medium", "high", "safety"]
    outcome: Literal["proven", "violated", "no violation up to depth"]
    note: str
    depth: int
    proof: ProofShape | None
    counterexample: RunShape | None
    vacuous: bool | None


class DefectShape(Shape):
    """Something that is wrong with the model whatever the properties say."""

    kind: str
    subject: str
    message: str
    hint: str
    counterexample: RunShape | None
    proven: bool


class ReachedShape(Shape):
    """How much of the model the search has seen."""

    states: int
    states_of: int
    transitions: int
    transitions_of: int


class CheckReport(Shape):
    """Everything that a check found of one version."""

    controller: str
    version: int
    answers: list[AnswerShape]
    findings: list[DefectShape]
    unsettled: list[str]
    reached: ReachedShape | None
    state_bits: int
    seconds: float
    limits: list[str]


class ComparedShape(Shape):
    """One property in both versions."""

    name: str
    text: str
    older: AnswerShape | None
    newer: AnswerShape
    change: str = Field(examples=["mended"])
    meaning: list[str] = Field(description="in what the question itself differs")


class ComparisonShape(Shape):
    """An older version that was asked the same."""

    older: CheckReport
    properties: list[ComparedShape]
    gone: list[str]


class UnexplainedShape(Shape):
    """A recorded change that the model has no way for."""

    before: dict[str, str]
    after: dict[str, str]
    first: Instant
    count: int


class ConformanceShape(Shape):
    """How well the model explains what a machine did."""

    twin: str
    note: str
    changes: int
    explained: int
    unknown: int
    not_asked: int
    states_seen: list[str]
    states_of: int
    transitions_seen: list[str]
    transitions_of: int
    unexplained: list[UnexplainedShape]


class ControllerCheckIn(Shape):
    """What to check. With `twin` the model is compared with what that machine did in [from, to)."""

    depth: int = Field(60, ge=0, le=10_000, description="steps to search where there is no proof")
    seconds: float = Field(60, ge=0.1, le=600, allow_inf_nan=False, description="time for each version")
    against: int | None = Field(None, ge=0, le=2**31 - 1, description="an older version, for the same properties")
    twin: str | None = Field(None, max_length=200)
    from_: InstantIn | None = Field(None, alias="from", description="default: a day before `to`")
    to: InstantIn | None = Field(None, description="default: now")


class ControllerCheckShape(Shape):
    """Where a check stands, and what it found."""

    id: str
    controller: str = Field(examples=["mill-door@2"])
    against: int | None
    depth: int
    seconds: float
    state: Literal["waiting", "running", "done", "failed"]
    at: Instant
    by: str
    began: Instant | None
    ended: Instant | None
    fault: FaultShape | None
    report: CheckReport | None
    comparison: ComparisonShape | None
    conformance: ConformanceShape | None
    fit: str = Field(description="one sentence on how well the model fits the machine, to stand beside every answer")
    obligations: str = Field(description="address of the SMT-LIB texts (ZIP); empty: none")


class ControllerShape(ControllerSummary):
    """A version as it was read."""

    tick_ns: int | None
    regions: list[ControllerRegion]
    names: list[ControllerName]
    events: list[str]
    assumptions: list[str]
    declared: list[ControllerProperty]
    observe: list[ObservedShape]
    limits: list[str]
    text: str
    side: str | None
    versions: list[int]
    may_check: bool
    checks: list[str] = Field(description="ids of its checks, newest first")
    check: ControllerCheckShape | None = Field(description="the last check that was asked")
    finished: ControllerCheckShape | None = Field(description="the last check that found something")
