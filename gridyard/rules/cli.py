"""`gridyard rules check | explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridyard.printing import JsonOption, print_answer
from gridyard.runner import Exit, fail, plain_errors

app = typer.Typer(
    name="rules",
    help="A site's if-then rules: check them, and see which hold when.",
    no_args_is_help=True,
)

SiteFile = Annotated[Path, typer.Argument(help="Settings file of the site (YAML).")]


@app.command()
def check(
    site: SiteFile,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 when there is a warning.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say every rule back in words; warn of rules that never hold or count, and of conflicts."""
    from gridyard.rules import telling

    with plain_errors():
        answer = telling.checked(telling.rule_book(site))
    print_answer(answer, telling.checked_lines(answer), as_json=as_json)
    if strict and answer["warnings"]:
        fail("there are warnings", Exit.FAILED)


@app.command()
def explain(
    site: SiteFile,
    *,
    at: Annotated[
        str | None,
        typer.Option(help="When, such as 2026-07-01T17:30, in the site's zone; now without it."),
    ] = None,
    price: Annotated[float | None, typer.Option(help="Suppose this price per kWh.")] = None,
    level: Annotated[
        str | None, typer.Option(help="... which is low, middle or high for the day.")
    ] = None,
    soc: Annotated[float | None, typer.Option(help="Suppose batteries hold so many %.")] = None,
    building_kw: Annotated[
        float | None, typer.Option(help="Suppose the building draws so much.")
    ] = None,
    surplus_kw: Annotated[
        float | None, typer.Option(help="Suppose PV makes so much more than the building draws.")
    ] = None,
    event: Annotated[bool, typer.Option("--event", help="Suppose an event is in force.")] = False,
    mode: Annotated[str | None, typer.Option(help="Suppose the site is in this mode.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say which rules hold at a time, which do not and why; what is not supposed is not known."""
    from contracts.clock import SystemClock
    from gridyard.rules import telling
    from site_agent.domain.mode import Mode
    from site_agent.domain.price import Level

    with plain_errors():
        book = telling.rule_book(site)
        supposed = telling.Supposed(
            price=price,
            level=telling.chosen("--level", Level, level),
            soc_pct=soc,
            building_w=None if building_kw is None else building_kw * 1000,
            surplus_w=None if surplus_kw is None else surplus_kw * 1000,
            event=event,
            mode=telling.chosen("--mode", Mode, mode),
        )
        when = telling.instant(at, book.zone, SystemClock().now())
        answer = telling.explained(book, when, supposed)
    print_answer(answer, telling.explained_lines(answer), as_json=as_json)
