"""``servitwin verify`` for proof files: hands them to the stand-alone verifier and says what it found."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import typer

from servitwin.cli.node import FINDING, print_json
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_instant
from servitwin.proof.log.head import read_head
from servitwin.proof.log.timestamp import HeadStamp, verified_time
from servitwin.proof.verifier import RefusedError, Result, canonical, verify, verify_release, words
from servitwin.proof.verifier.__main__ import RELEASE_MARK, text_of

# A file that begins so, or was sealed, is judged as a proof file even if it is broken.
_MARK = b'"proof":"servitwin-proof@'


def is_proof_file(file: Path) -> bool:
    """Whether a file says that it is a proof file, or the file of a release."""
    content = _read(file)
    return _MARK in content or RELEASE_MARK in content


def verify_proof_file(
    file: Path, keys: Path | None, head: Path | None, witness: Path | None, roots: Path | None, as_json: bool
) -> None:
    """Check a proof file and print the result; exits with 1 if it is refused.

    ``roots``: PEM file of authorities whose time stamps (RFC 3161) the reader trusts.

    Raises:
        InvalidInputError: a file that the caller gave beside it cannot be read.
    """
    if witness is not None and not witness.is_dir():
        raise InvalidInputError(Fault("file:unreadable", "This is no folder", "Check the name", file=str(witness)))
    content = _read(file)
    check = verify_release if RELEASE_MARK in content else verify
    found = check(content, _json(keys), _json(head), witness)
    if found.ok and roots is not None:
        found = _with_stamps(found, content, _read(roots))
    if as_json:
        print_json(asdict(found))
    else:
        typer.echo(text_of(found).rstrip())
    if not found.ok:
        raise typer.Exit(FINDING)


def _with_stamps(found: Result, content: bytes, roots: bytes) -> Result:
    """The result with the file's time stamps judged; refused if one is not good, or there is none."""
    stamped = canonical.read_any(content)["log"].get("stamped", [])
    proven, not_proven = list(found.proven), list(found.not_proven)
    try:
        if not stamped:
            fault = Fault("timestamp:none", "The file holds no time stamp", "Leave out --timestamp-roots")
            raise InvalidInputError(fault)
        for one in stamped:
            told = parse_instant(one["time"])
            stamp = HeadStamp(read_head(one["head"]), one["authority"], one["response"], told)
            time, size = verified_time(stamp, roots), stamp.head.head.size
            proven.append(
                f"The first {size} entries of the log were there at {words.short(time)}: {stamp.authority} says so "
                "(RFC 3161), under a root that you trust."
            )
            not_proven.remove(words.not_judged(stamp.authority, size, told))
    except InvalidInputError as e:
        title = "The proof is refused"
        return Result(ok=False, title=title, code=e.fault.code, message=e.fault.message, where="log.stamped")
    return replace(found, proven=proven, not_proven=not_proven)


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
