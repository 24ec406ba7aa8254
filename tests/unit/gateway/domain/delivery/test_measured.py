from datetime import UTC, datetime, timedelta

import pytest

from contracts.reading import Quality, Reading
from contracts.time import Interval
from gateway.domain.delivery.measured import (
    LastSeen,
    Memory,
    PortfolioMinute,
    mean_load,
    portfolio_minute,
    recent_share,
    site_delivery,
)

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LAST = Interval(start=NOON - MINUTE, end=NOON)


def reading(value: float | None, ago_s: float, quality: Quality = Quality.GOOD) -> Reading:
    return Reading(value=value, quality=quality, at=NOON - timedelta(seconds=ago_s))


@pytest.mark.parametrize(
    ("readings", "mean"),
    [
        pytest.param([reading(80.0, 50), reading(60.0, 10)], 70.0, id="mean of the minute"),
        pytest.param([reading(80.0, 50), reading(60.0, 61)], 80.0, id="an older one is stale"),
        pytest.param([reading(80.0, 0)], None, id="the minute's end is the next minute's"),
        pytest.param([reading(0.0, 5)], 0.0, id="a measured nothing counts"),
        pytest.param([reading(None, 5, Quality.OFFLINE)], None, id="no value is not nothing"),
        pytest.param([reading(70.0, 5, Quality.ESTIMATED)], None, id="an estimate is not measured"),
        pytest.param([reading(70.0, 5, Quality.STALE)], None, id="nor is what was true once"),
        pytest.param([], None, id="silence"),
    ],
)
@pytest.mark.row("portfolio:A6")
def test_only_what_a_meter_measured_in_the_minute_counts(
    readings: list[Reading], mean: float | None
) -> None:
    assert mean_load(readings, LAST) == mean


@pytest.mark.parametrize(
    ("age_min", "delivered_w", "trust"),
    [
        pytest.param(1, 40.0, 1.0, id="a minute lost: believed"),
        pytest.param(2, 40.0, 1.0, id="held for two minutes"),
        pytest.param(3.5, 50.0, 0.5, id="fades into what is expected"),
        pytest.param(5, 60.0, 0.0, id="forgotten: only what is expected"),
        pytest.param(90, 60.0, 0.0, id="and stays so"),
    ],
)
def test_a_site_unseen_fades_from_what_it_gave_to_what_is_expected(
    age_min: float, delivered_w: float, trust: float
) -> None:
    one = site_delivery(
        "a",
        asked_w=70.0,
        measured_w=None,
        expected_w=60.0,
        last=LastSeen(at=NOON - age_min * MINUTE, delivered_w=40.0),
        now=NOON,
        memory=Memory(),
    )
    assert (one.delivered_w, one.trust) == pytest.approx((delivered_w, trust))


def test_what_is_measured_is_what_was_delivered_even_below_nothing() -> None:
    one = site_delivery(
        "a", asked_w=70.0, measured_w=-5.0, expected_w=60.0, last=None, now=NOON, memory=Memory()
    )
    assert (one.delivered_w, one.trust) == (-5.0, 1.0)


def test_coverage_counts_each_site_by_what_it_was_asked() -> None:
    seen = [
        site_delivery(
            site_id,
            asked_w=asked,
            measured_w=measured,
            expected_w=asked,
            last=None,
            now=NOON,
            memory=Memory(),
        )
        for site_id, asked, measured in (("a", 300.0, 280.0), ("b", 100.0, None))
    ]
    minute = portfolio_minute(seen, LAST, target_w=400.0)
    assert (minute.asked_w, minute.delivered_w, minute.coverage) == (400.0, 380.0, 0.75)


def test_the_share_of_the_last_minutes_is_that_of_their_energy() -> None:
    def minute(target_w: float, delivered_w: float) -> PortfolioMinute:
        return PortfolioMinute(
            interval=LAST,
            target_w=target_w,
            asked_w=target_w,
            delivered_w=delivered_w,
            coverage=1.0,
        )

    assert recent_share([minute(100.0, 0.0), *[minute(100.0, 92.0)] * 5]) == pytest.approx(0.92)
    assert recent_share([minute(0.0, 5.0)]) is None
