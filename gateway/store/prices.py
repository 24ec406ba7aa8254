"""Prices kept over a restart: `gateway.ports.PriceMemory` on a database."""

from __future__ import annotations

from collections.abc import Mapping

from sqlmodel import Session, select

from gateway.domain.price.timeline import PriceTimeline
from gateway.store import documents
from gateway.store.database import Database, upsert
from gateway.store.tables import PriceRow


class SqlPrices:
    """One document a source."""

    def __init__(self, database: Database) -> None:
        self._read = database.read
        self._write = database.write

    async def load(self) -> Mapping[str, PriceTimeline]:
        """What is known of every source, by its id."""

        def work(session: Session) -> Mapping[str, PriceTimeline]:
            rows = session.exec(select(PriceRow))
            return {row.source_id: documents.PRICES.load(row.document) for row in rows}

        return await self._read(work)

    async def save(self, source_id: str, prices: PriceTimeline) -> None:
        """Replace what is known of one source; durable when it returns."""
        values = {"source_id": source_id, "document": documents.PRICES.dump(prices)}

        def work(session: Session) -> None:
            session.connection().execute(upsert(session, PriceRow), [values])

        await self._write(work)
