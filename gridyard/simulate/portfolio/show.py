"""`gridyard simulate portfolio`."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from gridyard.printing import print_answer
from gridyard.simulate.portfolio.control import Way
from gridyard.simulate.portfolio.run import Task, run_many
from gridyard.simulate.portfolio.sites import Nature
from gridyard.simulate.portfolio.words import document, lines

NATURE = Nature()


def show_portfolio(seeds: Sequence[int], jobs: int, *, as_json: bool, progress: bool) -> None:
    """Every way to watch delivery, on the same portfolios."""
    tasks = [Task(way=way, seed=seed, nature=NATURE) for seed in seeds for way in Way]

    def tell(done: int, of: int) -> None:
        if progress:
            typer.echo(f"\r{done}/{of} runs ", err=True, nl=done == of)

    rows = run_many(tasks, jobs, tell)
    print_answer(document(rows), lines(rows, NATURE.sites), as_json=as_json)
