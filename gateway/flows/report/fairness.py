"""Is a baseline method fair at a site? From its stored telemetry, on days without event."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from contracts.days import WEEKDAYS
from contracts.device_class import DeviceClass
from contracts.series import StepSeries
from contracts.site_link import points
from contracts.time import Interval
from gateway.domain.curves import Grid, Sampler
from gateway.domain.measure.baseline import BaselineInputs
from gateway.domain.measure.past_days import HALF, is_off
from gateway.domain.measure.placebo import Fairness, fairness, placebo_windows
from gateway.domain.portfolio import Portfolio, Site
from gateway.domain.program import BaselineMethod, Program
from gateway.domain.program.measuring import ExportRule
from gateway.domain.program.wall import DAY_MINUTES
from gateway.flows.dispatch.baselines import other_events
from gateway.ports import Ledger, TelemetryStore

_DAY = timedelta(days=1)
_ANY_HOUR = (14 * 60, 18 * 60)
_LONGEST = timedelta(hours=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pretended:
    """The events that are pretended."""

    start: time
    """On the wall of the site."""
    duration: timedelta
    days: int = 30
    """So many, back from yesterday."""
    working_days: bool = True
    """None on weekends and holidays."""
    resolution: timedelta = timedelta(minutes=15)
    point: str = points.PCC_POWER_W
    export: ExportRule = ExportRule.COUNTED


async def site_fairness(
    portfolio: Portfolio,
    ledger: Ledger,
    telemetry: TelemetryStore,
    site: Site,
    methods: Sequence[BaselineMethod],
    pretended: Pretended,
    now: datetime,
) -> tuple[Fairness, ...]:
    """Every method at one site, on the same days.

    Raises:
        ValueError: the pretended event lasts nothing, or more than a day.
    """
    windows = pretended_windows(pretended, site, portfolio.holidays, now)
    if not windows or not methods:
        return ()
    back = max(method.look_back for method in methods) + 2 * _DAY
    span = Interval(start=windows[-1].start - back, end=windows[0].start + 2 * _DAY)
    history = await _measured(telemetry, site.site_id, pretended, span)
    stored = await ledger.events(ending_after=span.start)
    inputs = [
        BaselineInputs(
            method=method,
            zone=site.time_zone,
            event=windows[0],
            span=windows[0],
            resolution=pretended.resolution,
            history=history,
            other_events=other_events(
                portfolio, stored, "", site.site_id, method.excluded_programs
            ),
            holidays=portfolio.holidays,
            export=pretended.export,
        )
        for method in methods
    ]
    return await asyncio.to_thread(lambda: tuple(fairness(one, windows) for one in inputs))


def pretended_windows(
    pretended: Pretended, site: Site, holidays: frozenset[date], now: datetime
) -> tuple[Interval, ...]:
    """When the events are pretended, newest first; all are over, as long as they are."""
    yesterday = now.astimezone(site.time_zone).date() - _DAY
    return placebo_windows(
        pretended.start,
        pretended.duration,
        site.time_zone,
        yesterday,
        pretended.days,
        off=lambda day: pretended.working_days and is_off(day, holidays),
    )


def when_called(program: Program) -> Pretended:
    """An event such as the program calls: from the start of its first window, four hours at most.

    Where it may call at any hour: 14 to 18 h. Of a window over midnight the part before it counts.
    """
    window = next(
        (one for one in program.rules.windows if one.end - one.start != DAY_MINUTES), None
    )
    start, end = _ANY_HOUR if window is None else (window.start, window.end)
    minutes = (end if end > start else DAY_MINUTES) - start
    charging = program.device_classes == (DeviceClass.EVSE,)
    return Pretended(
        start=time(start // 60, start % 60),
        duration=min(timedelta(minutes=minutes), _LONGEST),
        working_days=program.rules.days.kinds <= WEEKDAYS,
        resolution=program.measurement_interval,
        point=points.CHARGING_POWER_W if charging else points.PCC_POWER_W,
        export=program.export,
    )


async def _measured(
    telemetry: TelemetryStore, site_id: str, pretended: Pretended, span: Interval
) -> StepSeries:
    """The means of meter intervals, read day by day; one counts from half of it measured on."""
    steps: list[tuple[Interval, float]] = []
    whole = Interval(start=_even(span.start), end=span.end)
    for day in whole.split(_DAY):
        rows = await telemetry.series(site_id, pretended.point, day)
        bins = tuple(day.split(pretended.resolution))
        values, coverage = Sampler(rows).table(Grid(bins))
        steps += [
            (one, value)
            for one, value, share in zip(bins, values.tolist(), coverage.tolist(), strict=True)
            if share >= HALF
        ]
    return StepSeries.of(steps)


def _even(at: datetime) -> datetime:
    """The midnight before, UTC: meter intervals begin on the hour everywhere."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
