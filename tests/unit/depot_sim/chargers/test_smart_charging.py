"""Limits kept between the edges of schedules are the limits worked out anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot_sim.chargers import profiles as smart
from depot_sim.chargers.events import Transaction
from depot_sim.chargers.outlet import Outlet
from depot_sim.chargers.personality import Personality
from depot_sim.chargers.profiles import ChargingProfile, Period, Purpose, RateUnit, Recurrency
from depot_sim.chargers.rules import Rules
from depot_sim.chargers.smart_charging import SmartCharging
from depot_sim.physics.evse import Evse

RULES = Rules(own_transaction_ids=False, tx_id_required=False, refuses_duplicates=False)
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
seconds = st.integers(-200, 200)
instants = st.none() | seconds.map(lambda s: NOON + timedelta(seconds=s))
schedules = st.lists(
    st.tuples(st.integers(1, 120), st.floats(0, 40), st.sampled_from([None, 1, 3])), max_size=5
).map(
    lambda rows: (
        Period(start_s=0, limit=16),
        *(Period(start_s=s, limit=a, phases=p) for s, a, p in sorted(rows, key=lambda r: r[0])),
    )
)
profiles = st.builds(
    ChargingProfile,
    id=st.integers(1, 3),
    evse_id=st.integers(0, 1),
    stack_level=st.integers(0, 2),
    purpose=st.sampled_from([Purpose.STATION_MAX, Purpose.TX_DEFAULT, Purpose.TX]),
    unit=st.sampled_from(RateUnit),
    periods=schedules,
    received_at=st.just(NOON),
    start=instants,
    duration_s=st.none() | st.integers(1, 200),
    recurrency=st.none() | st.sampled_from(Recurrency),
    valid_from=instants,
    valid_to=instants,
    transaction_id=st.none() | st.just("7"),
)
moves = st.lists(st.tuples(st.integers(-20, 90), st.none() | profiles), max_size=25)


def outlet() -> Outlet:
    running = Transaction(evse_id=1, id_tag="t", started_at=NOON, start_wh=0.0, ref="7")
    return Outlet(id=1, evse=Evse(rated_a=32), transaction=running)


@given(moves=moves, plugged=st.booleans())
def test_a_kept_limit_is_the_limit(
    moves: list[tuple[int, ChargingProfile | None]], plugged: bool
) -> None:
    charging, place, now = SmartCharging(Personality(), RULES), outlet(), NOON
    if not plugged:
        place.transaction = None
    for ahead_s, profile in moves:
        now += timedelta(seconds=ahead_s)
        if profile is not None:
            charging.set(profile, {1: place}, now)  # refused or not
        fresh = smart.limit_at(charging.accepted, place.situation(1), now)
        assert charging.limit(place, 1, now) == fresh


def test_a_limit_is_worked_out_once_between_two_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    worked_out = []
    original = smart.limit_until

    def counted(*args: object) -> object:
        worked_out.append(args)
        return original(*args)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(smart, "limit_until", counted)
    charging, place = SmartCharging(Personality(), RULES), outlet()
    refused = charging.set(
        ChargingProfile(
            id=1,
            evse_id=1,
            stack_level=0,
            purpose=Purpose.TX,
            unit=RateUnit.AMPERE,
            periods=(Period(start_s=0, limit=8), Period(start_s=30, limit=12)),
            received_at=NOON,
            start=NOON,
            duration_s=60,
        ),
        {1: place},
        NOON,
    )
    assert refused is None
    seen = [charging.limit(place, 1, NOON + timedelta(seconds=s / 5)) for s in range(500)]
    assert [seen[0].current_a, seen[200].current_a, seen[-1].current_a] == [8, 12, 32]
    assert len(worked_out) == 3
