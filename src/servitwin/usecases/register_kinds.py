"""The kinds of entries that registers keep: one line each."""

from __future__ import annotations

from servitwin.domain.fmu import KeptFmu
from servitwin.domain.line_change import ScenarioSet
from servitwin.domain.line_model import LineModel, check_line
from servitwin.domain.register import RegisterKind
from servitwin.domain.schedule.master_data import PRODUCTION_KINDS

KINDS: tuple[RegisterKind, ...] = (
    RegisterKind("fmus", "Simulation models (FMU, SSP)", KeptFmu),
    RegisterKind("line-models", "Models of lines for simulation", LineModel, check_line),
    RegisterKind("scenarios", "Scenarios of lines that are compared", ScenarioSet),
    *PRODUCTION_KINDS,
)
