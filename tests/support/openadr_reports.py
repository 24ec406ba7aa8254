"""The reporting half of a VEN with a VTN that takes what it is sent, on a pretended clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.errors import TransientError
from contracts.openadr import codec
from contracts.openadr.payloads import (
    CanceledReport,
    CancelReport,
    CreatedReport,
    EiResponse,
    ItemBase,
    Payload,
    RegisteredReport,
    RegisterReport,
    Report,
    ReportPayload,
    ReportRequest,
    ReportSpecifier,
    ReportWindow,
    SpecifierPayload,
    UpdatedReport,
    UpdateReport,
)
from contracts.testing import FakeClock
from gateway.utility.openadr.memory import VenMemory
from gateway.utility.openadr.outbox import VenOutbox
from gateway.utility.openadr.reporting import VenReporting
from gateway.utility.openadr.reports.making import ReportLimits
from support.openadr import START, DictMemory, FlatReports

TEN = timedelta(seconds=10)
ZERO = timedelta(0)
POWER = "portfolio/power_w"
USAGE, STATUS, HISTORY = "gridyard-usage", "gridyard-status", "gridyard-history"


def request(
    key: str = "rr1",
    *r_ids: str,
    granularity: timedelta = TEN,
    back: timedelta = 2 * TEN,
    start: datetime | None = None,
    duration: timedelta = ZERO,
    specifier: str = USAGE,
    reading_type: str = "x-notApplicable",
    item: ItemBase | None = None,
) -> ReportRequest:
    """A report request; for the portfolio's power unless told otherwise."""
    window = None if start is None else ReportWindow(start=start, duration=duration)
    return ReportRequest(
        report_request_id=key,
        specifier=ReportSpecifier(
            report_specifier_id=specifier,
            granularity=granularity,
            report_back_duration=back,
            payloads=tuple(
                SpecifierPayload(r_id=r_id, reading_type=reading_type, item=item)
                for r_id in r_ids or (POWER,)
            ),
            window=window,
        ),
    )


class TakingVtn:
    """`VtnTransport`'s `post` for an outbox: takes every message that is valid, while it is up."""

    def __init__(self) -> None:
        self.up = True
        self.taken: list[Payload] = []

    async def post(self, service: str, body: bytes) -> Payload | None:
        if not self.up:
            raise TransientError("down")
        assert service == "EiReport"
        message = codec.decode(body)
        self.taken.append(message)
        match message:
            case UpdateReport(request_id=request_id):
                return UpdatedReport(response=EiResponse(request_id=request_id))
            case RegisterReport(request_id=request_id):
                return RegisteredReport(response=EiResponse(request_id=request_id))
            case _:
                raise AssertionError(f"unexpected {message}")

    @property
    def reports(self) -> list[Report]:
        """Every data report, in order."""
        return [r for m in self.taken if isinstance(m, UpdateReport) for r in m.reports]

    @property
    def offers(self) -> list[RegisterReport]:
        """Every offer, in order."""
        return [m for m in self.taken if isinstance(m, RegisterReport)]

    def of(self, key: str) -> list[Report]:
        """The reports of one request."""
        return [r for r in self.reports if r.report_request_id == key]

    def spans(self, key: str = "rr1") -> list[tuple[float, float]]:
        """`(start, duration)` in seconds after START of every interval of one request."""
        return [
            ((i.start - START).total_seconds(), i.duration.total_seconds())
            for report in self.of(key)
            for i in report.intervals
            if i.start is not None and i.duration is not None
        ]

    def starts(self, key: str = "rr1") -> list[float]:
        """The start of every interval of one request."""
        return [start for start, _ in self.spans(key)]

    def payloads(self, key: str = "rr1") -> list[ReportPayload]:
        """Every value of one request, in order."""
        return [p for report in self.of(key) for i in report.intervals for p in i.payloads]


class Reporter:
    """Restartable: give the next one the documents of the last."""

    def __init__(
        self,
        documents: DictMemory | None = None,
        at: datetime = START,
        *,
        vtn: TakingVtn | None = None,
        source: FlatReports | None = None,
        limits: ReportLimits = ReportLimits(),  # noqa: B008 (frozen)
    ) -> None:
        self.documents = documents or DictMemory()
        self.memory = VenMemory(self.documents, "util")
        self.outbox = VenOutbox(self.memory)
        self.source = source or FlatReports()
        self.clock = FakeClock(at)
        self.vtn = vtn or TakingVtn()
        self.reporting = VenReporting(
            self.source, self.memory, self.outbox, self.clock, limits, "util"
        )

    async def restore(self) -> None:
        """As a VEN does at its start."""
        await self.outbox.restore()
        await self.reporting.restore()

    async def restarted(self, at: datetime | None = None) -> Reporter:
        """A successor on the same store."""
        successor = Reporter(
            self.documents, at or self.clock.now(), vtn=self.vtn, source=self.source
        )
        await successor.restore()
        return successor

    async def ask(self, *requests: ReportRequest) -> CreatedReport:
        return await self.reporting.create(requests, "ven", "q1")

    async def cancel(self, *keys: str, to_follow: bool = False) -> CanceledReport:
        message = CancelReport(request_id="c1", report_request_ids=keys, to_follow=to_follow)
        return await self.reporting.cancel(message, "ven")

    async def after(self, seconds: float, *, step: float | None = None) -> None:
        """Let time pass, in steps, and everything that is due go out after each."""
        left = seconds
        while True:
            part = left if step is None else min(step, left)
            await self.clock.advance(part)
            left -= part
            await self.settle()
            if left <= 0:
                return

    async def settle(self) -> None:
        """Until nothing more is due or can be sent."""
        idle, seen = 0, -1
        while idle < 3:
            await self.reporting.send_due("ven")
            await self.flush()
            idle = idle + 1 if len(self.vtn.taken) == seen else 0
            seen = len(self.vtn.taken)

    async def flush(self) -> None:
        async def heard(_: Payload) -> None:
            return

        try:
            await self.outbox.flush(self.vtn, heard)  # type: ignore[arg-type]
        except TransientError:
            return
