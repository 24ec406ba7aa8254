"""From what is known of the site to the problem of its plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import numpy as np

from contracts.series import StepSeries
from site_agent.domain.decide.battery import bearable_shares, holds_wh
from site_agent.domain.device import BatteryState, ChargerState
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.domain.horizon import Horizon, Series
from site_agent.domain.plan.feeders import feeders
from site_agent.domain.plan.limits import site_limits
from site_agent.domain.plan.policy import PlanPolicy
from site_agent.domain.plan.problem import DemandTerm, PlanBattery, PlanVehicle, Problem
from site_agent.domain.protect.envelope import Envelope
from site_agent.domain.protect.estimate import Role, role, watts_per_amp, worst_a
from site_agent.domain.site import SiteSnapshot
from site_agent.domain.tariff.demand import DemandRecord, windows
from site_agent.domain.tariff.tariff import BillingMonth, DemandCharge, Tariff

_NO_RECORD = DemandRecord()
_LEAST_STAY = timedelta(minutes=5)
_OF_USE = 0.5
"""Of the days left in a month, the share that is taken to be as heavy as those of the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is expected by slot, W: the building without PV, and PV (<= 0)."""

    building_w: Series
    pv_w: Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What power costs."""

    tariff: Tariff
    market: StepSeries | None = None
    """Per kWh, for a tariff with dynamic prices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What is known of vehicles beyond those that are plugged in."""

    expected: Sequence[ExpectedStay] = ()
    capacity_wh: Mapping[str, float] = field(default_factory=dict)
    """Of vehicles' batteries, by vehicle id: what giving back needs to be known."""


NO_FLEET = Fleet()


def compose(
    snapshot: SiteSnapshot,
    horizon: Horizon,
    outlook: Outlook,
    prices: Prices,
    envelopes: Sequence[Envelope],
    *,
    fleet: Fleet = NO_FLEET,
    record: DemandRecord = _NO_RECORD,
    policy: PlanPolicy | None = None,
) -> Problem:
    """The problem at `snapshot.at`. `envelopes`: one for each slot (`plan.limits`).

    Raises:
        ValueError: a forecast or price does not fit the horizon.
    """
    policy = policy or PlanPolicy()
    tariff = prices.tariff
    building_w = outlook.building_w + unsteered_w(snapshot, horizon)
    batteries = tuple(_battery(one, snapshot, policy) for one in _usable(snapshot))
    vehicles = (*_present(snapshot, fleet, policy), *_expected(snapshot, fleet, policy))
    aimed = [_aimed(one, policy) for one in envelopes]
    return Problem(
        now=snapshot.at,
        horizon=horizon,
        building_w=building_w,
        pv_w=np.minimum(0.0, outlook.pv_w),
        import_per_kwh=tariff.import_per_kwh(horizon, prices.market),
        export_per_kwh=tariff.export_per_kwh(horizon, prices.market),
        limits=site_limits(aimed, building_w + outlook.pv_w),
        vehicles=vehicles,
        batteries=batteries,
        feeders=feeders(snapshot, vehicles, float(building_w.max())),
        demand=tuple(_demand(tariff, horizon, snapshot.at, record, policy)),
        curtailable=all(one.takes_limits and one.online for one in snapshot.pv),
        currency=tariff.currency,
        zone=tariff.zone,
    )


def unsteered_w(snapshot: SiteSnapshot, horizon: Horizon) -> Series:
    """What chargers that cannot be moved are expected to draw, until their vehicles are full."""
    total, needs = horizon.filled(0.0), {need.evse_id: need for need in snapshot.needs}
    max_age = snapshot.model.device_max_age
    for charger in snapshot.chargers:
        need = needs.get(charger.spec.evse_id)
        if role(charger) is not Role.FIXED or need is None:
            continue
        amps = worst_a(charger, snapshot.at, max_age)
        watts = amps * watts_per_amp(charger, snapshot.at, max_age)
        if watts > 0:
            full = snapshot.at + timedelta(hours=need.required_wh / watts)
            total += watts * horizon.share(snapshot.at, min(full, need.due))
    return total


