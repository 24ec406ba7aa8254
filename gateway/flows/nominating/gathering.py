"""Gathers what a proposal rests on: sites, offers, past hours, events, and other programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.book import SiteOffers
from gateway.domain.conflict import Fit, fit
from gateway.domain.delivery.standing import Standing
from gateway.domain.enrolment import Enrolment, objections
from gateway.domain.event import Opt
from gateway.domain.nomination.beside import Rival
from gateway.domain.nomination.committed import committed
from gateway.domain.nomination.comparable import needed
from gateway.domain.nomination.grounds import Grounds, Member, Terms
from gateway.domain.nomination.history import by_hour
from gateway.domain.nomination.period import Period, callable_hours, slots
from gateway.domain.portfolio import Portfolio, Site
from gateway.domain.program import Call, Program
from gateway.domain.program.call import closed
from gateway.domain.program.nominating import NominationRule
from gateway.domain.program.wall import local_day
from gateway.flows.dispatch.book import site_offers
from gateway.flows.events import calls
from gateway.flows.sites.live import Live
from gateway.ports import DeliveryMemory, Ledger, NominationBook, StoredEvent

_OFFERS_REACH = timedelta(days=3)
"""For a later period no site offers anything yet."""
_SHORT_CALL = timedelta(hours=1)


class Gathering:
    """Reads from the stores; decides nothing."""

    def __init__(
        self,
        portfolio: Portfolio,
        ledger: Ledger,
        live: Live,
        delivery: DeliveryMemory,
        book: NominationBook,
    ) -> None:
        self._portfolio = portfolio
        self._ledger = ledger
        self._live = live
        self._delivery = delivery
        self._book = book

    async def grounds(
        self, program: Program, rule: NominationRule, period: Period, terms: Terms, now: datetime
    ) -> Grounds:
        """For a proposal made now.

        Raises:
            TransientError: a store cannot be used now.
        """
        events = await self._ledger.events(ending_after=now - calls.LOOK_BACK)
        members = tuple(await self._members(program, period, events, now))
        counted = {one.site_id for one in members if not one.out}
        hours = needed(slots(program, rule, period), program, now, terms.look_back)
        return Grounds(
            program=program,
            rule=rule,
            period=period,
            now=now,
            members=members,
            history=by_hour(await self._book.offered(hours)),
            offers=await self._offers(period, now),
            events=tuple(self._events(events, counted, now)),
            rivals=await self.rivals(program, period.interval),
            terms=terms,
        )

    async def rivals(self, program: Program, period: Interval) -> tuple[Rival, ...]:
        """What programs that exclude this one have of the sites over a period."""
        found = []
        for program_id in dict.fromkeys(one.program_id for one in self._portfolio.programs):
            other = self._portfolio.program(program_id, period.start)
            if other is None or program_id == program.program_id:
                continue
            together = fit(program, other)
            if together is not Fit.TOGETHER:
                power = await self._promised(other, period)
                found.append(Rival(name=other.name, fit=together, power=power))
        return tuple(found)

    async def _promised(self, other: Program, period: Interval) -> Mapping[str, StepSeries]:
        """Of a site that is enrolled twice in the period, the larger figure stands."""
        enrolled = sorted(
            (one for one in self._enrolments(other) if _meets(one, period, other)),
            key=lambda one: one.nominated_w,
        )
        nominations = await self._book.nominations(other.program_id, period)
        every = committed({one.site_id: one for one in enrolled}, nominations, period)
        hours = callable_hours(other, period)
        return {
            site_id: StepSeries(tuple(step for one in hours for step in series.clip(one)))
            for site_id, series in every.items()
        }

    async def _members(
        self, program: Program, period: Period, events: Sequence[StoredEvent], now: datetime
    ) -> Iterable[Member]:
        standings = {one.site_id: one for one in await self._delivery.standings()}
        history = calls.history(self._portfolio, program.program_id, events)
        sites = {site.site_id: site for site in self._portfolio.sites}
        first: dict[str, Enrolment] = {}
        for one in self._enrolments(program):
            if one.site_id in sites and _meets(one, period.interval, program):
                first.setdefault(one.site_id, one)
        return [
            _member(sites[site_id], one, program, period, history, standings.get(site_id), now)
            for site_id, one in sorted(first.items())
        ]

    async def _offers(self, period: Period, now: datetime) -> Mapping[str, SiteOffers]:
        if period.interval.start - now > _OFFERS_REACH:
            return {}
        live = self._live.snapshot().sites
        return await site_offers(self._portfolio, self._ledger, live, now)

    def _events(
        self, events: Sequence[StoredEvent], counted: set[str], now: datetime
    ) -> Iterator[Interval]:
        for one in events:
            took_part = one.decision.opt is Opt.IN and not one.event.cancelled
            named = {site.site_id for site in self._portfolio.addressed(one.event)}
            if took_part and (named - one.opted_out_sites) & counted:
                yield closed(one.event.window, now)

    def _enrolments(self, program: Program) -> Iterator[Enrolment]:
        return (o for o in self._portfolio.enrolments if o.program_id == program.program_id)


def _member(
    site: Site,
    enrolment: Enrolment,
    program: Program,
    period: Period,
    history: Sequence[Call],
    standing: Standing | None,
    now: datetime,
) -> Member:
    """The site as it is counted, or why it is not."""
    first, last = _days(period.interval, program)
    reasons = []
    if not (enrolment.holds_on(first) and enrolment.holds_on(last)):
        reasons.append("it is enrolled for a part of the period only")
    if standing is not None and standing.quarantine is not None:
        reasons.append(f"left out: {standing.quarantine.reason}")
    mine = [one for one in history if site.site_id in one.sites]
    reasons += _owners(site, enrolment, program, period, mine, now)
    known = standing is not None and standing.credibility.minutes > 0
    return Member(
        site_id=site.site_id,
        zone=site.time_zone,
        quiet=enrolment.owner.quiet,
        delivers=min(1.0, standing.credibility.expected) if standing and known else 1.0,
        out="; ".join(reasons),
    )


def _owners(
    site: Site,
    enrolment: Enrolment,
    program: Program,
    period: Period,
    history: Sequence[Call],
    now: datetime,
) -> Iterator[str]:
    """Why the owner would keep the site out of the longest event that the program may call."""
    hours = callable_hours(program, period.interval)
    if not hours:
        return
    longest = [one.longest for one in program.rules.durations if program.sells(one.product)]
    known = [length for length in longest if length is not None]
    window = Interval.lasting(hours[0].start, max(known, default=_SHORT_CALL))
    call = Call(event_key="", window=window, sites=frozenset({site.site_id}))
    limits = replace(enrolment.owner, quiet=(), min_ready_share=None)
    yield from objections(limits, site.time_zone, program, call, history, None, now)


def _meets(one: Enrolment, period: Interval, program: Program) -> bool:
    first, last = _days(period, program)
    return (one.since is None or one.since <= last) and (one.until is None or first <= one.until)


def _days(period: Interval, program: Program) -> tuple[date, date]:
    assert period.end is not None  # noqa: S101 (made of two dates)
    end = period.end - timedelta(microseconds=1)
    return local_day(period.start, program.zone), local_day(end, program.zone)
