"""Checks that every plugin has to pass, a partner's like ours; run by tests/plugins and by a partner's own tests."""

from servitwin.sdk.checks.connector import CONNECTOR_CHECKS, ConnectorCase
from servitwin.sdk.checks.evaluator import EVALUATOR_CHECKS, EvaluatorCase
from servitwin.sdk.checks.folder import FOLDER_CHECKS, read_cases

__all__ = [
    "CONNECTOR_CHECKS",
    "EVALUATOR_CHECKS",
    "FOLDER_CHECKS",
    "ConnectorCase",
    "EvaluatorCase",
    "read_cases",
]