def _aimed(envelope: Envelope, policy: PlanPolicy) -> Envelope:
    bound = envelope.import_w
    return replace(envelope, import_w=replace(bound, value=bound.value * policy.limit_share))


# --- vehicles -------------------------------------------------------------------------------------


def _present(snapshot: SiteSnapshot, fleet: Fleet, policy: PlanPolicy) -> Iterator[PlanVehicle]:
    chargers = {charger.spec.evse_id: charger for charger in snapshot.chargers}
    for need in snapshot.needs:
        charger = chargers.get(need.evse_id)
        if charger is not None and role(charger) is Role.STEERED:
            yield _vehicle(need, charger, snapshot, fleet, policy)


def _vehicle(
    need: VehicleNeed,
    charger: ChargerState,
    snapshot: SiteSnapshot,
    fleet: Fleet,
    policy: PlanPolicy,
) -> PlanVehicle:
    now, spec = snapshot.at, charger.spec
    w_per_a = watts_per_amp(charger, now, snapshot.model.device_max_age)
    most = need.max_power_w
    if most < spec.min_current_a * w_per_a:  # too weak for three phases: it is on a single one
        w_per_a = spec.voltage_v
    if charger.ceiling_a is not None:
        most = min(most, charger.ceiling_a * w_per_a)
    spare_wh, room_wh = _to_give(need, charger, snapshot, fleet, policy)
    gives = charger.bidirectional and spare_wh is not None
    return PlanVehicle(
        key=f"evse:{need.evse_id}",
        vehicle_id=need.vehicle_id,
        evse_id=need.evse_id,
        arrives=now,
        departs=_ready_by(need, now, policy),
        required_wh=need.required_wh,
        max_power_w=most,
        min_power_w=min(most, spec.min_current_a * w_per_a),
        rank=need.rank,
        discharge_w=spec.max_discharge_a * w_per_a if gives else 0.0,
        spare_wh=spare_wh or 0.0,
        room_wh=room_wh,
        efficiency=policy.vehicle_round_trip,
        wear_per_kwh=policy.vehicle_wear_per_kwh,
    )


def _ready_by(need: VehicleNeed, now: datetime, policy: PlanPolicy) -> datetime:
    """Somewhat before it is due; one that is late is served until it is full or gone."""
    full = (
        timedelta(hours=need.required_wh / need.max_power_w)
        if need.max_power_w > 0
        else _LEAST_STAY
    )
    soonest = now + max(full, _LEAST_STAY)
    early = need.due - policy.departs_early
    if early >= soonest:
        return early
    return need.due if need.due > now + _LEAST_STAY else soonest


def _to_give(
    need: VehicleNeed,
    charger: ChargerState,
    snapshot: SiteSnapshot,
    fleet: Fleet,
    policy: PlanPolicy,
) -> tuple[float | None, float | None]:
    """What it may give back and what it can hold, Wh; None where its state is not known."""
    capacity = fleet.capacity_wh.get(need.vehicle_id)
    soc = charger.soc_pct.fresh(snapshot.at, snapshot.model.device_max_age)
    if capacity is None or soc is None or not need.known:
        return None, None
    spare = max(0.0, soc - policy.vehicle_floor_soc_pct) / 100 * capacity
    return spare, max(0.0, 100.0 - soc) / 100 * capacity


def _expected(snapshot: SiteSnapshot, fleet: Fleet, policy: PlanPolicy) -> Iterator[PlanVehicle]:
    """Stays to come; a vehicle that is plugged in has begun those that begin before it leaves."""
    here = {need.vehicle_id: need.departure for need in snapshot.needs}
    for number, stay in enumerate(fleet.expected):
        leaves = here.get(stay.vehicle_id)
        if stay.departs <= snapshot.at or (leaves is not None and stay.arrives < leaves):
            continue
        arrives = max(stay.arrives, snapshot.at)
        yield PlanVehicle(
            key=f"stay:{number}:{stay.vehicle_id}",
            vehicle_id=stay.vehicle_id,
            evse_id=stay.evse_id,
            present=False,
            arrives=arrives,
            departs=max(
                stay.departs - policy.departs_early, min(arrives + _LEAST_STAY, stay.departs)
            ),
            required_wh=stay.required_wh * stay.probability,
            max_power_w=stay.max_power_w,
            rank=stay.rank,
        )


