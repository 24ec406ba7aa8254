"""Which readings cannot be true, whatever wire brought them: judged from the reading alone.

What lies beyond the nameplate is INVALID: it has no value any more. Of the meter at the connection
point a whole reading is refused when its parts contradict each other; what contradicts the devices
or the past is found by `witness` and `register`, and `meter` draws the conclusions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from contracts.reading import Quality, Reading
from site_agent.domain.device import (
    PHASES,
    BatterySpec,
    BatteryState,
    ChargerState,
    MeterState,
    PvState,
)
from site_agent.domain.policy import TrustPolicy
from site_agent.domain.site import ROOT, SiteModel
from site_agent.domain.trust.belief import Check

_TINY_A = 1.0


def plausible_charger(charger: ChargerState, policy: TrustPolicy) -> ChargerState:
    """Power and current beyond the rating by far have no value."""
    spec = charger.spec
    most_a = policy.nameplate * max(spec.max_current_a, spec.max_discharge_a)
    most_w = most_a * spec.voltage_v * len(spec.phases)
    if _within(charger.power_w, most_w) and _within(charger.current_a, most_a):
        return charger
    power_w, current_a = _bounded(charger.power_w, most_w), _bounded(charger.current_a, most_a)
    return replace(charger, power_w=power_w, current_a=current_a)


def plausible_battery(
    battery: BatteryState, rated: BatterySpec, policy: TrustPolicy
) -> BatteryState:
    """The same, and a state of charge that is no percentage; `rated`: what it is at its best."""
    most_w = policy.nameplate * max(rated.max_charge_w, rated.max_discharge_w)
    if _within(battery.power_w, most_w) and _within(battery.soc_pct, 100.0, 0.0):
        return battery
    power_w, soc_pct = _bounded(battery.power_w, most_w), _bounded(battery.soc_pct, 100.0, 0.0)
    return replace(battery, power_w=power_w, soc_pct=soc_pct)


def plausible_pv(inverter: PvState, policy: TrustPolicy) -> PvState:
    """The same; an inverter consumes a little at night."""
    rated_w = inverter.spec.rated_w
    night_w, most_w = policy.proof_share * rated_w, policy.nameplate * rated_w
    return replace(inverter, power_w=_bounded(inverter.power_w, night_w, -most_w))


def refusal(
    pcc: MeterState, model: SiteModel, told_phases: frozenset[int], policy: TrustPolicy
) -> tuple[Check, str] | None:
    """Why a reading of the meter cannot be true, and None if it can.

    `told_phases`: those of which it has told a current before.
    """
    power_w = pcc.power_w.value
    amps = [reading.value if reading.quality.usable else None for reading in pcc.current_a]
    if power_w is None or not pcc.power_w.quality.usable:
        return None
    most_w = policy.nameplate * installed_w(model)
    if abs(power_w) > most_w:
        return Check.NAMEPLATE, f"{power_w:.0f} W is more than {most_w:.0f} W can be"
    lost = [phase for phase in told_phases if amps[phase - 1] is None]
    if lost:
        return Check.PHASE_LOST, f"the current of phase {min(lost)} is no longer told"
    known = [current for current in amps if current is not None]
    if len(known) == len(PHASES) and not _phases_agree(power_w, known, model, policy):
        words = "/".join(f"{current:.1f}" for current in known)
        return Check.PHASES, f"{power_w:.0f} W does not go with {words} A"
    return None


def installed_w(model: SiteModel) -> float:
    """The most that can flow at the connection point, W: its fuse, or all there is together."""
    fuse_a = next(node.limit_a for node in model.nodes if node.node_id == ROOT)
    return max(fuse_a * len(PHASES) * model.voltage_v, sum(_ratings_w(model)))


def _ratings_w(model: SiteModel) -> Iterator[float]:
    yield model.max_building_w
    yield from (c.max_current_a * c.voltage_v * len(c.phases) for c in model.chargers)
    yield from (max(b.max_charge_w, b.max_discharge_w) for b in model.batteries)
    yield from (inverter.rated_w for inverter in model.pv)


def _phases_agree(power_w: float, amps: list[float], model: SiteModel, policy: TrustPolicy) -> bool:
    apparent_w = model.voltage_v * sum(abs(current) for current in amps)
    slack_w = policy.level_share * model.contract_limit_w
    if abs(power_w) > (1.0 + policy.voltage_share) * apparent_w + slack_w:
        return False
    one_way = all(current >= -_TINY_A for current in amps)
    return not one_way or power_w >= policy.least_power_factor * apparent_w - slack_w


def _within(reading: Reading, high: float, low: float | None = None) -> bool:
    value = reading.value
    return value is None or (-high if low is None else low) <= value <= high


def _bounded(reading: Reading, high: float, low: float | None = None) -> Reading:
    sound = _within(reading, high, low)
    return reading if sound else Reading.missing(reading.at, Quality.INVALID)
