"""`gridyard telemetry export`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from gridyard.printing import JsonOption, print_answer
from gridyard.runner import plain_errors

app = typer.Typer(
    help="What was measured, from the database of a gateway, running or stopped.",
    no_args_is_help=True,
)


@app.callback()
def telemetry() -> None:
    """What was measured, from the database of a gateway, running or stopped."""


@app.command()
def export(
    config: Annotated[
        Path, typer.Option("--config", "-c", help="Settings file of the gateway (YAML).")
    ],
    first: Annotated[str, typer.Option("--from", help="First day (UTC), such as 2026-06-01.")],
    last: Annotated[str, typer.Option("--to", help="Last day (UTC), included.")],
    out: Annotated[Path, typer.Option(help="Folder for the files; made when missing.")],
    site: Annotated[
        list[str] | None, typer.Option(help="A site id; may be repeated. All when left out.")
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            help="readings, means or meter-intervals; may be repeated. All when left out."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write Parquet files, one for each kind and UTC day with rows; older files are replaced."""
    from contracts.config import load
    from gateway.config import GatewaySettings
    from gridyard.telemetry import exporting

    with plain_errors():
        wanted = exporting.wanted(first, last, site, kind)
        written = asyncio.run(exporting.export(load(config, GatewaySettings), wanted, out))
    print_answer(written, exporting.lines(written), as_json=as_json)
