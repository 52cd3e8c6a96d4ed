"""Commands that run or keep a node: serve, edge, backup, restore."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, get_args

import typer

from servitwin.cli.node import JsonOption, handled, print_json
from servitwin.cli.starters import Starters
from servitwin.config import (
    BusSettings,
    Settings,
    TimestampSettings,
    TlsSettings,
    WebSettings,
    WitnessSettings,
    default_data_folder,
)
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.party import Role
from servitwin.usecases.check_tls import tls_faults


def add(app: typer.Typer, starters: Starters) -> None:
    """Add the commands for which there is a starter."""
    app.command("serve", help="Run a node until Ctrl-C.")(_serve(starters.serve))
    if starters.edge is not None:
        app.command("edge", help="Run an edge node until Ctrl-C.")(_serve(starters.edge))
    if starters.backup is not None:
        app.command("backup", help="Write a consistent copy of a data folder.")(
            _copy(starters.backup, "Data folder", "File to write")
        )
    if starters.restore is not None:
        app.command("restore", help="Make a new data folder of a backup.")(
            _copy(starters.restore, "Backup file", "New data folder")
        )


def settings_faults(settings: Settings) -> list[Fault]:
    """What is wrong with options, as far as it can be told before anything starts."""
    faults = tls_faults(settings.tls.certificate, settings.tls.key)
    role = settings.web.anonymous_role
    if role and role not in get_args(Role):
        known = ", ".join(get_args(Role))
        faults.append(Fault("serve:role-unknown", f"{role[:40]!r} is no role", f"Use one of {known}", "anonymous-role"))
    authority = settings.timestamp.url
    if authority and not authority.startswith(("http://", "https://")):
        hint = "Write it like https://tsa.example/tsr"
        message = f"{authority[:80]!r} is no address of an authority"
        faults.append(Fault("serve:timestamp-authority", message, hint, "timestamp-authority"))
    return faults


def _serve(starter: Callable[[Settings, bool], int]) -> Callable[..., None]:
    def serve(
        data: Annotated[Path | None, typer.Option(help="Folder that holds everything of this node")] = None,
        host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
        port: Annotated[int, typer.Option(min=0, max=65535, help="Web port; 0: any free one")] = 8460,
        mqtt_port: Annotated[int, typer.Option(min=0, max=65535, help="MQTT port; 0: any free one")] = 1883,
        plant: Annotated[list[Path] | None, typer.Option(help="File of machine types or plant to import first")] = None,
        anonymous_role: Annotated[str, typer.Option(help="Role of callers without a token, such as viewer")] = "",
        sync_interval: Annotated[
            str,
            typer.Option(help="How often the bus flushes to disk: 1s, ...; always: history does too, at each commit"),
        ] = "",
        keep_days: Annotated[
            int, typer.Option(min=0, help="Days for which observations are kept, by event time; 0: for ever")
        ] = 0,
        tls_certificate: Annotated[
            Path | None, typer.Option(help="PEM file: web and MQTT speak TLS with this certificate (and its chain)")
        ] = None,
        tls_key: Annotated[Path | None, typer.Option(help="PEM file of the certificate's key")] = None,
        witness: Annotated[
            list[str] | None,
            typer.Option(
                metavar="URL",
                help="Node whose evidence log this one follows and co-signs; token from SERVITWIN_WITNESS_TOKEN",
            ),
        ] = None,
        witness_party: Annotated[str, typer.Option(help="Party that co-signs; default: who operates this node")] = "",
        timestamp_authority: Annotated[
            str, typer.Option(metavar="URL", help="Authority (RFC 3161) that stamps heads of the evidence log")
        ] = "",
        timestamp_every: Annotated[float, typer.Option(min=1, help="Seconds between two time stamps")] = 3600.0,
        demo: Annotated[bool, typer.Option(help="Start the demo plant with its simulator and accounts")] = False,
        as_json: JsonOption = False,
    ) -> None:
        settings = Settings(
            data=str(data or default_data_folder()),
            bus=BusSettings(host=host, mqtt_port=mqtt_port, sync_interval=sync_interval),
            web=WebSettings(host=host, port=port, anonymous_role=anonymous_role),
            tls=TlsSettings(*(str(p.resolve()) if p else "" for p in (tls_certificate, tls_key))),
            plant=[str(p) for p in plant or ()],
            demo=demo,
            retention_days=keep_days,
            timestamp=TimestampSettings(timestamp_authority, timestamp_every),
            witness=[
                WitnessSettings(
                    url,
                    os.environ.get("SERVITWIN_WITNESS_TOKEN", ""),
                    witness_party,
                    os.environ.get("SERVITWIN_CA", ""),
                )
                for url in witness or ()
            ],
        )
        faults = settings_faults(settings)
        if faults:
            raise InvalidInputError(faults)
        raise typer.Exit(starter(settings, as_json))

    return handled(serve)


def _copy(starter: Callable[[Path, Path], str], from_help: str, to_help: str) -> Callable[..., None]:
    def copy(
        source: Annotated[Path, typer.Argument(help=from_help)],
        target: Annotated[Path, typer.Argument(help=to_help)],
        as_json: JsonOption = False,
    ) -> None:
        done = starter(source, target)
        if as_json:
            print_json({"source": str(source), "target": str(target), "done": done})
        else:
            typer.echo(done)

    return handled(copy)
