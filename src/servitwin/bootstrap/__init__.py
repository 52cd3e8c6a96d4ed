"""The only place where the parts meet, and the console entry."""

from __future__ import annotations


def main() -> None:
    """Entry of the console command ``servitwin``."""
    from servitwin.bootstrap.starters import starters  # noqa: PLC0415 - workers must not load the command line
    from servitwin.cli.app import create_cli  # noqa: PLC0415

    create_cli(starters())()
