"""What PV and batteries may make, and how PV is held to it.

PV goes before batteries: power that is made is the same at the meter wherever it comes from. So a
battery gets what PV, as it is made now, leaves of a limit; the ceiling of PV is what the battery
then leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from site_agent.domain.device import BatterySetpoint, BatteryState, PvSetpoint, PvState
from site_agent.domain.protect.envelope import Envelope, Limit, Side
from site_agent.domain.protect.estimate import Moment, battery_stuck
from site_agent.domain.site import SiteSnapshot

_TINY_W = 1.0
_LONGEST = timedelta(seconds=10)
"""A rise waits no longer than this for readings to show the limit before it."""


def stuck_pv_w(snapshot: SiteSnapshot, moment: Moment) -> float:
    """Most that inverters make which cannot be limited, W as a magnitude.

    Silent, or taking no limit: the rating (a limit that lapses leaves the inverter free).
    Disobedient: what it is measured to make.
    """
    return sum(_made_w(inverter, moment) for inverter in snapshot.pv if _stuck(inverter))


def out_of_hand(
    snapshot: SiteSnapshot,
    envelope: Envelope,
    batteries: Sequence[BatterySetpoint],
    moment: Moment,
) -> tuple[Limit, ...]:
    """The limits that may be broken by what cannot be limited."""
    stuck_w = stuck_pv_w(snapshot, moment)
    allowed = _allowed(snapshot, envelope, batteries, moment)
    return tuple(limit for limit in allowed if limit.bound.value < stuck_w - _TINY_W)


def discharge_room_w(snapshot: SiteSnapshot, envelope: Envelope, moment: Moment) -> float | None:
    """What the generation limit leaves batteries beside PV as it is now, W; None without one."""
    if envelope.generation_w is None:
        return None
    made_w = sum(_made_w(inverter, moment) for inverter in snapshot.pv)
    return max(0.0, -envelope.generation_w.value - made_w - _stuck_batteries_w(snapshot, moment))


def curtail(
    snapshot: SiteSnapshot,
    envelope: Envelope,
    batteries: Sequence[BatterySetpoint],
    moment: Moment,
) -> tuple[PvSetpoint, ...]:
    """Release PV, unless a limit on export or generation needs it below what it could make.

    The cut is proportional to the ratings; inverters that cannot be limited are paid for by the
    others.
    """
    rated_w = sum(inverter.spec.rated_w for inverter in snapshot.pv)
    limits = _allowed(snapshot, envelope, batteries, moment)
    allowed = min((limit.bound for limit in limits), key=lambda bound: bound.value, default=None)
    if allowed is None or allowed.value >= rated_w:
        return tuple(
            PvSetpoint(pv_id=one.spec.pv_id, limit_w=None, cause="no limit on PV binds")
            for one in snapshot.pv
        )
    free_w = sum(inverter.spec.rated_w for inverter in snapshot.pv if not _stuck(inverter))
    left_w = allowed.value - stuck_pv_w(snapshot, moment)
    fair, share = _share(allowed.value, rated_w), _share(left_w, free_w)
    return tuple(
        PvSetpoint(
            pv_id=one.spec.pv_id,
            limit_w=_no_rise_yet(one, one.spec.rated_w * (fair if _stuck(one) else share), moment),
            cause=allowed.cause,
        )
        for one in snapshot.pv
    )


def _no_rise_yet(inverter: PvState, limit_w: float, moment: Moment) -> float:
    """A limit that rises only once meter and inverter have shown the one before it.

    Until then one of them may be of the time before it: together they show room that is not there,
    and PV would swing between its limits.
    """
    held_w, since = inverter.limited_w, inverter.limited_since
    if held_w is None or since is None or limit_w <= held_w:
        return limit_w
    shown = min(inverter.power_w.at, moment.pcc_at) >= since + moment.settle
    return limit_w if shown or moment.now >= since + _LONGEST else held_w


def _share(part_w: float, of_w: float) -> float:
    return min(1.0, max(0.0, part_w) / of_w) if of_w > 0 else 0.0


def _allowed(
    snapshot: SiteSnapshot,
    envelope: Envelope,
    batteries: Sequence[BatterySetpoint],
    moment: Moment,
) -> list[Limit]:
    """What all PV together may make under each limit, W as a magnitude."""
    allowed: list[Limit] = []
    if envelope.export_w is not None:
        left_w = _others_w(snapshot, batteries) - envelope.export_w.value
        bound = replace(envelope.export_w, value=left_w)
        allowed.append(Limit(side=Side.EXPORT, bound=bound))
    if envelope.generation_w is not None:
        given_w = sum(max(0.0, -setpoint.power_w) for setpoint in batteries)
        left_w = -envelope.generation_w.value - given_w - _stuck_batteries_w(snapshot, moment)
        bound = replace(envelope.generation_w, value=left_w)
        allowed.append(Limit(side=Side.GENERATION, bound=bound))
    return allowed


def _others_w(snapshot: SiteSnapshot, batteries: Sequence[BatterySetpoint]) -> float:
    """Load beside PV, with batteries where they are being sent; 0 when it cannot be known."""
    now, model = snapshot.at, snapshot.model
    power = snapshot.pcc.power_w.fresh(now, model.meter_max_age)
    made = [state.power_w.fresh(now, model.device_max_age) for state in snapshot.pv]
    if power is None or None in made:
        return 0.0
    moved = sum(
        _moved_w(battery, setpoint, battery.power_w.fresh(now, model.device_max_age))
        for battery, setpoint in zip(snapshot.batteries, batteries, strict=True)
    )
    return power - sum(value for value in made if value is not None) + moved


def _moved_w(battery: BatteryState, setpoint: BatterySetpoint, measured: float | None) -> float:
    """How its power will change, W; a silent one may stop charging, but not stop discharging."""
    if measured is None:
        return 0.0
    return setpoint.power_w - measured if battery.online else min(0.0, -measured)


def _stuck(inverter: PvState) -> bool:
    return not (inverter.online and inverter.takes_limits and inverter.obeys)


def _made_w(inverter: PvState, moment: Moment) -> float:
    """What it makes, W as a magnitude; its rating when that is not known or not bounded."""
    measured = inverter.power_w.fresh(moment.now, moment.max_age)
    if measured is None or not inverter.takes_limits:
        return inverter.spec.rated_w
    return max(0.0, -measured)


def _stuck_batteries_w(snapshot: SiteSnapshot, moment: Moment) -> float:
    return sum(-battery_stuck(battery, moment).low for battery in snapshot.batteries)
