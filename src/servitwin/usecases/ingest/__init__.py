"""Ingest: what machines said becomes rows of history, live values and quarantine, exactly once."""

from servitwin.usecases.ingest.core import Block, Counters, Ingest, Shared

__all__ = ["Block", "Counters", "Ingest", "Shared"]
