"""What utility adapters remember: `gateway.ports.UtilityMemory` on a database."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete
from sqlmodel import Session, and_, col, select

from gateway.store.database import Database, upsert
from gateway.store.tables import UtilityDocumentRow as Row


class SqlUtilityMemory:
    """JSON documents by utility, kind and key."""

    def __init__(self, database: Database) -> None:
        self._read = database.read
        self._write = database.write

    async def load(self, utility_id: str, kind: str) -> Mapping[str, object]:
        """Every document of this kind, by key."""
        query = select(Row).where(Row.utility_id == utility_id, Row.kind == kind)
        return await self._read(lambda s: {row.key: row.document for row in s.exec(query)})

    async def save(self, utility_id: str, kind: str, key: str, document: object) -> None:
        """Write or replace one document; durable when it returns."""
        values = {"utility_id": utility_id, "kind": kind, "key": key, "document": document}

        def work(session: Session) -> None:
            session.connection().execute(upsert(session, Row), [values])

        await self._write(work)

    async def forget(self, utility_id: str, kind: str, key: str) -> None:
        """Delete one document if it is there."""
        this = and_(col(Row.utility_id) == utility_id, col(Row.kind) == kind, col(Row.key) == key)

        def work(session: Session) -> None:
            session.connection().execute(delete(Row).where(this))

        await self._write(work)
