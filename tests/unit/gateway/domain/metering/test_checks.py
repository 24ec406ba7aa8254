"""What becomes of meter data that cannot be: refused, or flagged with a reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.reading import Quality
from gateway.domain.metering.checks import check
from gateway.domain.metering.interval import Meter, MeterInterval, Register

QUARTER = timedelta(minutes=15)
T0 = datetime(2026, 3, 4, 12, tzinfo=UTC)
LATER = T0 + timedelta(days=1)
METER = Meter(register=Register.IMPORT, length=QUARTER, limit_w=100e3)
KNOWN = [1000.0, 1200.0, 900.0, 1100.0, 1000.0, 950.0, 1050.0, 1000.0]


def told(
    energy_wh: float | None,
    number: int = 0,
    quality: Quality = Quality.GOOD,
    issued: datetime = LATER,
) -> MeterInterval:
    return MeterInterval(
        start=T0 + number * QUARTER,
        length=QUARTER,
        energy_wh=energy_wh,
        quality=quality,
        issued_at=issued,
    )


@pytest.mark.row("mv:M1")
@pytest.mark.parametrize(
    ("energy_wh", "register", "quality", "kept_wh", "reason"),
    [
        (1000.0, Register.IMPORT, Quality.GOOD, 1000.0, ""),
        (0.0, Register.IMPORT, Quality.GOOD, 0.0, ""),
        (None, Register.IMPORT, Quality.INVALID, None, "no value"),
        (nan, Register.IMPORT, Quality.INVALID, None, "not a number"),
        (inf, Register.IMPORT, Quality.INVALID, None, "not a number"),
        (-5.0, Register.IMPORT, Quality.INVALID, -5.0, "negative on a register of import"),
        (-5.0, Register.EXPORT, Quality.INVALID, -5.0, "negative on a register of export"),
        (-5.0, Register.NET, Quality.GOOD, -5.0, ""),
        (27_400.0, Register.IMPORT, Quality.GOOD, 27_400.0, "a jump: before at most 1200 Wh"),
        (27_600.0, Register.IMPORT, Quality.INVALID, 27_600.0, "more than the connection carries"),
        (-27_600.0, Register.NET, Quality.INVALID, -27_600.0, "more than the connection carries"),
        (1e6 * 5, Register.IMPORT, Quality.INVALID, 5e6, "in another unit?"),
        (12_001.0, Register.IMPORT, Quality.GOOD, 12_001.0, "a jump: before at most 1200 Wh"),
        (12_000.0, Register.IMPORT, Quality.GOOD, 12_000.0, ""),
    ],
)
def test_a_value_is_kept_with_what_is_wrong_with_it(
    energy_wh: float | None,
    register: Register,
    quality: Quality,
    kept_wh: float | None,
    reason: str,
) -> None:
    meter = Meter(register=register, length=QUARTER, limit_w=100e3)
    found = check([told(energy_wh)], meter, LATER, KNOWN)
    (one,) = found.kept
    assert (one.quality, one.energy_wh) == (quality, kept_wh)
    assert reason in one.reason
    assert bool(reason) == bool(one.reason)
    assert found.refused == ()


@pytest.mark.parametrize(
    ("start", "length", "reason"),
    [
        (T0 + timedelta(seconds=1), QUARTER, "starts at 12:00:01 UTC, not on a multiple of"),
        (T0 + timedelta(minutes=5), QUARTER, "not on a multiple of 0:15:00"),
        (T0, timedelta(minutes=5), "an interval of 0:05:00, the meter counts 0:15:00"),
        (LATER - timedelta(minutes=0), QUARTER, "ends 0:15:00 after it arrived: a wrong clock"),
    ],
)
def test_what_has_no_place_on_the_time_line_is_refused(
    start: datetime, length: timedelta, reason: str
) -> None:
    wrong = MeterInterval(start=start, length=length, energy_wh=1.0, issued_at=LATER)
    found = check([wrong, told(7.0, 1)], METER, LATER)
    assert [one.energy_wh for one in found.kept] == [7.0]
    (refused,) = found.refused
    assert refused.start == start
    assert reason in refused.reason


def test_an_interval_that_has_just_ended_by_a_clock_a_little_ahead_is_taken() -> None:
    assert check([told(7.0)], METER, T0 + timedelta(minutes=10)).refused == ()


def test_of_an_interval_told_twice_the_one_issued_last_counts() -> None:
    older = told(5.0, issued=LATER - timedelta(hours=1))
    for order in ([older, told(7.0)], [told(7.0), older], [told(7.0), told(7.0), older]):
        assert [one.energy_wh for one in check(order, METER, LATER).kept] == [7.0]


def test_two_values_issued_at_once_are_neither() -> None:
    for order in ([told(5.0), told(7.0)], [told(7.0), told(5.0)]):
        (one,) = check(order, METER, LATER).kept
        assert (one.quality, one.energy_wh) == (Quality.INVALID, None)
        assert one.reason == "told twice at once: 5.0 Wh and 7.0 Wh"


@pytest.mark.parametrize(("factor", "flagged"), [(1000.0, True), (0.001, True), (0.1, False)])
def test_a_delivery_in_another_unit_is_flagged_as_a_whole(factor: float, flagged: bool) -> None:
    free = Meter(length=QUARTER)
    delivery = [told(factor * value, number) for number, value in enumerate(KNOWN)]
    kept = check(delivery, free, LATER + timedelta(days=1), KNOWN).kept
    assert {one.quality is Quality.INVALID for one in kept} == {flagged}
    assert all(("a wrong unit" in one.reason) is flagged for one in kept)


def test_few_values_or_zeros_say_nothing_of_a_unit() -> None:
    free, few = Meter(length=QUARTER), [told(1e-3 * value, n) for n, value in enumerate(KNOWN[:7])]
    zeros = [told(0.0, number) for number in range(20)]
    assert {one.quality for one in check(few, free, LATER, KNOWN).kept} == {Quality.GOOD}
    assert {one.quality for one in check(zeros, free, LATER, KNOWN).kept} == {Quality.GOOD}


@pytest.mark.parametrize(
    ("length", "limit_w"), [(timedelta(minutes=7), 1.0), (QUARTER, 0.0), (QUARTER, nan)]
)
def test_a_meter_that_cannot_be_is_a_mistake(length: timedelta, limit_w: float) -> None:
    with pytest.raises(ValueError, match=r"divide a day|above 0 W"):
        Meter(length=length, limit_w=limit_w)


_VALUES = st.one_of(st.none(), st.floats(allow_nan=True), st.floats(-1e5, 1e5))
_TOLD = st.builds(
    told,
    _VALUES,
    st.integers(0, 5),
    st.sampled_from(Quality),
    st.sampled_from([LATER, LATER - timedelta(hours=1)]),
)


@given(st.lists(_TOLD, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_a_delivery_does_not_matter_and_nothing_unbelievable_counts(
    delivery: list[MeterInterval], shuffled: object
) -> None:
    found = check(delivery, METER, LATER, KNOWN)
    other = list(delivery)
    shuffled.shuffle(other)  # type: ignore[attr-defined]
    assert repr(check(other, METER, LATER, KNOWN)) == repr(found)
    assert [one.start for one in found.kept] == sorted({one.start for one in delivery})
    for one in found.kept:
        assert not one.counts or 0 <= (one.energy_wh or 0.0) <= 27_500
        assert one.counts or one.reason or not one.quality.usable
