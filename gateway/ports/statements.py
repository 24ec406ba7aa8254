"""Where statements are kept, and what is told from outside to make them of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.domain.settle.account import PeriodStatement
from gateway.domain.settle.determinant import Determinant


class StatementBook(Protocol):
    """Versions of statements; only ever added to."""

    async def add(self, statement: PeriodStatement) -> PeriodStatement:
        """Keep a statement as the next version of its program and period; with its number."""
        ...

    async def statement(
        self, program_id: str, period: str, version: int | None = None
    ) -> PeriodStatement | None:
        """One version, or the newest."""
        ...

    async def versions(self, program_id: str, period: str) -> Sequence[PeriodStatement]:
        """Every version, oldest first."""
        ...

    async def periods(self) -> Sequence[tuple[str, str]]:
        """Every program and period of which there is a statement."""
        ...


class DeterminantBook(Protocol):
    """Figures told from outside; only ever added to."""

    async def add(self, told: Sequence[Determinant]) -> Sequence[Determinant]:
        """Keep all of these or none, with their numbers; what holds already is not added again."""
        ...

    async def of(self, program_id: str) -> Sequence[Determinant]:
        """All that was ever told about a program, oldest first."""
        ...
