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


def simulate(
    scenario: Annotated[
        str, typer.Argument(help="A scenario's name (`reference`) or file (YAML).")
    ] = "reference",
    strategy: Annotated[
        str, typer.Option(help="Who runs the depot; see --compare for all.")
    ] = "llf",
    compare: Annotated[
        str | None,
        typer.Option(help="Several beside each other, such as uncontrolled,first-come,edf,llf."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws everything that varies.", min=0)] = 1,
    seeds: Annotated[
        str | None, typer.Option(help="Many nights, FIRST-LAST, beside an oracle of each.")
    ] = None,
    jobs: Annotated[int, typer.Option(help="Processes for --seeds; 0: one a core.", min=0)] = 0,
    days: Annotated[
        int | None, typer.Option(help="So many days instead of the scenario's hours.", min=1)
    ] = None,
    sessions: Annotated[
        Path | None, typer.Option(help="CSV of sessions instead of the scenario's fleet.")
    ] = None,
    tariff: Annotated[
        str | None,
        typer.Option(help="A tariff's name (`sce-tou-ev-8-2019`) or file: costs, rules and plan."),
    ] = None,
    pv: Annotated[
        Path | None, typer.Option(help="CSV of PV power (time, power_w) instead of a sky.")
    ] = None,
    events: Annotated[
        Path | None, typer.Option(help="YAML of events instead of the scenario's.")
    ] = None,
    year: Annotated[
        bool,
        typer.Option("--year", help="A year's cost by representative days; --tariff A,B."),
    ] = False,
    yard: Annotated[
        bool, typer.Option("--yard", help="Print the yard list as the evening begins.")
    ] = False,
    html: Annotated[Path | None, typer.Option(help="Write a page with plots.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Folder for CSV files.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate a depot's days in seconds: the agent's own decisions, no sockets."""
    from gridyard.simulate.setup import Inputs
    from gridyard.simulate.show import Wanted, show_many, show_one, show_yard, show_year

    with plain_errors():
        inputs = Inputs(
            scenario=scenario,
            days=days,
            sessions=sessions,
            events=events,
            tariff=tariff,
            pv=pv,
        )
        names = tuple(dict.fromkeys((compare or strategy).replace(" ", "").split(",")))
        wanted = Wanted(
            inputs=inputs,
            strategies=names,
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
