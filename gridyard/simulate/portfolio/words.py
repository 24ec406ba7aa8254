"""What the runs found, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from statistics import fmean

from gridyard.simulate.portfolio.run import EventRow
from gridyard.simulate.tables import table

_COLUMNS = ("way", "event", "energy", "in 97-103 %", "mean error", "messages", "left out")
_BACK = ("after the event", "highest load", "steepest minute")


def lines(rows: Sequence[EventRow], sites: int) -> Iterator[str]:
    """Means over the seeds."""
    seeds = len({row.seed for row in rows})
    yield f"{sites} sites, {seeds} seeds, 2 h each, intervals of 5 min after the first"
    yield from table(_COLUMNS, (_cells(group) for group in _groups(rows)))
    yield ""
    yield from table(_BACK, _back(rows))


def document(rows: Sequence[EventRow]) -> list[dict[str, object]]:
    """Every event as it was."""
    return [asdict(row) for row in rows]


def _groups(rows: Sequence[EventRow]) -> Iterator[list[EventRow]]:
    for key in dict.fromkeys((row.way, row.event) for row in rows):
        yield [row for row in rows if (row.way, row.event) == key]


def _cells(group: Sequence[EventRow]) -> list[str]:
    return [
        group[0].way,
        str(group[0].event),
        f"{fmean(r.energy for r in group):.1%}",
        f"{fmean(r.inside for r in group):.1%}",
        f"{fmean(r.mean_error for r in group):.2%}",
        f"{fmean(r.messages for r in group):.0f}",
        f"{fmean(r.left_out for r in group):.1f}",
    ]


def _back(rows: Sequence[EventRow]) -> Iterator[list[str]]:
    for name, peak, steepest in (
        ("all at once", "peak_at_once", "steepest_at_once"),
        ("staggered", "peak", "steepest"),
    ):
        yield [
            name,
            f"{fmean(getattr(r, peak) for r in rows):.1%} of baseline",
            f"{fmean(getattr(r, steepest) for r in rows):.1%} of baseline",
        ]
