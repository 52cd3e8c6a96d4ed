"""What the command line answers without a node."""

from __future__ import annotations

from importlib.metadata import version

from typer.testing import CliRunner

from servitwin.bootstrap.starters import starters
from servitwin.cli.app import create_cli


def test_it_says_which_version_it_is() -> None:
    said = CliRunner().invoke(create_cli(starters()), ["--version"])
    assert (said.exit_code, said.output) == (0, f"servitwin {version('servitwin')}\n")


def test_an_unknown_command_is_told_with_the_way_to_help() -> None:
    said = CliRunner().invoke(create_cli(starters()), ["nonsense"])
    assert said.exit_code == 2
    assert "'nonsense'" in said.output and "--help" in said.output
