"""`gridyard forecast ...`: what is forecast and how well, and past data in and out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from gridyard.printing import JsonOption, print_answer
from gridyard.runner import plain_errors

app = typer.Typer(
    help="Load, PV and vehicles of the coming hours; past data in and out.", no_args_is_help=True
)


SiteOption = Annotated[
    Path, typer.Option("--site", "-s", help="Settings file of the agent (YAML).")
]
FileArgument = Annotated[
    Path, typer.Argument(help="CSV (or .csv.gz): start,load_kw,pv_kw,outdoor_c.")
]


@app.command()
def show(
    site: SiteOption,
    hours: Annotated[int, typer.Option(min=1, max=40, help="How far ahead.")] = 24,
    as_json: JsonOption = False,
) -> None:
    """What a site's history says of the coming hours, each with its band and how it came about."""
    from gridyard.forecast import showing

    with plain_errors():
        found = showing.shown(site, hours)
    print_answer(found, showing.lines(found), as_json=as_json)


@app.command()
def backtest(
    *,
    data: Annotated[
        Path | None, typer.Option(help="CSV (or .csv.gz) with past load; needs no site.")
    ] = None,
    site: Annotated[
        Path | None, typer.Option("--site", "-s", help="Settings of an agent: its own history.")
    ] = None,
    sky: Annotated[
        int | None, typer.Option(help="PV under the simulator's weather, by this seed.")
    ] = None,
    sessions: Annotated[
        Path | None, typer.Option(help="CSV with past charging sessions: how good are habits?")
    ] = None,
    zone: Annotated[
        str, typer.Option(help="Time zone of --sessions, and of --data without a --site.")
    ] = "UTC",
    holiday: Annotated[
        list[str] | None,
        typer.Option(help="Such as 2026-12-24, 12-25, easter+1, '11 thu 4'; may be repeated."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=400, help="Most days that are judged.")] = 60,
    at: Annotated[
        int, typer.Option(min=0, max=23, help="Hour after midnight at which is asked.")
    ] = 0,
    hours: Annotated[
        int | None, typer.Option(min=1, max=36, help="How far ahead; to the midnight without it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """How good each method would have been, day by day, told only what was known before.

    nMAE and bias are shares of the mean power; a right band holds 80 % of what then happened.
    """
    from gridyard.forecast import backtests
    from gridyard.forecast import sessions as habits

    length = None if hours is None else timedelta(hours=hours)
    when = backtests.When(days=days, begin=timedelta(hours=at), length=length)
    with plain_errors():
        calendar = backtests.calendar_of(zone, holiday or ())
        if sessions is not None and data is None and site is None and sky is None:
            told = habits.tested(sessions, calendar, days)
            print_answer(told, habits.lines(told), as_json=as_json)
            return
        found = backtests.of(data, site, sky, calendar, when)
    print_answer(found, backtests.lines(found), as_json=as_json)


@app.command("import")
def import_(
    file: FileArgument,
    site: SiteOption,
    as_json: JsonOption = False,
) -> None:
    """Take past data into a site's history, whether or not its agent runs.

    What the agent has measured itself stands; what an earlier file said is replaced.
    """
    from gridyard.forecast import history_files

    with plain_errors():
        found = history_files.imported(file, site)
    print_answer(found, history_files.imported_lines(found), as_json=as_json)


@app.command()
def export(
    site: SiteOption,
    to: Annotated[
        Path | None, typer.Option(help="CSV file to write, not one that exists; stdout without it.")
    ] = None,
) -> None:
    """Write a site's history as a CSV file that `import` takes again."""
    from gridyard.forecast import history_files

    with plain_errors():
        history_files.exported(site, to)
