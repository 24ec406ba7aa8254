"""`gridyard anomalies [SITE]`, asked of a running gateway."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer

from contracts.errors import ConfigError
from gridyard.at_gateway.options import GATEWAY, GatewayOption, ZoneOption, known_zone
from gridyard.printing import JsonOption, print_answer
from gridyard.runner import plain_errors


def anomalies(
    site: Annotated[str, typer.Argument(help="The site's id; by default all sites.")] = "",
    since: Annotated[
        str, typer.Option("--from", help="RFC 3339 with offset; by default seven days ago.")
    ] = "",
    until: Annotated[str, typer.Option("--to", help="RFC 3339 with offset; by default now.")] = "",
    api: GatewayOption = GATEWAY,
    zone: ZoneOption = "UTC",
    as_json: JsonOption = False,
) -> None:
    """What is wrong with meters, chargers and sites, each with its evidence and what to do."""
    from gridyard.anomalies.words import anomaly_lines
    from gridyard.at_gateway.asking import asked

    with plain_errors():
        where = known_zone(zone)
        query = {
            name: _instant(name, text) for name, text in (("from", since), ("to", until)) if text
        }
        path = f"sites/{quote(site, safe='')}/anomalies" if site else "anomalies"
        found: list[dict[str, Any]] = asyncio.run(
            asked(api, f"{path}?{urlencode(query)}" if query else path)
        )
        print_answer(found, anomaly_lines(found, where), as_json=as_json)


def _instant(name: str, text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"--{name} {text!r} is no time: write 2026-10-07T17:00:00+02:00"
        ) from error
    if at.tzinfo is None:
        raise ConfigError(f"--{name} {text!r} has no offset: write 2026-10-07T17:00:00+02:00")
    return at.isoformat()
