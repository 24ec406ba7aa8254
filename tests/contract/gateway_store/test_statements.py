"""Versions of statements and reports are never changed: the database itself refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from gateway.domain.settle.account import (
    AccountLine,
    Change,
    Input,
    PeriodStatement,
    SitePart,
)
from gateway.ports import Ledger, StatementBook
from gateway.store.database import Database
from gateway.store.statements import SqlStatements
from support.gateway_store import T0
from support.participation import build_report


@pytest.fixture
def book(database: Database) -> StatementBook:
    return SqlStatements(database)


def statement(**more: object) -> PeriodStatement:
    made = PeriodStatement(
        subject="http://utility.example/p",
        name="Peak",
        period="2026-10",
        first=date(2026, 10, 1),
        last=date(2026, 10, 31),
        time_zone="Europe/Brussels",
        version=0,
        final=False,
        created_at=T0,
        simulated=True,
        lines=(
            AccountLine(
                program="Peak",
                line=build_report().lines[0],
                inputs=("report of u/e",),
                aggregator=Decimal("80.16"),
                sites={"a": SitePart(weight=Decimal("0.1"), amount=Decimal("320.64"))},
            ),
        ),
        inputs=(Input(name="report of u/e", value="version 1"),),
        waits_for=("the end of 2026-10",),
        changes=(Change(what="x", before="1", after="2", because=("y",)),),
        names={"a": "A"},
    )
    return replace(made, **more)  # type: ignore[arg-type]  # a test's own keyword arguments


@pytest.mark.row("mv:M4")
async def test_versions_are_numbered_and_read_back_as_they_were(book: StatementBook) -> None:
    first = await book.add(statement())
    second = await book.add(statement(final=True, waits_for=()))
    other = await book.add(statement(period="2026-11"))
    assert [one.version for one in (first, second, other)] == [1, 2, 1]
    assert await book.statement(first.subject, "2026-10") == second
    assert await book.statement(first.subject, "2026-10", 1) == first
    assert await book.statement(first.subject, "2026-10", 3) is None
    assert await book.statement("nobody", "2026-10") is None
    assert list(await book.versions(first.subject, "2026-10")) == [first, second]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE statement SET final = NOT final",
        "DELETE FROM statement",
        "UPDATE report SET final = NOT final",
        "DELETE FROM report",
        "UPDATE report_curves SET document = '{}'",
        "DELETE FROM report_curves",
    ],
)
async def test_nobody_can_change_or_drop_a_version(
    database: Database, book: StatementBook, ledger: Ledger, change: str
) -> None:
    kept = await book.add(statement())
    report = {"a": 1, "sites": [{"site_id": "s", "curves": 7}]}
    await ledger.put_report("u/e", report, final=False)

    def work(session: Session) -> None:
        session.connection().execute(text(change))

    with pytest.raises(DBAPIError, match="a version never changes"):
        await database.write(work)
    assert await book.statement(kept.subject, kept.period) == kept
    assert await ledger.report("u/e") == report | {"version": 1, "final": False}
