"""A proof of an hour of ten signals at 10 Hz: how large the file is, how long it takes to write and to verify.

Run: ``python benchmarks/proof_file.py``. Numbers are like those of sensors (two decimals, noise, drift); fixed seed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from servitwin.proof.verifier import verify
from tests.unit.verifier.hour import hour_of_ten_signals

LARGEST = 2_000_000


def main() -> int:
    """Print the table; 1 if the file is too large or refused."""
    parts = hour_of_ten_signals()
    began = time.perf_counter()
    content = parts.build()
    built = time.perf_counter() - began
    began = time.perf_counter()
    result = verify(content, parts.keys)
    verified = time.perf_counter() - began
    print("| proof of an hour of 10 signals at 10 Hz | measured |\n| --- | --- |")
    print(f"| size of the file | {len(content) / 1e6:.2f} MB |")
    print(f"| written in | {built:.2f} s |")
    print(f"| verified in, with its evaluator | {verified:.2f} s |")
    if not result.ok or len(content) > LARGEST:
        print(f"refused or too large: {result.code} {result.message}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
