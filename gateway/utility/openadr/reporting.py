"""EiReport, VEN side: offer what can be reported, then send it as often as the VTN asked.

A report is made from stored telemetry, from where the last one ended, and the next one only when
the VTN has taken the last. So hours without a VTN, or without us, leave no hole, and no heap.
"""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from contracts.openadr import codec
from contracts.openadr.payloads import (
    CanceledReport,
    CancelReport,
    CreatedReport,
    EiResponse,
    RegisterReport,
    ReportRequest,
)
from contracts.time import Clock
from gateway.domain.completeness import Duty
from gateway.ports import ReportPoint, ReportSource
from gateway.utility.openadr.memory import Unsent, VenMemory
from gateway.utility.openadr.outbox import VenOutbox
from gateway.utility.openadr.reports.accept import refusal
from gateway.utility.openadr.reports.content import Readings
from gateway.utility.openadr.reports.making import (
    SETTLE,
    ReportLimits,
    ReportMaker,
    as_xml,
    duty_of,
)
from gateway.utility.openadr.reports.offer import (
    METADATA_SPECIFIER,
    Offering,
    fingerprint,
    metadata,
    offerings,
)
from gateway.utility.openadr.reports.records import OfferMade, ReportTask
from gateway.utility.openadr.reports.schedule import Schedule, lay_out
from gateway.utility.openadr.reports.status import StatusWatch
from gateway.utility.openadr.transport import service_of

_log = structlog.get_logger(__name__)

REPORT_NOT_SUPPORTED, INVALID_ID = 461, 452
MAX_TASKS = 200
"""Requests served at the same time."""
_OFFER = "offer"


