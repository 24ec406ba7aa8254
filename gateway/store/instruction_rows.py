"""Instructions and what became of them: session work behind `SqlLedger`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import aliased
from sqlmodel import Session, and_, col, select
from sqlmodel.sql.expression import SelectOfScalar

from contracts.site_link.messages import Instruction, InstructionState, InstructionStatus
from gateway.ports import StoredInstruction
from gateway.store import documents
from gateway.store.database import insert_into, upsert
from gateway.store.tables import InstructionRow, InstructionStatusRow, SiteSequenceRow

_ASKED_AT_ONCE = 1000
"""Databases limit how many values a statement may name."""


def put_instructions(
    session: Session, instructions: Sequence[Instruction], event_key: str, revision: int
) -> Sequence[Instruction]:
    """Write instructions under the next numbers of their sites; returns them numbered.

    By plain statements: a plan may be for ten thousand sites, and ORM objects take ten times as
    long.
    """
    if not instructions:
        return ()
    last = _last_numbers(session, {one.site_id for one in instructions})
    numbered = []
    for one in instructions:
        last[one.site_id] += 1
        numbered.append(replace(one, site_seq=last[one.site_id]))
    counters = [{"site_id": site_id, "last": number} for site_id, number in last.items()]
    session.connection().execute(upsert(session, SiteSequenceRow), counters)
    rows = [_values(one, event_key, revision) for one in numbered]
    session.connection().execute(insert_into(session, InstructionRow), rows)
    return numbered


def site_has_seen(session: Session, site_id: str, seq: int) -> None:
    """Continue numbering above `seq`."""
    counter = _counter(session, site_id)
    counter.last = max(counter.last, seq)


def unseen(session: Session, site_id: str, after_seq: int, now: datetime) -> Sequence[Instruction]:
    """Unexpired instructions with a higher number that no newer one of their event replaces."""
    newer = aliased(InstructionRow)
    replaced = select(newer.instruction_id).where(
        and_(
            col(newer.site_id) == col(InstructionRow.site_id),
            col(newer.event_key) == col(InstructionRow.event_key),
            col(newer.site_seq) > col(InstructionRow.site_seq),
        )
    )
    query = (
        select(InstructionRow)
        .where(InstructionRow.site_id == site_id, InstructionRow.site_seq > after_seq)
        .where(InstructionRow.expires_at > now, ~replaced.exists())
        .order_by(col(InstructionRow.site_seq))
    )
    return [documents.INSTRUCTION.load(row.document) for row in session.exec(query)]


def of_event(session: Session, event_key: str) -> Sequence[StoredInstruction]:
    """Every instruction of an event with its statuses, in order of time."""
    rows = session.exec(select(InstructionRow).where(InstructionRow.event_key == event_key)).all()
    ids = select(InstructionRow.instruction_id).where(InstructionRow.event_key == event_key)
    statuses = _statuses(session, ids)
    found = [_stored(row, statuses) for row in rows]
    return sorted(found, key=lambda s: (s.revision, s.instruction.site_id, s.instruction.site_seq))


def newest(session: Session, event_key: str) -> StoredInstruction | None:
    """The last instruction under this key with its statuses."""
    query = select(InstructionRow).where(InstructionRow.event_key == event_key)
    row = session.exec(query.order_by(col(InstructionRow.site_seq).desc()).limit(1)).first()
    if row is None:
        return None
    return _with_statuses(session, row)


def one(session: Session, instruction_id: str) -> StoredInstruction | None:
    """One instruction with its statuses."""
    row = session.get(InstructionRow, instruction_id)
    return None if row is None else _with_statuses(session, row)


def told(session: Session, site_id: str, at: datetime) -> Sequence[StoredInstruction]:
    """The newest of every chain to a site that was issued by `at` and has not expired then."""
    query = (
        select(InstructionRow)
        .where(InstructionRow.site_id == site_id, InstructionRow.expires_at > at)
        .order_by(col(InstructionRow.site_seq))
    )
    newest: dict[str, InstructionRow] = {}
    for row in session.exec(query):
        if documents.INSTRUCTION.load(row.document).issued_at > at:
            break  # numbers grow with time
        newest[row.event_key] = row
    return [_with_statuses(session, row) for row in newest.values()]


def _with_statuses(session: Session, row: InstructionRow) -> StoredInstruction:
    ids = select(InstructionRow.instruction_id).where(
        InstructionRow.instruction_id == row.instruction_id
    )
    return _stored(row, _statuses(session, ids))


def _stored(
    row: InstructionRow, statuses: Mapping[str, tuple[InstructionStatus, ...]]
) -> StoredInstruction:
    return StoredInstruction(
        instruction=documents.INSTRUCTION.load(row.document),
        revision=row.revision,
        event_key=row.event_key,
        statuses=statuses.get(row.instruction_id, ()),
    )


def _values(one: Instruction, event_key: str, revision: int) -> Mapping[str, object]:
    return {
        "instruction_id": one.instruction_id,
        "site_id": one.site_id,
        "site_seq": one.site_seq,
        "event_key": event_key,
        "revision": revision,
        "expires_at": one.expires_at,
        "document": documents.INSTRUCTION.dump(one),
    }


def _last_numbers(session: Session, site_ids: Collection[str]) -> dict[str, int]:
    """The last number of each of these sites; 0: none yet."""
    wanted, found = sorted(site_ids), dict.fromkeys(site_ids, 0)
    for first in range(0, len(wanted), _ASKED_AT_ONCE):
        some = wanted[first : first + _ASKED_AT_ONCE]
        for row in session.exec(
            select(SiteSequenceRow.site_id, SiteSequenceRow.last).where(
                col(SiteSequenceRow.site_id).in_(some)
            )
        ):
            found[row[0]] = row[1]
    return found


def _counter(session: Session, site_id: str) -> SiteSequenceRow:
    counter = session.get(SiteSequenceRow, site_id)
    if counter is None:
        counter = SiteSequenceRow(site_id=site_id, last=0)
        session.add(counter)
    return counter


def _statuses(
    session: Session, ids: SelectOfScalar[str]
) -> Mapping[str, tuple[InstructionStatus, ...]]:
    query = select(InstructionStatusRow).where(col(InstructionStatusRow.instruction_id).in_(ids))
    found: dict[str, tuple[InstructionStatus, ...]] = {}
    for row in session.exec(query.order_by(col(InstructionStatusRow.at))):
        status = InstructionStatus(
            at=row.at,
            instruction_id=row.instruction_id,
            event_id=row.event_id,
            state=InstructionState(row.state),
            reason=row.reason,
        )
        found[row.instruction_id] = (*found.get(row.instruction_id, ()), status)
    return found
