"""How far the site can lower its import now and hold that for an hour, with nobody left behind."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from site_agent.domain.decide.battery import discharge_available_w, energy_above_reserve_wh
from site_agent.domain.decide.demand import steady_w, steered
from site_agent.domain.decide.generation import discharge_room_w
from site_agent.domain.device import ChargerState, Lapse
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.protect.envelope import Envelope
from site_agent.domain.protect.estimate import Moment, charger_power, watts_per_amp
from site_agent.domain.protect.lasting import keeps
from site_agent.domain.protect.room import moment_of
from site_agent.domain.site import SiteSnapshot

HOLD = timedelta(hours=1)


def down_w(
    snapshot: SiteSnapshot,
    envelope: Envelope,
    building_w: float | None,
    policy: ControlPolicy,
    proved: float = 1.0,
) -> float | None:
    """The reduction of import on offer, W, >= 0; None while the meter is stale.

    `proved`: how much of what vehicles could put off by the test below stood up when the day was
    filled again with it (`offering.offer`), 0 to 1.

    Every vehicle keeps what it must charge within the hour: what its laxity demands at its own
    power, and together what the connection could not make up for later (the earliest-deadline
    test). Batteries give what they can sustain for the hour above their reserve. Never more than
    the present import, nor what a limit in force forbids: a load limit is taken to last, a
    generation limit leaves batteries what PV does not use, a storage target leaves them nothing.

    A battery that helps keep an import limit is asked for what vehicles need to stay on schedule
    (`decide.storage`). So either vehicles wait and batteries no more than stop charging, or
    vehicles go on at their steady need and batteries add what they can sustain.

    A device that would keep its setpoint if the agent died is not promised: a charger that keeps
    its limit would leave its vehicle behind, a battery would discharge until it is empty. Such a
    battery can still stop charging.
    """
    power = snapshot.pcc.power_w.fresh(snapshot.at, snapshot.model.meter_max_age)
    if power is None or building_w is None:
        return None
    waiting = proved * vehicles_down_w(snapshot, envelope, building_w, policy)
    if envelope.storage_w is not None:
        return min(waiting, max(0.0, power))
    given = _batteries_down_w(snapshot, envelope, moment_of(snapshot, policy))
    stops = min(given, _charging_w(snapshot))
    steady = _beside_steady_w(snapshot, policy)
    return min(max(waiting + stops, min(waiting, steady) + given), max(0.0, power))


def vehicles_down_w(
    snapshot: SiteSnapshot, envelope: Envelope, building_w: float, policy: ControlPolicy
) -> float:
    """What vehicles could put off now for an hour by their energy alone, W."""
    chargers = _movable(snapshot)
    needs = {need.evse_id: need for need in snapshot.needs}
    drawn = drawn_w(snapshot, policy)
    here = [(charger, needs.get(charger.spec.evse_id)) for charger in chargers]
    alone = sum(_floor_w(c, need, snapshot) for c, need in here if need is not None)
    later_w = max(0.0, snapshot.model.contract_limit_w - building_w)
    if envelope.load_w is not None:
        later_w = min(later_w, envelope.load_w.value)
    together = _backlog_w([need for _, need in here if need is not None], later_w, snapshot.at)
    return max(0.0, drawn - max(alone, together))


def drawn_w(snapshot: SiteSnapshot, policy: ControlPolicy) -> float:
    """What chargers that can be moved surely draw now, W."""
    moment = moment_of(snapshot, policy)
    return sum(charger_power(charger, moment).low for charger in _movable(snapshot))


def _movable(snapshot: SiteSnapshot) -> list[ChargerState]:
    return [charger for charger in steered(snapshot) if not keeps(charger)]


def _beside_steady_w(snapshot: SiteSnapshot, policy: ControlPolicy) -> float:
    """What vehicles draw beyond what each needs to stay on schedule, W."""
    movable = {charger.spec.evse_id for charger in _movable(snapshot)}
    steady = sum(steady_w(n, snapshot.at) for n in snapshot.needs if n.evse_id in movable)
    return max(0.0, drawn_w(snapshot, policy) - steady)


def _charging_w(snapshot: SiteSnapshot) -> float:
    """What batteries charge with now, W: they can stop, whatever they hold."""
    now, max_age = snapshot.at, snapshot.model.device_max_age
    powers = (b.power_w.fresh(now, max_age) for b in snapshot.batteries if b.online)
    return sum(max(0.0, power) for power in powers if power is not None)


def _floor_w(charger: ChargerState, need: VehicleNeed, snapshot: SiteSnapshot) -> float:
    """Power that a vehicle cannot do without during the hour, W: 0 or at least its minimum."""
    hours = _hours(need.departure - snapshot.at)
    if need.required_wh <= 0:
        return 0.0
    if hours <= 0:
        return need.max_power_w
    hold = _hours(HOLD)
    later_wh = need.max_power_w * max(0.0, hours - hold)
    floor = max(0.0, need.required_wh - later_wh) / min(hours, hold)
    w_per_a = watts_per_amp(charger, snapshot.at, snapshot.model.device_max_age)
    least = charger.spec.min_current_a * w_per_a if floor > 0 else 0.0
    return min(need.max_power_w, max(floor, least))


def _backlog_w(needs: Iterable[VehicleNeed], later_w: float, now: datetime) -> float:
    """Power all must have during the hour so that the connection can make up for the rest, W."""
    due_wh = backlog = 0.0
    for need in sorted(needs, key=lambda n: n.departure):
        hours = _hours(need.departure - now)
        due_wh += min(need.required_wh, need.max_power_w * max(0.0, hours))
        if hours >= _hours(HOLD):
            missing_wh = due_wh - later_w * (hours - _hours(HOLD))
            backlog = max(backlog, missing_wh / _hours(HOLD))
    return backlog


def _batteries_down_w(snapshot: SiteSnapshot, envelope: Envelope, moment: Moment) -> float:
    now, max_age = snapshot.at, snapshot.model.device_max_age
    offer = present = 0.0
    for battery in snapshot.batteries:
        power = battery.power_w.fresh(now, max_age)
        if power is not None and battery.online:
            sustained = energy_above_reserve_wh(battery, now, max_age) / _hours(HOLD)
            give = min(discharge_available_w(battery, now, max_age), sustained)
            give = give if battery.spec.lapse is Lapse.DEVICE else 0.0
            offer += max(0.0, power + give)
            present += power
    beside_pv = discharge_room_w(snapshot, envelope, moment)
    return offer if beside_pv is None else min(offer, max(0.0, present + beside_pv))


def _hours(span: timedelta) -> float:
    return span / timedelta(hours=1)