# --- batteries ------------------------------------------------------------------------------------


def _usable(snapshot: SiteSnapshot) -> Iterable[BatteryState]:
    """Batteries that answer and tell their charge."""
    max_age = snapshot.model.device_max_age
    return [
        one
        for one in snapshot.batteries
        if one.online and not one.local and one.soc_pct.fresh(snapshot.at, max_age) is not None
    ]


def _battery(battery: BatteryState, snapshot: SiteSnapshot, policy: PlanPolicy) -> PlanBattery:
    spec, max_age = battery.spec, snapshot.model.device_max_age
    charges, discharges = bearable_shares(battery, snapshot.at, max_age)
    soc = battery.soc_pct.fresh(snapshot.at, max_age) or 0.0
    return PlanBattery(
        battery_id=spec.battery_id,
        capacity_wh=holds_wh(battery),
        stored_wh=min(100.0, max(0.0, soc)) / 100 * holds_wh(battery),
        reserve_wh=spec.reserve_soc_pct / 100 * holds_wh(battery),
        max_charge_w=spec.max_charge_w * charges,
        max_discharge_w=spec.max_discharge_w * discharges,
        charge_efficiency=policy.charge_efficiency,
        discharge_efficiency=spec.efficiency,
        wear_per_kwh=policy.battery_wear_per_kwh,
    )


# --- demand ---------------------------------------------------------------------------------------


def _demand(
    tariff: Tariff,
    horizon: Horizon,
    now: datetime,
    record: DemandRecord,
    policy: PlanPolicy,
) -> Iterator[DemandTerm]:
    """Each demand charge in each billing month that the horizon touches."""
    months = [tariff.billing_month(max(start, now)) for start in horizon]
    for charge in tariff.demand:
        charged = tariff.charged(charge, horizon)
        for month in dict.fromkeys(months):
            counts = charged & np.array([one == month for one in months])
            if counts.any() and charge.per_kw > 0:
                yield _term(tariff, charge, month, horizon, counts, record, policy)


def _days_left(tariff: Tariff, month: BillingMonth, horizon: Horizon) -> float:
    """Of a billing month from the horizon's start on; all of one that is yet to begin."""
    year, number = month
    ends = date(year + number // 12, number % 12 + 1, tariff.billing_day)
    begins = date(year, number, tariff.billing_day)
    today = max(begins, horizon.start.astimezone(tariff.zone).date())
    return float((ends - today).days)


def _term(
    tariff: Tariff,
    charge: DemandCharge,
    month: BillingMonth,
    horizon: Horizon,
    counts: Series,
    record: DemandRecord,
    policy: PlanPolicy,
) -> DemandTerm:
    """An interval counts where all of it that lies in the horizon does."""
    days_left = _days_left(tariff, month, horizon)
    aligned = windows(horizon, tariff.demand_interval, rolling=False)
    rolling = windows(horizon, tariff.demand_interval, rolling=True) if tariff.rolling else []
    found = [one for one in aligned if counts[slice(*one)].all()]
    found += [one for one in rolling if one not in aligned and counts[slice(*one)].all()]
    runs = bool(found) and found[0][0] == 0 and record.window is not None
    here = runs and record.window == tariff.window_of(horizon.start).start
    return DemandTerm(
        name=charge.name,
        per_kw=charge.per_kw / max(1.0, policy.peak_days or _OF_USE * days_left),
        so_far_w=max(policy.expected_peak_w, record.peaks_w.get((charge.name, month), 0.0)),
        windows=tuple(found),
        interval_h=tariff.demand_interval / timedelta(hours=1),
        taken_wh=record.taken_wh if here else 0.0,
        counts_taken=here,
    )
