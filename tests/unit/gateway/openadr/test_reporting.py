"""Row by row of the conformance table: what is offered, when it is sent, and what ends it."""

from datetime import timedelta

import pytest

from contracts.openadr.payloads import ResourceStatus
from contracts.time import Interval
from gateway.ports import ResourceState
from gateway.utility.openadr.reports.records import ReportTask
from support.openadr import START, FlatReports
from support.openadr_reports import STATUS, TEN, ZERO, Reporter, request

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DEPOT = "site/depot-1/status"
SPECIFIERS = ["gridyard-usage", "gridyard-status", "gridyard-history"]


# --- what is offered -----------------------------------------------------------------------------


@pytest.mark.row("openadr:P1")
async def test_the_metadata_names_every_report_and_point() -> None:
    reporter = Reporter(source=FlatReports(["north"]))
    await reporter.reporting.offer("ven")
    await reporter.flush()
    (offer,) = reporter.vtn.offers
    found = {
        report.name: {(d.r_id, d.item.units if d.item else None) for d in report.descriptions}
        for report in offer.reports
    }
    usage = {
        ("portfolio/power_w", "W"),
        ("site/north/power_w", "W"),
        ("portfolio/energy_wh", "Wh"),
        ("site/north/energy_wh", "Wh"),
    }
    assert found == {
        "METADATA_TELEMETRY_USAGE": usage,
        "METADATA_TELEMETRY_STATUS": {("site/north/status", None)},
        "METADATA_HISTORY_USAGE": {(f"history/{r_id}", unit) for r_id, unit in usage},
    }
    assert all(d.sampling_rate for report in offer.reports for d in report.descriptions)
    assert {r.duration for r in offer.reports} == {timedelta(days=40)}


@pytest.mark.row("openadr:P1")
async def test_metadata_asked_for_follows_the_answer() -> None:
    reporter = Reporter()
    await reporter.settle()
    before = len(reporter.vtn.offers)
    created = await reporter.ask(request("m1", "METADATA", specifier="METADATA", back=ZERO))
    assert (created.response.code, created.pending) == (200, ("m1",))
    assert len(reporter.vtn.offers) == before
    await reporter.settle()
    offer = reporter.vtn.offers[-1]
    assert offer.report_request_id == "m1"
    assert [r.report_specifier_id for r in offer.reports] == SPECIFIERS
    assert {r.report_request_id for r in offer.reports} == {"0"}
    assert reporter.reporting.pending == ()


@pytest.mark.row("openadr:P1")
async def test_metadata_is_offered_again_only_when_the_sites_change() -> None:
    reporter = Reporter()
    await reporter.after(60, step=10)
    assert len(reporter.vtn.offers) == 1
    second = await reporter.restarted()
    await second.after(10)
    assert len(reporter.vtn.offers) == 1
    second.source.sites.append("depot-3")
    await second.after(10)
    assert len(reporter.vtn.offers) == 2
    assert "site/depot-3/power_w" in str(reporter.vtn.offers[-1])


@pytest.mark.row("openadr:R9")
async def test_nothing_to_report_is_an_empty_list() -> None:
    class Nothing(FlatReports):
        async def points(self) -> list:  # type: ignore[type-arg]
            return []

    reporter = Reporter(source=Nothing())
    await reporter.reporting.offer("ven")
    await reporter.flush()
    (offer,) = reporter.vtn.offers
    assert offer.reports == ()


# --- one-shot ------------------------------------------------------------------------------------


@pytest.mark.row("openadr:P2")
@pytest.mark.parametrize(
    ("granularity", "spans"),
    [(ZERO, [(-6.0, 2.0)]), (TEN, [(-20.0, 10.0)]), (MINUTE, [(-120.0, 60.0)])],
    ids=["as fine as can be", "10 s", "1 min"],
)
async def test_a_one_shot_usage_report_tells_the_newest_complete_interval(
    granularity: timedelta, spans: list[tuple[float, float]]
) -> None:
    reporter = Reporter()
    created = await reporter.ask(request(granularity=granularity, back=ZERO))
    assert created.pending == ("rr1",)
    await reporter.after(3600, step=600)
    assert reporter.vtn.spans() == spans
    assert reporter.vtn.payloads()[0].value == 42.0
    assert reporter.reporting.pending == ()
    assert await reporter.memory.all(ReportTask) == {}


