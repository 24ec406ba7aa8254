"""What the batteries can give and take, and how one wish is split over several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from site_agent.domain.device import BatterySetpoint, BatteryState
from site_agent.domain.policy import ControlPolicy

_FULL_SOC_PCT = 100.0
_TAPER_PCT = 1.0
"""Near reserve and near full the power fades over this much charge, so that it does not chatter."""
_CHARGES_C, _DISCHARGES_C = (0.0, 50.0), (-20.0, 55.0)
"""Cells that are colder or hotter are not asked: charging below freezing plates lithium. A battery
management keeps them from it as well; asking for what it will refuse only unsettles the site."""
_FADE_C = 5.0
"""The power fades over so many kelvins to either end."""
_FOLLOWS_SHARE = 0.8
"""A battery that gives less than this of what it was asked does not count as asked."""


def discharge_available_w(battery: BatteryState, now: datetime, max_age: timedelta) -> float:
    """Most it can discharge now, W as a magnitude; 0 when offline or its charge is unknown."""
    soc = _usable_soc(battery, now, max_age)
    if soc is None:
        return 0.0
    fade = min(1.0, max(0.0, (soc - battery.spec.reserve_soc_pct) / _TAPER_PCT))
    warmth = _bearable(battery, now, max_age, _DISCHARGES_C)
    return battery.spec.max_discharge_w * min(fade, warmth)


def charge_available_w(battery: BatteryState, now: datetime, max_age: timedelta) -> float:
    """Most it can charge now, W; 0 when offline or its charge is unknown."""
    soc = _usable_soc(battery, now, max_age)
    if soc is None:
        return 0.0
    fade = min(1.0, max(0.0, (_FULL_SOC_PCT - soc) / _TAPER_PCT))
    warmth = _bearable(battery, now, max_age, _CHARGES_C)
    return battery.spec.max_charge_w * min(fade, warmth)


def bearable_shares(
    battery: BatteryState, now: datetime, max_age: timedelta
) -> tuple[float, float]:
    """Shares of its power that its temperature allows, charging and discharging."""
    charges = _bearable(battery, now, max_age, _CHARGES_C)
    return charges, _bearable(battery, now, max_age, _DISCHARGES_C)


def energy_above_reserve_wh(battery: BatteryState, now: datetime, max_age: timedelta) -> float:
    """Energy it may still give at its terminals, Wh."""
    soc, spec = _usable_soc(battery, now, max_age), battery.spec
    if soc is None:
        return 0.0
    return max(0.0, soc - spec.reserve_soc_pct) / 100.0 * holds_wh(battery) * spec.efficiency


def holds_wh(battery: BatteryState) -> float:
    """What it can hold in its present health, Wh.

    Health changes over months, so its age does not matter; what is no share of a capacity (0, or
    more than 100 %) says nothing.
    """
    told = battery.health_pct
    if told is None or told.value is None or not told.quality.usable:
        return battery.spec.capacity_wh
    share = told.value / 100.0
    return battery.spec.capacity_wh * (share if 0.0 < share <= 1.0 else 1.0)


def split(
    batteries: Sequence[BatteryState],
    power_w: float,
    available: Callable[[BatteryState], float],
    cause: str,
) -> tuple[BatterySetpoint, ...]:
    """`power_w` over the batteries, each in proportion to what it has available."""
    shares = [available(battery) for battery in batteries]
    total = sum(shares)
    return tuple(
        BatterySetpoint(
            battery_id=battery.spec.battery_id,
            power_w=power_w * share / total if total > 0 else 0.0,
            cause=cause if share > 0 else "offline, empty, full or its charge is unknown",
        )
        for battery, share in zip(batteries, shares, strict=True)
    )


def counted_w(
    battery: BatteryState,
    setpoint: BatterySetpoint,
    now: datetime,
    max_age: timedelta,
    policy: ControlPolicy,
) -> float:
    """What others may count on: the setpoint, or its measured power once it fails to discharge."""
    measured = battery.power_w.fresh(now, max_age)
    if measured is None or setpoint.power_w >= 0 or not fails(battery, policy):
        return setpoint.power_w
    return max(setpoint.power_w, min(0.0, measured))


def fails(battery: BatteryState, policy: ControlPolicy) -> bool:
    """Whether it discharges less than it was asked, having had time to."""
    measured, asked, since = battery.power_w.value, battery.confirmed_w, battery.in_force_since
    if measured is None or asked is None or since is None:
        return False
    settled = battery.power_w.at >= since + policy.settle
    return settled and asked < 0 and measured > asked * _FOLLOWS_SHARE


def _usable_soc(battery: BatteryState, now: datetime, max_age: timedelta) -> float | None:
    return battery.soc_pct.fresh(now, max_age) if battery.online else None


def _bearable(
    battery: BatteryState, now: datetime, max_age: timedelta, within_c: tuple[float, float]
) -> float:
    """Share of its power that its temperature allows; all of it where it tells none."""
    told = battery.temperature_c
    here_c = None if told is None else told.fresh(now, max_age)
    if here_c is None:
        return 1.0
    low_c, high_c = within_c
    return min(1.0, max(0.0, min(here_c - low_c, high_c - here_c) / _FADE_C))
