"""The pure parts of a battery's and an inverter's setpoints."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.devices.sunspec.codec import CapabilityMissingError
from site_agent.devices.sunspec.curtailment import percent_of
from site_agent.devices.sunspec.pv import excess_w
from site_agent.devices.sunspec.storage import Bounds, bank_bounds, rated_bounds
from site_agent.domain.device import BatterySpec

SPEC = BatterySpec(
    battery_id="b1", node="pcc", capacity_wh=200e3, max_charge_w=100e3, max_discharge_w=120e3
)


@pytest.mark.parametrize(
    ("setting", "rating", "expected"),
    [
        pytest.param((80e3, 90e3), (150e3, 150e3), (80e3, 90e3), id="its setting"),
        pytest.param((None, None), (95e3, 95e3), (95e3, 95e3), id="its rating"),
        pytest.param((500e3, None), (None, 500e3), (100e3, 120e3), id="ours is smaller"),
        pytest.param((0.0, None), (150e3, None), (0.0, 120e3), id="charging switched off"),
        pytest.param((None, None), (None, None), (100e3, 120e3), id="it says nothing"),
    ],
)
def test_a_battery_is_asked_for_no_more_than_it_allows(
    setting: tuple[float | None, float | None],
    rating: tuple[float | None, float | None],
    expected: tuple[float, float],
) -> None:
    capacity = {
        "WChaRteMax": setting[0],
        "WDisChaRteMax": setting[1],
        "WChaRteMaxRtg": rating[0],
        "WDisChaRteMaxRtg": rating[1],
    }
    spec = rated_bounds(capacity).within(SPEC)
    assert (spec.max_charge_w, spec.max_discharge_w) == expected


NO_LIMIT = float("inf")


@pytest.mark.parametrize(
    ("bank", "bounds"),
    [
        pytest.param({}, (NO_LIMIT, NO_LIMIT), id="no bank"),
        pytest.param({"WChaRteMax": 5e3, "WDisChaRteMax": 6e3}, (5e3, 6e3), id="rates"),
        pytest.param({"WChaRteMax": 0.0}, (NO_LIMIT, NO_LIMIT), id="a nameplate left empty"),
        pytest.param({"V": 800.0, "AChaMax": 10.0}, (8e3, NO_LIMIT), id="a current"),
        pytest.param(
            {"V": 800.0, "AChaMax": 10.0, "WChaRteMax": 5e3}, (5e3, NO_LIMIT), id="the least counts"
        ),
        pytest.param({"V": 800.0, "ADisChaMax": 0.0}, (NO_LIMIT, 0.0), id="empty"),
        pytest.param({"V": 800.0, "ADisChaMax": -20.0}, (NO_LIMIT, 16e3), id="a signed magnitude"),
        pytest.param({"V": None, "AChaMax": 10.0}, (NO_LIMIT, NO_LIMIT), id="no voltage"),
        pytest.param({"V": None, "AChaMax": 0.0}, (0.0, NO_LIMIT), id="no current, no voltage"),
        pytest.param({"State": 1.0}, (0.0, 0.0), id="disconnected"),
        pytest.param({"State": 2.0}, (0.0, 0.0), id="initializing"),
        pytest.param({"State": 3.0, "WChaRteMax": 5e3}, (5e3, NO_LIMIT), id="connected"),
    ],
)
def test_what_the_bank_allows_now(
    bank: dict[str, float | None], bounds: tuple[float, float]
) -> None:
    assert bank_bounds(bank) == Bounds(charge_w=bounds[0], discharge_w=bounds[1])


@pytest.mark.parametrize(
    ("limit_w", "base", "pct"),
    [
        (25_000.0, {"WMax": 50_000.0}, 50.0),
        (60_000.0, {"WMax": 50_000.0}, 100.0),
        (0.0, {"WMax": 50_000.0}, 0.0),
        (25_000.0, {"WMax": None, "WMaxRtg": 100_000.0}, 25.0),
    ],
)
def test_percent(limit_w: float, base: dict[str, float | None], pct: float) -> None:
    assert percent_of(base, limit_w) == pct


@pytest.mark.parametrize("base", [{"WMax": None}, {"WMax": 0.0}, {"WMax": None, "WMaxRtg": None}])
def test_percent_of_an_unknown_maximum_fails_closed(base: dict[str, float | None]) -> None:
    with pytest.raises(CapabilityMissingError):
        percent_of(base, 1000.0)


@given(limit_w=st.floats(0, 1e6), measured_w=st.floats(-1e6, 1e6))
def test_excess_is_only_what_is_generated_above_the_limit(
    limit_w: float, measured_w: float
) -> None:
    excess = excess_w(limit_w, measured_w)
    assert excess >= 0
    assert (excess == 0) == (-measured_w <= limit_w)
    assert excess_w(None, measured_w) == 0
