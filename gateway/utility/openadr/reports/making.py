"""The next message of a report request: which intervals are due, and what is known of them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contracts.openadr import codec
from contracts.openadr.payloads import Payload, ReportInterval, UpdateReport
from contracts.time import Clock, Interval
from gateway.domain.completeness import Duty, with_gaps
from gateway.ports import ReportSource
from gateway.utility.openadr.reports import content
from gateway.utility.openadr.reports.content import Readings
from gateway.utility.openadr.reports.offer import Offering, Point
from gateway.utility.openadr.reports.records import ReportTask
from gateway.utility.openadr.reports.schedule import Schedule
from gateway.utility.openadr.reports.status import StatusWatch

SETTLE = timedelta(seconds=3)
"""Telemetry of an interval's end is on its way for this long."""
MAX_INTERVALS = 500
"""Looked at for one message."""
MAX_VALUES = 1_000
"""In one message (about 300 kB); a longer backlog goes out as several, one after another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLimits:
    """What one utility may expect of our reports."""

    min_granularity: timedelta = timedelta(seconds=2)
    """Finest sampling offered."""
    wait: timedelta = timedelta(seconds=30)
    """So long is data waited for that a site has not sent yet."""


class ReportMaker:
    """Makes messages of stored telemetry; what was made before is for its caller to keep."""

    def __init__(
        self, source: ReportSource, watch: StatusWatch, clock: Clock, limits: ReportLimits
    ) -> None:
        self._source = source
        self._watch = watch
        self._clock = clock
        self._limits = limits

    async def next(
        self,
        task: ReportTask,
        schedule: Schedule,
        offering: Offering,
        readings: Readings,
        ven_id: str,
    ) -> ReportTask | None:
        """The task with its next message; None while nothing is due."""
        points = content.by_r_id(offering.points, task.request)
        until = self._due(task, schedule, offering, points)
        if until is None:
            return None
        pieces, found = await self._collect(task, schedule, until, points, readings)
        reached = pieces[-1].end if pieces else until
        whole = (one.start for one in found if one.start and len(one.payloads) == len(points))
        gaps = with_gaps(task.gaps, pieces, whole)
        task = replace(task, sent_until=reached or until, over=reached == schedule.end, gaps=gaps)
        if schedule.on_change:
            found, last = content.changes(found, task.last)
            task = replace(task, last=last)
        if found or (task.over and _owed(task)):
            report = content.report(task.request, offering.name, found, self._clock.now())
            update = UpdateReport(request_id=uuid.uuid4().hex, reports=(report,), ven_id=ven_id)
            task = replace(task, ready=as_xml(update))
        return task

    def _due(
        self, task: ReportTask, schedule: Schedule, offering: Offering, points: Sequence[Point]
    ) -> datetime | None:
        """Up to where the task has to be served now; None when nothing is due."""
        now = self._clock.now()
        if offering.status:
            seen = self._watch.seen_until
            return None if seen is None else schedule.due(task.sent_until, min(seen, now))
        until = schedule.due(task.sent_until, now - SETTLE)
        if until is None or not offering.live:
            return until
        known = (self._source.known_until(point.source_id) for point in points)
        complete = min((at for at in known if at is not None), default=now)
        return schedule.due(
            task.sent_until, max(now - self._limits.wait, min(now - SETTLE, complete))
        )

    async def _collect(
        self,
        task: ReportTask,
        schedule: Schedule,
        until: datetime,
        points: Sequence[Point],
        readings: Readings,
    ) -> tuple[list[Interval], list[ReportInterval]]:
        """As many intervals as one message holds; further ahead where nothing is known."""
        most = max(1, min(MAX_INTERVALS, MAX_VALUES // max(1, len(points))))
        pieces = schedule.pieces(task.sent_until, until, most)
        found = await content.intervals(points, pieces, readings, self._watch)
        if found or len(pieces) < most or most == MAX_INTERVALS:
            return pieces, found
        pieces = schedule.pieces(task.sent_until, until, MAX_INTERVALS)
        found = (await content.intervals(points, pieces, readings, self._watch))[:most]
        if len(found) < most:
            return pieces, found
        last = found[-1].start
        return [p for p in pieces if last is None or p.start <= last], found


def duty_of(utility_id: str, task: ReportTask, limits: ReportLimits) -> Duty | None:
    """What of a task is a series of intervals; None of metadata and of reports on change."""
    schedule, specifier = task.schedule, task.request.specifier
    if schedule is None or schedule.on_change:
        return None
    sent = schedule.begin if task.ready else task.sent_until
    points = len({payload.r_id for payload in specifier.payloads})
    return Duty(
        utility_id=utility_id,
        key=task.request.report_request_id,
        what=f"{specifier.report_specifier_id}, {points} point{'s' * (points != 1)}",
        period=schedule.granularity,
        begin=schedule.begin,
        end=schedule.end,
        allowance=schedule.back + limits.wait,
        told_until=task.taken_until or sent,
        gaps=task.gaps,
    )


def _owed(task: ReportTask) -> bool:
    """Whether a last report is wanted even if there is nothing in it."""
    return task.cancelled or (task.schedule is not None and not task.schedule.back)


def as_xml(message: Payload) -> str:
    """A message as it is kept until the VTN has taken it."""
    return codec.encode(message).decode()
