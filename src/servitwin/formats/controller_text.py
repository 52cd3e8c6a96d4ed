"""Expressions inside a YAML file: their faults are moved from the expression to line and column of the file."""

from __future__ import annotations

import msgspec

from servitwin.domain.controller_meaning import Assignment, Scope, read_actions, read_truth
from servitwin.domain.controller_term import FALSE, Term
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.formats.structure import Structure
from servitwin.formats.yaml_node import MAX_FAULTS, Key

Path = tuple[Key, ...]


class Texts:
    """Reads expressions at paths of a structure; what is wrong with them joins the structure's faults."""

    def __init__(self, structure: Structure, source: str) -> None:
        self._structure = structure
        self._lines = source.splitlines()
        self.say = structure.say_of_clean

    def truth(self, text: str, path: Path, scope: Scope) -> Term:
        """A guard; false where it cannot be read (the file is refused then)."""
        try:
            return read_truth(text, scope)
        except InvalidInputError as e:
            self._tell(e.fault, path)
            return FALSE

    def actions(self, text: str, path: Path, scope: Scope) -> tuple[Assignment, ...]:
        """Actions; none where they cannot be read."""
        try:
            return read_actions(text, scope)
        except InvalidInputError as e:
            self._tell(e.fault, path)
            return ()

    def line(self, path: Path) -> int:
        """Line of what is at a path of the cleaned data."""
        return self._structure.root.place(self._structure.written_path(path))[0]

    def _tell(self, fault: Fault, path: Path) -> None:
        structure = self._structure
        if len(structure.faults) >= MAX_FAULTS:
            return
        before = len(structure.faults)
        structure.say_of_clean(path, fault.code, fault.message, fault.hint)
        told = structure.faults[before]
        offset = (fault.column or 1) - 1
        if told.line is not None and told.column is not None and told.line <= len(self._lines):
            rest = self._lines[told.line - 1][told.column - 1 :]
            if rest[:1] in ("|", ">"):
                return  # the text begins in another line: the character in the message tells
            quoted = rest[:1] in ('"', "'")
            column = told.column + quoted + offset
            if column <= len(self._lines[told.line - 1]) + 1:
                structure.faults[before] = msgspec.structs.replace(told, column=column)
