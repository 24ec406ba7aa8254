"""The page of one site as rows of text, in the site's own local time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from contracts.reading import Reading
from contracts.site_link.messages import FlexibilityOffer, VehicleReadiness
from gateway.flows.sites.live import LiveSite
from gateway.ports import SiteControl
from gateway.reports import words
from gateway.web.control_view import ControlLine, control_lines
from gateway.web.envelope_view import EnvelopeLine, envelope_lines
from gateway.web.links import site_url, why_url
from gateway.web.offer_view import OfferView, offer_view
from gateway.web.portfolio_view import AlarmLine, Value, alarm_line, site_mark, value_of
from gateway.web.snapshot import Snapshot, data_age_s, reading
from gateway.web.wording import Mark

_NAMES = {
    "pcc_power_w": "Load at the grid connection",
    "pcc_import_wh": "Imported energy, meter",
    "building_power_w": "Building and PV together",
    "charging_power_w": "Charging, all chargers",
    "battery_power_w": "Battery",
    "battery_soc_pct": "Battery state of charge",
    "pv_power_w": "PV",
    "load_power_w": "Chargers and battery charging",
    "generation_power_w": "PV and battery discharge",
    "flex_down_w": "Reduction on offer",
    "site_limit_w": "Limit in force",
    "chargers_online": "Chargers online",
    "chargers_total": "Chargers configured",
    "vehicles_charging": "Vehicles charging",
}
_SIGNED = {"pcc_power_w": ("import", "export"), "battery_power_w": ("charging", "discharging")}


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRow:
    """One point with its newest value."""

    name: str
    point: str
    value: Value
    quality: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvseRow:
    """One charging point: what it draws and what it may."""

    evse_id: str
    power: Value
    limit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleRow:
    """Whether one vehicle will have its energy at departure."""

    vehicle_id: str
    evse_id: str
    mark: Mark
    soc: str
    required: str
    departure: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteView:
    """Everything about one site."""

    site_id: str
    why_url: str
    accounts_url: str
    name: str
    simulated: bool
    mark: Mark
    age: str
    clock: str
    zone: str
    contracted: str
    points: tuple[PointRow, ...]
    evses: tuple[EvseRow, ...]
    vehicles: tuple[VehicleRow, ...]
    alarms: tuple[AlarmLine, ...]
    envelopes: tuple[EnvelopeLine, ...]
    controls: tuple[ControlLine, ...]
    offer: OfferView | None


def site_view(
    live: LiveSite,
    readiness: Sequence[VehicleReadiness],
    snapshot: Snapshot,
    controls: Sequence[SiteControl] = (),
    offer: FlexibilityOffer | None = None,
) -> SiteView:
    """Turn a site's readings, its vehicles' readiness and what binds it into text."""
    site, now, tz = live.site, snapshot.now, live.site.time_zone
    return SiteView(
        site_id=site.site_id,
        why_url=why_url("site", site.site_id),
        accounts_url=f"{site_url(site.site_id)}/accounts",
        name=site.name,
        simulated=site.simulated,
        mark=site_mark(live, snapshot),
        age=words.age(data_age_s(live, now)),
        clock=words.clock(now, tz),
        zone=words.zone(now, tz),
        contracted=words.power(site.import_limit_w),
        points=tuple(_point(point, live, now) for point in _order(live)),
        evses=_evses(live, now),
        vehicles=tuple(_vehicle(row, tz) for row in sorted(readiness, key=lambda r: r.departure)),
        alarms=tuple(
            alarm_line(site_id, site.name, notice, now, tz)
            for site_id, notice in snapshot.raised
            if site_id == site.site_id
        ),
        envelopes=envelope_lines(snapshot.imposed, site.site_id, now, tz),
        controls=control_lines(controls, tz),
        offer=offer_view(offer, now, tz),
    )


def _order(live: LiveSite) -> list[str]:
    """Known points in their usual order, then whatever else the site sends (not per EVSE)."""
    known = [point for point in _NAMES if point in live.readings]
    rest = (p for p in live.readings if p not in _NAMES and not p.startswith("evse/"))
    return known + sorted(rest)


def _point(point: str, live: LiveSite, now: datetime) -> PointRow:
    found = reading(live, point, now)
    return PointRow(
        name=_NAMES.get(point, point),
        point=point,
        value=value_of(found, now, in_words(point, found)),
        quality=found.quality.value,
    )


def in_words(point: str, found: Reading) -> str:
    """A value with its unit, which is the ending of the point's name; direction in words."""
    value = found.value
    if value is None:
        return words.NA
    if point in _SIGNED:
        return _directed(value, *_SIGNED[point])
    if point in ("pv_power_w", "generation_power_w"):
        return f"generating {words.power(-value)}" if value < 0 else words.power(value)
    for ending, shown in (("_wh", words.energy), ("_w", words.power), ("_pct", words.percent)):
        if point.endswith(ending):
            return shown(value)
    return words.number(value, 0)


def _directed(power_w: float, positive: str, negative: str) -> str:
    size = words.power(abs(power_w))
    if size == words.power(0.0):
        return size
    return f"{positive if power_w > 0 else negative} {size}"


def _evses(live: LiveSite, now: datetime) -> tuple[EvseRow, ...]:
    ids = sorted({point.split("/")[1] for point in live.readings if point.count("/") == 2})  # noqa: PLR2004 (evse/<id>/<what>)
    rows = []
    for evse_id in ids:
        power = reading(live, f"evse/{evse_id}/power_w", now)
        limit = reading(live, f"evse/{evse_id}/limit_w", now)
        rows.append(
            EvseRow(
                evse_id=evse_id,
                power=value_of(power, now, words.power(power.value)),
                limit=words.power(limit.value),
            )
        )
    return tuple(rows)


def _vehicle(row: VehicleReadiness, tz: tzinfo) -> VehicleRow:
    helps = f". What helps: {row.helps}" if row.helps else ""
    return VehicleRow(
        vehicle_id=row.vehicle_id,
        evse_id=row.evse_id if row.here else "not here yet",
        mark=_readiness(row),
        soc=words.percent(row.soc_pct),
        required=words.energy(row.required_wh),
        departure=f"{words.day(row.departure, tz)}, {words.clock(row.departure, tz)}",
        reason=f"{row.reason}{helps}",
    )


def _readiness(row: VehicleReadiness) -> Mark:
    if not row.on_track:
        return Mark("Will be short", "triangle", "warn")
    if row.outlook == "at risk":
        return Mark("At risk", "clock", "busy")
    return Mark("Ready" if row.required_wh == 0 else "On track", "check", "ok")
