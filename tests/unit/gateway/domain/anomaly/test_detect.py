"""What each fault looks like, and that a quiet day looks like none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.reading import Quality
from contracts.time import Interval
from gateway.domain.accounts.grid import Numbers
from gateway.domain.accounts.session import ChargingSession
from gateway.domain.anomaly.chargers import Trouble, repeated_faults, without_energy
from gateway.domain.anomaly.detect import detect
from gateway.domain.anomaly.drift import DayRatio, drift
from gateway.domain.anomaly.finding import Code
from gateway.domain.anomaly.picture import Picture
from gateway.domain.anomaly.site import clock
from support.anomalies import CONTRACT_W, MINUTE, SLOTS, START, Fault, quiet_day, with_meter

pytestmark = pytest.mark.row("mv:M9")

SEEDS = range(12)


def codes(picture: Picture) -> set[Code]:
    return {one.code for one in detect(picture, (), ())}


def frozen(pcc: Numbers) -> Numbers:
    pcc[600:840] = pcc[600]
    return pcc


def leaping(pcc: Numbers) -> Numbers:
    pcc[700] += 1.5 * CONTRACT_W
    return pcc


def absent(pcc: Numbers) -> Numbers:
    pcc[300:420] = np.nan
    return pcc


# --- quiet days -----------------------------------------------------------------------------------


@given(
    seed=st.integers(0, 2**32 - 1),
    chargers=st.integers(0, 8),
    pv=st.booleans(),
    battery=st.booleans(),
)
def test_a_quiet_day_raises_nothing(seed: int, chargers: int, pv: bool, battery: bool) -> None:
    assert codes(quiet_day(seed, chargers=chargers, pv=pv, battery=battery)) == set()


def test_four_hundred_quiet_days_raise_nothing() -> None:
    """Labelled: all of them are sound, so whatever is found is a false alarm."""
    alarms = [seed for seed in range(400) if codes(quiet_day(seed))]
    assert alarms == []


# --- faults of the meter, one a day ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (frozen, Code.STUCK),
        (leaping, Code.SPIKE),
        (absent, Code.SILENT),
        (lambda pcc: -pcc, Code.SIGN),
        (lambda pcc: 10 * pcc, Code.TIMES_TEN),
        (lambda pcc: pcc / 10, Code.TENTH),
        (lambda pcc: pcc * 2 / 3, Code.PHASE),
        (lambda pcc: pcc / 3, Code.PHASE),
        (lambda pcc: pcc * 2, Code.SCALE),
        (lambda pcc: pcc * 1.35 + 6_000, Code.REGISTER),
        (lambda pcc: pcc - 60_000, Code.SUBMETERS),
    ],
)
def test_a_fault_is_found_on_every_day(fault: Fault, found: Code) -> None:
    missed = [seed for seed in SEEDS if found not in codes(with_meter(quiet_day(seed), fault))]
    assert missed == []


def test_a_finding_tells_what_when_and_what_to_do() -> None:
    day = with_meter(quiet_day(1), frozen)
    [one] = [found for found in detect(day, (), ()) if found.code is Code.STUCK]
    assert one.evidence == Interval.lasting(START + 600 * MINUTE, 240 * MINUTE)
    assert one.reason.startswith("the meter shows ")
    assert "for 4 h while devices moved by" in one.reason
    assert "leave this time out of any bill" in one.what_to_do


def test_a_meter_that_shows_the_same_while_nothing_moves_is_no_fault() -> None:
    day = quiet_day(1, chargers=0, pv=False, battery=False)
    flat = with_meter(day, frozen)
    assert Code.STUCK not in codes(flat)


def test_a_leap_that_devices_made_is_no_spike() -> None:
    day = quiet_day(1)
    leap = np.zeros(SLOTS)
    leap[700] = CONTRACT_W
    both = replace(day, pcc_w=day.pcc_w + leap, battery_w=day.battery_w + leap)
    assert Code.SPIKE not in codes(both)


def test_a_register_that_begins_anew_says_nothing() -> None:
    day = with_meter(quiet_day(1), lambda pcc: pcc * 2)
    register = day.register_wh.copy()
    register[900:] -= register[900]
    assert Code.REGISTER not in codes(replace(day, register_wh=register))


# --- drift, clock ---------------------------------------------------------------------------------


def days(*ratios: float) -> list[DayRatio]:
    day = timedelta(days=1)
    return [
        DayRatio(day=Interval.lasting(START + i * day, day), ratio=one)
        for i, one in enumerate(ratios)
    ]


@pytest.mark.parametrize(
    ("ratios", "drifts"),
    [
        ((1.0, 1.02, 1.04, 1.06, 1.08, 1.10), True),
        ((1.0, 0.98, 0.96, 0.95, 0.93), True),
        ((1.0, 1.02, 1.04, 1.06), False),  # too few days
        ((1.0, 1.001, 1.002, 1.003, 1.004, 1.005), False),  # steady enough
        ((1.0, 1.05, 0.96, 1.04, 0.99, 1.03), False),  # to and fro
        ((1.1, 1.1, 1.1, 1.1, 1.1), False),  # off, not drifting
        ((1.0, 1.0, 1.4, 1.0, 1.0, 1.0), False),  # one odd day
    ],
)
def test_drift(ratios: Sequence[float], drifts: bool) -> None:
    assert bool(list(drift(days(*ratios)))) is drifts


@pytest.mark.parametrize(
    ("seconds", "words"), [(30, None), (-30, None), (90, "1 min 30 s ahead"), (-7200, "2 h behind")]
)
def test_clock(seconds: int, words: str | None) -> None:
    heard = Interval.lasting(START, MINUTE)
    found = [one.reason for one in clock(timedelta(seconds=seconds), heard)]
    assert (not found) if words is None else (words in found[0])


# --- chargers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("drawn_w", "slots", "ignored"),
    [
        (11_000.0, 30, True),
        (11_000.0, 4, False),  # not long enough
        (6_400.0, 30, False),  # within what is allowed
    ],
)
def test_a_charger_that_never_takes_its_limit(drawn_w: float, slots: int, ignored: bool) -> None:
    day = quiet_day(1)
    limit, power = np.full(SLOTS, 22_000.0), np.zeros(SLOTS)
    limit[600 : 600 + slots + 1] = 6_000.0
    power[600 : 600 + slots + 1] = drawn_w
    there = replace(day, evse_w={"e9": power}, limit_w={"e9": limit})
    found = [one for one in detect(there, (), ()) if one.code is Code.LIMIT]
    assert [one.subject for one in found] == (["e9"] if ignored else [])


def session(
    day: int, wh: float | None, vehicle: str = "", minutes: int = 60, evse: str = "e1"
) -> ChargingSession:
    start = START + timedelta(days=day)
    return ChargingSession(
        session_id=f"s{day}",
        evse_id=evse,
        vehicle_id=vehicle,
        started_at=start,
        ended_at=start + minutes * MINUTE,
        register_wh=wh,
        quality=Quality.GOOD,
    )


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ([(0.0, ""), (0.0, ""), (20.0, "")], True),
        ([(0.0, "a"), (0.0, "b"), (0.0, "a")], True),
        ([(0.0, "a"), (0.0, "a"), (0.0, "a")], False),  # that vehicle is full
        ([(0.0, ""), (0.0, "")], False),  # too few
        ([(0.0, ""), (0.0, ""), (0.0, ""), (9e3, "")], False),  # it charges again
        ([(0.0, ""), (None, ""), (0.0, "")], False),  # one is not known
    ],
)
def test_sessions_without_energy(told: Sequence[tuple[float | None, str]], fault: bool) -> None:
    sessions = [session(i, wh, vehicle) for i, (wh, vehicle) in enumerate(told)]
    assert bool(list(without_energy(sessions))) is fault


def test_a_session_of_a_moment_does_not_count() -> None:
    sessions = [session(i, 0.0, minutes=2) for i in range(5)]
    assert list(without_energy(sessions)) == []


@pytest.mark.parametrize(
    ("code", "times", "found"),
    [
        ("charger-offline", 3, True),
        ("charger-offline", 2, False),
        ("limit-not-obeyed", 4, True),
        ("vehicle-late", 9, False),
    ],
)
def test_repeated_faults(code: str, times: int, found: bool) -> None:
    troubles = [Trouble(at=START + i * MINUTE, code=code, subject="e1") for i in range(times)]
    assert bool(list(repeated_faults(troubles))) is found
