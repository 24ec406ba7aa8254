"""The cloud's profiles as a limit at an instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ProtocolError
from site_agent.devices.ocpp.limits.profiles import RateUnit
from site_agent.devices.ocpp.proxy.composite import Allowed, composite
from site_agent.devices.ocpp.proxy.reading import read
from site_agent.devices.ocpp.proxy.schedules import CloudProfile, Outlet, ceiling_a, steps

pytestmark = pytest.mark.row("safety:S7")

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BEGAN = NOW - timedelta(hours=1)
OUTLET = Outlet(evse=1, phases=3, voltage_v=230.0, transaction="t1", began=BEGAN)


def profile(
    *periods: tuple[int, float],
    purpose: str = "TxDefaultProfile",
    kind: str = "Absolute",
    unit: str = "A",
    evse: int = 1,
    transaction: str | None = None,
    start: datetime | None = None,
    duration: int | None = None,
    **more: Any,
) -> CloudProfile:
    schedule: dict[str, Any] = {
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [{"startPeriod": at, "limit": limit} for at, limit in periods],
    }
    if start is not None:
        schedule["startSchedule"] = start.isoformat()
    if duration is not None:
        schedule["duration"] = duration
    wire: dict[str, Any] = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": schedule,
    }
    return read(evse, wire | more, transaction)


def at(*profiles: CloudProfile, now: datetime = NOW, outlet: Outlet = OUTLET) -> float | None:
    return ceiling_a(profiles, outlet, now)


def test_nothing_kept_limits_nothing() -> None:
    assert at() is None


def test_periods_of_an_absolute_schedule() -> None:
    held = profile((0, 16), (3600, 10), (7200, 0), start=NOW)
    assert at(held, now=NOW - timedelta(seconds=1)) is None
    assert at(held) == 16
    assert at(held, now=NOW + timedelta(seconds=3600)) == 10
    assert at(held, now=NOW + timedelta(days=3)) == 0


def test_a_relative_schedule_begins_with_the_transaction() -> None:
    held = profile((0, 16), (3600, 10), kind="Relative", start=NOW)
    assert at(held) == 10  # it has run for an hour
    idle = Outlet(evse=1, phases=3, voltage_v=230.0)
    assert at(held, outlet=idle) == 16  # one that began now


def test_after_its_duration_a_lower_level_counts() -> None:
    above = profile((0, 8), start=NOW, duration=600, stackLevel=2)
    below = profile((0, 20), start=NOW, stackLevel=1)
    assert at(above, below) == 8
    assert at(above, below, now=NOW + timedelta(seconds=600)) == 20


def test_the_highest_level_counts_even_when_it_allows_more() -> None:
    assert at(profile((0, 8), start=NOW), profile((0, 20), start=NOW, stackLevel=1)) == 20


def test_a_transaction_profile_replaces_the_default_even_upwards() -> None:
    default = profile((0, 8), start=NOW)
    own = profile((0, 12), purpose="TxProfile", transaction="t1", start=NOW)
    other = profile((0, 30), purpose="TxProfile", transaction="t0", start=NOW, stackLevel=9)
    assert at(default, own, other) == 12
    assert at(default, other) == 8


def test_the_station_maximum_is_an_upper_bound_and_shared_out() -> None:
    most = profile((0, 24), purpose="ChargePointMaxProfile", evse=0, start=NOW)
    assert at(most, profile((0, 30), start=NOW)) == 24
    assert at(most, profile((0, 10), start=NOW)) == 10
    two = Outlet(evse=1, phases=3, voltage_v=230.0, sharing=2)
    assert at(most, outlet=two) == 12


def test_watts_are_spread_over_the_phases_of_the_evse() -> None:
    held = profile((0, 6900), unit="W", start=NOW)
    assert at(held) == pytest.approx(10)
    one = Outlet(evse=1, phases=1, voltage_v=230.0)
    assert at(held, outlet=one) == pytest.approx(30)


def test_validity() -> None:
    later: dict[str, Any] = {"validFrom": (NOW + timedelta(hours=1)).isoformat()}
    over: dict[str, Any] = {"validTo": NOW.isoformat()}
    assert at(profile((0, 8), start=BEGAN, **later)) is None
    assert at(profile((0, 8), start=BEGAN, **over)) is None


@pytest.mark.parametrize(("kind", "days"), [("Daily", 1), ("Weekly", 7)])
def test_recurring(kind: str, days: int) -> None:
    held = profile(
        (0, 10), (3600, 16), kind="Recurring", recurrencyKind=kind, start=NOW, duration=7200
    )
    for round_ in (0, 1, 5):
        begins = NOW + timedelta(days=days * round_)
        assert at(held, now=begins) == 10
        assert at(held, now=begins + timedelta(seconds=3600)) == 16
        assert at(held, now=begins + timedelta(seconds=7200)) is None
    assert at(held, now=NOW - timedelta(days=days)) is None


BAD: list[dict[str, Any]] = [
    {"chargingProfilePurpose": "ChargingStationExternalConstraints"},
    {"chargingProfilePurpose": "PriorityCharging"},
    {"chargingProfileKind": "Dynamic"},
    {"chargingProfileKind": "Recurring", "recurrencyKind": "Monthly"},
    {"chargingProfilePurpose": "ChargePointMaxProfile"},  # for EVSE 1
    {"chargingSchedule": []},
    {"chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": []}},
    {"chargingSchedule": {"chargingRateUnit": "V", "chargingSchedulePeriod": [
        {"startPeriod": 0, "limit": 1}]}},
    {"chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [
        {"startPeriod": 5, "limit": 1}]}},
    {"chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [
        {"startPeriod": 0, "limit": -1}]}},
    {"chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [
        {"startPeriod": 0, "limit": 1e300}]}},
    {"chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [
        {"startPeriod": 0, "limit": float("nan")}]}},
    {"chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [
        {"startPeriod": 0}]}},
    {"chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [
        {"startPeriod": n, "limit": 1} for n in range(301)]}},
    {"chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [
        {"startPeriod": 0, "limit": 1}, {"startPeriod": 0, "limit": 2}]}},
    {"validFrom": "yesterday"},
    {"stackLevel": "high"},
]  # fmt: skip


@pytest.mark.parametrize("change", BAD)
def test_what_cannot_be_an_upper_bound_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        profile((0, 16), start=NOW, **change)


# --- the composite schedule ---------------------------------------------------------------------

_limits = st.floats(0, 40).map(lambda a: round(a, 1))
_periods = st.lists(
    st.tuples(st.integers(0, 5000), _limits), min_size=1, max_size=5, unique_by=lambda p: p[0]
).map(lambda found: [(0 if n == 0 else at, a) for n, (at, a) in enumerate(sorted(found))])


@st.composite
def _profiles(draw: st.DrawFn) -> CloudProfile:
    kind = draw(st.sampled_from(["Absolute", "Relative", "Recurring"]))
    return profile(
        *draw(_periods),
        kind=kind,
        start=NOW + timedelta(seconds=draw(st.integers(-4000, 4000))),
        duration=draw(st.one_of(st.none(), st.integers(1, 6000))),
        stackLevel=draw(st.integers(0, 3)),
        recurrencyKind="Daily",
    )


@given(st.lists(_profiles(), max_size=4), _limits, st.integers(0, 3599))
def test_the_composite_is_the_lower_limit_at_every_second(
    held: list[CloudProfile], ours_a: float, second: int
) -> None:
    found = composite(
        held,
        [Allowed(outlet=OUTLET, ours_a=ours_a)],
        start=NOW,
        duration_s=3600,
        unit=RateUnit.AMPERE,
    )
    begins = max(start for start in found.periods if start <= second)
    theirs_a = at(*held, now=NOW + timedelta(seconds=second))
    expected = ours_a if theirs_a is None else min(ours_a, theirs_a)
    assert found.periods[begins] == pytest.approx(expected, abs=0.1001)
    assert found.periods[begins] <= expected + 1e-9


def test_a_composite_of_many_repetitions_is_bounded() -> None:
    many = profile(
        *((n, 1 + n % 2) for n in range(300)),
        kind="Recurring", recurrencyKind="Daily", start=NOW,
    )  # fmt: skip
    assert len(steps([many] * 30, [OUTLET], NOW, 7 * 86_400)) <= 500