class VenReporting:
    """The report requests of one VTN."""

    def __init__(
        self,
        source: ReportSource,
        memory: VenMemory,
        outbox: VenOutbox,
        clock: Clock,
        limits: ReportLimits,
        utility_id: str,
    ) -> None:
        self._source = source
        self._memory = memory
        self._outbox = outbox
        self._clock = clock
        self._limits = limits
        self._utility_id = utility_id
        self._watch = StatusWatch(source, memory, clock, utility_id)
        self._maker = ReportMaker(source, self._watch, clock, limits)
        self._tasks: dict[str, ReportTask] = {}
        self._fresh: set[str] = set()
        """Just begun: their answer goes out first."""
        self._offered: str | None = None
        self._points: Sequence[ReportPoint] = ()
        self._known: Mapping[str, Offering] = {}
        self._compared_for: str | None = None
        """The venID for which the offer in force was compared with what we can report."""
        self._lock = asyncio.Lock()

    async def restore(self) -> None:
        """Take up the requests a predecessor served, and the messages it left."""
        self._tasks = await self._memory.all(ReportTask)
        made = (await self._memory.all(OfferMade)).get(_OFFER)
        self._offered = made.fingerprint if made else None
        await self._watch.restore()
        for key, task in self._tasks.items():
            self._lend(key, task)

    # --- what we offer -------------------------------------------------------------------------

    async def metadata(self, ven_id: str, asked_by: str | None = None) -> RegisterReport:
        """What we can report, as the answer to a request or of our own accord."""
        reports = metadata(await self._offerings(), ven_id, self._clock.now())
        return RegisterReport(
            request_id=_new_id(), reports=reports, ven_id=ven_id, report_request_id=asked_by
        )

    async def offer(self, ven_id: str) -> None:
        """Send the metadata with the next messages, after a registration."""
        async with self._lock:
            await self._offer(await self.metadata(ven_id))

    # --- what the VTN asks for -----------------------------------------------------------------

    async def create(
        self, requests: Sequence[ReportRequest], ven_id: str, request_id: str
    ) -> CreatedReport:
        """Begin to serve these requests, but for those we cannot; the answer for the VTN."""
        offered, refusals = await self._offerings(), []
        async with self._lock:
            for request in requests:
                why = refusal(request, offered, self._clock.now()) or self._too_many(request)
                if why is None:
                    await self._start(request, offered)
                else:
                    refusals.append(f"{request.report_request_id[:80]}: {why}")
        response = EiResponse(request_id=request_id)
        if refusals:
            why = "; ".join(refusals)[:500]
            _log.warning("openadr_report_refused", why=why)
            response = EiResponse(code=REPORT_NOT_SUPPORTED, description=why, request_id=request_id)
        return CreatedReport(response=response, pending=self.pending, ven_id=ven_id)

    async def cancel(self, message: CancelReport, ven_id: str) -> CanceledReport:
        """Stop these requests, after a last report if the VTN wants one."""
        unknown = []
        async with self._lock:
            for key in message.report_request_ids:
                task = self._tasks.get(key)
                if task is None or task.cancelled:
                    unknown.append(key)
                elif message.to_follow and task.schedule is not None:
                    await self._close(key, task, task.schedule)
                else:
                    await self._drop(key)
        response = EiResponse(request_id=message.request_id)
        if unknown:
            why = f"unknown reportRequestID {', '.join(unknown)[:200]}"
            response = EiResponse(code=INVALID_ID, description=why, request_id=message.request_id)
        return CanceledReport(response=response, pending=self.pending, ven_id=ven_id)

    @property
    def pending(self) -> tuple[str, ...]:
        """The requests of which more is to come, as the VTN counts them."""
        return tuple(key for key, task in self._tasks.items() if not task.cancelled)

    @property
    def duties(self) -> tuple[Duty, ...]:
        """Series of intervals that the VTN asked for, and how far it has been told."""
        found = (duty_of(self._utility_id, task, self._limits) for task in self._tasks.values())
        return tuple(duty for duty in found if duty is not None)

    async def forget_all(self) -> None:
        """The registration is gone, and every request with it."""
        async with self._lock:
            for key in list(self._tasks):
                await self._drop(key)

    # --- what is due ---------------------------------------------------------------------------

    async def send_due(self, ven_id: str) -> None:
        """Give every report that is due to the outbox, at most one message a request."""
        async with self._lock:
            offered = await self._offerings()
            await self._offer_if_changed(ven_id)
            if any(self._of_status(task, offered) for task in self._tasks.values()):
                await self._watch.look()
            keys = [key for key in self._tasks if key not in self._fresh]
            self._fresh.clear()
        readings = Readings(self._source)
        for key in keys:
            async with self._lock:
                task = self._tasks.get(key)
                if task is not None and task.ready is None:
                    await self._advance(key, task, offered, readings, ven_id)

    async def _advance(
        self,
        key: str,
        task: ReportTask,
        offered: Mapping[str, Offering],
        readings: Readings,
        ven_id: str,
    ) -> None:
        if task.schedule is None:
            answer = await self.metadata(ven_id, asked_by=key)
            await self._hand_over(key, replace(task, ready=as_xml(answer), over=True))
            return
        offering = offered.get(task.request.specifier.report_specifier_id)
        if offering is None:  # no longer offered, as the VTN was told
            await self._drop(key)
            return
        made = await self._maker.next(task, task.schedule, offering, readings, ven_id)
        if made is not None:
            await self._hand_over(key, made)

    # --- inside --------------------------------------------------------------------------------

    async def _offerings(self) -> Mapping[str, Offering]:
        points = await self._source.points()
        if points != self._points:
            finest = timedelta(seconds=math.ceil(self._limits.min_granularity.total_seconds()))
            self._points, self._known = points, offerings(points, finest)
            self._compared_for = None
        return self._known

    async def _offer(self, message: RegisterReport) -> None:
        await self._outbox.put(message, _OFFER)
        self._offered = fingerprint(message)
        await self._memory.put(_OFFER, OfferMade(fingerprint=self._offered))

    async def _offer_if_changed(self, ven_id: str) -> None:
        if self._compared_for == ven_id:
            return
        message = await self.metadata(ven_id)
        if fingerprint(message) != self._offered:
            await self._offer(message)
        self._compared_for = ven_id

    def _too_many(self, request: ReportRequest) -> str | None:
        known = request.report_request_id in self._tasks
        return (
            None if known or len(self._tasks) < MAX_TASKS else f"{MAX_TASKS} requests run already"
        )

    async def _start(self, request: ReportRequest, offered: Mapping[str, Offering]) -> None:
        """A repeated request goes on where it was."""
        key, specifier, now = request.report_request_id, request.specifier, self._clock.now()
        known = self._tasks.get(key)
        if known is not None and known.request == request and not known.cancelled:
            return
        schedule = None
        if specifier.report_specifier_id != METADATA_SPECIFIER:
            offering = offered[specifier.report_specifier_id]
            schedule = lay_out(specifier, offering, now, now - SETTLE)
        self._outbox.withdraw(_key(key))
        begin = now if schedule is None else schedule.begin
        self._fresh.add(key)
        await self._store(key, ReportTask(request=request, schedule=schedule, sent_until=begin))
        _log.info("openadr_report_requested", request=key, points=len(specifier.payloads))

    async def _close(self, key: str, task: ReportTask, schedule: Schedule) -> None:
        """No further than now; if the last message is on its way already, that is all."""
        closed = schedule.closed_at(self._clock.now())
        end = closed.end if closed.end is not None else task.sent_until
        closed = replace(closed, end=max(end, min(task.sent_until, self._clock.now())))
        sent_until = min(task.sent_until, closed.end or end)
        await self._store(
            key, replace(task, schedule=closed, sent_until=sent_until, cancelled=True)
        )

    def _of_status(self, task: ReportTask, offered: Mapping[str, Offering]) -> bool:
        offering = offered.get(task.request.specifier.report_specifier_id)
        return offering is not None and offering.status

    async def _hand_over(self, key: str, task: ReportTask) -> None:
        """Store progress and message as one, then let the message go."""
        if task.ready is None and task.over:
            await self._drop(key)
            return
        if task.ready is None:  # nothing to tell of these intervals
            task = replace(task, taken_until=task.sent_until)
        await self._store(key, task)
        self._lend(key, task)

    def _lend(self, key: str, task: ReportTask) -> None:
        if task.ready is None:
            return
        ready = task.ready
        service = service_of(codec.decode(ready.encode()))

        async def taken() -> None:
            await self._taken(key, ready)

        self._outbox.lend(Unsent(service=service, xml=ready), _key(key), taken)

    async def _taken(self, key: str, ready: str) -> None:
        async with self._lock:
            task = self._tasks.get(key)
            if task is None or task.ready != ready:
                return
            if task.over:
                await self._drop(key)
            else:
                taken = replace(task, ready=None, taken_until=task.sent_until)
                await self._store(key, taken)

    async def _store(self, key: str, task: ReportTask) -> None:
        await self._memory.put(key, task)
        self._tasks[key] = task

    async def _drop(self, key: str) -> None:
        self._outbox.withdraw(_key(key))
        self._tasks.pop(key, None)
        await self._memory.drop(ReportTask, [key])


def _key(request_id: str) -> str:
    return f"report-{request_id}"


def _new_id() -> str:
    return uuid.uuid4().hex
