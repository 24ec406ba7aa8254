"""`gridyard book ...`: asked of a running gateway."""

from __future__ import annotations

import asyncio
from typing import Annotated
from urllib.parse import urlencode

import typer

from gridyard.prices.cli import GATEWAY, ApiOption, ZoneOption, checked_zone
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
    api: ApiOption = GATEWAY,
    zone: ZoneOption = "UTC",
    as_json: JsonOption = False,
) -> None:
    """What can be lowered and raised by the hour, and which sites are not counted."""
    from gridyard.book.words import book_lines
    from gridyard.prices.asking import asked

    with plain_errors():
        where = checked_zone(zone)
        query = urlencode({"program": program, "hours": hours})
        found = asyncio.run(asked(api, f"book?{query}"))
        print_answer(found, book_lines(found, where), as_json=as_json)
