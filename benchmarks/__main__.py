"""``make bench``: every benchmark in turn; each prints its table in the form of docs/benchmarks.md."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# In this order, so that the ones that need quiet come before those that fill the disk cache.
BENCHMARKS = (
    "node",
    "ingest",
    "events",
    "time_of_state",
    "history",
    "settlement",
    "contract_page",
    "usage",
    "monitor",
    "evidence",
    "proof_file",
    "controllers",
    "anomaly",
    "line_simulation",
    "anomaly_calibration",
    "anomaly_fleet",
    "remaining_life",
    "traceability",
    "schedule",
    "robot_fleet",
    "robot_speeds",
    "maintenance",
)


def main() -> int:
    """Run all, or those named; 1 if one of them failed."""
    folder = Path(__file__).resolve().parent
    wanted = sys.argv[1:] or [name for name in BENCHMARKS if (folder / f"{name}.py").exists()]
    failed = []
    for name in wanted:
        print(f"\n## {name}\n", flush=True)
        if subprocess.run([sys.executable, str(folder / f"{name}.py")], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"\nfailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
