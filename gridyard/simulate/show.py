"""Run what a command wants and print it, with progress on stderr."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from gridyard.printing import print_answer
from gridyard.simulate import tables, year
from gridyard.simulate.many import Tell, run_many
from gridyard.simulate.measure import Result
from gridyard.simulate.page import page
from gridyard.simulate.people import ByList
from gridyard.simulate.run import Progress, Simulation
from gridyard.simulate.setup import Inputs, simulated, strategy_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a command asks for."""

    inputs: Inputs
    strategies: tuple[str, ...]
    html: Path | None = None
    csv: Path | None = None
    as_json: bool = False
    progress: bool = False


def show_one(wanted: Wanted, seed: int) -> None:
    """One night with every strategy."""
    for name in wanted.strategies:
        strategy_named(name)
    case = wanted.inputs.case()
    results = [
        simulated(wanted.inputs, name, seed, _teller(wanted, name)) for name in wanted.strategies
    ]
    _clear(wanted)
    _write(wanted, results)
    document = [tables.result_document(one) for one in results]
    print_answer(document, tables.summary_lines(results, case), as_json=wanted.as_json)


def show_many(wanted: Wanted, seeds: range, jobs: int) -> None:
    """Many nights with every strategy, and the oracle's word on each."""
    for name in wanted.strategies:
        strategy_named(name)
    rows = run_many(wanted.inputs, wanted.strategies, seeds, jobs, _counter(wanted))
    _clear(wanted)
    document = [
        asdict(row) | {"all_ready": row.all_ready, "feasible": row.feasible} for row in rows
    ]
    print_answer(document, tables.seed_lines(rows), as_json=wanted.as_json)


def show_year(wanted: Wanted, compare: str | None, tariff: str | None, jobs: int) -> None:
    """A year of every strategy under every tariff."""
    strategies = wanted.strategies if compare else year.STRATEGIES
    tariffs = tuple(tariff.split(",")) if tariff else year.every_tariff()
    rows = year.run_year(wanted.inputs, strategies, tariffs, jobs, _counter(wanted))
    _clear(wanted)
    print_answer(year.year_document(rows), year.year_lines(rows), as_json=wanted.as_json)


def show_yard(wanted: Wanted, seed: int) -> None:
    """The yard list before anything has happened."""
    case, night = wanted.inputs.night(seed)
    simulation = Simulation(case, night, strategy_named("llf"))
    people = simulation.yard.people
    assert isinstance(people, ByList)  # noqa: S101 (llf goes by the list)
    made = people.listed(simulation.yard)
    print_answer(tables.yard_document(made), tables.yard_lines(made, case), as_json=wanted.as_json)


def _write(wanted: Wanted, results: list[Result]) -> None:
    if wanted.html is not None:
        wanted.html.parent.mkdir(parents=True, exist_ok=True)
        wanted.html.write_text(page(results, wanted.inputs.case()), encoding="utf-8")
        typer.echo(f"page: {wanted.html}", err=True)
    if wanted.csv is not None:
        for path in tables.write_csv(wanted.csv, results):
            typer.echo(f"file: {path}", err=True)


def _teller(wanted: Wanted, name: str) -> Callable[[Progress], None] | None:
    if not wanted.progress:
        return None
    return lambda progress: typer.echo(f"\r{name}: {progress.done:4.0%} ", err=True, nl=False)


def _counter(wanted: Wanted) -> Tell:
    def tell(done: int, of: int) -> None:
        if wanted.progress:
            typer.echo(f"\r{done}/{of} runs ", err=True, nl=False)

    return tell


def _clear(wanted: Wanted) -> None:
    if wanted.progress:
        typer.echo("\r" + " " * 40 + "\r", err=True, nl=False)
