"""Which limit is in force: the decision table of both OCPP versions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot_sim.chargers.profiles import (
    ChargingProfile,
    Period,
    Purpose,
    RateUnit,
    Recurrency,
    Selection,
    Situation,
    composite,
    install,
    limit_at,
)

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
IDLE = Situation(evse_id=1, phases=3, rated_a=32.0)
BUSY = replace(
    IDLE, in_transaction=True, transaction_id="tx", started_at=NOW - timedelta(seconds=600)
)


def profile(
    purpose: Purpose,
    limit: float,
    *,
    unit: str = "A",
    stack: int = 0,
    evse: int = 1,
    start_s: int | None = -60,
    duration_s: int | None = None,
    tx: str | None = None,
    phases: int | None = None,
) -> ChargingProfile:
    return ChargingProfile(
        id=hash((purpose, limit, stack, evse)),
        evse_id=evse,
        stack_level=stack,
        purpose=purpose,
        unit=RateUnit(unit),
        periods=(Period(start_s=0, limit=limit, phases=phases),),
        received_at=NOW - timedelta(seconds=60),
        start=None if start_s is None else NOW + timedelta(seconds=start_s),
        duration_s=duration_s,
        transaction_id=tx,
    )


DEFAULT, TX, MAX = Purpose.TX_DEFAULT, Purpose.TX, Purpose.STATION_MAX

TABLE = {
    "nothing set: the rating": (BUSY, [], 32),
    "default alone": (BUSY, [profile(DEFAULT, 8)], 8),
    "default for the whole station": (BUSY, [profile(DEFAULT, 8, evse=0)], 8),
    "default of another outlet": (BUSY, [profile(DEFAULT, 8, evse=2)], 32),
    "own default before the station's": (
        BUSY,
        [profile(DEFAULT, 8, evse=0), profile(DEFAULT, 10)],
        10,
    ),
    "transaction replaces default upwards": (BUSY, [profile(DEFAULT, 8), profile(TX, 12)], 12),
    "transaction replaces default downwards": (BUSY, [profile(DEFAULT, 8), profile(TX, 6)], 6),
    "transaction's profile without transaction": (
        IDLE,
        [profile(DEFAULT, 8), profile(TX, 12)],
        8,
    ),
    "another transaction's profile": (BUSY, [profile(DEFAULT, 8), profile(TX, 12, tx="old")], 8),
    "this transaction's profile": (BUSY, [profile(DEFAULT, 8), profile(TX, 12, tx="tx")], 12),
    "cap binds": (BUSY, [profile(TX, 10), profile(MAX, 8, evse=0)], 8),
    "cap does not raise": (BUSY, [profile(TX, 10), profile(MAX, 20, evse=0)], 10),
    "cap alone": (BUSY, [profile(MAX, 20, evse=0)], 20),
    "never above the rating": (BUSY, [profile(TX, 63)], 32),
    "higher stack wins": (BUSY, [profile(DEFAULT, 8, stack=1), profile(DEFAULT, 16)], 8),
    "higher stack wins upwards": (BUSY, [profile(DEFAULT, 16, stack=1), profile(DEFAULT, 8)], 16),
    "lease still running": (BUSY, [profile(DEFAULT, 8), profile(TX, 12, duration_s=61)], 12),
    "lease ends at its last second": (
        BUSY,
        [profile(DEFAULT, 8), profile(TX, 12, duration_s=60)],
        8,
    ),
    "expired higher stack leaves the lower": (
        BUSY,
        [profile(DEFAULT, 8), profile(DEFAULT, 20, stack=3, duration_s=30)],
        8,
    ),
    "not begun yet": (BUSY, [profile(DEFAULT, 8), profile(TX, 12, start_s=1)], 8),
    "begins now": (BUSY, [profile(DEFAULT, 8), profile(TX, 12, start_s=0)], 12),
    "relative to the transaction, over": (
        BUSY,
        [profile(TX, 12, start_s=None, duration_s=600)],
        32,
    ),
    "relative to the transaction, on": (BUSY, [profile(TX, 12, start_s=None, duration_s=601)], 12),
    "watts over three phases": (BUSY, [profile(TX, 6900, unit="W")], 10),
    "watts over one phase": (replace(BUSY, phases=1), [profile(TX, 2300, unit="W")], 10),
    "watts over the phases named": (BUSY, [profile(TX, 2300, unit="W", phases=1)], 10),
    "watts against ampere": (BUSY, [profile(TX, 10), profile(MAX, 5520, unit="W", evse=0)], 8),
    "cap shared by two": (replace(BUSY, sharing=2), [profile(MAX, 20, evse=0)], 10),
}


@pytest.mark.parametrize("case", TABLE.values(), ids=TABLE.keys())
def test_limit_in_force(case: tuple[Situation, list[ChargingProfile], float]) -> None:
    where, profiles, current_a = case
    assert limit_at(profiles, where, NOW).current_a == pytest.approx(current_a)
    assert limit_at(profiles[::-1], where, NOW).current_a == pytest.approx(current_a)


def test_number_of_phases_is_honoured() -> None:
    limit = limit_at([profile(TX, 10, phases=1)], BUSY, NOW)
    assert (limit.current_a, limit.phases, limit.power_w()) == (10, 1, 2300)


def test_validity_window_is_half_open() -> None:
    resting = replace(profile(DEFAULT, 8), valid_from=NOW, valid_to=NOW + timedelta(seconds=10))
    at = [NOW + timedelta(seconds=s) for s in (-1, 0, 9, 10)]
    assert [limit_at([resting], BUSY, t).current_a for t in at] == [32, 8, 8, 32]


def test_periods_follow_each_other() -> None:
    plan = replace(
        profile(TX, 0, start_s=0, duration_s=300),
        periods=(Period(start_s=0, limit=6), Period(start_s=100, limit=16)),
    )
    at = [NOW + timedelta(seconds=s) for s in (0, 99, 100, 299, 300)]
    assert [limit_at([plan], BUSY, t).current_a for t in at] == [6, 6, 16, 16, 32]


def test_a_daily_schedule_comes_back() -> None:
    night = replace(profile(DEFAULT, 8, start_s=0, duration_s=3600), recurrency=Recurrency.DAILY)
    at = [NOW + timedelta(hours=h) for h in (0.5, 2, 24.5, 26, 24 * 30 + 0.5)]
    assert [limit_at([night], BUSY, t).current_a for t in at] == [8, 32, 8, 32, 8]


def test_installing_replaces_its_id_and_its_place() -> None:
    first = profile(DEFAULT, 8)
    same_id = replace(first, periods=(Period(start_s=0, limit=9),), stack_level=2)
    same_place = replace(first, id=99, periods=(Period(start_s=0, limit=10),))
    assert install((first,), same_id) == (same_id,)
    assert install((first,), same_place) == (same_place,)
    other = profile(TX, 8)
    assert install((first,), other) == (first, other)


@pytest.mark.parametrize(
    ("selection", "selected"),
    [
        (Selection(), True),
        (Selection(purpose=TX), True),
        (Selection(purpose=TX, evse_id=1, stack_level=0), True),
        (Selection(purpose=DEFAULT), False),
        (Selection(id=123456), False),
        (Selection(evse_id=0), False),
        (Selection(purpose=TX, stack_level=1), False),
    ],
)
def test_selection(selection: Selection, selected: bool) -> None:
    assert (profile(TX, 8) in selection) is selected


limits = st.floats(0, 60)
profiles = st.lists(
    st.builds(
        profile,
        st.sampled_from(Purpose),
        limits,
        stack=st.integers(0, 3),
        evse=st.integers(0, 2),
        start_s=st.integers(-300, 300),
        duration_s=st.none() | st.integers(1, 300),
    ),
    max_size=8,
)


@given(installed=profiles, probe_s=st.integers(0, 599))
def test_the_composite_schedule_tells_the_truth(
    installed: list[ChargingProfile], probe_s: int
) -> None:
    steps = composite(installed, BUSY, NOW, timedelta(seconds=600))
    starts = [start_s for start_s, _ in steps]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    promised = [limit for start_s, limit in steps if start_s <= probe_s][-1]
    assert promised == limit_at(installed, BUSY, NOW + timedelta(seconds=probe_s))


@given(installed=profiles)
def test_no_profile_raises_the_rating_or_the_cap(installed: list[ChargingProfile]) -> None:
    cap = profile(MAX, 13, stack=9, evse=0)
    assert limit_at([*installed, cap], BUSY, NOW).current_a <= 13
    assert limit_at(installed, BUSY, NOW).current_a <= 32
