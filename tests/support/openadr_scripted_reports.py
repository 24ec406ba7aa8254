"""The reports of a scripted VEN: what it offers, what is asked of it, and what it sends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from contracts.openadr.payloads import (
    CanceledReport,
    CancelReport,
    CreatedReport,
    CreateReport,
    EiResponse,
    ItemBase,
    Payload,
    RegisterReport,
    Report,
    ReportDescription,
    ReportInterval,
    ReportPayload,
    ReportRequest,
    ResourceStatus,
    UpdateReport,
)
from contracts.time import Clock


@dataclass
class Job:
    """A report request that is served."""

    request: ReportRequest
    next_start: datetime
    end: datetime | None


class ScriptedReports:
    """A part of `openadr_scripted_ven.ScriptedVen`, which has these fields."""

    clock: Clock
    ven_id: str
    misdeeds: set[str]
    jobs: dict[str, Job]
    outbox: list[tuple[str, Payload]]
    numbers: int
    updates: int

    def fresh(self) -> str:
        self.numbers += 1
        return f"q{self.numbers}"

    def say(self, service: str, message: Payload) -> None:
        self.outbox.append((service, message))

    def metadata(self) -> tuple[Report, ...]:
        return (
            self.offer("usage", "TELEMETRY_USAGE", "power", "usage", ItemBase.power_real()),
            self.offer("history", "HISTORY_USAGE", "power", "usage", ItemBase.power_real()),
            self.offer("status", "TELEMETRY_STATUS", "state", "x-resourceStatus", None),
        )

    def offer(
        self, specifier: str, name: str, r_id: str, kind: str, item: ItemBase | None
    ) -> Report:
        return Report(
            report_request_id="0",
            report_specifier_id=specifier,
            created_at=self.clock.now(),
            name=f"METADATA_{name}",
            descriptions=(
                ReportDescription(
                    r_id=r_id, report_type=kind, reading_type="x-notApplicable", item=item
                ),
            ),
        )

    def create_reports(self, message: CreateReport) -> None:
        offered = {report.report_specifier_id for report in self.metadata()}
        code = 200
        for request in message.requests:
            specifier = request.specifier
            if specifier.report_specifier_id == "METADATA":
                again = RegisterReport(
                    request_id=self.fresh(), reports=self.metadata(), ven_id=self.ven_id
                )
                self.say("EiReport", again)
            elif specifier.report_specifier_id not in offered:
                code = 461
            elif request.report_request_id not in self.jobs:
                self.serve(request)
        response = EiResponse(code=code, request_id=message.request_id)
        pending = tuple(self.jobs)
        created = CreatedReport(response=response, pending=pending, ven_id=self.ven_id)
        self.outbox.insert(0, ("EiReport", created))

    def serve(self, request: ReportRequest) -> None:
        window, now = request.specifier.window, self.clock.now().replace(microsecond=0)
        start = now if window is None else window.start
        end = None if window is None or not window.duration else start + window.duration
        self.jobs[request.report_request_id] = Job(request, start, end)

    def collect(self) -> None:
        """Put what is due into the outbox."""
        for name, job in list(self.jobs.items()):
            specifier = job.request.specifier
            step, back = specifier.granularity, specifier.report_back_duration
            if not back:
                self.once(job)
                del self.jobs[name]
            elif not step:
                self.change(name, job)
            else:
                self.periodic(name, job, step, back)

    def once(self, job: Job) -> None:
        step = job.request.specifier.granularity or timedelta(seconds=1)
        end = job.end or self.clock.now().replace(microsecond=0)
        start = job.next_start if job.end is not None else end - step
        self.update(job, start, end, step)

    def change(self, name: str, job: Job) -> None:
        now = self.clock.now()
        if now >= job.next_start + job.request.specifier.report_back_duration:
            self.update(job, job.next_start, now, now - job.next_start)
            job.next_start = now
        if job.end is not None and now >= job.end:
            del self.jobs[name]

    def periodic(self, name: str, job: Job, step: timedelta, back: timedelta) -> None:
        now = self.clock.now()
        while True:
            until = job.next_start + max(step, back)
            if job.end is not None:
                until = min(until, job.end)
            if until > now or job.next_start >= until:
                break
            self.update(job, job.next_start, until, step)
            job.next_start = until
        if job.end is not None and job.next_start >= job.end:
            del self.jobs[name]

    def update(self, job: Job, start: datetime, end: datetime, step: timedelta) -> None:
        intervals, at = [], start
        while at < end:
            intervals.append(self.interval(job, at, step))
            at += step
        self.updates += 1
        if "skips-intervals" in self.misdeeds and self.updates == 2:
            return
        report = Report(
            report_request_id=job.request.report_request_id,
            report_specifier_id=job.request.specifier.report_specifier_id,
            created_at=self.clock.now(),
            name="TELEMETRY_USAGE",
            start=start,
            intervals=tuple(intervals),
        )
        message = UpdateReport(request_id=self.fresh(), reports=(report,), ven_id=self.ven_id)
        for _ in range(2 if "doubles-reports" in self.misdeeds else 1):
            self.say("EiReport", message)

    def interval(self, job: Job, start: datetime, step: timedelta) -> ReportInterval:
        status = job.request.specifier.report_specifier_id == "status"
        value: Any = ResourceStatus(online=True, manual_override=False) if status else 42.0
        long = step + step if "overlaps" in self.misdeeds else step
        payloads = tuple(
            ReportPayload(r_id=p.r_id, value=value) for p in job.request.specifier.payloads
        )
        return ReportInterval(
            start=start, duration=timedelta(seconds=round(long.total_seconds())), payloads=payloads
        )

    def cancel_reports(self, message: CancelReport) -> None:
        known = [one for one in message.report_request_ids if one in self.jobs]
        for name in known:
            job = self.jobs.pop(name)
            if message.to_follow:
                step = job.request.specifier.granularity
                self.update(job, job.next_start, job.next_start + step, step)
            if "reports-on" in self.misdeeds:
                self.jobs[name] = job
        code = 200 if known else 452
        self.say(
            "EiReport",
            CanceledReport(
                response=EiResponse(code=code, request_id=message.request_id),
                pending=tuple(self.jobs.keys() - set(known)),
                ven_id=self.ven_id,
            ),
        )
