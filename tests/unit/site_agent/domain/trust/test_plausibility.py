"""Gates on single readings: what lies far beyond the nameplate has no value."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.reading import Quality
from site_agent.domain.policy import TrustPolicy
from site_agent.domain.trust.belief import Check
from site_agent.domain.trust.plausibility import (
    installed_w,
    plausible_battery,
    plausible_charger,
    plausible_pv,
    refusal,
)
from support import site

pytestmark = pytest.mark.row("truth:V4")
POLICY = TrustPolicy()
MODEL = site.model([site.charger_spec()], root_a=100)  # 69 kW
AMPS = (50.0, 50.0, 50.0)
POWER_W = 3 * 50 * 230.0
ALL = frozenset({1, 2, 3})


def test_a_charger_in_the_wrong_unit_has_no_value() -> None:
    sound = site.charger(drawn_a=32.0)
    assert plausible_charger(sound, POLICY) is sound
    milliamps = plausible_charger(site.charger(drawn_a=32_000.0), POLICY)
    assert milliamps.current_a.quality is milliamps.power_w.quality is Quality.INVALID
    assert milliamps.current_a.value is None


def test_a_battery_is_judged_by_its_rating_not_by_what_it_can_now() -> None:
    full = site.battery(power_w=-50_000.0)
    throttled = replace(full, spec=replace(full.spec, max_charge_w=0.0, max_discharge_w=0.0))
    assert plausible_battery(throttled, full.spec, POLICY) is throttled
    wild = plausible_battery(site.battery(power_w=-500_000.0, soc_pct=250.0), full.spec, POLICY)
    assert wild.power_w.quality is wild.soc_pct.quality is Quality.INVALID


def test_an_inverter_neither_makes_ten_times_its_rating_nor_consumes_it() -> None:
    night = site.pv(100.0, rated_w=40_000.0)
    assert plausible_pv(night, POLICY).power_w == night.power_w
    for watts in (-400_000.0, 30_000.0):
        assert plausible_pv(site.pv(watts), POLICY).power_w.quality is Quality.INVALID


def test_a_meter_whose_parts_agree_is_not_refused() -> None:
    assert refusal(site.meter(POWER_W, current_a=AMPS), MODEL, ALL, POLICY) is None
    assert refusal(site.meter(None, current_a=AMPS), MODEL, ALL, POLICY) is None
    reactive = site.meter(0.5 * POWER_W, current_a=AMPS)
    assert refusal(reactive, MODEL, ALL, POLICY) is None
    across = site.meter(-2_000.0, current_a=(20.0, -40.0, 10.0))
    assert refusal(across, MODEL, ALL, POLICY) is None
    assert refusal(site.meter(POWER_W), MODEL, frozenset(), POLICY) is None


@pytest.mark.parametrize(
    ("power_w", "amps", "check"),
    [
        (2 * installed_w(MODEL), (None,) * 3, Check.NAMEPLATE),
        (-2 * installed_w(MODEL), (None,) * 3, Check.NAMEPLATE),
        (10 * POWER_W, AMPS, Check.NAMEPLATE),
        (POWER_W, (50.0, 0.0, 50.0), Check.PHASES),
        (0.1 * POWER_W, AMPS, Check.PHASES),
        (-POWER_W, AMPS, Check.PHASES),
        (POWER_W, (50.0, None, 50.0), Check.PHASE_LOST),
    ],
)
def test_a_meter_whose_parts_disagree_is_refused(
    power_w: float, amps: tuple[float | None, ...], check: Check
) -> None:
    told = frozenset(n for n, one in enumerate(amps, start=1) if one is not None)
    told |= ALL if any(one is not None for one in amps) else told
    refused = refusal(site.meter(power_w, current_a=amps), MODEL, told, POLICY)
    assert refused is not None
    assert refused[0] is check


@given(
    amps=st.lists(st.floats(-100, 100), min_size=3, max_size=3),
    factor=st.floats(0.3, 1.0),
    volts=st.floats(0.9, 1.1),
)
def test_no_sound_meter_is_refused(amps: list[float], factor: float, volts: float) -> None:
    """Whatever the direction of each phase, its power factor and the voltage."""
    power_w = sum(one * factor * volts * 230.0 for one in amps)
    meter = site.meter(power_w, current_a=amps)
    assert refusal(meter, MODEL, ALL, POLICY) is None
