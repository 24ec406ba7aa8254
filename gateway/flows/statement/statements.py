"""Statements: made from what is stored, kept as versions, shown whole or one site's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from contracts.errors import PermanentError
from contracts.time import Clock
from gateway.domain.portfolio import Portfolio, Site
from gateway.domain.program import Program
from gateway.domain.settle.account import PeriodStatement, changes
from gateway.domain.settle.determinant import Determinant, checked, concerning, expected
from gateway.domain.settle.period import StatementPeriod, period_named
from gateway.domain.settle.site_account import site_statement
from gateway.domain.settle.statement import period_statement
from gateway.flows.statement.grounds import Gathered
from gateway.ports import DeterminantBook, StatementBook


class Statements:
    """What programs owe, by month or season."""

    def __init__(
        self,
        portfolio: Portfolio,
        gathered: Gathered,
        book: StatementBook,
        determinants: DeterminantBook,
        clock: Clock,
    ) -> None:
        self._portfolio = portfolio
        self._gathered = gathered
        self._book = book
        self._determinants = determinants
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()

    async def settle(self, program_id: str, period: str) -> PeriodStatement:
        """Make the statement from what is known now; a new version where anything is another.

        Raises:
            PermanentError: no such program or period.
        """
        async with self._one_at_a_time:  # else two askers would make the same version twice
            return await self._settle(program_id, period)

    async def _settle(self, program_id: str, period: str) -> PeriodStatement:
        program = self._program(program_id)
        chosen = _period(period, program)
        made = period_statement(await self._gathered.of(program, chosen), self._clock.now())
        newest = await self._book.statement(program_id, chosen.name)
        if newest is None:
            return await self._book.add(made)
        if made.same_as(newest):
            return newest
        return await self._book.add(replace(made, changes=changes(newest, made)))

    async def settle_site(self, site: Site, period: str) -> None:
        """Make the statements of all the programs of a site.

        Raises:
            PermanentError: no such period.
        """
        for program_id in self._programs_of(site.site_id):
            await self.settle(program_id, period)

    async def of_program(
        self, program_id: str, period: str, version: int | None = None
    ) -> PeriodStatement | None:
        """A version, or the newest; None: there is none.

        Raises:
            PermanentError: no such program or period.
        """
        program = self._program(program_id)
        return await self._book.statement(program_id, _period(period, program).name, version)

    async def of_site(self, site: Site, period: str) -> PeriodStatement | None:
        """What of the newest statements is a site's, with what changed for it; None: nothing yet.

        Raises:
            PermanentError: no such period.
        """
        newest: list[PeriodStatement] = []
        before: list[PeriodStatement] = []
        for program_id in self._programs_of(site.site_id):
            chosen = _period(period, self._program(program_id))
            versions = await self._book.versions(program_id, chosen.name)
            newest += versions[-1:]
            before += versions[-2:-1] or versions[-1:]
        if not newest:
            return None
        own, was = (
            site_statement(site.site_id, site.name, site.time_zone.key, every)
            for every in (newest, before)
        )
        return replace(own, changes=changes(was, own))

    async def versions(self, program_id: str, period: str) -> Sequence[PeriodStatement]:
        """Every version of a program's statement, oldest first.

        Raises:
            PermanentError: no such program or period.
        """
        program = self._program(program_id)
        return await self._book.versions(program_id, _period(period, program).name)

    async def periods(self, subject: str) -> Sequence[str]:
        """Periods of which a program, or any program of a site, has a statement; newest first."""
        mine = {subject, *self._programs_of(subject)}
        found = await self._book.periods()
        return sorted({period for program, period in found if program in mine}, reverse=True)

    async def tell(self, told: Sequence[Determinant]) -> Sequence[Determinant]:
        """Keep figures told from outside: all of them or none.

        Raises:
            PermanentError: one makes no sense, or is about no program of ours; says which and why.
        """
        for one in told:
            try:
                checked(one, self._program(one.program_id))
            except ValueError as error:
                raise PermanentError(f"{one.what.value} {one.subject}: {error}") from error
        return await self._determinants.add(told)

    async def told(self, program_id: str) -> Sequence[Determinant]:
        """All that was ever told about a program, oldest first.

        Raises:
            PermanentError: no such program.
        """
        return await self._determinants.of(self._program(program_id).program_id)

    def inputs_told(
        self,
        program: Program,
        period: StatementPeriod,
        events: Sequence[str],
        told: Sequence[Determinant],
    ) -> Mapping[str, str]:
        """What of it holds for a period, as names and values of its statement's inputs."""
        return dict(expected(concerning(told, program, period, events)))

    def _programs_of(self, site_id: str) -> Sequence[str]:
        return sorted({e.program_id for e in self._portfolio.enrolments if e.site_id == site_id})

    def _program(self, program_id: str) -> Program:
        program = self._portfolio.program(program_id)
        if program is None:
            raise PermanentError(f"there is no program {program_id!r}")
        return program


def _period(name: str, program: Program) -> StatementPeriod:
    try:
        return period_named(name, program.rules.seasons)
    except ValueError as error:
        raise PermanentError(str(error)) from error
