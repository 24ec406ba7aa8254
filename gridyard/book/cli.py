"""`gridyard book ...`: asked of a running gateway."""

from __future__ import annotations

import asyncio
from typing import Annotated
from urllib.parse import urlencode

import typer

from contracts.device_class import DeviceClass
from gridyard.at_gateway.options import GATEWAY, GatewayOption, ZoneOption, known_zone
from gridyard.printing import JsonOption, print_answer
from gridyard.runner import plain_errors

app = typer.Typer(help="The flexibility book: what all sites offer together.", no_args_is_help=True)


@app.callback()
def _book() -> None:
    """So that `show` stays a word of its own."""


@app.command()
def show(
    program: Annotated[str, typer.Option(help="One program alone, by its id.")] = "",
    hours: Annotated[int, typer.Option(min=1, max=48, help="How far ahead.")] = 24,
    by_class: Annotated[
        bool, typer.Option("--by-class", help="Also what chargers, storage and PV each offer.")
    ] = False,
    api: GatewayOption = GATEWAY,
    zone: ZoneOption = "UTC",
    as_json: JsonOption = False,
) -> None:
    """What can be lowered and raised by the hour, and which sites are not counted."""
    from gridyard.at_gateway.asking import asked
    from gridyard.book.words import book_lines

    with plain_errors():
        where = known_zone(zone)
        query: dict[str, str | int] = {"program": program, "hours": hours}
        found = asyncio.run(asked(api, f"book?{urlencode(query)}"))
        parts = {
            str(one): asyncio.run(asked(api, f"book?{urlencode({**query, 'device_class': one})}"))
            for one in (DeviceClass if by_class else ())
        }
        lines = [*book_lines(found, where)]
        for name, pages in parts.items():
            lines += [f"{name} alone", *(f"  {line}" for line in book_lines(pages, where))]
        print_answer({"all": found, **parts} if by_class else found, lines, as_json=as_json)
