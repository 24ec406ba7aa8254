"""The offer of a site: vehicles that can wait, batteries that can give or take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil, inf

import numpy as np

from site_agent.domain.decide.battery import (
    charge_available_w,
    discharge_available_w,
    energy_above_reserve_wh,
)
from site_agent.domain.device import BatteryState, Lapse
from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.domain.flexibility.ahead import Ahead
from site_agent.domain.flexibility.crowd import Crowd, Table, crowd_of, earlier
from site_agent.domain.flexibility.now import drawn_w
from site_agent.domain.flexibility.offer import Offer, OfferedSlot
from site_agent.domain.flexibility.parts import Given, parts
from site_agent.domain.flexibility.windows import (
    SPARE,
    Lengths,
    Windows,
    longer,
    proved_share,
    windows,
)
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.protect.estimate import watts_per_amp
from site_agent.domain.protect.lasting import keeps
from site_agent.domain.site import SiteSnapshot

HOLD = timedelta(hours=1)
"""What is offered can be held at least so long."""
_LONGER = 4
"""... and where it can be proved, so many times as long."""
_LIKELY, _SURE = 0.5, 0.9
"""Vehicles less likely to come than this do not count; nor do they where it must be sure."""
_CYCLE = timedelta(seconds=1)
_SHORT_H = 1.0 / 60.0
_LOST_SHARE = 0.02
"""Of the import limit: its margin, and what a battery's deadband may lose."""
_HOUR = timedelta(hours=1)


