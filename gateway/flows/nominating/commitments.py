"""What is promised to a program while an event runs."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.nomination.committed import committed
from gateway.domain.portfolio import Portfolio
from gateway.ports import NominationBook


class Commitments:
    """Nominations that are in force; without any (or without a book) the enrolments' figures."""

    def __init__(self, portfolio: Portfolio, book: NominationBook | None = None) -> None:
        self._portfolio = portfolio
        self._book = book

    async def of(self, program_id: str, window: Interval) -> Mapping[str, StepSeries]:
        """By site enrolled at its start, the reduction promised over a window, W.

        Raises:
            TransientError: the store cannot be used now.
        """
        enrolled = self._portfolio.enrolled(program_id, window.start)
        held = [] if self._book is None else await self._book.nominations(program_id, window)
        return committed(enrolled, held, window)
