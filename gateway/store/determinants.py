"""Figures told from outside: `gateway.ports.DeterminantBook` on a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlmodel import Session, col, func, select

from gateway.domain.settle.determinant import Determinant
from gateway.store import documents
from gateway.store.database import Database
from gateway.store.tables import DeterminantRow


class SqlDeterminants:
    """One transaction a method; the database itself refuses to change or drop a row."""

    def __init__(self, database: Database) -> None:
        self._read = database.read
        self._write = database.write

    async def add(self, told: Sequence[Determinant]) -> Sequence[Determinant]:
        """Keep all of these or none; one that says what holds already is that one."""

        def work(session: Session) -> Sequence[Determinant]:
            return [_add(session, one) for one in told]

        return await self._write(work)

    async def of(self, program_id: str) -> Sequence[Determinant]:
        """All that was ever told about a program, oldest first."""
        query = (
            select(DeterminantRow)
            .where(DeterminantRow.program_id == program_id)
            .order_by(col(DeterminantRow.number))
        )

        def work(session: Session) -> Sequence[Determinant]:
            return [documents.DETERMINANT.load(row.document) for row in session.exec(query)]

        return await self._read(work)


def _add(session: Session, one: Determinant) -> Determinant:
    holding = session.exec(
        select(DeterminantRow)
        .where(
            DeterminantRow.program_id == one.program_id,
            DeterminantRow.what == one.what.value,
            DeterminantRow.subject == one.subject,
        )
        .order_by(col(DeterminantRow.number).desc())
        .limit(1)
    ).first()
    if holding is not None:
        known = documents.DETERMINANT.load(holding.document)
        if known.same_as(one):
            return known
    highest = session.exec(select(func.max(DeterminantRow.number))).one()
    kept = replace(one, number=(highest or 0) + 1)
    session.add(
        DeterminantRow(
            number=kept.number,
            program_id=kept.program_id,
            what=kept.what.value,
            subject=kept.subject,
            document=documents.DETERMINANT.dump(kept),
        )
    )
    session.flush()
    return kept
