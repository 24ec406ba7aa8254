"""Every due interval exactly once, in order, without overlap, whatever time does."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.openadr.payloads import ReportRequest, ReportSpecifier, ReportWindow
from contracts.time import Interval
from gateway.ports import ReportPoint
from gateway.utility.openadr.reports.accept import refusal
from gateway.utility.openadr.reports.offer import HISTORY_SPAN, offerings
from gateway.utility.openadr.reports.schedule import Schedule, floor, lay_out
from support.openadr import START

SECOND = timedelta(seconds=1)
POINTS = [
    ReportPoint(point_id="portfolio/power_w", site_id=None, unit="W"),
    ReportPoint(point_id="site/a/power_w", site_id="a", unit="W"),
]
OFFERED = offerings(POINTS, 2 * SECOND)
NOW = datetime(2026, 3, 4, 5, 6, 7, 891234, tzinfo=UTC)

seconds = st.integers(20, 4000).map(lambda n: n * SECOND)
schedules = st.builds(
    Schedule,
    begin=st.integers(-4000, 4000).map(lambda s: START + timedelta(seconds=s, microseconds=s % 7)),
    end=st.none(),
    granularity=seconds,
    back=st.one_of(seconds, st.floats(1, 5000).map(lambda s: timedelta(seconds=s))),
)
jumps = st.lists(st.floats(-900, 20_000), min_size=1, max_size=40)


def handed_over(
    schedule: Schedule, moments: list[datetime], most: int
) -> tuple[list[Interval], datetime]:
    """What goes out when the schedule is looked at in these moments."""
    found: list[Interval] = []
    sent_until = schedule.begin
    for moment in moments:
        while (until := schedule.due(sent_until, moment)) is not None:
            pieces = schedule.pieces(sent_until, until, most)
            if not pieces:
                break
            found += pieces
            assert pieces[-1].end is not None
            sent_until = pieces[-1].end
    return found, sent_until


@pytest.mark.row("openadr:P3")
@settings(deadline=None)
@given(
    schedules,
    st.one_of(st.none(), st.integers(0, 20_000)),
    jumps,
    st.integers(1, 500),
)
def test_each_due_interval_once_in_order(
    schedule: Schedule, length_s: int | None, jumps: list[float], most: int
) -> None:
    if length_s is not None:
        end = schedule.begin + timedelta(seconds=length_s)
        schedule = Schedule(
            begin=schedule.begin, end=end, granularity=schedule.granularity, back=schedule.back
        )
    now, moments = START, []
    for jump in jumps:
        now += timedelta(seconds=jump)
        moments.append(now)
    found, sent_until = handed_over(schedule, moments, most)
    latest = max(moments)
    starts = [schedule.begin, *(piece.end for piece in found)]
    assert all(piece.start == start for piece, start in zip(found, starts, strict=False)), "no hole"
    assert all(piece.duration == schedule.granularity for piece in found[:-1])
    assert all(not a.overlaps(b) for a, b in pairwise(found))
    assert all(piece.end is not None and piece.end <= latest for piece in found), "not too early"
    assert all(piece.duration and not piece.duration % SECOND for piece in found)
    if schedule.end is not None and latest >= schedule.end:
        assert sent_until == max(schedule.end, schedule.begin), "all of the window"
    elif latest - schedule.back - schedule.granularity > schedule.begin:
        assert sent_until > latest - schedule.back - schedule.granularity, "nothing is left over"


@settings(deadline=None)
@given(schedules, jumps)
def test_a_closed_schedule_ends_now_and_not_later(schedule: Schedule, jumps: list[float]) -> None:
    now = START + timedelta(seconds=sum(jumps))
    closed = schedule.closed_at(now)
    assert closed.end is not None
    assert closed.begin <= closed.end <= now
    assert not (closed.end - closed.begin) % SECOND


windows = st.builds(
    ReportWindow,
    start=st.datetimes(
        min_value=datetime(1, 1, 2),  # noqa: DTZ001 (hypothesis adds the zone)
        max_value=datetime(9999, 12, 30),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    duration=st.timedeltas(min_value=timedelta(days=-10), max_value=timedelta.max),
)
specifiers = st.builds(
    ReportSpecifier,
    report_specifier_id=st.sampled_from(sorted(OFFERED)),
    granularity=st.one_of(
        st.just(timedelta(0)), st.timedeltas(), st.integers(1, 90_000).map(lambda n: n * SECOND)
    ),
    report_back_duration=st.one_of(st.just(timedelta(0)), st.timedeltas(), seconds),
    payloads=st.just(()),
    window=st.one_of(st.none(), windows),
)


@pytest.mark.row("openadr:P10")
@settings(deadline=None)
@given(specifiers)
def test_whatever_is_asked_for_is_refused_or_can_be_laid_out(specifier: ReportSpecifier) -> None:
    asked = ReportRequest(report_request_id="r", specifier=specifier)
    if refusal(asked, OFFERED, NOW) is not None:
        return
    offering = OFFERED[specifier.report_specifier_id]
    schedule = lay_out(specifier, offering, NOW, NOW - 3 * SECOND)
    assert schedule.granularity >= offering.min_period
    assert schedule.begin >= NOW - HISTORY_SPAN - 2 * schedule.granularity
    assert schedule.end is None or schedule.end >= schedule.begin
    assert schedule.end is not None or schedule.back, "something must end it, or bring it"
    if not offering.live:
        assert schedule.end is not None
        assert schedule.end <= max(NOW, schedule.begin)
    for horizon in (NOW, NOW + timedelta(days=3)):
        until = schedule.due(schedule.begin, horizon)
        assert until is None or schedule.pieces(schedule.begin, until, 5) is not None
    schedule.closed_at(NOW)


@pytest.mark.parametrize(
    ("instant", "step", "floored"),
    [
        (datetime(2026, 1, 5, 13, 14, 59, tzinfo=UTC), timedelta(minutes=15), "13:00:00"),
        (datetime(2026, 1, 5, 13, 15, tzinfo=UTC), timedelta(minutes=15), "13:15:00"),
        (datetime(2026, 1, 5, 13, 14, 59, 5, tzinfo=UTC), SECOND, "13:14:59"),
        (datetime(2026, 1, 5, 13, 14, 59, tzinfo=UTC), timedelta(days=1), "00:00:00"),
    ],
)
def test_floor(instant: datetime, step: timedelta, floored: str) -> None:
    assert f"{floor(instant, step):%H:%M:%S}" == floored
