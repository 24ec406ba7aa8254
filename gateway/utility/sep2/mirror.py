"""Mirror metering (IEEE 2030.5-2018, 10.11): usage points made, kept, and filled with readings.

Readings follow from stored telemetry, so a report that could not be sent is made again from there,
however much later, and its mRIDs make the server overwrite what it had of it already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from contracts.backoff import Backoff
from contracts.errors import PermanentError, ProtocolError, TransientError
from contracts.reading import Reading
from contracts.sep2.hexes import same_hex
from contracts.sep2.resources import MirrorUsagePoint, MirrorUsagePointList
from contracts.site_link import points
from contracts.time import Clock, Interval
from gateway.domain.completeness import Duty, with_gaps
from gateway.ports import SiteStates, UsageSource
from gateway.utility.sep2.difference import Difference
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.metering import (
    Meter,
    aligned,
    meter_reading,
    meters,
    period_of,
    register_reading,
    total,
    usage_point,
)
from gateway.utility.sep2.pace import Pace
from gateway.utility.sep2.paging import read_list
from gateway.utility.sep2.settings import Sep2Settings
from gateway.utility.sep2.transport import NotVisibleError, RefusedError, Sep2Transport
from gateway.utility.sep2.view import ServerView

_log = structlog.get_logger(__name__)
SETTLE = timedelta(seconds=10)
"""Telemetry of an interval's end is waited for this long."""
MAX_READINGS = 100
"""In one message; a longer backlog goes out as several."""
KEEP = timedelta(days=2)
"""What could not be sent for longer is given up: servers drop mirrors after three days."""
ASK_RATE_EVERY = timedelta(hours=1)
"""How often the server is asked for its postRate."""
MESSAGES_PER_S = 40.0
_WORKERS = 4
_FIRST_WAIT_S = 2.0
_TOO_LARGE = 413


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """What must be remembered of one usage point."""

    href: str | None
    """Where the server keeps it; None once it has lost it."""
    sent_until: datetime
    """End of the last interval told, in the server's time."""
    period_s: int
    """Length of the averages."""
    post_rate_s: float | None = None
    """How often the server wants to be told; None: not asked yet."""
    since: datetime | None = None
    """Start of the first interval told, in the server's time; None in records from before."""
    gaps: tuple[Interval, ...] = ()
    """Stretches told without values, or refused."""


