"""The only place where the parts meet, and the console entry."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry of the console command ``servitwin``."""
    sys.exit("servitwin: this build has no commands yet")
