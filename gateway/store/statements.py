"""Versions of statements: `gateway.ports.StatementBook` on a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.domain.settle.account import PeriodStatement
from gateway.store import documents
from gateway.store.database import Database
from gateway.store.tables import StatementRow


class SqlStatements:
    """One transaction a method; the database itself refuses to change or drop a version."""

    def __init__(self, database: Database) -> None:
        self._read = database.read
        self._write = database.write

    async def add(self, statement: PeriodStatement) -> PeriodStatement:
        """Keep a statement as the next version of its program and period; with its number."""
        program_id, period = statement.subject, statement.period
        newest = select(func.max(StatementRow.version)).where(
            StatementRow.program_id == program_id, StatementRow.period == period
        )

        def work(session: Session) -> PeriodStatement:
            kept = replace(statement, version=(session.exec(newest).one() or 0) + 1)
            session.add(
                StatementRow(
                    program_id=program_id,
                    period=period,
                    version=kept.version,
                    final=kept.final,
                    document=documents.STATEMENT.dump(kept),
                )
            )
            return kept

        return await self._write(work)

    async def statement(
        self, program_id: str, period: str, version: int | None = None
    ) -> PeriodStatement | None:
        """One version, or the newest."""
        query = _of(program_id, period).order_by(col(StatementRow.version).desc()).limit(1)
        if version is not None:
            query = query.where(StatementRow.version == version)
        return next(iter(await self._found(query)), None)

    async def versions(self, program_id: str, period: str) -> Sequence[PeriodStatement]:
        """Every version, oldest first."""
        return await self._found(_of(program_id, period).order_by(col(StatementRow.version)))

    async def periods(self) -> Sequence[tuple[str, str]]:
        """Every program and period of which there is a statement."""
        query = select(StatementRow.program_id, StatementRow.period).distinct()
        return await self._read(lambda session: list(session.exec(query)))

    async def _found(self, query: SelectOfScalar[StatementRow]) -> Sequence[PeriodStatement]:
        def work(session: Session) -> Sequence[PeriodStatement]:
            return [documents.STATEMENT.load(row.document) for row in session.exec(query)]

        return await self._read(work)


def _of(program_id: str, period: str) -> SelectOfScalar[StatementRow]:
    return select(StatementRow).where(
        StatementRow.program_id == program_id, StatementRow.period == period
    )
