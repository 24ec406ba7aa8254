"""EiReport, VEN side: offer what can be reported, then send it as often as the VTN asked.

A report is built from stored telemetry, from where the last one ended. So hours without a VTN, or
without us, leave no hole: the missing reports follow later with their own intervals.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from contracts.openadr.payloads import (
    CanceledReport,
    CancelReport,
    CreatedReport,
    EiResponse,
    ItemBase,
    RegisterReport,
    Report,
    ReportDescription,
    ReportInterval,
    ReportRequest,
    SamplingRate,
    UpdateReport,
)
from contracts.time import Clock, Interval
from gateway.ports import UsageSource
from gateway.utility.openadr.mapping import usage_payload
from gateway.utility.openadr.memory import RunningReport, VenMemory
from gateway.utility.openadr.outbox import VenOutbox

_log = structlog.get_logger(__name__)

SPECIFIER_ID = "gridyard-usage"
USAGE = "TELEMETRY_USAGE"
REPORT_NOT_SUPPORTED = 461
SETTLE = timedelta(seconds=3)
"""Telemetry of an interval's end is waited for this long before the interval is reported."""
MAX_INTERVALS = 500
"""In one message; a longer backlog goes out as several."""
_IDLE_S = 1.0


class VenReporting:
    """The report requests of one VTN."""

    def __init__(
        self,
        usage: UsageSource,
        memory: VenMemory,
        outbox: VenOutbox,
        clock: Clock,
        min_granularity: timedelta,
    ) -> None:
        self._usage = usage
        self._memory = memory
        self._outbox = outbox
        self._clock = clock
        self._min_granularity = min_granularity
        self._running: dict[str, RunningReport] = {}

    async def restore(self) -> None:
        """Take up the requests a predecessor served."""
        self._running = await self._memory.all(RunningReport)

    async def metadata(self, ven_id: str) -> RegisterReport:
        """What we can report: one point for the portfolio, one for each site."""
        points = await self._usage.points()
        rate = SamplingRate(min_period=self._min_granularity, max_period=timedelta(hours=1))
        descriptions = tuple(
            ReportDescription(
                r_id=point.point_id,
                report_type="usage",
                reading_type="Mean",
                item=ItemBase.power_real("k"),
                sampling_rate=rate,
            )
            for point in points
        )
        report = Report(
            report_request_id="0",
            report_specifier_id=SPECIFIER_ID,
            created_at=self._clock.now(),
            name=f"METADATA_{USAGE}",
            duration=timedelta(days=40),
            descriptions=descriptions,
        )
        return RegisterReport(request_id=_new_id(), reports=(report,), ven_id=ven_id)

    async def create(
        self, requests: Sequence[ReportRequest], ven_id: str, request_id: str
    ) -> CreatedReport:
        """Begin to serve these requests; the answer for the VTN."""
        known = {point.point_id for point in await self._usage.points()}
        refusals = [text for r in requests if (text := self._refusal(r, known)) is not None]
        for request in requests:
            if self._refusal(request, known) is None:
                await self._start(request)
        response = EiResponse(request_id=request_id)
        if refusals:
            response = EiResponse(
                code=REPORT_NOT_SUPPORTED, description="; ".join(refusals), request_id=request_id
            )
        return CreatedReport(response=response, pending=tuple(self._running), ven_id=ven_id)

    async def cancel(self, message: CancelReport, ven_id: str) -> CanceledReport:
        """Stop these requests, after a last report if the VTN wants one."""
        for key in message.report_request_ids:
            running = self._running.get(key)
            if running is None:
                continue
            if message.to_follow:
                await self._send(running, ven_id, until=self._clock.now())
            self._running.pop(key)
            await self._memory.drop(RunningReport, [key])
        response = EiResponse(request_id=message.request_id)
        return CanceledReport(response=response, pending=tuple(self._running), ven_id=ven_id)

    async def forget_all(self) -> None:
        """The registration is gone, and every request with it."""
        await self._memory.drop(RunningReport, list(self._running))
        self._running.clear()

    async def send_due(self, ven_id: str) -> None:
        """Put every report that is due into the outbox."""
        now = self._clock.now() - SETTLE
        for running in list(self._running.values()):
            specifier = running.request.specifier
            back = max(specifier.report_back_duration, specifier.granularity)
            if running.sent_until + back <= now:
                periods = (now - running.sent_until) // back
                await self._send(running, ven_id, until=running.sent_until + periods * back)

    def _refusal(self, request: ReportRequest, known: set[str]) -> str | None:
        specifier = request.specifier
        if specifier.report_specifier_id != SPECIFIER_ID:
            return f"unknown reportSpecifierID {specifier.report_specifier_id!r}"
        unknown = sorted({p.r_id for p in specifier.payloads} - known)
        if unknown:
            return f"unknown rID {', '.join(unknown)[:200]}"
        if timedelta(0) < specifier.granularity < self._min_granularity:
            return f"granularity below {self._min_granularity.total_seconds():g} s"
        return None

    async def _start(self, request: ReportRequest) -> None:
        """A repeated request goes on where it was; one without periods is served once."""
        key, specifier, now = request.report_request_id, request.specifier, self._clock.now()
        if key in self._running and self._running[key].request == request:
            return
        begin = specifier.window.start if specifier.window else now
        granularity = specifier.granularity or self._min_granularity
        if not specifier.report_back_duration and not specifier.granularity:
            begin = now - SETTLE - granularity  # one-shot: the newest complete interval
        specifier = replace(specifier, granularity=granularity)
        running = RunningReport(
            request=ReportRequest(report_request_id=key, specifier=specifier), sent_until=begin
        )
        self._running[key] = running
        await self._memory.put(key, running)
        _log.info("openadr_report_requested", request=key, points=len(specifier.payloads))

    async def _send(self, running: RunningReport, ven_id: str, until: datetime) -> None:
        specifier = running.request.specifier
        span = Interval(start=running.sent_until, end=max(until, running.sent_until))
        pieces = list(span.split(specifier.granularity))
        for first in range(0, len(pieces), MAX_INTERVALS):
            part = pieces[first : first + MAX_INTERVALS]
            await self._send_part(running, ven_id, part)

    async def _send_part(
        self, running: RunningReport, ven_id: str, part: Sequence[Interval]
    ) -> None:
        request_id = running.request.report_request_id
        intervals = [i for piece in part if (i := await self._interval(running, piece)) is not None]
        start, end = part[0].start, part[-1].end or part[-1].start
        if intervals:
            report = Report(
                report_request_id=request_id,
                report_specifier_id=SPECIFIER_ID,
                created_at=self._clock.now(),
                name=USAGE,
                report_id=f"{request_id}-{start:%Y%m%dT%H%M%S}",
                start=start,
                duration=timedelta(seconds=round((end - start).total_seconds())),
                intervals=tuple(intervals),
            )
            update = UpdateReport(request_id=_new_id(), reports=(report,), ven_id=ven_id)
            # The key makes a crash between the two writes below harmless: same report, same key.
            await self._outbox.put(update, f"report-{request_id}-{start.timestamp():.3f}")
        await self._advance(request_id, end)

    async def _interval(self, running: RunningReport, piece: Interval) -> ReportInterval | None:
        """The values of one interval; None when no point has any."""
        payloads = [
            usage_payload(wanted.r_id, await self._usage.usage(wanted.r_id, piece))
            for wanted in running.request.specifier.payloads
        ]
        kept = tuple(payload for payload in payloads if payload is not None)
        granularity = running.request.specifier.granularity
        return (
            ReportInterval(start=piece.start, duration=granularity, payloads=kept) if kept else None
        )

    async def _advance(self, request_id: str, until: datetime) -> None:
        running = self._running.get(request_id)
        if running is None:
            return
        window, back = running.request.specifier.window, running.request.specifier
        ends = window.start + window.duration if window and window.duration else None
        if (ends is not None and until >= ends) or not back.report_back_duration:
            self._running.pop(request_id)
            await self._memory.drop(RunningReport, [request_id])
            return
        self._running[request_id] = RunningReport(request=running.request, sent_until=until)
        await self._memory.put(request_id, self._running[request_id])


def _new_id() -> str:
    return uuid.uuid4().hex
