"""Charging sessions that sites have told: `gateway.ports.accounts.SessionBook`."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from contracts.site_link.sessions import EndedSession
from contracts.time import Interval
from gateway.domain.accounts.session import ChargingSession
from gateway.store import documents
from gateway.store.account_tables import EndedSessionRow
from gateway.store.database import Database
from gateway.store.instants import micros


class SqlSessionBook:
    """Reads alone: rows come in with the site's telemetry (`site_rows.put_row`)."""

    def __init__(self, database: Database) -> None:
        self._read = database.read

    async def sessions(self, site_id: str, window: Interval) -> Sequence[ChargingSession]:
        """Those that ran at some time inside a window, by start."""
        query = select(EndedSessionRow).where(
            EndedSessionRow.site_id == site_id, EndedSessionRow.ended_us > micros(window.start)
        )
        if window.end is not None:
            query = query.where(EndedSessionRow.started_us < micros(window.end))
        query = query.order_by(col(EndedSessionRow.started_us), col(EndedSessionRow.session_id))

        def work(session: Session) -> Sequence[ChargingSession]:
            rows = session.exec(query)
            return [_session(documents.ENDED_SESSION.load(row.document)) for row in rows]

        return await self._read(work)


def _session(told: EndedSession) -> ChargingSession:
    return ChargingSession(
        session_id=told.session_id,
        evse_id=told.evse_id,
        vehicle_id=told.vehicle_id,
        started_at=told.started_at,
        ended_at=told.ended_at,
        register_wh=told.energy_wh,
        quality=told.quality,
        remarks=told.remarks,
    )
