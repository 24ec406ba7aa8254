"""What each device draws now, as the span of what can be true, and the worst an unruly one may.

A charger's sample can be older than its newest limit. Then its draw lies somewhere between that
sample and that limit; whoever reads a single number out of it makes the site swing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from site_agent.domain.device import BatterySpec, BatteryState, ChargerSpec, ChargerState, Lapse

_FOLLOWED_SHARE = 0.05
"""A battery this near to its setpoint, as a share of its power, has followed it."""
_MEASURABLE_A = 2.0
"""Below this a charger's power and current are too coarse to divide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Anything from `low` to `high` can be true."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a decision is made, and how old and how settled what it reads must be."""

    now: datetime
    pcc_at: datetime
    """When the PCC meter was read."""
    max_age: timedelta
    settle: timedelta


class Role(Enum):
    """What the controller may do with a charger."""

    STEERED = auto()
    IDLE = auto()
    """Obeys, but no vehicle is plugged in."""
    FIXED = auto()
    """Offline, silent, disobedient or without limits: cannot be moved, counted at its worst."""


def role(charger: ChargerState) -> Role:
    """The role of a charger."""
    if not (charger.online and charger.obeys and charger.controllable):
        return Role.FIXED
    return Role.STEERED if charger.plugged or charger.transaction_id is not None else Role.IDLE


@dataclass(frozen=True, slots=True)
class Sample:
    """What a charger was measured to draw, as far as that is fresh."""

    power_w: float | None
    current_a: float | None

    @classmethod
    def of(cls, charger: ChargerState, now: datetime, max_age: timedelta) -> Sample:
        """The sample of a charger."""
        return cls(charger.power_w.fresh(now, max_age), charger.current_a.fresh(now, max_age))

    def amps(self, spec: ChargerSpec) -> float | None:
        """Its current per phase: its own reading, else from its power."""
        if self.current_a is not None:
            return self.current_a
        return None if self.power_w is None else self.power_w / _nominal_w_per_a(spec)

    def watts_per_amp(self, spec: ChargerSpec) -> float:
        """Power per ampere: as measured (voltage, phases really used), else nominal."""
        nominal = _nominal_w_per_a(spec)
        power, current = self.power_w, self.current_a
        if power is None or current is None or current < _MEASURABLE_A:
            return nominal
        return min(max(power / current, 0.9 * spec.voltage_v), 1.1 * nominal)


def measured_a(charger: ChargerState, now: datetime, max_age: timedelta) -> float | None:
    """Its measured current per phase: its own reading, else from its power."""
    return Sample.of(charger, now, max_age).amps(charger.spec)


def watts_per_amp(charger: ChargerState, now: datetime, max_age: timedelta) -> float:
    """Power per ampere of its limit: as measured (voltage, phases really used), else nominal."""
    return Sample.of(charger, now, max_age).watts_per_amp(charger.spec)


def _nominal_w_per_a(spec: ChargerSpec) -> float:
    return spec.voltage_v * len(spec.phases)


def worst_a(charger: ChargerState, now: datetime, max_age: timedelta) -> float:
    """Most a charger that cannot be moved may draw on a phase, A.

    Silent: its last limit, or its fail-safe share if that is more (no reliance on the lease: some
    chargers ignore it). Disobedient: what it is measured to draw, rated current when unmeasured.
    """
    return worst_of(charger, measured_a(charger, now, max_age))


def worst_of(charger: ChargerState, measured: float | None) -> float:
    """`worst_a` of a charger with this measured current, A."""
    spec = charger.spec
    if charger.online and not charger.obeys:
        return measured if measured is not None else spec.max_current_a
    return max(charger.confirmed_limit_a or 0.0, spec.fail_safe_current_a, measured or 0.0)


def charger_current(charger: ChargerState, moment: Moment) -> Span:
    """Current of its most loaded phase, A."""
    return current_span(charger, Sample.of(charger, moment.now, moment.max_age), moment)


def current_span(charger: ChargerState, sample: Sample, moment: Moment) -> Span:
    """`charger_current` of a charger with this sample."""
    return _charger_span(charger, sample.amps(charger.spec), sample, 1.0, moment)


def charger_power(charger: ChargerState, moment: Moment) -> Span:
    """Its power, W."""
    return power_span(charger, Sample.of(charger, moment.now, moment.max_age), moment)


def power_span(charger: ChargerState, sample: Sample, moment: Moment) -> Span:
    """`charger_power` of a charger with this sample."""
    scale, measured = sample.watts_per_amp(charger.spec), sample.power_w
    if measured is None and sample.current_a is not None:
        measured = sample.current_a * scale
    return _charger_span(charger, measured, sample, scale, moment)


