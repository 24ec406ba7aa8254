"""Whether each vehicle will have its energy when it leaves; if not: why, how much, what would help.

The hours ahead are filled by the rule that shares power every second (`flexibility.fill`), with the
wishes of a plan where there is one. What is predicted is the present picture carried on; a vehicle
that comes unannounced changes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.flexibility.ahead import Ahead
from site_agent.domain.flexibility.crowd import (
    Crowd,
    Member,
    alone_w,
    crowd_of,
    room_w,
    unsteered,
)
from site_agent.domain.flexibility.fill import Course, course
from site_agent.domain.protect.estimate import Role, role
from site_agent.domain.site import SiteSnapshot

LATE = timedelta(minutes=5)
"""Missing less than this at full power is on time: vehicles and meters are no finer."""
TIGHT = timedelta(minutes=15)
"""Ready with less than this to spare is at risk."""
SWAP = timedelta(minutes=10)
"""How long people take to move a vehicle to another plug."""
_CERTAIN = 0.5
"""History's guesses below this do not count as vehicles that will come."""
_HOUR = timedelta(hours=1)


class Outlook(StrEnum):
    """How it looks for a vehicle."""

    READY = "ready"
    ON_TRACK = "on track"
    AT_RISK = "at risk"
    """Ready in time as things are, with little to spare or if the building takes no more."""
    WILL_MISS = "will miss"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """One vehicle's prospect."""

    need: VehicleNeed
    soc_pct: float | None
    outlook: Outlook
    reason: str
    here: bool = True
    """False: it is expected, not plugged in yet; `need.evse_id` may then be empty."""
    ready_at: datetime | None = None
    """When it will have its energy; None: not within the hours looked at."""
    missing_wh: float = 0.0
    """What it will lack when it leaves, Wh, >= 0."""
    late_by: timedelta = timedelta(0)
    """How much longer it would have to stay at full power."""
    helps: str = ""
    """What somebody can still do about it; empty: nothing known."""
    swap_to: str | None = None
    """A free plug that would have it ready."""
    swap_by: datetime | None = None
    """... if it stands there by then."""
    since: datetime | None = None
    """Since when its outlook has been this one; None: nobody has kept count."""

    @property
    def on_track(self) -> bool:
        """Whether it will be ready in time as things are."""
        return self.outlook is not Outlook.WILL_MISS


def readiness(snapshot: SiteSnapshot, ahead: Ahead) -> tuple[Readiness, ...]:
    """The prospect of every vehicle plugged in or expected, in order of departure."""
    stays = [stay for stay in ahead.expected if stay.probability >= _CERTAIN]
    crowd = crowd_of(snapshot, ahead, stays)
    high_room_w = room_w(snapshot, ahead, ahead.building_high_w, unsteered(snapshot))
    day, short_wh = course(crowd, high_room_w)
    found = [
        _prospect(snapshot, ahead, crowd, day, i, float(short_wh[i]))
        for i, member in enumerate(crowd.members)
        if member.here or member.need.known
    ]
    found += _unsteered(snapshot)
    return tuple(sorted(found, key=lambda one: (one.need.departure, one.need.rank, _name(one))))


def _name(one: Readiness) -> tuple[str, str]:
    return one.need.evse_id, one.need.vehicle_id


