"""`gridyard upstream completeness`."""

from __future__ import annotations

import asyncio
from typing import Annotated
from urllib.parse import urlencode

import typer

from gridyard.at_gateway.options import GATEWAY, GatewayOption, ZoneOption, known_zone
from gridyard.printing import JsonOption, print_answer
from gridyard.runner import plain_errors

app = typer.Typer(
    name="upstream", help="What utilities get of our telemetry.", no_args_is_help=True
)


@app.callback()
def _upstream() -> None:
    """So that `completeness` stays a word of its own."""


@app.command()
def completeness(
    utility: Annotated[str, typer.Option(help="One utility alone, by its id.")] = "",
    hours: Annotated[float, typer.Option(min=0.01, max=840, help="How far back.")] = 24.0,
    gateway: GatewayOption = GATEWAY,
    zone: ZoneOption = "UTC",
    as_json: JsonOption = False,
) -> None:
    """What each should have, and what it got: the least complete first."""
    from gridyard.at_gateway.asking import asked
    from gridyard.upstream.words import completeness_lines

    with plain_errors():
        where = known_zone(zone)
        query = urlencode({"utility": utility, "hours": hours})
        found = asyncio.run(asked(gateway, f"completeness?{query}"))
        print_answer(found, list(completeness_lines(found, where)), as_json=as_json)
