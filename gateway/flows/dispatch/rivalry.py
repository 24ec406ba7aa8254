"""What other events leave of a site for one event, read from the plans that are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.conflict import (
    Contender,
    Given,
    Promise,
    in_force,
    left_of,
    promises,
    rivals,
    strongest_first,
    words,
)
from gateway.domain.dispatch import effective
from gateway.domain.event import EventStatus
from gateway.domain.flexibility import SiteFlexibility
from gateway.domain.portfolio import Portfolio
from gateway.domain.program import Program
from gateway.domain.scope import Scope, scope_of
from gateway.domain.timeline import Claim, TimelineEntry, holds
from gateway.ports import Ledger, StoredEvent

OVER = (EventStatus.COMPLETED, EventStatus.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rivalry:
    """One event among the others."""

    event_key: str = ""
    program: Program | None = None
    entries: tuple[TimelineEntry, ...] = ()
    stronger: tuple[Contender, ...] = ()
    weaker: tuple[Contender, ...] = ()
    given: Given = field(default_factory=dict)
    scope: Scope = Scope.SITE
    """Of a site: events of chargers and of batteries alone have no kW in common."""

    def target(self, asked: StepSeries) -> StepSeries:
        """What is asked, as far as the event is in force anywhere."""
        mine = (e.interval for e in self.entries if e.event.key == self.event_key)
        return _within(asked, mine)

    def leaves(self, offer: SiteFlexibility) -> SiteFlexibility:
        """What is left of an offer: nothing where another is in force, less what is promised."""
        if self.program is None:
            return offer
        taken = tuple(self._promises(offer.site_id, self.stronger))
        mine = holds(self.entries, self.event_key, offer.site_id)
        left = offer.against(left_of(_within(offer.baseline, mine), taken))
        why = words(offer, taken, self.stronger, self.program, self.entries)
        if not why or not offer.available:
            return left
        return replace(left, reason="; ".join(filter(None, (why, offer.reason))))

    def beside_w(self, site_id: str, at: datetime) -> float:
        """What weaker events were given at a site at an instant, W: no delivery of this one."""
        return sum(
            one.reduction.value_at(at) or 0.0 for one in self._promises(site_id, self.weaker)
        )

    def _promises(self, site_id: str, others: Sequence[Contender]) -> Iterable[Promise]:
        if self.program is None:
            return ()
        mine = self.scope
        same = (o for o in others if not mine.apart_from(scope_of(o.event, o.program)))
        return promises(site_id, self.program, same, self.entries, self.given)


class Rivals:
    """Sets events against each other."""

    def __init__(self, portfolio: Portfolio, ledger: Ledger) -> None:
        self._portfolio = portfolio
        self._ledger = ledger

    async def of(
        self, stored: StoredEvent, events: Iterable[StoredEvent], now: datetime
    ) -> Rivalry:
        """One event among those that are not over.

        Raises:
            TransientError: the plans of the others cannot be read.
        """
        ordered = self.ordered(events, now)
        key = stored.event.key
        stronger, weaker = rivals(ordered, key)
        program = self._portfolio.program_of(stored.event)
        return Rivalry(
            event_key=key,
            program=program,
            scope=scope_of(stored.event, program),
            entries=in_force(ordered),
            stronger=stronger,
            weaker=weaker,
            given={one.event.key: await self._given(one) for one in (*stronger, *weaker)},
        )

    def ordered(self, events: Iterable[StoredEvent], now: datetime) -> tuple[Contender, ...]:
        """Events that are not over, of programs we know, strongest first."""
        return strongest_first(self._contenders(events, now))

    def _contenders(self, events: Iterable[StoredEvent], now: datetime) -> Iterator[Contender]:
        for one in events:
            program = self._portfolio.program_of(one.event)
            if program is None or one.event.status(now) is EventStatus.COMPLETED:
                continue  # a cancelled one holds nothing, and those after it learn that
            sites = {site.site_id for site in self._portfolio.addressed(one.event)}
            claim = Claim(
                event=one.event,
                opt=one.decision.opt,
                sites=frozenset(sites - one.opted_out_sites),
            )
            yield Contender(claim=claim, program=program, told_at=one.notified_at)

    async def _given(self, one: Contender) -> Mapping[str, StepSeries]:
        whole = effective(await self._ledger.plans(one.event.key))
        if whole is None:
            return {}
        return {a.site_id: a.reduction for a in whole.allocations if a.site_id in one.claim.sites}


def _within(series: StepSeries, intervals: Iterable[Interval]) -> StepSeries:
    return StepSeries.of(
        (step.interval, step.value) for interval in intervals for step in series.clip(interval)
    )
