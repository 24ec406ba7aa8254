"""What revenue meters counted: in versions, as known at any time, with its gaps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from math import nan
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.reading import Quality
from contracts.time import Interval
from gateway.domain.metering.gaps import intervals_of_day
from gateway.domain.metering.interval import Meter, MeterInterval
from gateway.ports import Delivered, Ledger, MeterStore, StoredInterval
from gateway.store.database import Database
from gateway.store.metering import SqlMeters
from support.gateway_store import HOUR, MINUTE, T0

QUARTER = 15 * MINUTE
METER = Meter(length=QUARTER, limit_w=100e3)
WINDOW = Interval.lasting(T0, HOUR)


@pytest.fixture
def meters(database: Database) -> MeterStore:
    return SqlMeters(database)


def told(number: int, energy_wh: float | None, issued: timedelta = HOUR) -> MeterInterval:
    start = T0 + number * QUARTER
    return MeterInterval(start=start, length=QUARTER, energy_wh=energy_wh, issued_at=T0 + issued)


def energies(found: Sequence[StoredInterval]) -> list[float | None]:
    return [one.told.energy_wh for one in found]


async def deliver(
    meters: MeterStore, intervals: Sequence[MeterInterval], at: timedelta = HOUR
) -> Delivered:
    return await meters.deliver("depot-1", "grid", METER, intervals, T0 + at)


@pytest.mark.row("mv:M1")
async def test_a_delivery_sent_again_stores_nothing(meters: MeterStore) -> None:
    delivery = [told(0, 1.0), told(1, 2.0), told(2, nan), told(3, -4.0)]
    first = await deliver(meters, delivery)
    assert (first.stored, first.known, first.flagged) == (4, 0, 2)
    for again in (delivery, delivery[::-1], [*delivery, *delivery]):
        found = await deliver(meters, again, 2 * HOUR)
        assert (found.stored, found.known, found.flagged, found.refused) == (0, 4, 0, ())
    kept = await meters.intervals("depot-1", "grid", WINDOW)
    assert energies(kept) == [1.0, 2.0, None, -4.0]
    assert [one.told.counts for one in kept] == [True, True, False, False]
    assert {one.version for one in kept} == {1}
    assert await meters.intervals("depot-2", "grid", WINDOW) == []
    assert await meters.intervals("depot-1", "other", WINDOW) == []


@pytest.mark.row("mv:M1")
async def test_a_correction_is_a_version_and_the_past_stays_readable(meters: MeterStore) -> None:
    await deliver(meters, [told(0, 1.0), told(1, 2.0)], HOUR)
    await deliver(meters, [told(1, 2.5, 2 * HOUR)], 2 * HOUR)

    async def known(at: timedelta | None) -> list[float | None]:
        instant = None if at is None else T0 + at
        return energies(await meters.intervals("depot-1", "grid", WINDOW, instant))

    assert await known(None) == [1.0, 2.5]
    assert await known(2 * HOUR) == [1.0, 2.5]
    assert await known(2 * HOUR - MINUTE) == [1.0, 2.0]
    assert await known(MINUTE) == []
    versions = await meters.versions("depot-1", "grid", T0 + QUARTER)
    assert [(one.version, one.told.energy_wh) for one in versions] == [(1, 2.0), (2, 2.5)]
    assert [one.received_at for one in versions] == [T0 + HOUR, T0 + 2 * HOUR]


async def test_whichever_version_arrives_last_the_one_issued_last_counts(
    meters: MeterStore,
) -> None:
    """Also where it repeats the first: then it takes back what was issued between."""
    issued = [told(0, 5.0, HOUR), told(0, 7.0, 2 * HOUR), told(0, 5.0, 3 * HOUR)]
    for name, order in enumerate(permutations(issued)):
        for hours, one in enumerate(order, start=4):
            await meters.deliver("depot-1", f"m{name}", METER, [one], T0 + hours * HOUR)
        (kept,) = await meters.intervals("depot-1", f"m{name}", WINDOW)
        assert (kept.told.energy_wh, kept.told.issued_at) == (5.0, T0 + 3 * HOUR)
        versions = await meters.versions("depot-1", f"m{name}", T0)
        assert [one.version for one in versions] == [1, 2, 3]


async def test_what_is_refused_or_flagged_is_written_down(
    meters: MeterStore, ledger: Ledger
) -> None:
    late = MeterInterval(start=T0 + 2 * HOUR, length=QUARTER, energy_wh=1.0, issued_at=T0)
    found = await deliver(meters, [late, told(0, -1.0), told(1, -2.0), told(2, 1e6)])
    assert [one.start for one in found.refused] == [T0 + 2 * HOUR]
    journal = {entry.action: entry.cause for entry in await ledger.journal("depot-1")}
    assert journal == {
        "meter data refused": "meter grid, 1 intervals: 1 times: ends 1:15:00 after it arrived: "
        "a wrong clock",
        "meter data flagged": "meter grid, 3 intervals: 2 times: negative on a register of import; "
        "1 times: more than the connection carries (27500 Wh); in another unit?",
    }
    assert await deliver(meters, []) == Delivered(stored=0, known=0, flagged=0, refused=())


async def test_gaps_are_what_has_no_value_that_counts(meters: MeterStore) -> None:
    await deliver(meters, [told(0, 1.0), told(1, nan), told(3, 1.0)])
    assert await meters.missing("depot-1", "grid", METER, WINDOW) == [
        Interval.lasting(T0 + QUARTER, 2 * QUARTER)
    ]
    assert await meters.missing("depot-9", "grid", METER, WINDOW) == [WINDOW]


@pytest.mark.parametrize(
    ("day", "quarters"),
    [(date(2026, 3, 29), 92), (date(2026, 3, 30), 96), (date(2026, 10, 25), 100)],
)
async def test_a_day_of_a_clock_change_is_whole(
    meters: MeterStore, day: date, quarters: int
) -> None:
    pieces = intervals_of_day(day, ZoneInfo("Europe/Berlin"), QUARTER)
    end = pieces[-1].end or T0
    delivery = [
        MeterInterval(start=one.start, length=QUARTER, energy_wh=float(n), issued_at=end)
        for n, one in enumerate(pieces)
    ]
    done = await meters.deliver("depot-1", "grid", METER, delivery, end)
    whole = Interval(start=pieces[0].start, end=end)
    assert (done.stored, done.refused) == (quarters, ())
    assert energies(await meters.intervals("depot-1", "grid", whole)) == list(range(quarters))
    assert await meters.missing("depot-1", "grid", METER, whole) == []


_DELIVERY = st.lists(
    st.builds(told, st.integers(0, 3), st.floats(0, 2e4)),
    max_size=4,
    unique_by=lambda one: one.start,
)


@settings(max_examples=25)
@given(st.lists(_DELIVERY, min_size=1, max_size=4), st.randoms(use_true_random=False))
async def test_what_counts_in_the_end_does_not_depend_on_the_order_of_arrival(
    deliveries: list[list[MeterInterval]], shuffled: object
) -> None:
    issued = [
        [
            MeterInterval(
                start=one.start,
                length=one.length,
                energy_wh=one.energy_wh,
                issued_at=datetime(2026, 3, 5, tzinfo=UTC) + number * HOUR,
            )
            for one in delivery
        ]
        for number, delivery in enumerate(deliveries)
    ]
    other = [*issued, *issued]
    shuffled.shuffle(other)  # type: ignore[attr-defined]
    found = []
    for order in (issued, other):
        database = Database.in_memory()
        meters = SqlMeters(database)
        for number, delivery in enumerate(order):
            await deliver(meters, delivery, (30 + number) * HOUR)
        kept = await meters.intervals("depot-1", "grid", WINDOW)
        found.append([(one.told.start, one.told.energy_wh, one.told.quality) for one in kept])
        database.close()
    assert found[0] == found[1]
    assert all(quality is Quality.GOOD for _, _, quality in found[0])


async def test_a_delivery_that_says_something_new_is_open_until_it_is_settled(
    meters: MeterStore,
) -> None:
    await deliver(meters, [told(0, 1.0), told(1, -1.0), told(3, 2.0)])
    await deliver(meters, [told(0, 1.0)], 2 * HOUR)  # nothing new
    await deliver(meters, [told(1, 5.0, 2 * HOUR)], 3 * HOUR)
    first, second = await meters.unsettled()
    assert (first.window, first.stored) == (WINDOW, 3)
    assert second.window == Interval.lasting(T0 + QUARTER, QUARTER)
    assert (second.received_at, second.meter) == (T0 + 3 * HOUR, "grid")
    await meters.settled([first.number], T0 + 4 * HOUR)
    assert await meters.unsettled() == [second]


async def test_what_is_stored_with_a_flag_is_told_with_its_reason(meters: MeterStore) -> None:
    found = await deliver(meters, [told(0, 1.0), told(1, -1.0), told(2, nan)])
    assert [(one.start, one.quality.value, one.reason) for one in found.noted] == [
        (T0 + QUARTER, "invalid", "negative on a register of import"),
        (T0 + 2 * QUARTER, "invalid", "not a number"),
    ]
