"""How sites and events deliver: `gateway.ports.DeliveryMemory` on a database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from gateway.domain.delivery.course import Course
from gateway.domain.delivery.standing import Standing
from gateway.store import documents
from gateway.store.database import Database, upsert
from gateway.store.tables import DeliveryCourseRow, SiteStandingRow


class SqlDelivery:
    """One transaction a method; see the port for what each means."""

    def __init__(self, database: Database) -> None:
        self._read = database.read
        self._write = database.write

    async def keep(self, course: Course, standings: Sequence[Standing]) -> None:
        """Keep how an event goes and what is known of sites."""
        kept = DeliveryCourseRow(event_key=course.event_key, document=documents.COURSE.dump(course))
        rows = [
            {"site_id": one.site_id, "document": documents.STANDING.dump(one)} for one in standings
        ]

        def work(session: Session) -> None:
            session.merge(kept)
            if rows:
                session.connection().execute(upsert(session, SiteStandingRow), rows)

        await self._write(work)

    async def course(self, event_key: str) -> Course | None:
        """How an event went up to the last minute kept."""

        def work(session: Session) -> Course | None:
            row = session.get(DeliveryCourseRow, event_key)
            return None if row is None else documents.COURSE.load(row.document)

        return await self._read(work)

    async def standings(self) -> Sequence[Standing]:
        """Of every site of which anything is known, in order of site."""
        query = select(SiteStandingRow).order_by(col(SiteStandingRow.site_id))

        def work(session: Session) -> Sequence[Standing]:
            return [documents.STANDING.load(row.document) for row in session.exec(query)]

        return await self._read(work)
