"""A site's meters added up, what is remarked of their data, and issues that nobody dated."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import nan
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.reading import Quality
from contracts.time import Interval
from gateway.domain.metering.gaps import intervals_of_day
from gateway.domain.metering.interval import Meter, MeterInterval, Register
from gateway.domain.metering.issuing import Told, issued
from gateway.domain.metering.remarks import Known, Remarkable, remarks
from gateway.domain.metering.site_meter import SiteMeter, load_of
from gateway.domain.metering.stamps import instant

T0 = datetime(2026, 3, 4, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
HOUR = Interval.lasting(T0, 4 * QUARTER)
BRUSSELS = ZoneInfo("Europe/Brussels")
IN = SiteMeter(name="in")
OUT = SiteMeter(name="out", rules=Meter(register=Register.EXPORT))


def told(n: int, energy_wh: float | None, quality: Quality = Quality.GOOD) -> MeterInterval:
    return MeterInterval(
        start=T0 + n * QUARTER, length=QUARTER, energy_wh=energy_wh, quality=quality, issued_at=T0
    )


def test_energy_becomes_mean_power_and_exports_are_taken_off() -> None:
    load = load_of((IN, OUT), {"in": [told(0, 250.0), told(1, 0.0)], "out": [told(0, 50.0)]})
    assert [(step.interval.start, step.value) for step in load] == [(T0, 800.0)]


@pytest.mark.parametrize(
    "gone",
    [told(0, None, Quality.OFFLINE), told(0, 5.0, Quality.INVALID), told(0, None)],
)
def test_a_part_is_never_taken_for_the_whole(gone: MeterInterval) -> None:
    intervals = {"in": [told(0, 250.0), told(1, 250.0)], "out": [gone, told(1, 0.0)]}
    assert [step.interval.start for step in load_of((IN, OUT), intervals)] == [T0 + QUARTER]
    assert len(load_of((), {})) == 0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.randoms())
def test_the_order_of_intervals_changes_no_load_and_its_integral_is_the_energy(
    energies: list[float], chance: Random
) -> None:
    rows = [told(n, wh) for n, wh in enumerate(energies)]
    net = SiteMeter(name="in", rules=Meter(register=Register.NET))
    load = load_of((net,), {"in": rows})
    assert load == load_of((net,), {"in": chance.sample(rows, len(rows))})
    window = Interval.lasting(T0, len(rows) * QUARTER)
    assert load.integral_h(window) == pytest.approx(sum(energies), abs=1e-6)


def known(rows: Sequence[MeterInterval], version: int = 1) -> dict[datetime, Known]:
    return {one.start: Known(told=one, version=version) for one in rows}


def test_each_kind_of_remark_with_its_reason_and_neighbours_alike_joined() -> None:
    rows = [
        told(0, 1.0, Quality.ESTIMATED),
        told(1, 1.0, Quality.ESTIMATED),
        replace(told(2, None), quality=Quality.INVALID, reason="not a number"),
    ]
    found = list(remarks(known(rows), HOUR, QUARTER))
    assert [(one.what.value, one.intervals, one.reason) for one in found] == [
        ("estimated", 2, "its source says so"),
        ("not valid", 1, "not a number"),
        ("missing", 1, "nothing was delivered"),
    ]
    assert [one.what.counts for one in found] == [True, False, False]
    assert found[0].window == Interval.lasting(T0, 2 * QUARTER)


@pytest.mark.parametrize(
    ("row", "version", "what"),
    [
        (told(0, 1.0), 1, None),
        (told(0, 1.0), 2, Remarkable.CORRECTED),
        (replace(told(0, 1.0), reason="a jump: before at most 0.01 Wh"), 2, Remarkable.NOTED),
    ],
)
def test_what_counts_is_remarked_when_it_is_odd_or_was_corrected(
    row: MeterInterval, version: int, what: Remarkable | None
) -> None:
    window = Interval.lasting(T0, QUARTER)
    found = list(remarks(known([row], version), window, QUARTER))
    assert [one.what for one in found] == ([what] if what else [])


def test_a_window_between_meter_intervals_looks_at_all_it_touches() -> None:
    window = Interval.lasting(T0 + timedelta(minutes=10), timedelta(minutes=10))
    (found,) = remarks({}, window, QUARTER)
    assert (found.window, found.intervals) == (Interval.lasting(T0, 2 * QUARTER), 2)


@pytest.mark.parametrize(
    ("day", "quarters"),
    [(date(2026, 3, 29), 92), (date(2026, 10, 25), 100), (date(2026, 6, 1), 96)],
)
def test_of_a_day_of_a_clock_change_every_interval_is_looked_at(day: date, quarters: int) -> None:
    pieces = intervals_of_day(day, BRUSSELS, QUARTER)
    whole = Interval(start=pieces[0].start, end=pieces[-1].end)
    (found,) = remarks({}, whole, QUARTER)
    assert (found.window, found.intervals) == (whole, quarters)


@pytest.mark.parametrize(
    ("before", "now", "same"),
    [
        (told(0, 5.0), told(0, 5.0), True),
        (told(0, None, Quality.INVALID), told(0, nan), True),
        (told(0, -5.0, Quality.INVALID), told(0, -5.0), True),
        (told(0, 5.0), told(0, 6.0), False),
        (told(0, 5.0, Quality.ESTIMATED), told(0, 5.0), False),
        (None, told(0, 5.0), False),
    ],
)
def test_an_undated_value_that_is_known_is_the_same_issue_and_another_is_a_new_one(
    before: MeterInterval | None, now: MeterInterval, *, same: bool
) -> None:
    arrived = T0 + timedelta(days=1)
    late = Told(interval=replace(now, issued_at=arrived), dated=False)
    (found,) = issued([late], {before.start: before} if before else {})
    assert found.issued_at == (T0 if same else arrived)
    (dated,) = issued([replace(late, dated=True)], {before.start: before} if before else {})
    assert dated.issued_at == arrived


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)))  # noqa: DTZ001 (on a wall)
def test_a_time_on_the_wall_is_one_instant_or_refused(wall: datetime) -> None:
    folds = {wall.replace(tzinfo=BRUSSELS, fold=fold).astimezone(UTC) for fold in (0, 1)}
    if len(folds) > 1:
        with pytest.raises(ValueError, match=r"happens twice|does not exist"):
            instant(wall.isoformat(), BRUSSELS)
        return
    found = instant(wall.isoformat(), BRUSSELS)
    assert found.astimezone(BRUSSELS).replace(tzinfo=None) == wall
    assert instant(found.astimezone(BRUSSELS).isoformat(), ZoneInfo("UTC")) == found
