"""Whether each vehicle will have its energy when it leaves, and if not, why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from site_agent.domain.device import ChargerState
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.protect.estimate import Role, role
from site_agent.domain.site import SiteSnapshot

LATE = timedelta(minutes=-5)
"""Less laxity than this is late; a vehicle charging at full power hovers around its laxity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """One vehicle's prospect."""

    need: VehicleNeed
    soc_pct: float | None
    on_track: bool
    reason: str


def readiness(snapshot: SiteSnapshot, building_w: float | None) -> tuple[Readiness, ...]:
    """The prospect of every vehicle plugged in, in order of departure."""
    chargers = {charger.spec.evse_id: charger for charger in snapshot.chargers}
    return tuple(
        Readiness(
            need=need,
            soc_pct=chargers[need.evse_id].soc_pct.value,
            on_track=trouble is None,
            reason=trouble or _prospect(need, snapshot.at),
        )
        for need, trouble in _troubles(snapshot, chargers, building_w)
        if need.evse_id in chargers
    )


def _troubles(
    snapshot: SiteSnapshot, chargers: dict[str, ChargerState], building_w: float | None
) -> Iterator[tuple[VehicleNeed, str | None]]:
    """Each need with what stands in its way; the site's capacity goes to earlier departures."""
    building = snapshot.model.max_building_w if building_w is None else building_w
    room_w = max(0.0, snapshot.model.contract_limit_w - building)
    promised_wh = 0.0
    for need in sorted(snapshot.needs, key=lambda n: (n.departure, n.rank, n.evse_id)):
        trouble = _own_trouble(need, chargers.get(need.evse_id), snapshot.at)
        available_wh = room_w * max(0.0, _hours(need.departure - snapshot.at))
        if trouble is None and need.required_wh > 0:
            if promised_wh + need.required_wh > available_wh:
                trouble = "the connection cannot charge everyone who leaves by then"
            else:
                promised_wh += need.required_wh
        yield need, trouble


def _own_trouble(need: VehicleNeed, charger: ChargerState | None, now: datetime) -> str | None:
    if need.required_wh <= 0:
        return None
    if charger is not None and role(charger) is Role.FIXED and not charger.online:
        spec = charger.spec
        alone_w = spec.fail_safe_current_a * spec.voltage_v * len(spec.phases)
        if alone_w * _hours(need.departure - now) < need.required_wh:
            return "its charger does not answer, and the fail-safe share is too little"
        return None
    if need.laxity(now) < LATE:
        minutes = -need.laxity(now) / timedelta(minutes=1)
        return f"late by {minutes:.0f} min even at full power"
    return None


def _prospect(need: VehicleNeed, now: datetime) -> str:
    if need.required_wh <= 0:
        return "ready"
    return f"{need.required_wh:.0f} Wh to go, {_hours(need.laxity(now)):.1f} h to spare"


def _hours(span: timedelta) -> float:
    return span / timedelta(hours=1)
