"""The virtual clock: it runs while an event does, and leaps to the next otherwise."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import numpy as np

from gateway.domain.conflict import Contender, in_force, rivals, strongest_first
from gateway.domain.delivery.standing import Standing
from gateway.domain.dispatch.fairness import Asked
from gateway.domain.timeline import Claim, TimelineEntry
from gateway.flows.dispatch.rivalry import Rivalry
from gridyard.simulate.season.admission import Admission, Entry
from gridyard.simulate.season.calls import Told, drawn
from gridyard.simulate.season.delivery import STEP, Delivery, World
from gridyard.simulate.season.depots import Depots
from gridyard.simulate.season.enrolled import portfolio_of
from gridyard.simulate.season.ledger import Moment, faults

FIRST = date(2026, 5, 1)
"""Where the season begins, so that a few months have events too."""
Tell = Callable[[int, int], None]
"""So much of what the utility says has been heard, of so much."""
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """What came of it."""

    admission: Admission
    moments: tuple[Moment, ...]
    asked: dict[str, dict[str, Asked]]
    """By program and site."""
    left_out: int
    """Sites in quarantine at the end."""
    plans: int
    faults: list[str] = field(default_factory=list)
    """What does not balance; empty when all does."""


def run_season(sites: int, months: int, seed: int, tell: Tell) -> Season:
    """Live through it, and check the books."""
    depots = Depots(sites, seed)
    portfolio = portfolio_of(depots)
    told = drawn(portfolio, FIRST, months, seed)
    run = _Run(depots, Admission(portfolio), deque(told))
    for heard in run.live():
        tell(heard, len(told))
    found = [*run.faults, *faults(run.moments, run.admission)]
    return Season(
        admission=run.admission,
        moments=tuple(run.moments),
        asked=run.asked,
        left_out=sum(one.quarantine is not None for one in run.standings.values()),
        plans=run.plans,
        faults=found,
    )


class _Run:
    """The state of the season as the clock moves on."""

    def __init__(self, depots: Depots, admission: Admission, told: deque[Told]) -> None:
        self.admission = admission
        self.moments: list[Moment] = []
        self.standings: dict[str, Standing] = {}
        self.faults: list[str] = []
        self.plans = 0
        programs = admission.portfolio.programs
        self.asked: dict[str, dict[str, Asked]] = {one.program_id: {} for one in programs}
        self._depots = depots
        self._told = told
        self._open: dict[str, Entry] = {}
        self._under_way: dict[str, Delivery] = {}
        self._ordered: tuple[Contender, ...] = ()
        self._entries: tuple[TimelineEntry, ...] = ()

    def live(self) -> Iterator[int]:
        """To the end of the last event; how much has been heard of the utility, now and then."""
        heard, now = 0, self._told[0].at if self._told else _NEVER
        while self._told or self._open:
            now = self._next(now)
            while self._told and self._told[0].at <= now:
                self._hear(self._told.popleft())
                heard += 1
            yield heard
            self._begin_and_end(now)
            if self._under_way:
                self._live_a_step(now)
                now += STEP

    def _next(self, now: datetime) -> datetime:
        """When something happens next."""
        if self._under_way:
            return now
        starts = [one.event.window.start for one in self._open.values()]
        due = [one.at for one in self._told][:1]
        return max(now, min([*starts, *due]))

    def _hear(self, told: Told) -> None:
        entry = self.admission.take(told.event, told.at)
        if entry.accepted and not entry.event.cancelled:
            self._open[entry.event.key] = entry
        else:
            self._close(entry.event.key)
        self._ordered = strongest_first(self._contender(one) for one in self._open.values())
        self._entries = in_force(self._ordered)
        for key, delivery in self._under_way.items():
            delivery.changed(self._open[key], told.at)

    def _contender(self, entry: Entry) -> Contender:
        program = self.admission.portfolio.program_of(entry.event)
        assert program is not None  # noqa: S101 (events are drawn for programs of ours)
        told_at = entry.stored.notified_at
        return Contender(claim=self._claim(entry), program=program, told_at=told_at)

    def _claim(self, entry: Entry) -> Claim:
        sites = {site.site_id for site in self.admission.portfolio.addressed(entry.event)}
        out = entry.stored.opted_out_sites
        return Claim(event=entry.event, opt=entry.stored.decision.opt, sites=frozenset(sites - out))

    def _begin_and_end(self, now: datetime) -> None:
        for key, entry in list(self._open.items()):
            window = entry.event.window
            if window.end is not None and window.end <= now:
                self._close(key)
            elif window.start <= now and key not in self._under_way:
                self._depots.begin_event(now, fresh=not self._under_way)
                history = self.asked[entry.event.program_id]
                world = World(
                    portfolio=self.admission.portfolio,
                    depots=self._depots,
                    standings=self.standings,
                    history=dict(history),
                )
                self._under_way[key] = Delivery(entry, world, now)

    def _live_a_step(self, now: datetime) -> None:
        told_w = np.zeros(len(self._depots.ids))
        served = [one.event.key for one in self._ordered if one.event.key in self._under_way]
        for key in served:  # the weaker count from what the stronger leave
            told_w += self._under_way[key].ask(self._rivalry(key), now)
        mean_w, last_w = self._depots.live_a_step(now, told_w, STEP)
        heard = self._depots.heard(now)
        for key in served:
            delivery = self._under_way[key]
            self.moments.append(delivery.see(self._rivalry(key), now, mean_w, last_w, heard))

    def _rivalry(self, event_key: str) -> Rivalry:
        """One event among the others under way, with what they are given."""
        stronger, weaker = rivals(self._ordered, event_key)
        under_way = {one.event.key for one in (*stronger, *weaker)} & self._under_way.keys()
        return Rivalry(
            event_key=event_key,
            program=self.admission.portfolio.program_of(self._under_way[event_key].entry.event),
            entries=self._entries,
            stronger=stronger,
            weaker=weaker,
            given={key: self._under_way[key].given for key in under_way},
        )

    def _close(self, event_key: str) -> None:
        """It is over, cancelled or refused; what it asked of each site counts in the next."""
        self._open.pop(event_key, None)
        delivery = self._under_way.pop(event_key, None)
        if delivery is None:
            return
        self.plans += delivery.revisions
        self.faults += delivery.faults
        known = self.asked[delivery.entry.event.program_id]
        for site_id, one in delivery.asked_of().items():
            known[site_id] = known[site_id] + one if site_id in known else one
