"""`gridyard simulate season`."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import typer

from contracts.errors import PermanentError
from gridyard.printing import print_answer
from gridyard.simulate.season.run import FIRST, Season, run_season
from gridyard.simulate.season.summary import MonthRow, months, programs
from gridyard.simulate.tables import table

SITES = 200
_COLUMNS = (
    *("program", "month", "received", "accepted", "cancelled", "hours"),
    *("asked MWh", "promised", "delivered", "shortfall MWh", "refused for"),
)


def show_season(
    count: int, seed: int, folder: Path | None, *, as_json: bool, progress: bool
) -> None:
    """Live through so many months and print them.

    Raises:
        PermanentError: the ledger does not balance.
    """

    def tell(done: int, of: int) -> None:
        if progress:
            typer.echo(f"\r{done}/{of} notices ", err=True, nl=done == of)

    season = run_season(SITES, count, seed, tell)
    rows = list(months(season))
    print_answer(document(season, rows), lines(season, rows, seed), as_json=as_json)
    if folder is not None:
        _write(folder / f"season-{seed}-months.csv", rows)
    if season.faults:
        raise PermanentError("the ledger does not balance: " + "; ".join(season.faults))


def lines(season: Season, rows: list[MonthRow], seed: int) -> Iterator[str]:
    """A line a program and month, then how evenly sites were asked, then the check."""
    sites = len(season.admission.portfolio.sites)
    yield f"{sites} sites from {FIRST}, seed {seed}"
    yield from table(_COLUMNS, map(_cells, rows))
    yield ""
    for one in programs(season):
        limits = ", ".join(f"{limit:g} a {per}" for per, limit in one.quotas.items()) or "no quota"
        yield (
            f"{one.program}: {one.hours:g} h accepted (hours allowed: {limits}); "
            f"{one.sites.sites} sites asked {one.sites.least:.0%} to {one.sites.most:.0%} of "
            f"their offers, evenness {one.sites.jain:.3f}"
        )
    yield f"{season.plans} plans, {season.left_out} sites left out at the end"
    found = len(season.faults)
    yield f"the ledger does not balance: {found} faults" if found else "the ledger balances"


def document(season: Season, rows: list[MonthRow]) -> dict[str, object]:
    """The same for machines."""
    return {
        "months": [asdict(row) for row in rows],
        "programs": [asdict(one) for one in programs(season)],
        "plans": season.plans,
        "left_out": season.left_out,
        "faults": season.faults,
    }


def _cells(row: MonthRow) -> list[str]:
    share = row.promised_kwh or 1.0
    return [
        row.program,
        row.month,
        str(row.received),
        str(row.accepted),
        str(row.cancelled),
        f"{row.hours:g}",
        f"{row.asked_kwh / 1000:.1f}",
        f"{row.promised_kwh / 1000:.1f}",
        f"{row.delivered_kwh / share:.1%}" if row.promised_kwh else "-",
        f"{row.shortfall_kwh / 1000:.1f}",
        ", ".join(f"{rule} {count}" for rule, count in row.refused.items()),
    ]


def _write(path: Path, rows: list[MonthRow]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    flat = [asdict(row) | {"refused": json.dumps(row.refused)} for row in rows]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(flat[0]) if flat else ["none"])
        writer.writeheader()
        writer.writerows(flat)