class MirrorMetering:
    """Every mirror usage point of one utility."""

    def __init__(
        self,
        settings: Sep2Settings,
        own_lfdi: str,
        transport: Sep2Transport,
        usage: UsageSource,
        states: SiteStates,
        memory: Sep2Memory,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._own_lfdi = own_lfdi
        self._transport = transport
        self._usage = usage
        self._states = states
        self._memory = memory
        self._clock = clock
        self._wanted = timedelta(seconds=settings.monitoring_period_s)
        self._mirrors: dict[str, Mirror] = {}
        self._tried: dict[str, datetime] = {}
        self._asked_at: dict[str, datetime] = {}
        self._batch: dict[str, int] = {}
        self._difference = Difference()
        self._pace = Pace(clock, MESSAGES_PER_S)
        self._backoff = Backoff(_FIRST_WAIT_S, settings.max_backoff_s)
        self._not_before = 0.0

    async def restore(self) -> None:
        """Take up what a predecessor has made and told."""
        self._mirrors = await self._memory.all(Mirror)

    @property
    def duties(self) -> tuple[Duty, ...]:
        """Every usage point the server keeps, and how far it is told; by the server's clock."""
        return tuple(_duty(self._settings.utility_id, k, m) for k, m in self._mirrors.items())

    async def tell(self, view: ServerView, server_now: datetime) -> None:
        """Tell everything that is due at the server's time; what fails is told later."""
        if view.mirror_usage_points is None or self._clock.monotonic() < self._not_before:
            return
        self._difference.measured(self._clock.now(), server_now)
        shown = [one for one in self._settings.devices if one.lfdi in view.devices]
        due = [m for m in meters(shown, self._own_lfdi) if self._is_due(m, server_now)]
        queue = iter(due)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(_WORKERS, len(due))):
                tasks.create_task(self._work(queue, view.mirror_usage_points, server_now))

    async def _work(self, queue: Iterable[Meter], mup_list: str, now: datetime) -> None:
        for meter in queue:
            try:
                await self._serve(meter, mup_list, now)
                self._backoff.reset()
            except TransientError as error:
                self._postpone(error)
            except (PermanentError, ProtocolError) as error:
                _log.error("sep2_metering_refused", meter=meter.key, error=str(error))
            if self._clock.monotonic() < self._not_before:
                return

    def _postpone(self, error: TransientError) -> None:
        now = self._clock.monotonic()
        if self._not_before <= now:
            self._not_before = now + self._backoff.next_s()
            _log.warning("sep2_metering_postponed", error=str(error))

    def _is_due(self, meter: Meter, now: datetime) -> bool:
        mirror = self._mirrors.get(meter.key)
        if mirror is None or mirror.href is None:
            return self._tried.get(meter.key) != self._newest(now).start
        period = timedelta(seconds=mirror.period_s)
        rate = timedelta(seconds=mirror.post_rate_s or 0.0)
        return now - SETTLE >= mirror.sent_until + max(rate, period)

    def _newest(self, now: datetime) -> Interval:
        """The newest interval that is over, as long as we want them by ourselves."""
        period = period_of(self._wanted, self._wanted)
        end = aligned(now - SETTLE, period)
        return Interval(start=end - period, end=end)

    async def _serve(self, meter: Meter, mup_list: str, now: datetime) -> None:
        """Make the usage point if it is not there, then tell it what is new."""
        mirror = self._mirrors.get(meter.key)
        if mirror is None or mirror.href is None:
            mirror = await self._made(meter, mirror, mup_list, now)
            if mirror is None:
                return
        try:
            mirror = await self._at_rate(meter, mirror, mup_list, now)
            await self._catch_up(meter, mirror, now)
            await self._tell_register(meter, mirror, now)
        except NotVisibleError:
            _log.warning("sep2_mirror_lost", meter=meter.key, href=mirror.href)
            await self._store(meter, replace(self._mirrors[meter.key], href=None))

    async def _made(
        self, meter: Meter, known: Mirror | None, mup_list: str, now: datetime
    ) -> Mirror | None:
        """Post the usage point, as soon as there is something to tell; tried once an interval."""
        newest = self._newest(now)
        self._tried[meter.key] = newest.start
        if await self._measured(meter, newest) is None:
            return None
        period = newest.duration or self._wanted
        href = await self._posted(meter, mup_list, period)
        if href is None:
            raise ProtocolError("the server does not say where it keeps the mirror usage point")
        mirror = Mirror(
            href=href,
            sent_until=newest.start if known is None else known.sent_until,
            period_s=int(period.total_seconds()),
            since=newest.start if known is None else known.since,
            gaps=() if known is None else known.gaps,
        )
        self._asked_at.pop(meter.key, None)
        await self._store(meter, mirror)
        return mirror

    async def _posted(self, meter: Meter, mup_list: str, period: timedelta) -> str | None:
        """Post the usage point, anew or over itself (201, 204); where it is."""
        resource = usage_point(self._settings.pen, meter, period)
        await self._pace.turn()
        href = await self._transport.post(mup_list, resource)
        return href or await self._found(mup_list, resource.mrid)

    async def _found(self, mup_list: str, mrid: str) -> str | None:
        listed = await read_list(
            self._transport, mup_list, MirrorUsagePointList, self._settings.max_list_items
        )
        items = listed.content.items
        return next((one.href for one in items if same_hex(one.mrid, mrid)), None)

    async def _at_rate(self, meter: Meter, mirror: Mirror, mup_list: str, now: datetime) -> Mirror:
        """Ask now and then how often the server wants to be told, and average accordingly."""
        asked_at = self._asked_at.get(meter.key)
        if asked_at is not None and now - asked_at < ASK_RATE_EVERY:
            return mirror
        rate = await self._post_rate(mirror)
        self._asked_at[meter.key] = now
        if mirror.post_rate_s == rate.total_seconds():
            return mirror
        period = period_of(self._wanted, rate)
        if period != timedelta(seconds=mirror.period_s):
            await self._posted(meter, mup_list, period)
            mirror = replace(mirror, since=aligned(mirror.sent_until, period))
        mirror = replace(
            mirror, post_rate_s=rate.total_seconds(), period_s=int(period.total_seconds())
        )
        await self._store(meter, mirror)
        return mirror

    async def _post_rate(self, mirror: Mirror) -> timedelta:
        """As the server says; as we like where it says nothing or does not show the point."""
        await self._pace.turn()
        try:
            shown = await self._transport.get(mirror.href or "", MirrorUsagePoint)
        except (PermanentError, ProtocolError) as error:
            _log.info("sep2_post_rate_unknown", href=mirror.href, error=str(error))
            return self._wanted
        return shown.post_rate or self._wanted

    async def _catch_up(self, meter: Meter, mirror: Mirror, now: datetime) -> None:
        period = timedelta(seconds=mirror.period_s)
        end = aligned(now - SETTLE, period)
        start = aligned(max(mirror.sent_until, end - KEEP), period)
        while start < end:
            batch = self._batch.get(meter.key, MAX_READINGS)
            until = min(end, start + batch * period)
            pieces = tuple(Interval(start=start, end=until).split(period))
            whole = await self._told(meter, mirror, pieces)
            if whole is not None:
                start = until
                gaps = with_gaps(mirror.gaps, pieces, whole)
                mirror = replace(mirror, sent_until=until, gaps=gaps)
                await self._store(meter, mirror)

    async def _told(
        self, meter: Meter, mirror: Mirror, pieces: Sequence[Interval]
    ) -> list[datetime] | None:
        """Starts of those the server has now; None: try fewer at once."""
        period = timedelta(seconds=mirror.period_s)
        found = [
            (piece, reading)
            for piece in pieces
            if (reading := await self._measured(meter, piece)) is not None
        ]
        if not found:
            return []
        try:
            for direction in meter.directions:
                resource = meter_reading(self._settings.pen, meter, direction, period, found)
                await self._pace.turn()
                await self._transport.post(mirror.href or "", resource)
        except RefusedError as error:
            if error.status == _TOO_LARGE and len(pieces) > 1:
                self._batch[meter.key] = len(pieces) // 2
                return None
            _log.error("sep2_readings_refused", meter=meter.key, error=str(error))
            return []
        return [piece.start for piece, _ in found]

    async def _tell_register(self, meter: Meter, mirror: Mirror, now: datetime) -> None:
        """The imported energy as the site's meter counts it, where it does."""
        if not meter.has_register:
            return
        found = [self._reading(site, points.PCC_IMPORT_WH) for site in meter.sites]
        ours, oldest = self._difference.ours_at(now), timedelta(seconds=2 * mirror.period_s)
        known = [one for one in found if one is not None and one.fresh(ours, oldest) is not None]
        whole = total(known, partial=False) if len(known) == len(found) else None
        if whole is None:
            return
        told = replace(whole, at=self._difference.theirs(min(one.at for one in known)))
        await self._pace.turn()
        try:
            await self._transport.post(
                mirror.href or "", register_reading(self._settings.pen, meter, told)
            )
        except RefusedError as error:
            _log.warning("sep2_register_refused", meter=meter.key, error=str(error))

    async def _measured(self, meter: Meter, theirs: Interval) -> Reading | None:
        ours = self._difference.ours(theirs)
        ids = [
            f"site/{site}/{part.usage}"
            for site in meter.sites
            for part in meter.parts
            if self._reading(site, part.point) is not None
        ]
        readings = [await self._usage.usage(point, ours) for point in ids]
        return total(readings, partial=meter.partial) if readings else None

    def _reading(self, site_id: str, point: str) -> Reading | None:
        """The newest one; None if the site has never told it: it cannot measure it (G27)."""
        try:
            return self._states.state(site_id).readings.get(point)
        except KeyError:
            return None

    async def _store(self, meter: Meter, mirror: Mirror) -> None:
        await self._memory.put(meter.key, mirror)
        self._mirrors[meter.key] = mirror


def _duty(utility_id: str, key: str, mirror: Mirror) -> Duty:
    period = timedelta(seconds=mirror.period_s)
    rate = timedelta(seconds=mirror.post_rate_s or 0.0)
    return Duty(
        utility_id=utility_id,
        key=key,
        what=f"mirror usage point of {key.rpartition('/')[2]}",
        period=period,
        begin=mirror.since or mirror.sent_until,
        end=None,
        allowance=max(rate, period) + SETTLE,
        told_until=mirror.sent_until,
        gaps=mirror.gaps,
    )