def _prospect(
    snapshot: SiteSnapshot, ahead: Ahead, crowd: Crowd, day: Course, i: int, if_high_wh: float
) -> Readiness:
    member, missing_wh = crowd.members[i], float(day.left_wh[-1, i])
    need, now = member.need, snapshot.at
    late_by = _span(missing_wh, member.power_w)
    leaves_within = need.due <= ahead.horizon.end
    ready_at = _ready_at(now, crowd, day, i)
    if need.due <= now:
        missing_wh, late_by = need.required_wh, now - need.due + need_span(need)
    if need.required_wh <= 0:
        outlook, reason = Outlook.READY, "ready"
    elif late_by > LATE and leaves_within:
        outlook, reason = Outlook.WILL_MISS, _why(ahead, crowd, day, i, now)
    else:
        if_high = _span(if_high_wh, member.power_w)
        outlook, reason = (
            _tight(need, now, ready_at, if_high) if leaves_within else _spare(need, now)
        )
        missing_wh, late_by = 0.0, timedelta(0)
    swap = _swap(snapshot, member, now) if outlook is Outlook.WILL_MISS else None
    return Readiness(
        need=need,
        soc_pct=_soc(snapshot, need) if member.here else None,
        outlook=outlook,
        reason=reason,
        here=member.here,
        ready_at=ready_at,
        missing_wh=missing_wh,
        late_by=late_by,
        helps=_helps(late_by, swap, now),
        swap_to=None if swap is None else swap[0],
        swap_by=None if swap is None else swap[1],
    )


def _tight(
    need: VehicleNeed, now: datetime, ready_at: datetime | None, if_high: timedelta
) -> tuple[Outlook, str]:
    _, words = _spare(need, now)
    left = need.due - (need.due if ready_at is None else ready_at)
    if left < TIGHT:
        minutes = max(0.0, left / timedelta(minutes=1))
        return Outlook.AT_RISK, f"{words}; ready only {minutes:.0f} min before it leaves"
    if if_high > LATE:
        return Outlook.AT_RISK, f"{words}; short if the building takes more than is likely"
    return Outlook.ON_TRACK, words


def _spare(need: VehicleNeed, now: datetime) -> tuple[Outlook, str]:
    words = f"{need.required_wh:.0f} Wh to go, {_h(need.laxity(now)):.1f} h to spare"
    return Outlook.ON_TRACK, words


def _ready_at(now: datetime, crowd: Crowd, day: Course, i: int) -> datetime | None:
    """Within the slot in which the last energy comes, as if it came evenly."""
    left = day.left_wh[:, i]
    done = np.flatnonzero(left <= _share(crowd, i))
    if not len(done):
        return None
    last = int(done[0])
    if last == 0:
        return now
    hours = float(crowd.slot_h[: last - 1].sum())
    idle = (
        float(crowd.slot_h[last - 1] - crowd.hours[i, last - 1])
        if _arrives(crowd, i, last)
        else 0.0
    )
    return now + timedelta(hours=hours + idle + float(left[last - 1]) / float(crowd.power_w[i]))


def _arrives(crowd: Crowd, i: int, slot: int) -> bool:
    return slot < 2 or float(crowd.hours[i, slot - 2]) == 0.0  # noqa: PLR2004 (the slot before)


def _share(crowd: Crowd, i: int) -> float:
    return 1e-3 + 1e-6 * float(crowd.energy_wh[i])


def _why(ahead: Ahead, crowd: Crowd, day: Course, i: int, now: datetime) -> str:
    """What keeps it from being ready: itself, or the constraint that withheld most of it."""
    member = crowd.members[i]
    begins = max(now, member.arrives)
    after = member.need.due - begins - _span(member.need.required_wh, member.power_w)
    if after < -LATE:
        comes = "" if member.here else "comes late: "
        return f"{comes}late by {-after / timedelta(minutes=1):.0f} min even at full power"
    worst = int(np.argmax(day.withheld_wh[:, i]))
    if worst < len(crowd.causes):
        cause = crowd.causes[worst]
    else:
        cause = ahead.causes[int(np.argmax(day.import_blame))]
    return f"{cause} cannot charge everyone who leaves by then"


