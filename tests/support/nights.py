"""A depot's hours in steps of minutes, by `decide` alone: devices follow at once, no clock runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from contracts.reading import Reading
from site_agent.domain.decide.control import Decision, decide
from site_agent.domain.device import BatteryState, ChargerState
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.protect.envelope import Envelope
from site_agent.domain.site import SiteSnapshot
from support.site import meter, reading

STEP = timedelta(minutes=3)
EnvelopeAt = Callable[[datetime], Envelope]


@dataclass
class Night:
    """What came of it."""

    left_wh: dict[str, float] = field(default_factory=dict)
    """What each vehicle lacked when it left."""
    import_w: list[tuple[datetime, float]] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)

    def late(self, needs: Sequence[VehicleNeed], minutes: float = 5.0) -> set[str]:
        """Who left without more than so many minutes of charging."""
        powers = {one.evse_id: one.max_power_w for one in needs}
        return {k for k, wh in self.left_wh.items() if wh > powers[k] * minutes / 60.0}


def night(depot: SiteSnapshot, envelope_at: EnvelopeAt, building_w: float, hours: float) -> Night:
    """Run the depot from its snapshot on, with this building load."""
    now, end = depot.at, depot.at + timedelta(hours=hours)
    needs = {one.evse_id: one for one in depot.needs}
    chargers, batteries = depot.chargers, depot.batteries
    found = Night()
    while now < end:
        here = tuple(one for one in needs.values() if one.departure > now)
        for gone in set(needs) - {one.evse_id for one in here}:
            found.left_wh[gone] = needs.pop(gone).required_wh
        chargers = tuple(_there(one, one.spec.evse_id in needs, now) for one in chargers)
        batteries = tuple(_fresh(one, now) for one in batteries)
        drawn_w = _power_w(chargers, batteries)
        snapshot = replace(
            depot,
            at=now,
            pcc=meter(building_w + drawn_w, now),
            chargers=chargers,
            batteries=batteries,
            needs=here,
        )
        decision = decide(snapshot, envelope_at(now))
        chargers = tuple(_told(c, decision, needs.get(c.spec.evse_id), now) for c in chargers)
        batteries = tuple(_stored(b, decision, now) for b in batteries)
        needs = {name: _charged(one, chargers) for name, one in needs.items()}
        found.import_w.append((now, building_w + _power_w(chargers, batteries)))
        found.decisions.append(decision)
        now += STEP
    found.left_wh |= {name: one.required_wh for name, one in needs.items()}
    return found


def _power_w(chargers: Sequence[ChargerState], batteries: Sequence[BatteryState]) -> float:
    powers = [one.power_w.value or 0.0 for one in chargers]
    return sum(powers) + sum(one.power_w.value or 0.0 for one in batteries)


def _there(charger: ChargerState, here: bool, now: datetime) -> ChargerState:
    """Its readings are as old as its last step: it followed at once and has been still since."""
    if here:
        return replace(
            charger, power_w=_at(charger.power_w, now), current_a=_at(charger.current_a, now)
        )
    zero = reading(0.0, now)
    return replace(charger, plugged=False, transaction_id=None, power_w=zero, current_a=zero)


def _fresh(battery: BatteryState, now: datetime) -> BatteryState:
    return replace(battery, power_w=_at(battery.power_w, now), soc_pct=_at(battery.soc_pct, now))


def _at(one: Reading, now: datetime) -> Reading:
    return replace(one, at=now)


def _told(
    charger: ChargerState, decision: Decision, need: VehicleNeed | None, now: datetime
) -> ChargerState:
    limit_a = next(c.limit_a for c in decision.chargers if c.evse_id == charger.spec.evse_id)
    w_per_a = charger.spec.voltage_v * len(charger.spec.phases)
    drawn_a = 0.0
    if need is not None and need.required_wh > 0:
        drawn_a = min(limit_a, need.max_power_w / w_per_a)
    changed = limit_a != charger.confirmed_limit_a
    return replace(
        charger,
        confirmed_limit_a=limit_a,
        limit_in_force_since=now if changed else charger.limit_in_force_since,
        power_w=reading(drawn_a * w_per_a, now),
        current_a=reading(drawn_a, now),
    )


def _stored(battery: BatteryState, decision: Decision, now: datetime) -> BatteryState:
    power_w = next(b.power_w for b in decision.batteries if b.battery_id == battery.spec.battery_id)
    moved = 100.0 * power_w * (STEP / timedelta(hours=1)) / battery.spec.capacity_wh
    return replace(
        battery,
        power_w=reading(power_w, now),
        soc_pct=reading(min(100.0, max(0.0, (battery.soc_pct.value or 0.0) + moved)), now),
        confirmed_w=power_w,
        in_force_since=now if power_w != battery.confirmed_w else battery.in_force_since,
    )


def _charged(need: VehicleNeed, chargers: Sequence[ChargerState]) -> VehicleNeed:
    power_w = next(c.power_w.value or 0.0 for c in chargers if c.spec.evse_id == need.evse_id)
    took_wh = power_w * (STEP / timedelta(hours=1))
    return replace(need, required_wh=max(0.0, need.required_wh - took_wh))
