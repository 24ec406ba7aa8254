"""Nominations are proposed, accepted, refused and withdrawn here; every step is kept with who."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256

import structlog

from contracts.errors import PermanentError
from contracts.time import Clock, Interval
from gateway.domain.nomination.beside import Rival, taken
from gateway.domain.nomination.nomination import (
    Decision,
    Nomination,
    Status,
    objection,
    same_promise,
)
from gateway.domain.nomination.period import Period, between, next_open, period_on
from gateway.domain.nomination.proposal import PROPOSABLE, Proposal, propose, shape_of
from gateway.domain.portfolio import Portfolio
from gateway.domain.program import Program
from gateway.domain.program.nominating import NominationRule
from gateway.domain.words import kw
from gateway.flows.nominating.gathering import Gathering
from gateway.flows.nominating.options import NominatingOptions
from gateway.ports import JournalEntry, Ledger, NominationBook

_log = structlog.get_logger(__name__)
_TINY_W = 1.0


class NominationDesk:
    """One at a time: what one step finds free, the next one cannot take meanwhile."""

    def __init__(
        self,
        portfolio: Portfolio,
        ledger: Ledger,
        book: NominationBook,
        gathering: Gathering,
        clock: Clock,
        options: Mapping[str, NominatingOptions],
    ) -> None:
        """`options` by program; those of a program that is not in it are the defaults."""
        self._portfolio = portfolio
        self._ledger = ledger
        self._book = book
        self._gathering = gathering
        self._clock = clock
        self._options = options
        self._busy = asyncio.Lock()

    async def nominations(self, program_id: str | None, since: datetime) -> Sequence[Nomination]:
        """Those of a program (None: of all) that had not ended at an instant, newest first."""
        return await self._book.nominations(program_id, Interval(start=since, end=None))

    async def nomination(self, nomination_id: str) -> Nomination | None:
        """One of them."""
        return await self._book.nomination(nomination_id)

    async def propose(
        self,
        program_id: str,
        dates: tuple[date, date | None] | None,
        by: str,
        cause: str,
        request: str | None = None,
    ) -> tuple[Nomination, bool]:
        """The proposal for a period, and whether it is a new one.

        `dates`: a local day of the period, or first and last day of a contract; None: the next
        period whose gate is open. The same request, or a proposal that changes nothing, makes none.

        Raises:
            PermanentError: there is nothing to propose, with the reason, or the request was
                for another program.
            TransientError: a store cannot be used now.
        """
        async with self._busy:
            known = None if request is None else await self._book.requested(request)
            if known is not None and known.program_id != program_id:
                raise PermanentError("this key was used for a nomination of another program")
            if known is not None:
                return known, False
            now = self._clock.now()
            program, rule, period = self.period(program_id, dates, now)
            options = self._options.get(program_id, NominatingOptions())
            grounds = await self._gathering.grounds(program, rule, period, options.terms, now)
            found = await asyncio.to_thread(propose, grounds)
            if found.empty:
                raise PermanentError(f"nothing to propose for {period.label}: {found.why_empty}")
            older = await self._of_period(program_id, period)
            first = Decision(at=now, status=Status.PROPOSED, by=by, cause=cause)
            made = _made(program, period, found, options, first, revision=len(older) + 1)
            newest = max(older, key=lambda one: one.revision, default=None)
            if newest is not None and _nothing_new(newest, made):
                return newest, False
            await self._book.add(made, request)
            await self._keep(made, first)
            replaced = [one for one in older if one.status is Status.PROPOSED]
            await self._supersede(replaced, made, by, now)
            return made, True

    async def decide(self, nomination_id: str, wanted: Status, by: str, cause: str) -> Nomination:
        """Accept, refuse or withdraw; doing it twice changes nothing.

        Raises:
            PermanentError: it is unknown, its gate has closed, or what it promises is no longer
                free; nothing has changed then.
            TransientError: a store cannot be used now.
        """
        async with self._busy:
            one = await self._book.nomination(nomination_id)
            if one is None:
                raise PermanentError(f"there is no nomination {nomination_id!r}")
            if one.status is wanted:
                return one
            now = self._clock.now()
            why = objection(one, wanted, now)
            if not why and wanted is Status.ACCEPTED:
                why = await self._in_the_way(one)
            if why:
                raise PermanentError(why)
            step = Decision(at=now, status=wanted, by=by, cause=cause)
            if wanted is Status.ACCEPTED:
                await self._supersede(await self._accepted(one), one, by, now, also=step)
            else:
                await self._book.decide([(nomination_id, step)])
            await self._keep(one, step)
            found = await self._book.nomination(nomination_id)
            assert found is not None  # noqa: S101 (nothing is ever deleted)
            return found

    def period(
        self, program_id: str, dates: tuple[date, date | None] | None, now: datetime
    ) -> tuple[Program, NominationRule, Period]:
        """The period that is meant, with the version of the program that is in force then.

        Raises:
            PermanentError: the program has no such period.
        """
        program = self._portfolio.program(program_id, now) or self._portfolio.program(program_id)
        if program is None:
            raise PermanentError(f"there is no program {program_id!r}")
        period = _period(program, _rule(program), dates, now)
        held = self._portfolio.program(program_id, period.interval.start) or program
        if shape_of(held) not in PROPOSABLE:
            raise PermanentError(f"{held.name!r} takes no quantity: {shape_of(held).value}")
        return held, _rule(held), period

    async def _of_period(self, program_id: str, period: Period) -> list[Nomination]:
        every = await self._book.nominations(program_id, period.interval)
        return [one for one in every if one.label == period.label]

    async def _accepted(self, one: Nomination) -> list[Nomination]:
        """Accepted revisions for the same period."""
        every = await self._book.nominations(one.program_id, one.period)
        return [o for o in every if o.label == one.label and o.status is Status.ACCEPTED]

    async def _in_the_way(self, one: Nomination) -> str:
        """Why what is proposed cannot be promised any more; empty when it can."""
        for other in await self._book.nominations(one.program_id, one.period):
            if other.status is Status.ACCEPTED and other.label != one.label:
                return f"{other.nomination_id} is accepted for a part of the period: withdraw it"
        program = self._portfolio.program(one.program_id, one.period.start)
        if program is None:
            return f"no program {one.program_id!r} is in force any more"
        return _taken_since(one, await self._gathering.rivals(program, one.period))

    async def _supersede(
        self,
        older: Sequence[Nomination],
        newer: Nomination,
        by: str,
        now: datetime,
        also: Decision | None = None,
    ) -> None:
        """Older revisions give way, in one transaction with `also`, a step of the newer."""
        cause = f"by {newer.nomination_id}"
        step = Decision(at=now, status=Status.SUPERSEDED, by=by, cause=cause)
        gone = [one for one in older if not objection(one, Status.SUPERSEDED, now)]
        steps = [(one.nomination_id, step) for one in gone]
        if also is not None:
            steps.append((newer.nomination_id, also))
        await self._book.decide(steps)
        for one in gone:
            await self._keep(one, step)

    async def _keep(self, one: Nomination, step: Decision) -> None:
        await self._ledger.log(
            JournalEntry(
                at=step.at,
                subject=one.nomination_id,
                action=f"nomination {step.status.value}",
                cause=f"{step.cause} (by {step.by})",
            )
        )
        _log.info(
            "nomination",
            nomination=one.nomination_id,
            program=one.program_id,
            status=step.status.value,
            by=step.by,
            gate=one.gate.isoformat(timespec="minutes"),
        )


def _rule(program: Program) -> NominationRule:
    """The first that it names.

    Raises:
        PermanentError: it has none.
    """
    if not program.rules.nominations:
        raise PermanentError(
            f"{program.name!r} has no rule for nominations: what its enrolments say stands"
        )
    return program.rules.nominations[0]


def _period(
    program: Program,
    rule: NominationRule,
    dates: tuple[date, date | None] | None,
    now: datetime,
) -> Period:
    if dates is None:
        found = next_open(program, rule, now)
    elif rule.period is None and dates[1] is not None:
        try:
            return between(program, rule, dates[0], dates[1])
        except ValueError as error:
            raise PermanentError(str(error)) from error
    else:
        found = period_on(program, rule, dates[0])
    if found is None:
        held = "a contract" if rule.period is None else f"a {rule.period.value}"
        raise PermanentError(f"one nominates for {held}: name its first and last day")
    return found


def _made(
    program: Program,
    period: Period,
    found: Proposal,
    options: NominatingOptions,
    first: Decision,
    *,
    revision: int,
) -> Nomination:
    mark = sha256(program.program_id.encode()).hexdigest()[:8]
    return Nomination(
        nomination_id=f"{period.label}-r{revision}-{mark}",
        program_id=program.program_id,
        program_version=program.version,
        label=period.label,
        period=period.interval,
        gate=period.gate,
        gate_stated=period.stated,
        revision=revision,
        shape=shape_of(program),
        confidence=options.terms.confidence,
        made_at=first.at,
        quantities=found.quantities,
        sites_out=found.sites_out,
        decisions=(first,),
    )


def _nothing_new(newest: Nomination, made: Nomination) -> bool:
    """Whether what is proposed is on the table already."""
    pending = newest.status is Status.PROPOSED and newest.late == made.late
    return pending and same_promise(newest, made)


def _taken_since(one: Nomination, rivals: Sequence[Rival]) -> str:
    """What programs that exclude this one have got since it was proposed, in words."""
    for quantity in one.quantities:
        for site_id in quantity.parts:
            now_w = taken(site_id, quantity.hours, rivals).power_w
            then_w = quantity.taken.get(site_id, 0.0)
            if now_w > then_w + _TINY_W:
                return (
                    f"{kw(now_w)} of {site_id} are promised to programs that exclude this one, "
                    f"{kw(then_w)} when it was proposed: propose again"
                )
    return ""
