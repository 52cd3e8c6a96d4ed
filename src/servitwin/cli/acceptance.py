"""Acceptance of machines under a contract: criteria with what the twin measures, and the party's word."""

from __future__ import annotations

from typing import Annotated

import typer

from servitwin.cli.node import DataOption, JsonOption, ToOption, connect, print_json, print_table
from servitwin.domain.error import Fault, InvalidInputError

ContractArgument = Annotated[str, typer.Argument(help="Id of the contract")]
TwinArgument = Annotated[str, typer.Argument(help="Machine of the contract")]
UntilOption = Annotated[
    str | None, typer.Option(help="End of the test run; else of the run that the other party accepted, else now")
]


def acceptance(
    contract: ContractArgument,
    twin: TwinArgument,
    until: UntilOption = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the criteria of a machine's acceptance and what the twin measures of them."""
    with connect(data, to) as node:
        found = node.acceptance_criteria(contract, twin, until)
    if as_json:
        print_json(found)
        return
    rows = [(c["step"].replace("_", " "), c["name"], c["result"], c["evidence"]) for c in found]
    print_table(("step", "criterion", "result", "evidence"), rows)


def accept(
    contract: ContractArgument,
    twin: TwinArgument,
    answer: Annotated[str, typer.Argument(help="accepted or refused")],
    criterion: Annotated[
        list[str] | None, typer.Option(help="What people judge: NAME=passed, NAME=failed or NAME=open:WHAT IS LEFT")
    ] = None,
    until: UntilOption = None,
    text: Annotated[str, typer.Option(help="What else to say")] = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accept or refuse a machine for your party."""
    said = [_judged(one) for one in criterion or ()]
    with connect(data, to) as node:
        found = node.accept_machine(contract, twin, answer, said, until=until, text=text)
    if as_json:
        print_json(found)
        return
    one = next(m for m in found if m["twin"] == twin)
    typer.echo(f"{twin} {'accepted at ' + one['accepted_at'] if one['accepted_at'] else 'is not accepted by both yet'}")


def _judged(text: str) -> tuple[str, str, str]:
    name, equals, rest = text.rpartition("=")
    result, _, evidence = rest.partition(":")
    if not equals or not name or result not in {"passed", "failed", "open"}:
        hint = "Write it like 'Power connected=passed:protocol 12' or 'Training=open:night shift on Friday'"
        raise InvalidInputError(Fault("cli:criterion", f"{text!r} is no NAME=RESULT:EVIDENCE", hint))
    return name, result, evidence.strip()
