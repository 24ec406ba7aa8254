"""`gridyard simulate`: what it takes, and where it puts what it finds."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from contracts.errors import ConfigError
from gridyard.printing import JsonOption
from gridyard.runner import plain_errors

_SEEDS = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")
MOST_SEEDS = 10_000
_PORTFOLIO, _SEASON = "portfolio", "season"
_TAKES = {
    _PORTFOLIO: {"scenario", "seed", "seeds", "jobs", "as_json"},
    _SEASON: {"scenario", "months", "seed", "csv", "as_json"},
}
_ONLY_SEASON = {"months"}

ScenarioName = Annotated[
    str,
    typer.Argument(
        help="A scenario's name (`reference`) or file (YAML); `portfolio`: a thousand depots; "
        "`season`: a year of events of three programs."
    ),
]
StrategyName = Annotated[str, typer.Option(help="Who runs the depot; see --compare for all.")]
Compare = Annotated[
    str | None,
    typer.Option(help="Several beside each other, of uncontrolled,first-come,edf,llf,rules,plan."),
]
Seed = Annotated[int, typer.Option(help="Draws everything that varies.", min=0)]
Seeds = Annotated[
    str | None, typer.Option(help="Many nights, FIRST-LAST, beside an oracle of each.")
]
Jobs = Annotated[int, typer.Option(help="Processes for --seeds and --year; 0: one a core.", min=0)]
Days = Annotated[
    int | None, typer.Option(help="So many days instead of the scenario's hours.", min=1, max=366)
]
Months = Annotated[int, typer.Option(help="Of a `season`, from May on.", min=1, max=12)]
SessionsFile = Annotated[
    Path | None, typer.Option(help="CSV of sessions instead of the scenario's fleet.")
]
TariffName = Annotated[
    str | None,
    typer.Option(help="A tariff's name (`sce-tou-ev-8-2019`) or file: costs, rules and plan."),
]
PvFile = Annotated[
    Path | None, typer.Option(help="CSV of PV power (time, power_w) instead of a sky.")
]
EventsFile = Annotated[Path | None, typer.Option(help="YAML of events instead of the scenario's.")]
Year = Annotated[
    bool, typer.Option("--year", help="A year's cost by representative days; --tariff A,B.")
]
YardOnly = Annotated[
    bool, typer.Option("--yard", help="Print the yard list as the evening begins.")
]
PageFile = Annotated[Path | None, typer.Option(help="Write a page with plots.")]
CsvFolder = Annotated[Path | None, typer.Option(help="Folder for CSV files.")]


def simulate(
    context: typer.Context,
    scenario: ScenarioName = "reference",
    strategy: StrategyName = "llf",
    compare: Compare = None,
    seed: Seed = 1,
    seeds: Seeds = None,
    jobs: Jobs = 0,
    days: Days = None,
    months: Months = 12,
    sessions: SessionsFile = None,
    tariff: TariffName = None,
    pv: PvFile = None,
    events: EventsFile = None,
    year: Year = False,
    yard: YardOnly = False,
    html: PageFile = None,
    csv: CsvFolder = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate a depot's days in seconds: the agent's own decisions, no sockets.

    `portfolio` simulates events on a thousand depots instead, with the gateway's decisions; of the
    options it takes --seed, --seeds, --jobs and --json. `season` lets three programs call two
    hundred depots and checks its own ledger; it takes --months, --seed, --csv and --json.
    """
    from gridyard.simulate.portfolio.show import show_portfolio
    from gridyard.simulate.season.show import show_season
    from gridyard.simulate.setup import Inputs
    from gridyard.simulate.show import Wanted, show_many, show_one, show_yard, show_year

    _refuse_what_is_of_no_use(context, scenario)
    with plain_errors():
        if scenario == _PORTFOLIO:
            chosen = span_of(seeds or f"{seed}-{seed + 2}")
            show_portfolio(chosen, jobs, as_json=as_json, progress=sys.stderr.isatty())
            return
        if scenario == _SEASON:
            show_season(months, seed, csv, as_json=as_json, progress=sys.stderr.isatty())
            return
        inputs = Inputs(
            scenario=scenario, days=days, sessions=sessions, events=events, tariff=tariff, pv=pv
        )
        wanted = Wanted(
            inputs=inputs,
            strategies=tuple(dict.fromkeys((compare or strategy).replace(" ", "").split(","))),
            html=html,
            csv=csv,
            as_json=as_json,
            progress=sys.stderr.isatty(),
        )
        if year:
            show_year(replace(wanted, inputs=replace(inputs, tariff=None)), compare, tariff, jobs)
        elif yard:
            show_yard(wanted, seed)
        elif seeds is not None:
            show_many(wanted, span_of(seeds), jobs)
        else:
            show_one(wanted, seed)


def _refuse_what_is_of_no_use(context: typer.Context, scenario: str) -> None:
    every = {str(one.name): one.opts[0] for one in context.command.params}
    takes = _TAKES.get(scenario, every.keys() - _ONLY_SEASON)
    for name, option in every.items():
        source = context.get_parameter_source(name)
        if name not in takes and source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(f"{option} is of no use to `{scenario}`", context)


def span_of(text: str) -> range:
    """`FIRST-LAST`, or one number.

    Raises:
        ConfigError: neither, backwards, or too many.
    """
    found = _SEEDS.fullmatch(text.strip())
    if found is None:
        raise ConfigError(f"--seeds {text!r}: FIRST-LAST, such as 1-200")
    first, last = int(found[1]), int(found[2] or found[1])
    if not 0 <= last - first < MOST_SEEDS:
        raise ConfigError(f"--seeds {text!r}: 1 to {MOST_SEEDS} seeds, ascending")
    return range(first, last + 1)
