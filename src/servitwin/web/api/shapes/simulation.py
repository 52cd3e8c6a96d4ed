"""Shapes of line models, scenarios and co-simulations."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from servitwin.web.api.shapes.base import Instant, InstantIn, Shape
from servitwin.web.api.shapes.planning import JobDetail

Name = Annotated[str, Field(max_length=200)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class LineModelIn(Shape):
    """From which history a model is built; the last part of it is kept back and the model is judged by it."""

    from_: InstantIn | None = Field(None, alias="from", description="default: three days ago")
    to: InstantIn | None = Field(None, description="default: now")
    order: list[Name] = Field([], description="machine types in the order in which parts pass them")
    keep_back: Finite = Field(0.25, ge=0, le=0.9, description="share of the time that is not built from")


class LineModelAnswer(Shape):
    """The model of a line as it is kept in the register `line-models`."""

    line: str
    revision: int
    at: Instant
    by: str
    model: dict[str, Any] = Field(description="see the register line-models for its shape")
    validation: JobDetail | None = Field(description="the newest check against its past, with its error")


class ChangeIn(Shape):
    """One change at one station, by a new value or by a factor."""

    what: Literal[
        "machines", "availability", "cycle", "repair", "failures", "pauses", "setup", "places", "scrap", "supply"
    ]
    station: Name
    to: Finite | None = None
    times: Finite | None = None


class ScenarioIn(Shape):
    """Changes under a name, and what they cost a year."""

    name: Name
    changes: list[ChangeIn]
    cost_per_year: Annotated[str, Field(max_length=30)] = "0"


class ComparisonIn(Shape):
    """Scenarios that are compared with the line as it is, with common random numbers."""

    scenarios: list[ScenarioIn]
    days: Finite = Field(30.0, gt=0, le=3660, description="simulated in each run")
    warm_up_h: Finite = Field(8.0, ge=0, le=10_000)
    half_width: Finite = Field(0.01, gt=0, lt=1, description="wanted half interval, as a share of good parts per hour")
    most: int = Field(60, ge=2, le=2000, description="replications at most")
    worth_per_part: Annotated[str, Field(max_length=30)] = Field("", examples=["3.20"])
    currency: Annotated[str, Field(max_length=3)] = Field("", examples=["EUR"])
    seed: int = Field(1, ge=0, le=2**31 - 1)
    budget_s: Finite = Field(300.0, gt=0, le=3600)


class FmuAnswer(Shape):
    """A model file as the register `fmus` keeps it."""

    id: str
    kind: Literal["fmu", "ssp"]
    file: str
    size: int
    title: str
    fmi: str
    revision: int


class SetUpIn(Shape):
    """A set-up that is simulated: a structure of FMUs, or an SSP package, by their ids in the register `fmus`."""

    system: dict[str, Any] | None = Field(None, description="components, connections, start, stop, step, show")
    fmus: dict[Name, Name] = Field({}, description="name in the structure -> id in the register")
    ssp: Name = ""
    step: Finite | None = Field(None, gt=0)
    stop: Finite | None = None
    show: list[Name] = Field([], description="component.variable; default: every numeric output")
    refine: bool = Field(False, description="run again with half the step and say how far the two lie apart")
    budget_s: Finite = Field(120.0, gt=0, le=600)
    title: Name = ""


class WatchedIn(Shape):
    """A signal of the machine, what was simulated for it, and the tolerance."""

    signal: Name
    shown: Name = Field(examples=["tank.level"])
    within: Finite = Field(0.0, ge=0, description="in the unit of the signal")
    share: Finite = Field(0.0, ge=0, description="of the simulated value")
    early_late: Finite = Field(0.0, ge=0, description="seconds by which the machine may be ahead or behind")
    lasting: Finite = Field(0.0, ge=0, description="seconds that a deviation lasts before it counts")
    component: Name = ""
    severity: Literal["low", "medium", "high", "safety"] = "medium"


class ComparedIn(Shape):
    """Which machine ran the set-up, and when it began."""

    twin: Name
    name: Name = Field(examples=["fill-and-hold"], description="of the set-up")
    begin: InstantIn
    signals: Annotated[list[WatchedIn], Field(max_length=200)]
    open_cases: bool = Field(False, description="let the deviations open, continue and end cases of the machine")


class DeviationShape(Shape):
    """A finding: the machine did otherwise than the set-up said."""

    id: str
    requirement: str
    component: str
    severity: str
    start: Instant
    end: Instant | None
    determined: Instant
    least: float | None = Field(description="bounds of the margin: how far outside the tolerance, below 0")
    most: float | None
    case: str = Field(description="id of its case; empty: it has none")


class ComparedSignal(Shape):
    """One signal compared."""

    signal: str
    observed: int
    inside: int
    rms: float
    largest: float
    at: Instant | None
    covered: float
    simulated: list[tuple[float, float, float, float]] = Field(
        description="second from the begin, simulated value, lower and upper end of the tolerance; 400 at most"
    )
    measured: list[tuple[float, float]] = Field(description="second from the begin, and value; 400 at most")
    findings: list[DeviationShape]


class ComparedAnswer(Shape):
    """A machine compared with its simulated set-up."""

    signals: list[ComparedSignal]
    says: str
