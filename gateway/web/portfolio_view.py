"""The live page as rows of text, from one snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from contracts.reading import Reading
from contracts.site_link import points
from contracts.site_link.messages import Notice, Severity
from gateway.domain.event import EventStatus
from gateway.domain.portfolio import Portfolio
from gateway.flows.sites.live import LiveSite
from gateway.ports import StoredEvent, UtilityHealth
from gateway.reports import words
from gateway.web.links import event_url, site_url
from gateway.web.snapshot import Snapshot, data_age_s, limited, reading, usable
from gateway.web.tiles import Tile, tiles
from gateway.web.wording import Mark, asked, opt_mark, progress, severity_mark, status_mark, until


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCard:
    """One event of today."""

    key: str
    url: str
    program: str
    utility: str
    test: bool
    mark: Mark
    opt: Mark
    opt_cause: str
    countdown: str
    progress_pct: int | None
    window: str
    asked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A measured value with its age; `stale` values are shown but marked."""

    text: str
    age: str
    stale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLine:
    """One row of the table of sites."""

    site_id: str
    url: str
    name: str
    mark: Mark
    load: Value
    limit: str
    flexibility: str
    chargers: str
    vehicles: str
    age: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmLine:
    """One raised notice."""

    mark: Mark
    site: str
    url: str
    subject: str
    text: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UtilityLine:
    """How the way to one utility is."""

    utility_id: str
    protocol: str
    mark: Mark
    detail: str
    age: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioView:
    """The live part of the page."""

    clock: str
    zone: str
    chart_title: str
    tiles: tuple[Tile, ...]
    events: tuple[EventCard, ...]
    sites: tuple[SiteLine, ...]
    alarms: tuple[AlarmLine, ...]
    utilities: tuple[UtilityLine, ...]


def portfolio_view(
    snapshot: Snapshot, portfolio: Portfolio, health: tuple[UtilityHealth, ...], tz: tzinfo
) -> PortfolioView:
    """Turn a snapshot into text."""
    now = snapshot.now
    return PortfolioView(
        clock=words.clock(now, tz),
        zone=words.zone(now, tz),
        chart_title=_chart_title(snapshot),
        tiles=tiles(snapshot),
        events=tuple(event_card(stored, portfolio, now, tz) for stored in snapshot.events),
        sites=tuple(_site(live, snapshot) for live in snapshot.live.sites),
        alarms=_alarms(snapshot, tz),
        utilities=tuple(_utility(one, now) for one in health),
    )


# --- rows --------------------------------------------------------------------------------------


def _chart_title(snapshot: Snapshot) -> str:
    some, every = len(snapshot.compared), len(snapshot.live.sites)
    if some == every:
        return "Load of the portfolio"
    return f"Load of {some} of {every} sites, those addressed"


def event_card(stored: StoredEvent, portfolio: Portfolio, now: datetime, tz: tzinfo) -> EventCard:
    """An event in a few lines."""
    event, program = stored.event, portfolio.program_of(stored.event)
    done = progress(event, now)
    return EventCard(
        key=event.key,
        url=event_url(event.key),
        program=program.name if program else event.program_id,
        utility=event.utility_id,
        test=event.test,
        mark=status_mark(event, now),
        opt=opt_mark(stored.decision),
        opt_cause=stored.decision.cause,
        countdown=until(event, now),
        progress_pct=None if done is None else round(100 * done),
        window=words.span(event.window, tz),
        asked=asked(event, program),
    )


def site_mark(live: LiveSite, snapshot: Snapshot) -> Mark:
    """A site's state in one word, the most important first."""
    site_id = live.site.site_id
    if not live.online:
        return Mark("Offline", "ring", "bad")
    if not usable(reading(live, points.PCC_POWER_W, snapshot.now)):
        return Mark("Data stale", "half", "warn")
    running = [e for e in snapshot.events if e.event.status(snapshot.now) is EventStatus.ACTIVE]
    if any(site_id in stored.opted_out_sites for stored in running):
        return Mark("Opted out", "cross", "warn")
    if any(_asked_now(snapshot, stored.event.key, site_id) for stored in running):
        return Mark("Reducing", "down", "busy")
    if limited(snapshot, site_id):
        return Mark("Limited", "down", "busy")
    return Mark("Normal", "dot", "ok")


def _asked_now(snapshot: Snapshot, event_key: str, site_id: str) -> bool:
    plan = snapshot.plans.get(event_key)
    return plan is not None and any(
        step.reduction_w > 0 and snapshot.now in step.interval
        for allocation in plan.allocations
        if allocation.site_id == site_id
        for step in allocation.steps
    )


def value_of(found: Reading, now: datetime, text: str) -> Value:
    """A reading for show: `text` is its value in words."""
    return Value(
        text=words.NA if found.value is None else text,
        age="" if found.value is None else words.age((now - found.at).total_seconds()),
        stale=found.value is not None and not usable(found),
    )


def _site(live: LiveSite, snapshot: Snapshot) -> SiteLine:
    now, site = snapshot.now, live.site

    def shown(point: str) -> Value:
        found = reading(live, point, now)
        return value_of(found, now, words.power(found.value))

    def count(online: str, known: str) -> str:
        some, every = reading(live, online, now).value, reading(live, known, now).value
        return words.NA if some is None or every is None else f"{some:.0f} of {every:.0f}"

    charging = reading(live, points.VEHICLES_CHARGING, now).value
    limit = shown(points.SITE_LIMIT_W)
    return SiteLine(
        site_id=site.site_id,
        url=site_url(site.site_id),
        name=site.name,
        mark=site_mark(live, snapshot),
        load=shown(points.PCC_POWER_W),
        limit=words.power(site.import_limit_w) if limit.text == words.NA else limit.text,
        flexibility=shown(points.FLEX_DOWN_W).text,
        chargers=count(points.CHARGERS_ONLINE, points.CHARGERS_TOTAL),
        vehicles=words.NA if charging is None else f"{charging:.0f}",
        age=words.age(data_age_s(live, now)),
    )


_URGENCY = {Severity.ALARM: 0, Severity.WARNING: 1, Severity.INFO: 2}


def _alarms(snapshot: Snapshot, tz: tzinfo) -> tuple[AlarmLine, ...]:
    """Raised notices, most urgent first, then newest."""
    names = {live.site.site_id: live.site.name for live in snapshot.live.sites}
    newest = sorted(snapshot.raised, key=lambda pair: pair[1].at, reverse=True)
    return tuple(
        alarm_line(site_id, names.get(site_id, site_id), notice, snapshot.now, tz)
        for site_id, notice in sorted(newest, key=lambda pair: _URGENCY[pair[1].severity])
    )


def alarm_line(
    site_id: str, site_name: str, notice: Notice, now: datetime, tz: tzinfo
) -> AlarmLine:
    """One notice of one site."""
    age = words.age((now - notice.at).total_seconds())
    return AlarmLine(
        mark=severity_mark(notice.severity),
        site=site_name,
        url=site_url(site_id),
        subject=notice.subject,
        text=notice.text,
        since=f"{words.clock(notice.at, tz)}, {age} ago",
    )


def _utility(health: UtilityHealth, now: datetime) -> UtilityLine:
    at = health.last_contact_at
    return UtilityLine(
        utility_id=health.utility_id,
        protocol=health.protocol,
        mark=Mark("Connected", "dot", "ok") if health.connected else Mark("Down", "ring", "bad"),
        detail=health.detail,
        age=words.age(None if at is None else (now - at).total_seconds()),
    )
