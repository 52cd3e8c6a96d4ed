"""Temporal logic, model checking, evidence: pure."""