def _unsteered(snapshot: SiteSnapshot) -> Iterator[Readiness]:
    """Vehicles at chargers that cannot be moved."""
    chargers = {one.spec.evse_id: one for one in snapshot.chargers}
    for need in snapshot.needs:
        charger = chargers.get(need.evse_id)
        if charger is None or role(charger) is not Role.FIXED:
            continue
        given_w = min(need.max_power_w, alone_w(charger, snapshot))
        hours = max(0.0, _h(need.due - snapshot.at))
        missing_wh = max(0.0, need.required_wh - given_w * hours)
        state = "does not obey" if charger.online else "does not answer"
        outlook, reason = Outlook.ON_TRACK, f"its charger {state}, but gives enough"
        if need.required_wh <= 0:
            outlook, reason = Outlook.READY, "ready"
        elif missing_wh > need.max_power_w * _h(LATE):
            share = "what it gives" if charger.online else "the fail-safe share"
            outlook, reason = Outlook.WILL_MISS, f"its charger {state}, and {share} is too little"
        else:
            missing_wh = 0.0
        swap = _elsewhere(snapshot, need) if outlook is Outlook.WILL_MISS else None
        late_by = _span(missing_wh, need.max_power_w)
        yield Readiness(
            need=need,
            soc_pct=charger.soc_pct.value,
            outlook=outlook,
            reason=reason,
            missing_wh=missing_wh,
            late_by=late_by,
            helps=_helps(timedelta(0), swap, snapshot.at),
            swap_to=None if swap is None else swap[0],
            swap_by=None if swap is None else swap[1],
        )


# --- what would help -----------------------------------------------------------------------------


def _swap(snapshot: SiteSnapshot, member: Member, now: datetime) -> tuple[str, datetime] | None:
    """The faster free plug that serves it, and by when it must stand there.

    Only where its EVSE, not the vehicle, is what limits it.
    """
    spec = next((s for s in snapshot.model.chargers if s.evse_id == member.need.evse_id), None)
    if spec is None or not member.here or member.need.due <= now:
        return None
    rated_w = spec.max_current_a * spec.voltage_v * len(spec.phases)
    if member.power_w < rated_w * (1 - 1e-6):
        return None
    return _elsewhere(snapshot, member.need, above_w=rated_w)


def _elsewhere(
    snapshot: SiteSnapshot, need: VehicleNeed, above_w: float = 0.0
) -> tuple[str, datetime] | None:
    """A plug nobody stands at, or whose vehicle is ready, that would still have it ready."""
    taken = {one.evse_id for one in snapshot.needs if one.required_wh > 0}
    best: tuple[float, str, datetime] | None = None
    for charger in snapshot.chargers:
        spec = charger.spec
        rated_w = spec.max_current_a * spec.voltage_v * len(spec.phases)
        if spec.evse_id in taken or role(charger) is Role.FIXED or rated_w <= above_w:
            continue
        power_w = rated_w if above_w else min(rated_w, need.max_power_w)
        by = need.due - timedelta(hours=need.required_wh / power_w)
        if by - snapshot.at >= SWAP and (best is None or rated_w > best[0]):
            best = rated_w, spec.evse_id, by
    return None if best is None else (best[1], best[2])


def _helps(late_by: timedelta, swap: tuple[str, datetime] | None, now: datetime) -> str:
    words = []
    if swap is not None:
        plug, by = swap
        words.append(f"plug it into {plug} within {(by - now) / timedelta(minutes=1):.0f} min")
    if late_by > timedelta(0):
        words.append(f"let it leave {late_by / timedelta(minutes=1):.0f} min later")
    return ", or ".join(words)


def _soc(snapshot: SiteSnapshot, need: VehicleNeed) -> float | None:
    charger = next((c for c in snapshot.chargers if c.spec.evse_id == need.evse_id), None)
    return None if charger is None else charger.soc_pct.value


def need_span(need: VehicleNeed) -> timedelta:
    """How long the need takes at full power."""
    return _span(need.required_wh, need.max_power_w)


def _span(energy_wh: float, power_w: float) -> timedelta:
    return min(timedelta(days=30), timedelta(hours=min(720.0, energy_wh / max(1.0, power_w))))


def _h(span: timedelta) -> float:
    return span / _HOUR
