from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.reading import Quality
from site_agent.devices.ocpp.evse.clock_offset import ClockOffset
from site_agent.devices.ocpp.evse.meter import Meter
from site_agent.devices.ocpp.versions.samples import Sample
from site_agent.domain.device import ChargerSpec

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def meter() -> Meter:
    return Meter(ChargerSpec(evse_id="evse-1", node="pcc"), interval_s=10)


def take(held: Meter, seconds: float, **values: Any) -> bool:
    return held.take(Sample(at=at(seconds), **values), at(seconds))


def test_power_as_measured_and_how_it_ages() -> None:
    held = meter()
    take(held, 0, power_w=7000.0)
    qualities = [held.power_w(at(s)).quality for s in (0, 25, 26, 120, 121)]
    good, stale, offline = Quality.GOOD, Quality.STALE, Quality.OFFLINE
    assert qualities == [good, good, stale, stale, offline]
    assert held.power_w(at(121)).value is None


def test_power_from_the_slope_of_the_register_when_it_is_missing() -> None:
    held = meter()
    for index in range(5):
        take(held, 10.0 * index, register_wh=1000 + 20.0 * index)
    power = held.power_w(at(40))
    assert power.value == pytest.approx(7200)
    assert (power.quality, power.at) == (Quality.ESTIMATED, at(40))


def test_the_slope_spans_half_a_minute_so_that_coarse_registers_do_not_jump() -> None:
    held = meter()
    registers = [1000, 1000, 1050, 1050, 1100, 1100]  # 9 kW seen in steps of 50 Wh
    powers = []
    for index, register in enumerate(registers):
        take(held, 10.0 * index, register_wh=float(register))
        powers.append(held.power_w(at(10.0 * index)).value)
    assert powers[3:] == [pytest.approx(6000), pytest.approx(12000), pytest.approx(6000)]


def test_sparse_registers_still_have_a_slope() -> None:
    held = meter()
    for index in range(3):
        take(held, 300.0 * index, register_wh=500.0 * index)
    assert held.power_w(at(600)).value == pytest.approx(6000)


def test_a_register_that_starts_anew_has_no_slope_across_the_jump() -> None:
    held = meter()
    take(held, 0, register_wh=5000.0)
    take(held, 10, register_wh=0.0)
    assert held.power_w(at(10)).value is None
    assert held.energy_wh(4000, at(10)).quality is Quality.INVALID


def test_power_that_reads_zero_while_energy_climbs_is_not_believed() -> None:
    held = meter()
    for index in range(4):
        take(held, 10.0 * index, power_w=0.0, register_wh=20.0 * index)
    assert held.mismatch
    power = held.power_w(at(30))
    assert power.value == pytest.approx(7200)
    assert power.quality is Quality.ESTIMATED


def test_a_pause_after_charging_is_believed_at_once() -> None:
    held = meter()
    for index in range(4):
        take(held, 10.0 * index, power_w=9000.0, register_wh=25.0 * index)
    take(held, 35, power_w=0.0, register_wh=80.0)
    take(held, 40, power_w=0.0, register_wh=80.0)
    assert not held.mismatch
    assert held.power_w(at(40)).value == 0.0
    take(held, 50, power_w=0.0, register_wh=105.0)
    assert held.mismatch


def test_an_idle_zero_is_believed() -> None:
    held = meter()
    for index in range(4):
        take(held, 10.0 * index, power_w=0.0, register_wh=500.0)
    assert not held.mismatch
    assert held.power_w(at(30)).value == 0.0
    assert held.power_w(at(30)).quality is Quality.GOOD


def test_implausible_values_are_invalid() -> None:
    held = meter()
    take(held, 0, power_w=1e9, current_a=4000.0)
    assert held.power_w(at(0)).quality is Quality.INVALID
    assert held.current_a(at(0)).value is None


def test_energy_since_the_start_outlives_a_missed_sample() -> None:
    held = meter()
    take(held, 0, register_wh=1500.0)
    assert held.energy_wh(1000, at(200)).value == 500
    assert held.energy_wh(1000, at(400)).quality is Quality.STALE
    assert held.energy_wh(None, at(0)).value is None


def test_older_and_late_samples_are_no_news() -> None:
    held = meter()
    assert take(held, 100, power_w=7000.0)
    assert not held.take(Sample(at=at(90), power_w=1.0), at(101))
    assert not held.take(Sample(at=at(-3600), power_w=1.0), at(102))
    assert held.power_w(at(102)).value == 7000


def test_a_transactions_end_makes_its_samples_worthless() -> None:
    held = meter()
    take(held, 0, power_w=7000.0, current_a=10.0)
    held.rest(at(5))
    assert not held.take(Sample(at=at(4), power_w=7000.0), at(6))
    assert held.power_w(at(6)).value is None
    assert take(held, 7, power_w=0.0)


def test_a_wrong_clock_is_learnt() -> None:
    clock = ClockOffset()
    behind = timedelta(hours=1)
    seen = [clock.to_ours(at(s) - behind, at(s)) for s in (0, 10, 20, 30)]
    assert seen[0] is None
    assert seen[-1] == at(30)
    assert clock.to_theirs(at(30)) == at(30) - behind
    assert clock.to_ours(at(40) - behind, at(41)) == at(40)


def test_a_corrected_clock_is_learnt_again() -> None:
    clock = ClockOffset()
    for second in range(0, 40, 10):
        clock.to_ours(at(second) - timedelta(hours=1), at(second))
    seen = [clock.to_ours(at(s), at(s)) for s in (100, 110, 120, 130)]
    assert seen[0] is None
    assert seen[-1] == at(130)


def test_replays_are_not_taken_for_a_wrong_clock() -> None:
    """Sampled every 10 s during five minutes without a link, told with growing gaps."""
    clock = ClockOffset()
    received = 330.0
    for index in range(30):
        assert clock.to_ours(at(10.0 * index), at(received)) is None or index > 25
        received += 0.4 + index * 0.2
    assert clock.behind == timedelta(0)


def test_a_clock_ahead_never_dates_a_sample_into_the_future() -> None:
    assert ClockOffset().to_ours(at(20), at(0)) == at(0)


def test_a_flood_of_samples_is_not_remembered_whole_and_the_slope_stays() -> None:
    held = meter()
    for tenth in range(600):
        assert take(held, tenth / 10, register_wh=tenth * 0.2)  # 7200 W
    assert held.power_w(at(60)).value == pytest.approx(7200, rel=0.05)
    assert len(held._register) < 40
