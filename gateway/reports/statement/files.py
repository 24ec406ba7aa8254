"""A statement as a file: PDF, CSV, Excel or Parquet, made in a thread."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path

from gateway.domain.settle.account import PeriodStatement
from gateway.reports.export import LINE_COLUMNS, line_row
from gateway.reports.files import safe
from gateway.reports.pdf import typeset
from gateway.reports.statement.view import statement_view
from gateway.reports.tables import Cell, Table, as_csv, as_parquet, as_xlsx
from gateway.reports.view import SIMULATED

_TEMPLATE = Path(__file__).parent / "statement.typ"
ENDINGS = ("pdf", "csv", "xlsx", "parquet")


async def statement_file(statement: PeriodStatement, ending: str) -> bytes:
    """The file; the event loop does not wait for it.

    Raises:
        KeyError: there is no such kind.
        PermanentError: it cannot be made; says why.
    """
    make = {"pdf": statement_pdf, "csv": _csv, "xlsx": _xlsx, "parquet": _parquet}[ending]
    return await asyncio.to_thread(make, statement)


def statement_pdf(statement: PeriodStatement) -> bytes:
    """As PDF/UA-1, here and now.

    Raises:
        PermanentError: Typst refused the document.
    """
    return typeset(_TEMPLATE, asdict(statement_view(statement)), statement.created_at)


def statement_name(statement: PeriodStatement, ending: str) -> str:
    """`statement_<subject>_2026-10_v2_FINAL.pdf`, safe in a header and on a disk."""
    status = "FINAL" if statement.final else "PRELIMINARY"
    version = f"_v{statement.version}" if statement.version else ""
    label = f"_{SIMULATED}" if statement.simulated else ""
    subject, period = safe(statement.subject), safe(statement.period)
    return f"statement_{subject}_{period}{version}_{status}{label}.{ending}"


def statement_tables(statement: PeriodStatement) -> tuple[Table, ...]:
    """Lines, parts, sites, inputs and changes."""
    return (
        _lines(statement),
        _sites(statement),
        Table(
            name="Parts",
            columns=("line", "subject", "who", "shared_by", "amount", "currency", "terms"),
            rows=list(_parts(statement)),
        ),
        Table(
            name="Inputs",
            columns=("input", "value"),
            rows=[(one.name, one.value) for one in statement.inputs],
        ),
        Table(
            name="Changes",
            columns=("what", "before", "after", "because"),
            rows=[
                (one.what, one.before, one.after, "; ".join(one.because))
                for one in statement.changes
            ],
        ),
    )


def _lines(statement: PeriodStatement) -> Table:
    status = "FINAL" if statement.final else "PRELIMINARY"
    first = (statement.subject, statement.period, statement.version or None, status)
    label = SIMULATED if statement.simulated else ""
    return Table(
        name="Lines",
        columns=(
            "statement",
            "period",
            "version",
            "status",
            "data_label",
            "program",
            "month",
            "event",
            *LINE_COLUMNS,
        ),
        rows=[
            (*first, label, one.program, one.month, one.event_key, *line_row(one.line))
            for one in statement.lines
        ],
    )


def _sites(statement: PeriodStatement) -> Table:
    """What each site did and gets; a line a currency."""
    known = {} if statement.summary is None else statement.summary.sites
    return Table(
        name="Sites",
        columns=("site", "name", "events", "reduced_kwh", "performance_pct", "amount", "currency"),
        rows=[
            (
                site,
                statement.names.get(site, ""),
                one.events,
                one.reduced_kwh,
                one.performance_pct,
                amount,
                currency,
            )
            for site, one in known.items()
            for currency, amount in one.money.items() or [("", None)]
        ],
    )


def _parts(statement: PeriodStatement) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    for one in statement.lines:
        about = one.line.kind.value, one.line.subject
        currency = one.line.currency
        if one.sites or one.aggregator is not None:
            rows.append((*about, "aggregator", None, one.aggregator, currency, "what is left"))
        rows += [
            (*about, site, part.weight, part.amount, currency, part.terms or part.problem)
            for site, part in one.sites.items()
        ]
    return rows


def _csv(statement: PeriodStatement) -> bytes:
    return as_csv(_lines(statement))


def _parquet(statement: PeriodStatement) -> bytes:
    return as_parquet(_lines(statement))


def _xlsx(statement: PeriodStatement) -> bytes:
    return as_xlsx(statement_tables(statement), statement.created_at)
