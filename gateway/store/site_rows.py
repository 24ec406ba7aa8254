"""What sites say besides measurements, and the journal: shared by ledger and telemetry store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import func
from sqlmodel import Session, and_, col, select

from contracts.site_link.messages import (
    FlexibilityOffer,
    InstructionStatus,
    Notice,
    Severity,
    VehicleReadiness,
)
from contracts.site_link.sessions import EndedSession
from contracts.time import Interval
from gateway.ports import JournalEntry
from gateway.store import documents
from gateway.store.account_tables import EndedSessionRow
from gateway.store.database import insert_into, insert_once
from gateway.store.instants import micros
from gateway.store.tables import (
    InstructionStatusRow,
    JournalRow,
    NoticeRow,
    OfferRow,
    ReadinessRow,
    table,
)

_S = table(InstructionStatusRow).c
_STATUS = (_S.site_id, _S.event_id, _S.state, _S.at, _S.reason)


def put_row(
    session: Session,
    site_id: str,
    row: InstructionStatus | Notice | VehicleReadiness | FlexibilityOffer | EndedSession,
) -> None:
    """Add what a site said, and journal it, unless it is there."""
    match row:
        case InstructionStatus():
            put_statuses(session, [(site_id, row)])
        case Notice():
            put_notice(session, site_id, row)
        case VehicleReadiness():
            put_readiness(session, site_id, row)
        case FlexibilityOffer():
            put_offer(session, site_id, row)
        case EndedSession():
            put_ended_session(session, site_id, row)


def put_statuses(session: Session, statuses: Sequence[tuple[str, InstructionStatus]]) -> None:
    """Add statuses, each of a site, unless they are there."""
    if not statuses:
        return
    added = insert_into(session, InstructionStatusRow).on_conflict_do_nothing().returning(*_STATUS)
    rows = [
        {
            "instruction_id": status.instruction_id,
            "state": status.state.value,
            "at": status.at,
            "site_id": site_id,
            "event_id": status.event_id,
            "reason": status.reason,
        }
        for site_id, status in statuses
    ]
    put_journal(
        session,
        [
            JournalEntry(
                at=row.at,
                subject=row.event_id,
                action=f"{row.site_id}: instruction {row.state}",
                cause=row.reason,
            )
            for row in session.connection().execute(added, rows)
        ],
    )


def put_notice(session: Session, site_id: str, notice: Notice) -> None:
    """Add a notice unless it is there."""
    row = NoticeRow(
        site_id=site_id,
        code=notice.code,
        subject=notice.subject,
        at=notice.at,
        raised=notice.raised,
        severity=notice.severity.value,
        text=notice.text,
    )
    if insert_once(session, NoticeRow, row):
        action = f"{notice.code} {'raised' if notice.raised else 'cleared'}: {notice.subject}"
        entry = JournalEntry(at=notice.at, subject=site_id, action=action, cause=notice.text)
        put_journal(session, [entry])


def put_readiness(session: Session, site_id: str, word: VehicleReadiness) -> None:
    """Add a word on a vehicle unless it is there."""
    row = ReadinessRow(
        site_id=site_id,
        vehicle_id=word.vehicle_id,
        at=word.at,
        document=documents.READINESS.dump(word),
    )
    insert_once(session, ReadinessRow, row)


def put_offer(session: Session, site_id: str, offer: FlexibilityOffer) -> None:
    """Keep it instead of an older one of this site."""
    before = session.get(OfferRow, site_id)
    if before is not None and before.at >= offer.at:
        return
    session.merge(OfferRow(site_id=site_id, at=offer.at, document=documents.OFFER.dump(offer)))


def put_ended_session(session: Session, site_id: str, told: EndedSession) -> None:
    """Keep the newest word on a charging session."""
    before = session.get(EndedSessionRow, (site_id, told.session_id))
    if before is not None and before.told_us >= micros(told.at):
        return
    session.merge(
        EndedSessionRow(
            site_id=site_id,
            session_id=told.session_id,
            started_us=micros(told.started_at),
            ended_us=micros(told.ended_at),
            told_us=micros(told.at),
            document=documents.ENDED_SESSION.dump(told),
        )
    )


def offer(session: Session, site_id: str) -> FlexibilityOffer | None:
    """The newest offer of a site; None: it has never told one."""
    row = session.get(OfferRow, site_id)
    return None if row is None else documents.OFFER.load(row.document)


def notices(
    session: Session, window: Interval, site_id: str | None
) -> Sequence[tuple[str, Notice]]:
    """`(site_id, notice)` in a window of time, in order."""
    query = select(NoticeRow).where(NoticeRow.at >= window.start)
    if window.end is not None:
        query = query.where(NoticeRow.at < window.end)
    if site_id is not None:
        query = query.where(NoticeRow.site_id == site_id)
    query = query.order_by(col(NoticeRow.at), col(NoticeRow.site_id), col(NoticeRow.raised))
    return [(row.site_id, _notice(row)) for row in session.exec(query)]


def readiness(session: Session, site_id: str) -> Sequence[VehicleReadiness]:
    """The newest word on every vehicle of a site, by vehicle."""
    newest = (
        select(col(ReadinessRow.vehicle_id), func.max(ReadinessRow.at).label("at"))
        .where(ReadinessRow.site_id == site_id)
        .group_by(col(ReadinessRow.vehicle_id))
        .subquery()
    )
    query = (
        select(ReadinessRow)
        .join(
            newest,
            and_(
                col(ReadinessRow.vehicle_id) == newest.c.vehicle_id,
                col(ReadinessRow.at) == newest.c.at,
            ),
        )
        .where(ReadinessRow.site_id == site_id)
        .order_by(col(ReadinessRow.vehicle_id))
    )
    return [documents.READINESS.load(row.document) for row in session.exec(query)]


def put_journal(session: Session, entries: Iterable[JournalEntry]) -> None:
    """Add to the journal."""
    rows = [
        {"subject": e.subject, "at": e.at, "action": e.action, "cause": e.cause} for e in entries
    ]
    if rows:
        session.connection().execute(insert_into(session, JournalRow), rows)


def journal(session: Session, subject: str) -> Sequence[JournalEntry]:
    """Entries about a subject in order of time."""
    query = select(JournalRow).where(JournalRow.subject == subject)
    rows = session.exec(query.order_by(col(JournalRow.at), col(JournalRow.id)))
    return [JournalEntry(at=r.at, subject=r.subject, action=r.action, cause=r.cause) for r in rows]


def _notice(row: NoticeRow) -> Notice:
    return Notice(
        at=row.at,
        code=row.code,
        subject=row.subject,
        severity=Severity(row.severity),
        raised=row.raised,
        text=row.text,
    )
