"""What chargers, batteries and PV tell of their power, as witnesses against the meter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.reading import Reading
from site_agent.domain.device import PHASES, ChargerState, PvState
from site_agent.domain.protect.estimate import (
    Moment,
    Role,
    Span,
    battery_power,
    charger_current,
    charger_power,
    role,
)
from site_agent.domain.site import SiteSnapshot

_NEARLY = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All devices at one instant; load convention."""

    drawn_w: Span
    """By chargers and batteries."""
    drawn_a: tuple[Span, Span, Span]
    """The same by phase."""
    sure_w: float
    """Least that they draw, by words too young to be overtaken (PV is left out)."""
    sure_a: tuple[float, float, float]
    made_w: float
    """Most that PV and batteries make, W as a magnitude."""
    watts: Mapping[str, float]
    """By device, of those whose word is young."""
    blind_w: float
    """Rating of chargers in use that tell nothing young, W."""
    sampled: Mapping[str, datetime]
    """When each charger in use has told last, of those that answer."""


@dataclass(slots=True)
class _Sum:
    low: float = 0.0
    high: float = 0.0
    sure: float = 0.0

    def add(self, span: Span, sure: float) -> None:
        self.low += span.low
        self.high += span.high
        self.sure += sure

    @property
    def span(self) -> Span:
        return Span(low=self.low, high=self.high)


def told(snapshot: SiteSnapshot, moment: Moment, max_age: timedelta) -> Told:
    """What the devices tell; a word older than `max_age` may be overtaken."""
    power, phases = _Sum(), tuple(_Sum() for _ in PHASES)
    watts: dict[str, float] = {}
    blind_w = 0.0
    for charger in snapshot.chargers:
        _add_charger(charger, moment, max_age, power, phases)
        value = _word(charger, snapshot.at, max_age)
        if value is not None:
            watts[charger.spec.evse_id] = value
        else:
            spec = charger.spec
            blind_w += spec.max_current_a * spec.voltage_v * len(spec.phases)
    made_w = sum(_made_w(inverter, snapshot.at, max_age) for inverter in snapshot.pv)
    rated = {spec.battery_id: spec.max_discharge_w for spec in snapshot.model.batteries}
    for battery in snapshot.batteries:
        measured = battery.power_w.fresh(snapshot.at, max_age)
        span = battery_power(battery, moment)
        low_w = -rated.get(battery.spec.battery_id, 0.0) if measured is None else span.low
        _add_battery(span, max(0.0, low_w), power, phases, snapshot.model.voltage_v)
        made_w += max(0.0, -low_w)
    watts |= _young(((b.spec.battery_id, b.power_w) for b in snapshot.batteries), moment, max_age)
    watts |= _young(((p.spec.pv_id, p.power_w) for p in snapshot.pv), moment, max_age)
    one, two, three = phases
    return Told(
        drawn_w=power.span,
        drawn_a=(one.span, two.span, three.span),
        sure_w=power.sure,
        sure_a=(one.sure, two.sure, three.sure),
        made_w=made_w,
        watts=watts,
        blind_w=blind_w,
        sampled={c.spec.evse_id: c.power_w.at for c in snapshot.chargers if _in_use(c)},
    )


def _add_charger(
    charger: ChargerState,
    moment: Moment,
    max_age: timedelta,
    power: _Sum,
    phases: Iterable[_Sum],
) -> None:
    if role(charger) is Role.IDLE and not charger.power_w.value and not charger.current_a.value:
        return
    spec = charger.spec
    watts, amps = charger_power(charger, moment), charger_current(charger, moment)
    young = moment.now - _sampled(charger) <= max_age
    power.add(watts, watts.low if young else _least_w(charger))
    full = young and watts.low > amps.low * spec.voltage_v * (len(spec.phases) - _NEARLY)
    sure_a = amps.low if full else min(0.0, amps.low, -spec.max_discharge_a)
    span = amps if full else Span(low=min(0.0, amps.low), high=amps.high)
    for phase, one in zip(PHASES, phases, strict=True):
        if phase in spec.phases:
            one.add(span, sure_a)


def _add_battery(
    span: Span, sure_w: float, power: _Sum, phases: Iterable[_Sum], voltage_v: float
) -> None:
    power.add(span, sure_w)
    per_phase = 1.0 / (len(PHASES) * voltage_v)
    for one in phases:
        amps = Span(low=span.low * per_phase, high=span.high * per_phase)
        one.add(amps, sure_w * per_phase)


def _word(charger: ChargerState, now: datetime, max_age: timedelta) -> float | None:
    """What it tells, W; an online charger without a vehicle draws nothing."""
    if role(charger) is Role.IDLE:
        return charger.power_w.fresh(now, max_age) or 0.0
    return charger.power_w.fresh(now, max_age)


def _young(
    readings: Iterable[tuple[str, Reading]], moment: Moment, max_age: timedelta
) -> dict[str, float]:
    fresh = ((name, reading.fresh(moment.now, max_age)) for name, reading in readings)
    return {name: value for name, value in fresh if value is not None}


def _made_w(inverter: PvState, now: datetime, max_age: timedelta) -> float:
    measured = inverter.power_w.fresh(now, max_age)
    return inverter.spec.rated_w if measured is None else max(0.0, -measured)


def _in_use(charger: ChargerState) -> bool:
    return role(charger) is Role.STEERED and charger.power_w.value is not None


def _least_w(charger: ChargerState) -> float:
    spec = charger.spec
    return -spec.max_discharge_a * spec.voltage_v * len(spec.phases)


def _sampled(charger: ChargerState) -> datetime:
    known = [r.at for r in (charger.current_a, charger.power_w) if r.value is not None]
    return min(known, default=datetime.min.replace(tzinfo=charger.power_w.at.tzinfo))
