from datetime import datetime, timedelta

import pytest

from contracts.openadr import codec
from contracts.openadr.payloads import (
    CancelReport,
    ReportRequest,
    ReportSpecifier,
    ReportWindow,
    SpecifierPayload,
    UpdateReport,
)
from contracts.testing import FakeClock
from contracts.time import Interval
from gateway.utility.openadr.memory import Unsent, VenMemory
from gateway.utility.openadr.outbox import VenOutbox
from gateway.utility.openadr.reporting import SETTLE, SPECIFIER_ID, VenReporting
from support.openadr import START, DictMemory, FlatUsage

TEN = timedelta(seconds=10)


def request(
    *,
    granularity: timedelta = TEN,
    back: timedelta = 2 * TEN,
    window: ReportWindow | None = None,
    r_id: str = "portfolio/power_w",
    specifier: str = SPECIFIER_ID,
) -> ReportRequest:
    return ReportRequest(
        report_request_id="rr1",
        specifier=ReportSpecifier(
            report_specifier_id=specifier,
            granularity=granularity,
            report_back_duration=back,
            payloads=(SpecifierPayload(r_id=r_id, reading_type="Mean"),),
            window=window,
        ),
    )


class Reporter:
    """The reporting half of a VEN on a pretended clock, restartable."""

    def __init__(self, documents: DictMemory | None = None, at: datetime = START) -> None:
        self.documents = documents or DictMemory()
        self.memory = VenMemory(self.documents, "util")
        self.outbox = VenOutbox(self.memory)
        self.usage = FlatUsage()
        self.clock = FakeClock(at)
        self.reporting = VenReporting(
            self.usage, self.memory, self.outbox, self.clock, timedelta(seconds=2)
        )

    async def asked(self, *requests: ReportRequest) -> int:
        created = await self.reporting.create(requests, "ven", "q1")
        return created.response.code

    async def after(self, seconds: float) -> None:
        await self.clock.advance(seconds)
        await self.reporting.send_due("ven")

    async def sent(self) -> list[tuple[float, float]]:
        """`(seconds after START, kW)` of every reported interval."""
        found = []
        for unsent in (await self.memory.all(Unsent)).values():
            message = codec.decode(unsent.xml.encode())
            assert isinstance(message, UpdateReport)
            for interval in message.reports[0].intervals:
                assert interval.start is not None
                assert interval.duration == TEN
                value = interval.payloads[0].value
                assert isinstance(value, float)
                found.append(((interval.start - START).total_seconds(), value))
        return found


async def test_a_periodic_report_covers_every_interval_once() -> None:
    reporter = Reporter()
    assert await reporter.asked(request()) == 200
    await reporter.after(20 + SETTLE.total_seconds())
    await reporter.after(0)
    await reporter.after(20)
    assert await reporter.sent() == [(0.0, 42.0), (10.0, 42.0), (20.0, 42.0), (30.0, 42.0)]


async def test_reports_missed_while_we_were_down_follow_with_their_own_intervals() -> None:
    first = Reporter()
    await first.asked(request())
    await first.after(25)
    second = Reporter(first.documents, at=START + timedelta(seconds=125))
    await second.reporting.restore()
    await second.reporting.send_due("ven")
    assert [at for at, _ in await second.sent()] == [10.0 * n for n in range(12)]


async def test_intervals_without_data_are_left_out_not_made_up() -> None:
    reporter = Reporter()
    reporter.usage.gaps.append(Interval.lasting(START + TEN, TEN))
    await reporter.asked(request(back=3 * TEN))
    await reporter.after(40)
    assert [at for at, _ in await reporter.sent()] == [0.0, 20.0]


async def test_a_one_shot_request_is_served_once() -> None:
    reporter = Reporter()
    await reporter.asked(request(granularity=timedelta(0), back=timedelta(0)))
    await reporter.after(60)
    unsent = await reporter.memory.all(Unsent)
    assert len(unsent) == 1
    await reporter.after(60)
    assert len(await reporter.memory.all(Unsent)) == 1


async def test_a_window_ends_the_reports() -> None:
    reporter = Reporter()
    await reporter.asked(request(window=ReportWindow(start=START, duration=4 * TEN)))
    for _ in range(10):
        await reporter.after(20)
    assert [at for at, _ in await reporter.sent()] == [0.0, 10.0, 20.0, 30.0]


@pytest.mark.parametrize(
    "bad",
    [
        request(r_id="nobody"),
        request(specifier="other"),
        request(granularity=timedelta(seconds=1)),
    ],
    ids=["unknown point", "unknown specifier", "too fine"],
)
async def test_what_cannot_be_reported_is_refused_with_461(bad: ReportRequest) -> None:
    reporter = Reporter()
    assert await reporter.asked(bad) == 461
    await reporter.after(60)
    assert await reporter.sent() == []


async def test_a_cancelled_report_sends_its_last_part_when_asked_to() -> None:
    reporter = Reporter()
    await reporter.asked(request(back=6 * TEN))
    await reporter.clock.advance(20)
    await reporter.reporting.cancel(
        CancelReport(request_id="c", report_request_ids=("rr1",), to_follow=True), "ven"
    )
    assert [at for at, _ in await reporter.sent()] == [0.0, 10.0]
    await reporter.after(600)
    assert len(await reporter.sent()) == 2