def excess_a(charger: ChargerState, moment: Moment) -> float:
    """Current that a charger with a vehicle draws beyond its limit, having had time to follow, A.

    Slow or disobedient: until it is seen to fall, nobody else gets this current, nor what an
    earlier, higher limit may still bring.
    """
    return excess_of(charger, measured_a(charger, moment.now, moment.max_age), moment)


def excess_of(charger: ChargerState, measured: float | None, moment: Moment) -> float:
    """`excess_a` of a charger with this measured current, A."""
    limit_a, since = charger.confirmed_limit_a, charger.limit_in_force_since
    if measured is None or limit_a is None or since is None or role(charger) is not Role.STEERED:
        return 0.0
    most_a, allowed_a = max(measured, charger.coming_a or 0.0), max(0.0, limit_a)
    if most_a <= allowed_a:
        return 0.0
    return most_a - allowed_a if _sampled_at(charger) >= since + moment.settle else 0.0


def _charger_span(
    charger: ChargerState, measured: float | None, sample: Sample, scale: float, moment: Moment
) -> Span:
    match role(charger):
        case Role.IDLE:
            return _at(measured or 0.0)
        case Role.FIXED:
            worst = worst_of(charger, sample.amps(charger.spec)) * scale
            return Span(low=0.0, high=worst) if measured is None else _at(measured)
        case Role.STEERED:
            limit_a = charger.confirmed_limit_a
            if measured is None:
                most = charger.spec.max_current_a if limit_a is None else limit_a
                return Span(low=0.0, high=most * scale)
            if limit_a is None or charger.limit_in_force_since is None:
                return _at(measured)
            sampled_at = _sampled_at(charger)
            return _between(
                measured, limit_a * scale, sampled_at, charger.limit_in_force_since, moment
            )


def _between(
    measured: float, limit: float, sampled_at: datetime, since: datetime, moment: Moment
) -> Span:
    followed = since + moment.settle
    if sampled_at >= followed:
        return _at(measured)
    if limit < measured and moment.pcc_at >= followed:
        return _at(limit)
    return Span(low=min(measured, limit), high=max(measured, limit))


def battery_power(battery: BatteryState, moment: Moment) -> Span:
    """Its power, W, charging positive; 0 when unmeasured: then it counts as building."""
    measured = battery.power_w.fresh(moment.now, moment.max_age)
    asked, since = battery.confirmed_w, battery.in_force_since
    if measured is None:
        return _at(0.0)
    if asked is None or since is None or battery.power_w.at >= since + moment.settle:
        return _at(measured)
    return Span(low=min(measured, asked), high=max(measured, asked))


def battery_stuck(battery: BatteryState, moment: Moment) -> Span:
    """What a battery does beyond what it is told, W: `low` <= 0 discharging, `high` >= 0 charging.

    Silent: its last setpoint or what it was last seen to do, whichever is more (no reliance on the
    lease, as for chargers). If we never told it anything: its rating, unless it ends the setpoint
    of an earlier life by itself. Otherwise what it does beyond its setpoint, having had time to
    follow.
    """
    measured = battery.power_w.fresh(moment.now, moment.max_age)
    asked, since, spec = battery.confirmed_w, battery.in_force_since, battery.spec
    if battery.online:
        if measured is None or asked is None or since is None:
            return _at(0.0)
        settled = battery.power_w.at >= since + moment.settle
        return _beyond(measured, asked, spec) if settled else _at(0.0)
    known = [0.0, *(watts for watts in (measured, asked) if watts is not None)]
    if asked is None and spec.lapse is not Lapse.DEVICE:
        known += [-spec.max_discharge_w, spec.max_charge_w]
    return Span(low=min(known), high=max(known))


def _beyond(measured: float, asked: float, spec: BatterySpec) -> Span:
    tolerance = _FOLLOWED_SHARE * max(spec.max_charge_w, spec.max_discharge_w)
    less, more = measured - min(0.0, asked), measured - max(0.0, asked)
    return Span(low=less if less < -tolerance else 0.0, high=more if more > tolerance else 0.0)


def _sampled_at(charger: ChargerState) -> datetime:
    """The older of its readings; there is at least one."""
    current, power = charger.current_a, charger.power_w
    if current.value is None:
        return power.at
    return current.at if power.value is None else min(current.at, power.at)


def _at(value: float) -> Span:
    return Span(low=value, high=value)
