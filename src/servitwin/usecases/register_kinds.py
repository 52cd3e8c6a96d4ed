"""The kinds of entries that registers keep: one line each."""

from __future__ import annotations

from servitwin.domain.fmu import KeptFmu
from servitwin.domain.line_change import ScenarioSet
from servitwin.domain.line_model import LineModel, check_line
from servitwin.domain.maintenance_task import MaintenanceTask, check_task
from servitwin.domain.register import RegisterKind
from servitwin.domain.schedule.master_data import PRODUCTION_KINDS
from servitwin.domain.schedule.routine import ROUTINE_STUDY, SHIFT_ROUTINE
from servitwin.domain.service_site import ServiceSite, check_site
from servitwin.domain.spare_part import SparePart, check_part
from servitwin.domain.technician import Technician, check_technician

KINDS: tuple[RegisterKind, ...] = (
    *PRODUCTION_KINDS,
    SHIFT_ROUTINE,
    ROUTINE_STUDY,
    RegisterKind("maintenance-tasks", "Maintenance tasks", MaintenanceTask, check_task),
    RegisterKind("service-sites", "Sites that technicians go to", ServiceSite, check_site),
    RegisterKind("spare-parts", "Spare parts", SparePart, check_part),
    RegisterKind("technicians", "Technicians", Technician, check_technician),
    RegisterKind("fmus", "Simulation models (FMU, SSP)", KeptFmu),
    RegisterKind("line-models", "Models of lines for simulation", LineModel, check_line),
    RegisterKind("scenarios", "Scenarios of lines that are compared", ScenarioSet),
)
