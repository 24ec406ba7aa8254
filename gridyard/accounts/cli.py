"""`gridyard accounts SITE`, asked of a running gateway."""

from __future__ import annotations

import asyncio
from typing import Annotated
from urllib.parse import quote, urlencode

import typer

from contracts.errors import ConfigError
from gridyard.at_gateway.options import GATEWAY, GatewayOption, ZoneOption, known_zone
from gridyard.printing import JsonOption, print_answer
from gridyard.runner import plain_errors

_TIMEOUT_S = 300.0
"""A month that nobody has asked for yet is read at some 0.04 s a point and day."""
CsvOption = Annotated[bool, typer.Option("--csv", help="The sessions as CSV on stdout.")]


def accounts(
    site: Annotated[str, typer.Argument(help="The site's id.")],
    month: Annotated[
        str, typer.Option(help="Such as 2026-10; by default the running one, so far.")
    ] = "",
    api: GatewayOption = GATEWAY,
    zone: ZoneOption = "UTC",
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """A site's month: energy by source, cost by session, the demand charge checked, carbon."""
    from gridyard.accounts.words import account_lines, session_rows
    from gridyard.at_gateway.asking import asked

    with plain_errors():
        if as_json and as_csv:
            raise ConfigError("--json or --csv, not both")
        where = known_zone(zone)
        query = f"?{urlencode({'month': month})}" if month else ""
        path = f"sites/{quote(site, safe='')}/accounts{query}"
        found = asyncio.run(asked(api, path, timeout_s=_TIMEOUT_S))
        if as_csv:
            typer.echo(session_rows(found), nl=False)
        else:
            print_answer(found, account_lines(found, where), as_json=as_json)
