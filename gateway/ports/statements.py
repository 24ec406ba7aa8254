"""Where statements are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.domain.settle.account import PeriodStatement


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