def offer(
    snapshot: SiteSnapshot, ahead: Ahead, policy: ControlPolicy, now_w: float = 0.0
) -> Offer | None:
    """The offer for every slot ahead; None while the connection's meter is stale.

    `now_w`: what vehicles could put off now for an hour by their energy alone
    (`now.vehicles_down_w`): how much of it stands up is `Offer.proved`.

    Left out are chargers that cannot be steered, those that would keep their limit if the agent
    died, and batteries whose setpoint might not end by itself (`flexibility.now`).
    """
    if snapshot.pcc.power_w.fresh(snapshot.at, snapshot.model.meter_max_age) is None:
        return None
    stays = tuple(stay for stay in ahead.expected if stay.probability >= _LIKELY)
    sure = tuple(stay for stay in stays if stay.probability >= _SURE)
    likely = _found(snapshot, ahead, stays, lengthen=True)
    tight = replace(ahead, building_w=ahead.building_high_w)
    certain = _found(snapshot, tight, sure, lengthen=False)
    notice = _CYCLE + max(
        [policy.settle, *(c.follows_within for c in snapshot.chargers if c.follows_within)]
    )
    slots = tuple(_slot(snapshot, ahead, likely, certain, k) for k in range(ahead.horizon.count))
    most_w = max((slot.down_w for slot in slots), default=0.0)
    return Offer(
        at=snapshot.at,
        step=ahead.horizon.step,
        slots=slots,
        notice=notice,
        ramp_w_per_min=most_w / (notice / timedelta(minutes=1)),
        data_age=_data_age(snapshot),
        proved=proved_share(
            likely.crowd,
            ahead.import_w,
            _least_w(snapshot),
            int(_lengths(snapshot.at, ahead)[0]),
            drawn_w(snapshot, policy),
            now_w,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What windows of vehicles and the batteries come to."""

    crowd: Crowd
    windows: Windows
    steady_w: Table
    """[T, V] What each needs to stay on schedule: a battery that discharges is asked for it."""

    @property
    def short(self) -> bool:
        """Whether a vehicle would miss its departure without a battery's help."""
        return bool((self.windows.course.left_wh[-1] > _SHORT_H * self.crowd.power_w).any())


def _found(
    snapshot: SiteSnapshot, ahead: Ahead, stays: tuple[ExpectedStay, ...], *, lengthen: bool
) -> _Found:
    immovable = frozenset(c.spec.evse_id for c in snapshot.chargers if keeps(c))
    crowd = crowd_of(snapshot, ahead, stays, immovable=immovable)
    least_w = _least_w(snapshot)
    lengths = _lengths(snapshot.at, ahead)
    found = windows(crowd, ahead.import_w, least_w, lengths)
    if lengthen:
        found = longer(found, crowd, ahead.import_w, least_w, _LONGER)
    return _Found(crowd=crowd, windows=found, steady_w=_steady_w(crowd, found))


def _lengths(now: datetime, ahead: Ahead) -> Lengths:
    """In slots: an hour, however much of the first one is over."""
    horizon = ahead.horizon
    count = round(HOLD / horizon.step)
    lengths = np.full(horizon.count, count, dtype=np.intp)
    lengths[0] += 0 if now == horizon.start else 1
    return np.minimum(lengths, horizon.count - np.arange(horizon.count))


def _least_w(snapshot: SiteSnapshot) -> float:
    now, age = snapshot.at, snapshot.model.device_max_age
    return max(
        (c.spec.min_current_a * watts_per_amp(c, now, age) for c in snapshot.chargers), default=0.0
    )


def _steady_w(crowd: Crowd, found: Windows) -> Table:
    left = found.course.left_wh[: len(crowd.slot_h)]
    careful = earlier(crowd, SPARE)
    hours = careful.ahead_h[:, : len(crowd.slot_h)].T
    steady = np.where(careful.hours.T > 0, left / np.maximum(hours, 1e-6), 0.0)
    return np.minimum(steady, crowd.power_w)


def _slot(
    snapshot: SiteSnapshot, ahead: Ahead, likely: _Found, certain: _Found, k: int
) -> OfferedSlot:
    horizon = ahead.horizon
    load_w = ahead.building_w + likely.windows.course.load_w
    down_w, stored_w = _down(snapshot, ahead, likely, k)
    sure_w, sure_stored_w = _down(snapshot, ahead, certain, k)
    slots = int(likely.windows.slots[k] if stored_w <= 0 else _lengths(snapshot.at, ahead)[k])
    down_w = min(down_w, max(0.0, float(load_w[k : k + slots].min())))
    lasts = timedelta(hours=float(likely.crowd.slot_h[k : k + slots].sum()))
    sure_w, up_w = min(down_w, sure_w), _up(snapshot, ahead, likely, k)
    after = _Rebound() if down_w <= 0 else _rebound(likely, k, slots, min(stored_w, down_w), lasts)
    return OfferedSlot(
        start=max(snapshot.at, horizon.start + k * horizon.step),
        expected_w=float(load_w[k]),
        down_w=down_w,
        down_sure_w=sure_w,
        lasts=lasts if down_w > 0 else timedelta(0),
        up_w=up_w,
        rebound_w=after.power_w,
        rebound_wh=after.energy_wh,
        rebound_at=_instant(ahead, after.begins),
        again_at=_instant(ahead, after.ends),
        parts=parts(
            snapshot,
            down=Given(down_w, min(stored_w, down_w)),
            sure=Given(sure_w, min(sure_stored_w, sure_w)),
            up_w=up_w,
            charging_w=float(likely.windows.course.load_w[k]),
            pv_w=0.0 if ahead.pv_w is None else float(ahead.pv_w[k]),
        ),
    )


def _instant(ahead: Ahead, slot: int | None) -> datetime | None:
    return None if slot is None else ahead.horizon.start + slot * ahead.horizon.step


def _down(snapshot: SiteSnapshot, ahead: Ahead, found: _Found, k: int) -> tuple[float, float]:
    """All that can be lowered, and what of it batteries give, W.

    A battery that helps keep an import limit is asked for what vehicles need to stay on schedule
    (`decide.storage`). So either vehicles wait and no battery is counted on, or they are taken to
    go on at their steady need and batteries add what they can sustain. Where vehicles can only be
    ready with a battery's help, nothing is offered that would empty it early.
    """
    if snapshot.batteries and found.short:
        return 0.0, 0.0
    waiting_w = float(found.windows.down_w[k])
    lengths = _lengths(snapshot.at, ahead)
    span = slice(k, k + int(lengths[k]))
    hours = float(found.crowd.slot_h[span].sum())
    give_w = sum(_gives(snapshot, ahead, battery, k, hours) for battery in snapshot.batteries)
    if give_w <= 0 or hours <= 0:
        return waiting_w, 0.0
    need_w = np.maximum.accumulate(found.steady_w[span], axis=0)  # held at it, it stays
    need_w = (need_w * (found.crowd.hours.T[span] > 0)).sum(axis=1)
    beside_w = float((found.windows.course.load_w[span] - need_w).min())
    lost_w = _LOST_SHARE * float(np.abs(ahead.import_w[span]).max())
    together_w = give_w + beside_w - lost_w
    return (together_w, give_w) if together_w > waiting_w else (waiting_w, 0.0)


def _gives(
    snapshot: SiteSnapshot, ahead: Ahead, battery: BatteryState, k: int, hours: float
) -> float:
    if battery.spec.lapse is not Lapse.DEVICE or not battery.online or hours <= 0:
        return 0.0
    now, age = snapshot.at, snapshot.model.device_max_age
    above_wh = energy_above_reserve_wh(battery, now, age)
    planned = ahead.stored_wh.get(battery.spec.battery_id)
    if planned is not None:
        reserve_wh = battery.spec.reserve_soc_pct / 100.0 * battery.spec.capacity_wh
        above_wh = min(above_wh, max(0.0, float(planned[k]) - reserve_wh) * battery.spec.efficiency)
    return min(discharge_available_w(battery, now, age), above_wh / hours)


def _up(snapshot: SiteSnapshot, ahead: Ahead, found: _Found, k: int) -> float:
    now, age = snapshot.at, snapshot.model.device_max_age
    span = slice(k, k + int(_lengths(now, ahead)[k]))
    hours = max(1e-9, float(found.crowd.slot_h[span].sum()))
    free_w = found.crowd.room_w[span] - found.windows.course.load_w[span]
    takes_w = 0.0
    for battery in snapshot.batteries:
        soc = battery.soc_pct.fresh(now, age)
        if soc is not None and battery.spec.lapse is Lapse.DEVICE:
            empty_wh = (100.0 - soc) / 100.0 * battery.spec.capacity_wh
            planned = ahead.stored_wh.get(battery.spec.battery_id)
            if planned is not None:
                empty_wh = min(empty_wh, battery.spec.capacity_wh - float(planned[k]))
            takes_w += min(charge_available_w(battery, now, age), max(0.0, empty_wh) / hours)
    return max(0.0, min(takes_w, float(free_w.min(initial=inf))))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rebound:
    """What comes after: most power, energy, and the slots in which it begins and is over."""

    power_w: float = 0.0
    energy_wh: float = 0.0
    begins: int | None = None
    ends: int | None = None


def _rebound(found: _Found, k: int, slots: int, stored_w: float, lasts: timedelta) -> _Rebound:
    count, after = len(found.crowd.slot_h), k + slots
    if stored_w > 0:  # batteries charge gently, vehicles have gone on
        takes = ceil(slots / ControlPolicy().grid_charge_share)
        return _Rebound(
            power_w=ControlPolicy().grid_charge_share * stored_w,
            energy_wh=stored_w * (lasts / _HOUR),
            begins=after if after < count else None,
            ends=after + takes if after + takes < count else None,
        )
    more_w = found.windows.load_w[k] - found.windows.course.load_w
    risen_w = np.where(np.arange(count) >= after, np.maximum(0.0, more_w), 0.0)
    energy_wh = float((risen_w * found.crowd.slot_h).sum())
    if energy_wh < 1.0:
        return _Rebound(ends=after if after < count else None)
    owed_wh = np.cumsum(more_w * found.crowd.slot_h)
    begins = int(np.flatnonzero(risen_w > 0)[0])
    settled = np.flatnonzero(owed_wh[begins:] >= -0.01 * energy_wh - 1.0)
    ends = begins + 1 + int(settled[0]) if len(settled) else None
    return _Rebound(power_w=float(risen_w.max()), energy_wh=energy_wh, begins=begins, ends=ends)


def _data_age(snapshot: SiteSnapshot) -> timedelta:
    """Of the meter and of whatever vehicles and batteries tell."""
    told = [snapshot.pcc.power_w]
    told += [c.power_w for c in snapshot.chargers if c.plugged]
    told += [b.soc_pct for b in snapshot.batteries]
    return max(snapshot.at - one.at for one in told if one.value is not None)
