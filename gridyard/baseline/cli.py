"""`gridyard baseline ...`: what a site would have drawn, by which method, and is it fair there."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlencode

import typer

from gridyard.at_gateway.options import GATEWAY, GatewayOption, known_zone
from gridyard.printing import JsonOption, print_answer
from gridyard.runner import Exit, fail, plain_errors

app = typer.Typer(
    name="baseline",
    help="Baselines of past events by any method, and whether a method is fair at a site.",
    no_args_is_help=True,
)

CsvFile = Annotated[Path, typer.Option("--csv", help="CSV (or .csv.gz) with start,load_kw.")]
Zone = Annotated[str, typer.Option("--zone", help="Time zone of the site (IANA name).")]
Others = Annotated[
    list[str] | None, typer.Option("--other-event", help="START/END of another; may be repeated.")
]
HolidayList = Annotated[
    list[str] | None,
    typer.Option("--holiday", help="Such as 2026-12-24, 12-25, '11 thu 4'; may be repeated."),
]


@app.command()
def methods(as_json: JsonOption = False) -> None:
    """Every method by name: its rule, whose it is, what of it was read, what is to be checked."""
    from gridyard.baseline import runs, words

    found = runs.methods()
    print_answer(found, words.method_lines(found), as_json=as_json)


@app.command()
def run(
    *,
    csv: CsvFile,
    method: Annotated[str, typer.Option("--method", "-m", help="See `methods`.")],
    event: Annotated[
        str, typer.Option("--event", help="START/END or START/PT2H, on the wall of the zone.")
    ],
    zone: Zone = "UTC",
    other_event: Others = None,
    holiday: HolidayList = None,
    level_kw: Annotated[
        float | None, typer.Option("--level-kw", help="For methods that need a level.")
    ] = None,
    control: Annotated[
        list[Path] | None,
        typer.Option("--control", help="CSV of a site that took no part; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """The baseline of one event from a file, interval by interval, with every day and its reason.

    Exits with 1 when there is no baseline; the reason is told.
    """
    from gridyard.baseline import given, runs, words

    with plain_errors():
        where = known_zone(zone)
        site = given.site(csv, where, other_event or (), holiday or ())
        chosen = runs.with_level(given.method(method), level_kw)
        paths = control or []
        controls = runs.controls_of(paths, [given.load_of(path, where) for path in paths])
        found = runs.ran(site, chosen, given.window(event, where), controls)
    print_answer(found, words.run_lines(found), as_json=as_json)
    if found["problem"]:
        fail(f"no baseline: {found['problem']}", Exit.FAILED)


@app.command()
def fair(
    *,
    site: Annotated[
        str | None, typer.Argument(help="A site of a running gateway; none with --csv.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="CSV (or .csv.gz) with start,load_kw.")
    ] = None,
    at: Annotated[str, typer.Option("--at", help="Local time of the pretended events.")] = "14:00",
    hours: Annotated[float, typer.Option(min=0.25, max=24, help="How long they last.")] = 4,
    days: Annotated[int, typer.Option(min=1, max=90, help="On so many days.")] = 30,
    method: Annotated[
        list[str] | None, typer.Option("--method", "-m", help="May be repeated; all without.")
    ] = None,
    program: Annotated[
        str, typer.Option("--program", help="Of the gateway: its own method, too.")
    ] = "",
    every_day: Annotated[
        bool, typer.Option("--every-day", help="On weekends and holidays, too.")
    ] = False,
    zone: Zone = "UTC",
    other_event: Others = None,
    holiday: HolidayList = None,
    gateway: GatewayOption = GATEWAY,
    as_json: JsonOption = False,
) -> None:
    """Is a method fair here? Events are pretended on recent days that had none.

    Of a site of a running gateway, by its telemetry, events and time zone; or of a file.
    """
    from contracts.errors import ConfigError
    from gateway.domain.measure.presets import comparable
    from gridyard.at_gateway.asking import asked
    from gridyard.baseline import given, runs, words

    with plain_errors():
        if (site is None) is (csv is None):
            raise ConfigError("name a site of a running gateway, or a file with --csv")
        chosen = [given.method(name).method for name in method or ()]
        start = given.clock(at)
        if csv is not None:
            what = given.site(csv, known_zone(zone), other_event or (), holiday or ())
            found = runs.fair(
                what,
                chosen or comparable(),
                start,
                timedelta(hours=hours),
                days,
                every_day=every_day,
            )
        else:
            query = [("start", start.isoformat()), ("duration_s", str(hours * 3600))]
            query += [("days", str(days)), ("every_day", str(every_day).lower())]
            query += [("method", one.name) for one in chosen]
            query += [("program", program)] if program else []
            path = f"sites/{quote(site or '', safe='')}/fairness?{urlencode(query)}"
            found = asyncio.run(asked(gateway, path))
    print_answer(found, words.fair_lines(found), as_json=as_json)
