"""The edge cases of performance: how delivery becomes a factor, in the words of the notes."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.measure.blocks import blocks
from gateway.domain.measure.factor import event_ratio, factor_of, standing_factor
from gateway.domain.measure.performance import measure
from gateway.domain.measure.rows import rows_of
from gateway.domain.program.performing import Absent, Mean, Negative, Performance
from gateway.domain.program.promise import Shape
from support.calls import at
from support.deliveries import QUARTER, hours, result, rows

pytestmark = pytest.mark.row("portfolio:A1")

JULY = Interval(start=at("2026-07-01 00:00"), end=at("2026-08-01 00:00"))


def ratio(rule: Performance, kilowatts: tuple[float | None, ...]) -> Decimal | None:
    """Of one event of 100 kW with these deliveries."""
    return event_ratio(blocks(rows(hours("2026-07-14 16:00", 4), 100, kilowatts), rule), rule)


# --- performance


@pytest.mark.parametrize(
    ("mean", "expected"),
    [(Mean.INTERVAL, "0.8125"), (Mean.HOUR, "0.875"), (Mean.EVENT, "1")],
)
def test_over_delivery_makes_up_within_the_stretch_that_is_averaged(
    mean: Mean, expected: str
) -> None:
    """Half-hours of 150, 50, 200, 100, 0, 100, 100, 100 kW of 100: more only counts to the cap."""
    rule = Performance(mean=mean, cap=Decimal(1))
    assert ratio(rule, (150, 50, 200, 100, 0, 100, 100, 100)) == Decimal(expected)


@pytest.mark.parametrize(
    ("negative", "expected"),
    [(Negative.PER_INTERVAL, "0.5"), (Negative.PER_EVENT, "0.2"), (Negative.NETTED, "0.2")],
)
def test_negative_delivery_clamp_per_interval_event_or_never(
    negative: Negative, expected: str
) -> None:
    rule = Performance(negative=negative)
    assert ratio(rule, (100, 100, -60, -60)) == Decimal(expected)


@pytest.mark.parametrize(
    ("negative", "expected"),
    [(Negative.PER_INTERVAL, "0.05"), (Negative.PER_EVENT, "0"), (Negative.NETTED, "-0.4")],
)
def test_an_event_negative_as_a_whole(negative: Negative, expected: str) -> None:
    rule = Performance(negative=negative)
    found = ratio(rule, (20, -60, -60, -60))
    assert found is not None
    assert found == Decimal(expected)
    assert factor_of(found, rule) == max(Decimal(0), Decimal(expected))


@pytest.mark.parametrize(
    ("missing", "expected"),
    [(Absent.ZERO, "0.6"), (Absent.ESTIMATE, "0.8"), (Absent.LEFT_OUT, "0.8")],
)
def test_missing_data_zero_estimate_or_drop(missing: Absent, expected: str) -> None:
    assert ratio(Performance(missing=missing), (80, None, 80, 80)) == Decimal(expected)


def test_a_drop_and_an_estimate_differ_where_every_interval_counts_to_the_cap() -> None:
    """Known 120 and 40: the estimate of 80 counts as 80, what is dropped has no weight."""
    kilowatts = (120, None, None, 40)
    found = {
        missing: ratio(Performance(mean=Mean.INTERVAL, cap=Decimal(1), missing=missing), kilowatts)
        for missing in Absent
    }
    assert found == {
        Absent.ZERO: Decimal("0.35"),
        Absent.ESTIMATE: Decimal("0.75"),
        Absent.LEFT_OUT: Decimal("0.7"),
    }


def test_an_event_without_any_data() -> None:
    nothing = (None, None, None, None)
    assert ratio(Performance(missing=Absent.LEFT_OUT), nothing) is None
    assert ratio(Performance(missing=Absent.ESTIMATE), nothing) == 0
    assert ratio(Performance(missing=Absent.ZERO), nothing) == 0


@pytest.mark.parametrize(
    ("delivered", "floor", "strict", "expected"),
    [
        ("0.25", "0.25", True, "0"),
        ("0.26", "0.25", True, "0.26"),
        ("0.25", "0.25", False, "0.25"),
        ("0.24", "0.25", False, "0"),
    ],
)
def test_the_floor_is_above_or_at_least(
    delivered: str, floor: str, strict: bool, expected: str
) -> None:
    rule = Performance(floor=Decimal(floor), floor_strict=strict)
    assert factor_of(Decimal(delivered), rule) == Decimal(expected)


@pytest.mark.parametrize(
    ("delivered", "expected"), [("0.94", "0.94"), ("0.95", "1"), ("1.3", "1.3")]
)
def test_from_the_pass_ratio_on_the_promise_is_kept(delivered: str, expected: str) -> None:
    rule = Performance(pass_ratio=Decimal("0.95"))
    assert factor_of(Decimal(delivered), rule) == Decimal(expected)


# --- the sticky factor


STICKY = Performance(sticky=True, cap=Decimal(1))
TESTED = result("2026-07-10 16:00", 0.7, test=True)


@pytest.mark.parametrize(
    ("without_event", "last_season", "tests_set_it", "factor", "because"),
    [
        ("1", None, False, "1", "the program's factor while there is no event"),
        (None, "0.9", False, "0.9", "the last season's"),
        (None, "1.4", False, "1", "the last season's"),
        (None, "0.9", True, "0.7", "set by 2026-07-10 16:00"),
        (None, None, False, None, "no event, test or earlier season to go by"),
    ],
)
def test_sticky_factor_before_the_first_event_1_last_seasons_or_test(
    without_event: str | None,
    last_season: str | None,
    tests_set_it: bool,
    factor: str | None,
    because: str,
) -> None:
    rule = replace(STICKY, without_event=None if without_event is None else Decimal(without_event))
    found = standing_factor(
        [TESTED],
        rule,
        JULY,
        tests_set_it=tests_set_it,
        last_season=None if last_season is None else Decimal(last_season),
    )
    assert found.factor == (None if factor is None else Decimal(factor))
    assert found.because == because


def test_the_last_event_sets_the_factor_until_the_next() -> None:
    events = [result("2026-05-20 16:00", 0.8), result("2026-07-20 16:00", 1.2)]
    june = Interval(start=at("2026-06-01 00:00"), end=at("2026-07-01 00:00"))
    august = Interval(start=at("2026-08-01 00:00"), end=at("2026-09-01 00:00"))
    found = [standing_factor(events, STICKY, month).factor for month in (june, JULY, august)]
    assert found == [Decimal("0.8"), Decimal(1), Decimal(1)]


# --- opt-outs


OPTED_OUT = result("2026-07-20 16:00", None, opted_out=True)


@pytest.mark.parametrize(
    ("opted_out", "expected"), [(Absent.ZERO, "0.45"), (Absent.LEFT_OUT, "0.9")]
)
def test_opt_out_zero_in_the_mean_or_left_out(opted_out: Absent, expected: str) -> None:
    events = [result("2026-07-14 16:00", 0.9), OPTED_OUT]
    rule = Performance(opted_out=opted_out)
    assert standing_factor(events, rule, JULY).factor == Decimal(expected)


@pytest.mark.parametrize(("opted_out", "expected"), [(Absent.ZERO, "0"), (Absent.LEFT_OUT, "0.9")])
def test_an_opt_out_under_a_sticky_factor(opted_out: Absent, expected: str) -> None:
    events = [result("2026-07-14 16:00", 0.9), OPTED_OUT]
    found = standing_factor(events, replace(STICKY, opted_out=opted_out), JULY)
    assert found.factor == Decimal(expected)


def test_all_hours_weigh_alike_or_all_events() -> None:
    events = [result("2026-07-14 16:00", 1, 1), result("2026-07-15 16:00", 0.5, 3)]
    by_event = standing_factor(events, Performance(), JULY)
    by_hour = standing_factor(events, Performance(mean=Mean.ALL_HOURS), JULY)
    assert (by_event.factor, by_hour.factor) == (Decimal("0.75"), Decimal("0.625"))


# --- promises of other shapes


def test_to_consume_is_delivered_above_the_baseline() -> None:
    window = hours("2026-07-14 11:00", 1)
    found = measure(
        event=window,
        resolution=QUARTER,
        observe_after=timedelta(0),
        baseline=StepSeries.of([(window, 100_000.0)]),
        actual=StepSeries.of([(window, 160_000.0)]),
        asked=StepSeries(),
    )
    given = rows_of(found.during, shape=Shape.CONSUME, committed_kw=Decimal(80))
    assert event_ratio(blocks(given, Performance()), Performance()) == Decimal("0.75")
