"""Checks that every plugin has to pass, a partner's like ours; run by tests/plugins and by a partner's own tests."""

from servitwin.sdk.checks.connector import CONNECTOR_CHECKS, ConnectorCase
from servitwin.sdk.checks.evaluator import EVALUATOR_CHECKS, EvaluatorCase
from servitwin.sdk.checks.folder import FOLDER_CHECKS, read_cases
from servitwin.sdk.checks.planner import PLANNER_CHECKS, TRAINER_CHECKS, PlannerCase, TrainerCase

__all__ = [
    "CONNECTOR_CHECKS",
    "EVALUATOR_CHECKS",
    "FOLDER_CHECKS",
    "PLANNER_CHECKS",
    "TRAINER_CHECKS",
    "ConnectorCase",
    "EvaluatorCase",
    "PlannerCase",
    "TrainerCase",
    "read_cases",
]
