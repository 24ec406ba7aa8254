"""One look at everything the live page shows, taken at one instant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.reading import Quality, Reading
from contracts.site_link import points
from contracts.site_link.messages import Notice
from contracts.time import Interval
from gateway.domain.dispatch import DispatchPlan
from gateway.domain.event import EventStatus
from gateway.domain.portfolio import Portfolio
from gateway.flows.sites.live import EventBand, LiveSite, LiveSnapshot
from gateway.ports import StoredEnvelope, StoredEvent
from gateway.web.state import WebState

MAX_AGE = timedelta(seconds=30)
"""Older values are shown as stale."""
SOON = timedelta(hours=24)
"""Events this near are on the live page."""
RECENT = timedelta(hours=1)
MEMORY = timedelta(hours=24)
"""A notice older than this that nobody repeated is history, not an alarm."""
OVER = (EventStatus.COMPLETED, EventStatus.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything at `live.at`."""

    live: LiveSnapshot
    events: tuple[StoredEvent, ...]
    """Running, coming within a day or just over; earliest start first."""
    plans: dict[str, DispatchPlan]
    """Newest plan by event key, for the events above that are not over."""
    raised: tuple[tuple[str, Notice], ...]
    """`(site_id, notice)`: raised and not cleared since."""
    imposed: tuple[StoredEnvelope, ...]
    """What utilities impose on sites."""
    compared: frozenset[str]
    """Sites whose load is set against the events' baselines: those addressed, else all."""

    @property
    def now(self) -> datetime:
        """The instant of the look."""
        return self.live.at

    @property
    def baseline_w(self) -> float | None:
        """Load expected without the running events, W; None when none runs."""
        values = (band.baseline.value_at(self.now) for band in running(self.live))
        return next((value for value in values if value is not None), None)

    @property
    def load_w(self) -> float | None:
        """Load of the compared sites, W; None unless every one has a fresh value."""
        shown = (site for site in self.live.sites if site.site.site_id in self.compared)
        found = [reading(site, points.PCC_POWER_W, self.now) for site in shown]
        return sum(one.value or 0.0 for one in found) if all(map(usable, found)) else None

    @property
    def target_w(self) -> float | None:
        """The lowest load any running event asks for, W; None when none runs."""
        values = [band.target_load.value_at(self.now) for band in running(self.live)]
        return min((value for value in values if value is not None), default=None)


def limited(snapshot: Snapshot, site_id: str) -> bool:
    """Whether a utility bounds the site at this moment."""
    steps = (
        one.envelope.at(snapshot.now) for one in snapshot.imposed if one.envelope.site_id == site_id
    )
    return any(step is not None and not step.bounds.free for step in steps)


def running(live: LiveSnapshot) -> list[EventBand]:
    """The events in view that are active."""
    return [band for band in live.events if band.status is EventStatus.ACTIVE]


async def take(state: WebState) -> Snapshot:
    """Look at the live state and the ledger."""
    live = state.live.snapshot()
    events = sorted(
        await state.ledger.events(ending_after=live.at - RECENT),
        key=lambda stored: stored.event.window.start,
    )
    near = tuple(stored for stored in events if stored.event.window.start <= live.at + SOON)
    plans: dict[str, DispatchPlan] = {}
    for stored in near:
        if stored.event.status(live.at) not in OVER:
            revisions = await state.ledger.plans(stored.event.key)
            if revisions:
                plans[stored.event.key] = revisions[-1]
    notices = await state.ledger.notices(Interval(start=live.at - MEMORY, end=live.at))
    return Snapshot(
        live=live,
        events=near,
        plans=plans,
        raised=raised(notices),
        imposed=tuple(await state.ledger.envelopes()),
        compared=compared(state.portfolio, near, live.at),
    )


def compared(portfolio: Portfolio, events: Sequence[StoredEvent], now: datetime) -> frozenset[str]:
    """Sites addressed by the running events, else by those in view, else all."""
    active = [stored for stored in events if stored.event.status(now) is EventStatus.ACTIVE]
    addressed = (portfolio.addressed(stored.event) for stored in active or events)
    sites = {site.site_id for some in addressed for site in some}
    return frozenset(sites or {site.site_id for site in portfolio.sites})


def raised(notices: Sequence[tuple[str, Notice]]) -> tuple[tuple[str, Notice], ...]:
    """What is still wrong: the last word of each (site, code, subject), where that is "raised"."""
    last = {(site_id, n.code, n.subject): (site_id, n) for site_id, n in notices}
    return tuple((site_id, notice) for site_id, notice in last.values() if notice.raised)


def reading(live: LiveSite, point: str, now: datetime) -> Reading:
    """A point's newest reading, as STALE when it is too old to be used."""
    found = live.readings.get(point)
    if found is None:
        return Reading.missing(now)
    if usable(found) and found.fresh(now, MAX_AGE) is None:
        return Reading(value=found.value, quality=Quality.STALE, at=found.at)
    return found


def usable(found: Reading) -> bool:
    """Whether a reading from `reading` may be used as it is."""
    return found.value is not None and found.quality.usable


def data_age_s(live: LiveSite, now: datetime) -> float | None:
    """Age of the site's newest load value, seconds; None when there never was one."""
    at = live.measured_at()
    return None if at is None else (now - at).total_seconds()
