"""`gridyard prices ...`: asked of a running gateway."""

from __future__ import annotations

import asyncio
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from contracts.errors import ConfigError
from gridyard.printing import JsonOption, print_answer
from gridyard.runner import plain_errors

app = typer.Typer(
    help="What energy costs the sites, and how they are expected to answer.", no_args_is_help=True
)

GATEWAY = "http://127.0.0.1:8080"
ApiOption = Annotated[str, typer.Option("--gateway", help="Address of the gateway's web server.")]
ZoneOption = Annotated[str, typer.Option("--zone", help="Time zone of the answer (IANA name).")]
SiteArgument = Annotated[str, typer.Argument(help="Site id.")]


@app.command()
def sources(
    api: ApiOption = GATEWAY, zone: ZoneOption = "UTC", as_json: JsonOption = False
) -> None:
    """Where prices come from, how old they are, and what is missing."""
    from gridyard.prices.asking import asked
    from gridyard.prices.words import source_lines

    with plain_errors():
        found = asyncio.run(asked(api, "prices/sources"))
        print_answer(found, source_lines(found, checked_zone(zone)), as_json=as_json)


@app.command()
def show(
    site: SiteArgument,
    api: ApiOption = GATEWAY,
    zone: ZoneOption = "UTC",
    as_json: JsonOption = False,
) -> None:
    """What a site pays for one more kWh, today and tomorrow, and whether it knows."""
    from gridyard.prices.asking import asked
    from gridyard.prices.words import site_lines

    with plain_errors():
        found = asyncio.run(asked(api, f"prices/sites/{site}"))
        print_answer(found, site_lines(found, checked_zone(zone)), as_json=as_json)


@app.command()
def answer(api: ApiOption = GATEWAY, zone: ZoneOption = "UTC", as_json: JsonOption = False) -> None:
    """The load that sites which follow prices expect of themselves, summed up."""
    from gridyard.prices.asking import asked
    from gridyard.prices.words import answer_lines

    with plain_errors():
        found = asyncio.run(asked(api, "prices/answer"))
        print_answer(found, answer_lines(found, checked_zone(zone)), as_json=as_json)


def checked_zone(name: str) -> ZoneInfo:
    """A zone by its IANA name.

    Raises:
        ConfigError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError) as error:
        raise ConfigError(f"--zone {name!r}: use an IANA name such as Europe/Brussels") from error
