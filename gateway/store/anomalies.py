"""What was found wrong: `gateway.ports.accounts.AnomalyBook`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from contracts.time import Interval
from gateway.domain.anomaly.finding import Finding
from gateway.ports import JournalEntry
from gateway.store import documents, site_rows
from gateway.store.account_tables import AnomalyRow
from gateway.store.database import Database
from gateway.store.instants import from_micros, micros

_GOES_ON = timedelta(hours=2)
"""A finding that begins this soon after one of its kind ended is the same going on."""
_MOST = 1000


class SqlAnomalies:
    """One transaction a method; see the port for what each means."""

    def __init__(self, database: Database) -> None:
        self._read = database.read
        self._write = database.write

    async def keep(
        self, site_id: str, findings: Collection[Finding], now: datetime
    ) -> Sequence[Finding]:
        """Store findings, extend those that go on, journal the new ones and return them."""

        def work(session: Session) -> Sequence[Finding]:
            new = [one for one in findings if not _extended(session, site_id, one)]
            session.add_all(_row(site_id, one) for one in new)
            site_rows.put_journal(session, [_entry(site_id, one, now) for one in new])
            return new

        return await self._write(work)

    async def within(self, site_id: str | None, window: Interval) -> Sequence[tuple[str, Finding]]:
        """`(site_id, finding)` whose evidence touches a window, newest first; at most 1000."""
        query = select(AnomalyRow).where(col(AnomalyRow.end_us) > micros(window.start))
        if site_id is not None:
            query = query.where(AnomalyRow.site_id == site_id)
        if window.end is not None:
            query = query.where(col(AnomalyRow.start_us) < micros(window.end))
        query = query.order_by(
            col(AnomalyRow.start_us).desc(), col(AnomalyRow.site_id), col(AnomalyRow.code)
        ).limit(_MOST)

        def work(session: Session) -> Sequence[tuple[str, Finding]]:
            return [
                (row.site_id, documents.FINDING.load(row.document)) for row in session.exec(query)
            ]

        return await self._read(work)


def _extended(session: Session, site_id: str, one: Finding) -> bool:
    """Whether a stored finding of its kind touches it; that one then covers both."""
    start, end = one.evidence.start, one.evidence.end or one.evidence.start
    query = (
        select(AnomalyRow)
        .where(
            AnomalyRow.site_id == site_id,
            AnomalyRow.code == one.code.value,
            AnomalyRow.subject == one.subject,
            col(AnomalyRow.end_us) >= micros(start - _GOES_ON),
            col(AnomalyRow.start_us) <= micros(end + _GOES_ON),
        )
        .order_by(col(AnomalyRow.start_us))
        .limit(1)
    )
    row = session.exec(query).first()
    if row is None:
        return False
    if micros(end) > row.end_us:
        evidence = Interval(start=from_micros(row.start_us), end=end)
        row.end_us = micros(end)
        row.document = documents.FINDING.dump(replace(one, evidence=evidence))
        session.add(row)
    return True


def _row(site_id: str, one: Finding) -> AnomalyRow:
    start, end = one.evidence.start, one.evidence.end or one.evidence.start
    return AnomalyRow(
        site_id=site_id,
        code=one.code.value,
        subject=one.subject,
        start_us=micros(start),
        end_us=micros(end),
        document=documents.FINDING.dump(one),
    )


def _entry(site_id: str, one: Finding, now: datetime) -> JournalEntry:
    action = f"anomaly {one.code}: {one.subject}"
    return JournalEntry(
        at=now, subject=site_id, action=action, cause=f"{one.reason}. {one.what_to_do}"
    )
