"""What is to be said of the meter data a site's result rests on, and whether some are missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from contracts.time import Interval
from gateway.domain.measure.baseline import BaselineRun, own_windows
from gateway.domain.measure.day_choice import lacks_data
from gateway.domain.measure.past_days import days_back
from gateway.domain.measure.report import DataRemark
from gateway.domain.metering.remarks import Remark, Remarkable, remarks
from gateway.domain.portfolio import Site
from gateway.domain.program import Program
from gateway.flows.report.loads import MeterLoads
from gateway.ports import StoredEvent

MOST = 100
"""Stretches listed of one site; the rest is told as a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataState:
    """Of one site."""

    remarks: tuple[DataRemark, ...] = ()
    complete: bool = True
    """Every interval that is looked at has a value that counts."""


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    window: Interval


async def data_state(
    loads: MeterLoads, site: Site, program: Program, stored: StoredEvent, run: BaselineRun
) -> DataState:
    """The event, the hours after it, what it is adjusted by, and the days it is compared with.

    Of the days those that are used, and those that are not because data are missing.
    """
    window = stored.event.window
    meters = loads.meters(site.site_id)
    if not meters:
        return DataState(remarks=(_nobody(site, window),), complete=False)
    parts = tuple(_parts(site, program, stored, run))
    known = await loads.known(site.site_id, [one.window for one in parts])
    found = [
        _said(site, one.name, part.name, remark)
        for part in parts
        for one in meters
        for remark in remarks(known[one.name], part.window, one.rules.length)
    ]
    complete = all(Remarkable(one.what).counts for one in found)
    return DataState(remarks=_bounded(site, found), complete=complete)


def waits_until(
    complete: bool, program: Program, window: Interval, now: datetime
) -> datetime | None:
    """Until when a report waits for meter data at the latest; None: it does not."""
    over = (window.end or window.start) + program.meter_wait
    return None if complete or now >= over else over


def _parts(site: Site, program: Program, stored: StoredEvent, run: BaselineRun) -> Iterator[_Part]:
    window, zone = stored.event.window, site.time_zone
    end = window.end or window.start
    yield _Part("the event", window)
    if program.observe_after:
        yield _Part("the time after it", Interval.lasting(end, program.observe_after))
    own = [
        one
        for one in own_windows(program.method, window, zone, stored.notified_at)
        if one.end != one.start
    ]
    for one in own:
        yield _Part("what the baseline is adjusted by", one)
    event_day = window.start.astimezone(zone).date()
    for day in run.days:
        if day.used or lacks_data(day):
            back = (event_day - day.day).days
            for one in (window, *own):
                yield _Part(_day(day.day, used=day.used), days_back(one, back, zone))


def _day(day: date, *, used: bool) -> str:
    return f"baseline day {day}" if used else f"baseline day {day}, not used"


def _said(site: Site, meter: str, part: str, remark: Remark) -> DataRemark:
    return DataRemark(
        site_id=site.site_id,
        meter=meter,
        part=part,
        what=remark.what.value,
        window=remark.window,
        intervals=remark.intervals,
        reason=remark.reason,
    )


def _nobody(site: Site, window: Interval) -> DataRemark:
    return DataRemark(
        site_id=site.site_id,
        meter="",
        part="the event",
        what=Remarkable.MISSING.value,
        window=window,
        intervals=0,
        reason="no revenue meter is named that counts what the event is about",
    )


def _bounded(site: Site, found: Sequence[DataRemark]) -> tuple[DataRemark, ...]:
    kept, rest = tuple(found[:MOST]), found[MOST:]
    if not rest:
        return kept
    more = DataRemark(
        site_id=site.site_id,
        meter="",
        part="further parts",
        what="more of these",
        window=Interval(start=rest[0].window.start, end=rest[0].window.end),
        intervals=sum(one.intervals for one in rest),
        reason=f"{len(rest)} more stretches are not listed",
    )
    return (*kept, more)
