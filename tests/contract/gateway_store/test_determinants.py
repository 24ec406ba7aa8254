"""Figures told from outside are kept in order, once each, and never changed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from gateway.domain.settle.determinant import Determinant, What
from gateway.ports import DeterminantBook
from gateway.store.database import Database
from gateway.store.determinants import SqlDeterminants
from support.deliveries import hours, market
from support.gateway_store import T0

RATIO = Determinant(
    program_id="p",
    what=What.SYSTEM_RATIO,
    subject="u/e",
    source="a notice",
    told_by="Ada",
    told_at=T0,
    value=Decimal("0.9"),
)


@pytest.fixture
def book(database: Database) -> DeterminantBook:
    return SqlDeterminants(database)


async def test_all_are_kept_in_order_and_the_same_word_once(book: DeterminantBook) -> None:
    prices = replace(
        RATIO,
        what=What.MARKET_PRICE,
        value=None,
        prices=market((hours("2026-07-14 16:00"), "0.123456789")),
    )
    first = await book.add([RATIO, prices])
    assert [one.number for one in first] == [1, 2]
    assert await book.add([replace(RATIO, told_by="Bob")]) == [first[0]]
    changed = await book.add([replace(RATIO, value=Decimal("0.8")), replace(RATIO, subject="u/f")])
    assert [one.number for one in changed] == [3, 4]
    back = await book.add([RATIO])  # what held before is another word now
    assert [one.number for one in back] == [5]
    assert list(await book.of("p")) == [*first, *changed, *back]
    assert await book.of("q") == []


@pytest.mark.parametrize(
    "change", ["UPDATE determinant SET subject = 'x'", "DELETE FROM determinant"]
)
async def test_nobody_can_change_or_drop_one(
    database: Database, book: DeterminantBook, change: str
) -> None:
    (kept,) = await book.add([RATIO])

    def work(session: Session) -> None:
        session.connection().execute(text(change))

    with pytest.raises(DBAPIError, match="a version never changes"):
        await database.write(work)
    assert list(await book.of("p")) == [kept]
