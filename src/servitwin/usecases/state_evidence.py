"""Say something that a party stands for: the statement is kept with what it is about, and goes into the log from there.

Whoever calls does so inside the transaction in which he saves what the statement says: both are kept, or neither. The
owner of the log takes the statement from the records, once, whatever process dies when.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from servitwin.domain.canonical_json import digest_of_bytes
from servitwin.proof.log.statement import Kind, Subject, statement_bytes
from servitwin.usecases.ports import StatementRecords


class StateEvidence:
    """Takes statements for the log."""

    def __init__(self, records: StatementRecords, operator: Callable[[], str]) -> None:
        """``operator``: the party that operates this node and speaks where nobody else is named."""
        self._records = records
        self._operator = operator

    def state(self, kind: Kind, subject: Subject, made: int, body: Mapping[str, Any], by: str = "") -> str:
        """Let a statement wait for the log and return its digest; the same statement again is the one that is there.

        Args:
            kind: what is said.
            subject: what it is about.
            made: when it is said, ns UTC.
            body: the fields of its kind (docs/concepts/evidence.md).
            by: party that says it and whose key on this node signs it; the operator if empty.

        Raises:
            ValueError: the body holds what JSON does not have.
        """
        content = statement_bytes(kind, by or self._operator(), subject, made, body)
        digest = digest_of_bytes(content)
        self._records.add_statement(digest, made, content)
        return digest
