"""``python -m verifier FILE``: exit code 0 proven, 1 refused, 2 wrong use."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import RefusedError, Result, canonical, verify, verify_release

# Canonical JSON: a release file holds this text, a proof file begins otherwise.
RELEASE_MARK = b'"release":"servitwin-release@'


def main(arguments: list[str] | None = None) -> int:
    """Check one file and say what was found."""
    parser = argparse.ArgumentParser(prog="verifier", description="Check a servitwin proof file without a server.")
    parser.add_argument("file", type=Path, help="the proof file")
    parser.add_argument("--keys", type=Path, help="public keys that you trust (JSON)")
    parser.add_argument("--head", type=Path, help="tree heads that your own node co-signed (JSON)")
    parser.add_argument("--witness", type=Path, help="folder with your own copy of the log (entries.jsonl)")
    parser.add_argument("--json", action="store_true", help="the result for programs")
    given = parser.parse_args(arguments)
    try:
        content = given.file.read_bytes()
        keys, heads = _read(given.keys), _read(given.head)
        if given.witness is not None and not given.witness.is_dir():
            raise NotADirectoryError(f"{given.witness} is no folder")
    except (OSError, RefusedError) as e:
        sys.stderr.write(f"{e}\n")
        return 2
    check = verify_release if RELEASE_MARK in content else verify
    result = check(content, keys, heads, given.witness)
    sys.stdout.write(json.dumps(asdict(result), indent=1) + "\n" if given.json else text_of(result))
    return 0 if result.ok else 1


def text_of(result: Result) -> str:
    """The result for people."""
    lines = [f"{'PROVEN' if result.ok else 'REFUSED'}: {result.title}"]
    if not result.ok:
        lines.append(f"  {result.where + ': ' if result.where else ''}{result.message} [{result.code}]")
    if result.ok and not result.who_known:
        lines[0] = f"CONSISTENT IN ITSELF (who stands behind it is not known): {result.title}"
    lines += [f"  proven: {text}" for text in result.proven]
    lines += [f"  not proven: {text}" for text in result.not_proven]
    return "\n".join(lines) + "\n"


def _read(path: Path | None) -> Any:
    return None if path is None else canonical.read_any(path.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
