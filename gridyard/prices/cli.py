"""`gridyard prices ...`: asked of a running gateway."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from gridyard.at_gateway.options import GATEWAY, GatewayOption, ZoneOption, known_zone
from gridyard.printing import JsonOption, print_answer
from gridyard.runner import plain_errors

app = typer.Typer(
    help="What energy costs the sites, and how they are expected to answer.", no_args_is_help=True
)

SiteArgument = Annotated[str, typer.Argument(help="Site id.")]


@app.command()
def sources(
    api: GatewayOption = GATEWAY, zone: ZoneOption = "UTC", as_json: JsonOption = False
) -> None:
    """Where prices come from, how old they are, and what is missing."""
    from gridyard.at_gateway.asking import asked
    from gridyard.prices.words import source_lines

    with plain_errors():
        found = asyncio.run(asked(api, "prices/sources"))
        print_answer(found, source_lines(found, known_zone(zone)), as_json=as_json)


@app.command()
def show(
    site: SiteArgument,
    api: GatewayOption = GATEWAY,
    zone: ZoneOption = "UTC",
    as_json: JsonOption = False,
) -> None:
    """What a site pays for one more kWh, today and tomorrow, and whether it knows."""
    from gridyard.at_gateway.asking import asked
    from gridyard.prices.words import site_lines

    with plain_errors():
        found = asyncio.run(asked(api, f"prices/sites/{site}"))
        print_answer(found, site_lines(found, known_zone(zone)), as_json=as_json)


@app.command()
def answer(
    api: GatewayOption = GATEWAY, zone: ZoneOption = "UTC", as_json: JsonOption = False
) -> None:
    """The load that sites which follow prices expect of themselves, summed up."""
    from gridyard.at_gateway.asking import asked
    from gridyard.prices.words import answer_lines

    with plain_errors():
        found = asyncio.run(asked(api, "prices/answer"))
        print_answer(found, answer_lines(found, known_zone(zone)), as_json=as_json)
