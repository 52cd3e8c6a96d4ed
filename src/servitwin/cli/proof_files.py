"""``servitwin verify`` for proof files: hands them to the stand-alone verifier and says what it found."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from servitwin.cli.node import FINDING, print_json
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.proof.verifier import RefusedError, canonical, verify
from servitwin.proof.verifier.__main__ import text_of

# A file that begins so, or was sealed, is judged as a proof file even if it is broken.
_MARK = b'"proof":"servitwin-proof@'


def is_proof_file(file: Path) -> bool:
    """Whether a file says that it is a proof file."""
    return _MARK in _read(file)


def verify_proof_file(file: Path, keys: Path | None, head: Path | None, witness: Path | None, as_json: bool) -> None:
    """Check a proof file and print the result; exits with 1 if it is refused.

    Raises:
        InvalidInputError: a file that the caller gave beside it cannot be read.
    """
    if witness is not None and not witness.is_dir():
        raise InvalidInputError(Fault("file:unreadable", "This is no folder", "Check the name", file=str(witness)))
    found = verify(_read(file), _json(keys), _json(head), witness)
    if as_json:
        print_json(asdict(found))
    else:
        typer.echo(text_of(found).rstrip())
    if not found.ok:
        raise typer.Exit(FINDING)


def _json(path: Path | None) -> Any:
    if path is None:
        return None
    try:
        return canonical.read_any(_read(path))
    except RefusedError as e:
        raise InvalidInputError(Fault("file:unreadable", e.message, "It has to be JSON", file=str(path))) from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as e:
        raise InvalidInputError(
            Fault("file:unreadable", e.strerror or str(e), "Check the name", file=str(path))
        ) from None
