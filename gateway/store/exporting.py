"""Telemetry as rows for a file: one kind, one site and one stretch a transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, select
from sqlmodel import Session

from contracts.time import Interval
from gateway.store.database import Database
from gateway.store.instants import micros
from gateway.store.means import names
from gateway.store.tables import MeasurementRow, table
from gateway.store.telemetry_tables import MeanRow, MeterIntervalRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One table: what its series are told apart by, and when a row begins."""

    table: Table
    series: str
    start: str


KINDS = {
    "readings": Kind(table=table(MeasurementRow), series="point", start="at_us"),
    "means": Kind(table=table(MeanRow), series="point", start="start_us"),
    "meter-intervals": Kind(table=table(MeterIntervalRow), series="meter", start="start_us"),
}
"""By the names under which they are exported."""


class SqlExport:
    """Reads what is stored, as it is stored."""

    def __init__(self, database: Database) -> None:
        self._read = database.read

    async def sites(self) -> tuple[str, ...]:
        """Every site of which something is stored."""

        def work(session: Session) -> tuple[str, ...]:
            found = {
                name for kind in KINDS.values() for name in names(session, kind.table.c.site_id)
            }
            return tuple(sorted(found))

        return await self._read(work)

    async def rows(self, kind: str, site_id: str, window: Interval) -> dict[str, list[Any]]:
        """The columns of a site's rows that begin inside a closed window, by series and time."""
        wanted = KINDS[kind]
        columns, at = wanted.table.c, wanted.table.c[wanted.start]
        start, end = micros(window.start), micros(window.end or window.start)
        here = columns.site_id == site_id

        def work(session: Session) -> dict[str, list[Any]]:
            found: list[Any] = []
            for name in names(session, columns[wanted.series], here):
                query = select(wanted.table).where(here, columns[wanted.series] == name)
                window_of = query.where(at >= start, at < end).order_by(at)
                found += session.connection().execute(window_of).all()
            keys = columns.keys()
            return {key: [row[n] for row in found] for n, key in enumerate(keys)}

        return await self._read(work)
