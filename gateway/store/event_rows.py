"""Events, opt-outs and plans: session work behind `SqlLedger`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlmodel import Session, col, or_, select

from contracts.time import Interval
from gateway.domain.dispatch import DispatchPlan
from gateway.domain.event import Decider, GridEvent, Opt, OptDecision
from gateway.ports import SiteOptOut, StoredEvent
from gateway.store import documents
from gateway.store.database import upsert
from gateway.store.tables import EventRow, PlanRow, SiteOptOutRow


def put_event(
    session: Session, event: GridEvent, decision: OptDecision, received_at: datetime
) -> None:
    """Write a modification; when it was first received stays as it is."""
    row = EventRow(
        event_key=event.key,
        modification=event.modification,
        start=event.window.start,
        end=event.window.end,
        received_at=received_at,
        opt=decision.opt.value,
        cause=decision.cause,
        decided_by=decision.by.value,
        document=documents.EVENT.dump(event),
    )
    session.connection().execute(
        upsert(session, EventRow, keep=("received_at",)), [row.model_dump()]
    )


def event(session: Session, event_key: str) -> StoredEvent | None:
    """One event at its newest modification."""
    rows = session.exec(select(EventRow).where(EventRow.event_key == event_key)).all()
    return _newest(rows, _opt_outs(session, [event_key])) if rows else None


def events(session: Session, ending_after: datetime | None) -> Sequence[StoredEvent]:
    """Events at their newest modification, newest start first."""
    query = select(EventRow)
    if ending_after is not None:
        keys = select(EventRow.event_key).where(
            or_(col(EventRow.end).is_(None), col(EventRow.end) > ending_after)
        )
        query = query.where(col(EventRow.event_key).in_(keys))
    by_key: dict[str, list[EventRow]] = {}
    for row in session.exec(query):
        by_key.setdefault(row.event_key, []).append(row)
    out = _opt_outs(session, by_key)
    found = [_newest(rows, out) for rows in by_key.values()]
    wanted = [s for s in found if ending_after is None or _ends_after(s.event, ending_after)]
    return sorted(wanted, key=lambda s: (s.event.window.start, s.event.key), reverse=True)


def modifications(session: Session, event_key: str) -> Sequence[StoredEvent]:
    """Every modification of an event as it stands in the book, oldest first."""
    query = select(EventRow).where(EventRow.event_key == event_key)
    rows = session.exec(query.order_by(col(EventRow.modification))).all()
    out = _opt_outs(session, [event_key])
    return [_newest(rows[: number + 1], out) for number in range(len(rows))]


def opt_outs(session: Session, event_key: str) -> Sequence[SiteOptOut]:
    """Who was taken out of an event, in order of time."""
    query = select(SiteOptOutRow).where(SiteOptOutRow.event_key == event_key)
    rows = session.exec(query.order_by(col(SiteOptOutRow.at), col(SiteOptOutRow.site_id)))
    return [
        SiteOptOut(event_key=r.event_key, site_id=r.site_id, at=r.at, cause=r.cause) for r in rows
    ]


def opt_in(session: Session, event_key: str, site_id: str) -> None:
    """Forget a site's opt-out."""
    row = session.get(SiteOptOutRow, (event_key, site_id))
    if row is not None:
        session.delete(row)


def put_plan(session: Session, plan: DispatchPlan) -> None:
    """Write one revision."""
    row = PlanRow(
        event_key=plan.event_key, revision=plan.revision, document=documents.PLAN.dump(plan)
    )
    session.add(row)


def plans(session: Session, event_key: str) -> Sequence[DispatchPlan]:
    """Every revision, oldest first."""
    query = select(PlanRow).where(PlanRow.event_key == event_key).order_by(col(PlanRow.revision))
    return [documents.PLAN.load(row.document) for row in session.exec(query)]


def _ends_after(event: GridEvent, instant: datetime) -> bool:
    return event.window.end is None or event.window.end > instant


def _newest(rows: Sequence[EventRow], out: Mapping[str, frozenset[str]]) -> StoredEvent:
    row = max(rows, key=lambda r: r.modification)
    first = min(rows, key=lambda r: r.modification)
    return StoredEvent(
        event=documents.EVENT.load(row.document),
        decision=OptDecision(
            event_key=row.event_key,
            modification=row.modification,
            opt=Opt(row.opt),
            cause=row.cause,
            by=Decider(row.decided_by),
        ),
        received_at=row.received_at,
        notified_at=min(r.received_at for r in rows),
        announced=Interval(start=first.start, end=first.end),
        opted_out_sites=out.get(row.event_key, frozenset()),
    )


def _opt_outs(session: Session, event_keys: Iterable[str]) -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for row in session.exec(select(SiteOptOutRow)):
        found[row.event_key] = found.get(row.event_key, frozenset()) | {row.site_id}
    return {key: found[key] for key in event_keys if key in found}
