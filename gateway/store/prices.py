"""Prices kept over a restart, and for ever: `PriceMemory` and `PriceHistory` on a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import delete
from sqlmodel import Session, col, select

from contracts.time import Interval
from gateway.domain.price.timeline import PriceStep, PriceTimeline, Quality
from gateway.store import documents
from gateway.store.account_tables import PastPriceRow
from gateway.store.database import Database, upsert
from gateway.store.instants import from_micros, micros
from gateway.store.tables import PriceRow, table

_P = table(PastPriceRow).c


class SqlPrices:
    """One document a source of what is known now, and one row a price of what was ever told."""

    def __init__(self, database: Database) -> None:
        self._read = database.read
        self._write = database.write

    async def load(self) -> Mapping[str, PriceTimeline]:
        """What is known of every source, by its id."""

        def work(session: Session) -> Mapping[str, PriceTimeline]:
            rows = session.exec(select(PriceRow))
            return {row.source_id: documents.PRICES.load(row.document) for row in rows}

        return await self._read(work)

    async def save(self, source_id: str, prices: PriceTimeline, since: datetime) -> None:
        """See the port."""
        values = {"source_id": source_id, "document": documents.PRICES.dump(prices)}
        rows = [_row(source_id, prices, one) for one in prices if one.end > since]

        def work(session: Session) -> None:
            connection = session.connection()
            connection.execute(upsert(session, PriceRow), [values])
            later = (_P.source_id == source_id, _P.end_us > micros(since))
            connection.execute(delete(table(PastPriceRow)).where(*later))
            if rows:
                connection.execute(upsert(session, PastPriceRow), rows)

        await self._write(work)

    async def history(self, source_id: str, window: Interval) -> Sequence[PriceTimeline]:
        """See the port."""
        query = (
            select(PastPriceRow)
            .where(PastPriceRow.source_id == source_id, PastPriceRow.end_us > micros(window.start))
            .order_by(col(PastPriceRow.start_us))
        )
        if window.end is not None:
            query = query.where(PastPriceRow.start_us < micros(window.end))

        def work(session: Session) -> Sequence[PriceTimeline]:
            found: dict[tuple[str, str], list[PriceStep]] = {}
            for row in session.exec(query):
                part = _step(row).within(window)
                if part is not None:
                    found.setdefault((row.area, row.currency), []).append(part)
            return [PriceTimeline.of(*key, steps) for key, steps in found.items()]

        return await self._read(work)


def _row(source_id: str, prices: PriceTimeline, one: PriceStep) -> dict[str, object]:
    return {
        "source_id": source_id,
        "start_us": micros(one.start),
        "end_us": micros(one.end),
        "area": prices.area,
        "currency": prices.currency,
        "per_kwh": str(one.per_kwh),
        "said_by": one.source_id,
        "as_of_us": micros(one.as_of),
        "quality": one.quality.value,
    }


def _step(row: PastPriceRow) -> PriceStep:
    return PriceStep(
        interval=Interval(start=from_micros(row.start_us), end=from_micros(row.end_us)),
        per_kwh=Decimal(row.per_kwh),
        source_id=row.said_by,
        as_of=from_micros(row.as_of_us),
        quality=Quality(row.quality),
    )