@pytest.mark.row("openadr:P2")
async def test_a_one_shot_report_without_any_data_says_so() -> None:
    reporter = Reporter()
    reporter.source.gaps.append(Interval(start=START - HOUR, end=None))
    await reporter.ask(request(back=ZERO))
    await reporter.settle()
    (report,) = reporter.vtn.reports
    assert report.intervals == ()
    assert reporter.reporting.pending == ()


@pytest.mark.row("openadr:P2")
@pytest.mark.row("openadr:P9")
async def test_a_one_shot_status_report_tells_how_every_site_is() -> None:
    reporter = Reporter()
    reporter.source.states["depot-2"] = ResourceState(
        online=False, overridden=True, level=2, limit_w=50_000.0, contracted_w=200_000.0
    )
    r_ids = (DEPOT, "site/depot-2/status")
    await reporter.ask(request("s", *r_ids, specifier=STATUS, granularity=ZERO, back=ZERO))
    await reporter.after(30, step=1)
    assert reporter.vtn.spans("s") == [(0.0, 2.0)]
    first, second = (p.value for p in reporter.vtn.payloads("s"))
    assert isinstance(first, ResourceStatus)
    assert (first.online, first.manual_override) == (True, False)
    assert isinstance(second, ResourceStatus)
    assert (second.online, second.manual_override) == (False, True)
    state = second.load_control_state
    assert state is not None
    assert state.capacity is not None
    assert state.level_offset is not None
    assert (state.capacity.current, state.level_offset.current) == (0.25, 2.0)
    assert (state.percent_offset, state.set_point) == (None, None)


@pytest.mark.row("openadr:P2")
async def test_a_one_shot_report_of_a_window_covers_all_of_it() -> None:
    reporter = Reporter()
    window = {"start": START - MINUTE, "duration": 2 * MINUTE}
    await reporter.ask(request(back=ZERO, granularity=MINUTE / 2, **window))  # type: ignore[arg-type]
    await reporter.after(50)
    assert reporter.vtn.reports == []
    await reporter.after(20)
    assert reporter.vtn.spans() == [(-60.0, 30.0), (-30.0, 30.0), (0.0, 30.0), (30.0, 30.0)]
    assert len(reporter.vtn.reports) == 1


# --- periodic ------------------------------------------------------------------------------------


@pytest.mark.row("openadr:P3")
@pytest.mark.parametrize(
    ("start_s", "duration_s", "lasting_s", "expected"),
    [
        (0, 40, 200, [0, 10, 20, 30]),
        (60, 30, 200, [60, 70, 80]),
        (-30, 50, 100, [-30, -20, -10, 0, 10]),
        (-30, 0, 33, [-30, -20, -10, 0, 10, 20]),
        (5, 0, 40, [5, 15]),
        (0, 25, 200, [0, 10, 20]),
        (-100, 30, 50, [-100, -90, -80]),
    ],
    ids=["now", "future", "past start", "endless", "unaligned", "cut at the end", "past"],
)
async def test_a_periodic_report_keeps_to_its_window(
    start_s: int, duration_s: int, lasting_s: int, expected: list[float]
) -> None:
    reporter = Reporter()
    start = START + timedelta(seconds=start_s)
    await reporter.ask(request(start=start, duration=timedelta(seconds=duration_s)))
    await reporter.after(lasting_s, step=7)
    assert reporter.vtn.starts() == expected
    if duration_s:
        assert sum(d for _, d in reporter.vtn.spans()) == duration_s
        assert reporter.reporting.pending == ()
    else:
        assert reporter.reporting.pending == ("rr1",)


@pytest.mark.row("openadr:P3")
async def test_without_a_window_intervals_are_aligned() -> None:
    reporter = Reporter(at=START + timedelta(minutes=7, seconds=13))
    await reporter.ask(request(granularity=15 * MINUTE, back=15 * MINUTE))
    await reporter.after(3600, step=30)
    assert reporter.vtn.starts() == [0.0, 900.0, 1800.0, 2700.0]


@pytest.mark.row("openadr:P4")
@pytest.mark.parametrize(
    ("back_s", "sizes"),
    [(10, [1] * 12), (30, [3] * 4), (60, [6] * 2), (25, [2, 3, 2, 3]), (4, [1] * 12)],
)
async def test_a_longer_report_back_duration_makes_batches(back_s: int, sizes: list[int]) -> None:
    reporter = Reporter()
    await reporter.ask(request(back=timedelta(seconds=back_s)))
    await reporter.after(123.4, step=1)
    assert [len(r.intervals) for r in reporter.vtn.reports] == sizes
    assert reporter.vtn.starts() == [10.0 * n for n in range(sum(sizes))]


