"""Instructions and what became of them: session work behind `SqlLedger`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import aliased
from sqlmodel import Session, and_, col, select
from sqlmodel.sql.expression import SelectOfScalar

from contracts.site_link.messages import Instruction, InstructionState, InstructionStatus
from gateway.ports import StoredInstruction
from gateway.store import documents
from gateway.store.tables import InstructionRow, InstructionStatusRow, SiteSequenceRow


def put_instruction(
    session: Session, instruction: Instruction, event_key: str, revision: int
) -> Instruction:
    """Write an instruction under the next number of its site; returns it numbered."""
    counter = _counter(session, instruction.site_id)
    counter.last += 1
    numbered = replace(instruction, site_seq=counter.last)
    session.add(
        InstructionRow(
            instruction_id=numbered.instruction_id,
            site_id=numbered.site_id,
            site_seq=numbered.site_seq,
            event_key=event_key,
            revision=revision,
            expires_at=numbered.expires_at,
            document=documents.INSTRUCTION.dump(numbered),
        )
    )
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
    found = [
        StoredInstruction(
            instruction=documents.INSTRUCTION.load(row.document),
            revision=row.revision,
            statuses=statuses.get(row.instruction_id, ()),
        )
        for row in rows
    ]
    return sorted(found, key=lambda s: (s.revision, s.instruction.site_id, s.instruction.site_seq))


def newest(session: Session, event_key: str) -> StoredInstruction | None:
    """The last instruction under this key with its statuses."""
    query = select(InstructionRow).where(InstructionRow.event_key == event_key)
    row = session.exec(query.order_by(col(InstructionRow.site_seq).desc()).limit(1)).first()
    if row is None:
        return None
    ids = select(InstructionRow.instruction_id).where(
        InstructionRow.instruction_id == row.instruction_id
    )
    return StoredInstruction(
        instruction=documents.INSTRUCTION.load(row.document),
        revision=row.revision,
        statuses=_statuses(session, ids).get(row.instruction_id, ()),
    )


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