@pytest.mark.row("openadr:P5")
async def test_on_change_only_what_moved_is_sent() -> None:
    reporter = Reporter()
    reporter.source.power_w = lambda at: 21_000.0 if at < START + MINUTE else 15_000.0
    await reporter.ask(request(granularity=ZERO, back=TEN))
    await reporter.after(180, step=5)
    assert reporter.vtn.spans() == [(0.0, 2.0), (60.0, 2.0)]
    assert [p.value for p in reporter.vtn.payloads()] == [42.0, 30.0]
    second = await reporter.restarted()
    await second.after(60, step=5)
    assert len(reporter.vtn.reports) == 2, "the value sent last is remembered over a restart"


@pytest.mark.row("openadr:P5")
async def test_on_change_of_a_status() -> None:
    reporter = Reporter()
    await reporter.ask(request("s", DEPOT, specifier=STATUS, granularity=ZERO, back=TEN))
    await reporter.after(30, step=1)
    reporter.source.states["depot-1"] = ResourceState(online=False, overridden=False)
    await reporter.after(60, step=1)
    values = [p.value for p in reporter.vtn.payloads("s")]
    assert [v.online for v in values if isinstance(v, ResourceStatus)] == [True, False]


@pytest.mark.row("openadr:P9")
async def test_a_status_nobody_saw_is_left_out() -> None:
    reporter = Reporter()
    await reporter.ask(request("s", DEPOT, specifier=STATUS, back=TEN))
    await reporter.after(40, step=2)
    successor = await reporter.restarted(START + timedelta(seconds=140))
    await successor.after(40, step=2)
    starts = reporter.vtn.starts("s")
    assert starts == sorted(set(starts))
    assert [s for s in starts if 40 <= s < 130] == []
    assert {0.0, 10.0, 20.0, 150.0} <= set(starts)


# --- cancelling ----------------------------------------------------------------------------------


@pytest.mark.row("openadr:P6")
async def test_a_cancelled_report_is_over_at_once() -> None:
    reporter = Reporter()
    await reporter.ask(request("a"), request("b"))
    await reporter.after(25)
    answer = await reporter.cancel("a")
    assert (answer.response.code, answer.pending) == (200, ("b",))
    await reporter.after(60, step=10)
    assert reporter.vtn.starts("a") == [0.0, 10.0]
    assert len(reporter.vtn.starts("b")) == 8


@pytest.mark.row("openadr:P6")
async def test_a_cancelled_report_takes_back_what_was_not_sent_yet() -> None:
    reporter = Reporter()
    await reporter.ask(request())
    reporter.vtn.up = False
    await reporter.after(25)
    await reporter.cancel("rr1")
    reporter.vtn.up = True
    await reporter.after(60, step=10)
    assert reporter.vtn.reports == []


@pytest.mark.row("openadr:P6")
async def test_a_last_report_follows_when_asked_for() -> None:
    reporter = Reporter()
    await reporter.ask(request(back=6 * TEN))
    await reporter.clock.advance(25)
    answer = await reporter.cancel("rr1", to_follow=True)
    assert (answer.response.code, answer.pending) == (200, ())
    await reporter.after(600, step=10)
    assert reporter.vtn.spans() == [(0.0, 10.0), (10.0, 10.0)]
    assert len(reporter.vtn.reports) == 1
    assert await reporter.memory.all(ReportTask) == {}


@pytest.mark.row("openadr:P6")
@pytest.mark.parametrize("start_s", [0.0, 500.0], ids=["no data", "not begun"])
async def test_a_last_report_follows_even_with_nothing_in_it(start_s: float) -> None:
    reporter = Reporter()
    reporter.source.gaps.append(Interval(start=START - HOUR, end=None))
    await reporter.ask(request(start=START + timedelta(seconds=start_s)))
    await reporter.after(5)
    await reporter.cancel("rr1", to_follow=True)
    await reporter.after(100, step=10)
    assert [r.intervals for r in reporter.vtn.reports] == [()]


@pytest.mark.row("openadr:P6")
async def test_an_unknown_report_is_answered_and_the_known_one_cancelled() -> None:
    reporter = Reporter()
    await reporter.ask(request("a"))
    answer = await reporter.cancel("nobody", "a")
    assert (answer.response.code, answer.pending) == (452, ())
    assert "nobody" in (answer.response.description or "")
