"""Settings of one demo depot's agent."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from contracts.power import NOMINAL_VOLTAGE_V
from gridyard.demo import plan as demo
from gridyard.demo.plan import ChargerPlan, DepotPlan
from site_agent.config import SiteSettings

LOOPBACK = "127.0.0.1"
BOARD = "charging-board"
_BANNER = "SIMULATED: values come from simulated hardware. They describe no real load."
_AT_ONCE = {"share_per_minute": 1, "most_delay_s": 0}
"""Loads come back at once: the demo's event is over before a return in steps would be."""
_BOARD_SHARE = 0.8
"""The chargers' board is fused below the service, so that the tree has something to say."""


class SitePorts(NamedTuple):
    """Where the devices of one depot and its agent meet."""

    ocpp: int
    meter: int
    battery: int
    pv: int
    mqtt: int
    web: int = 0
    """Of the agent's own page; 0: it has none."""


def id_tag(charger: ChargerPlan) -> str:
    """The card of the vehicle at this charger."""
    return f"TAG-{charger.vehicle_id}".upper()


def site_settings(
    depot: DepotPlan,
    ports: SitePorts,
    *,
    folder: Path,
    credentials: Path,
    link: str,
    telemetry_s: float,
) -> SiteSettings:
    """What the agent of this depot is told."""
    return SiteSettings.model_validate(
        {
            "site_id": depot.site_id,
            "data": folder,
            "time_zone": demo.TIME_ZONE,
            "contract_limit_w": depot.contract_limit_w,
            "max_building_w": depot.building_w * 1.3,
            "circuit": {
                "limit_a": depot.service_a,
                "nodes": [{"id": BOARD, "limit_a": depot.service_a * _BOARD_SHARE}],
            },
            "meter": {"host": LOOPBACK, "port": ports.meter},
            "chargers": [_charger(charger) for charger in depot.chargers],
            "ocpp": {"host": LOOPBACK, "port": ports.ocpp, "meter_interval_s": 2},
            "batteries": _batteries(depot, ports),
            "mqtt": {"port": ports.mqtt},
            "pv": _pv(depot, ports),
            "fleet": [_vehicle(charger) for charger in depot.chargers],
            "link": {"servers": [link], "credentials": credentials},
            "telemetry_s": telemetry_s,
            "restoration": _AT_ONCE,
            "web": {"port": ports.web, "banner": _BANNER} if ports.web else None,
        }
    )


def _charger(charger: ChargerPlan) -> dict[str, object]:
    return {
        "id": charger.charger_id,
        "versions": [f"ocpp{charger.version}"],
        "node": BOARD,
        "max_current_a": charger.max_ac_w / (3 * NOMINAL_VOLTAGE_V),
    }


def _vehicle(charger: ChargerPlan) -> dict[str, object]:
    return {
        "vehicle_id": charger.vehicle_id,
        "id_tags": [id_tag(charger)],
        "in_hours": charger.leaves_in_h,
        "required_soc_pct": charger.required_soc_pct,
        "capacity_wh": charger.capacity_wh,
        "arrival_soc_pct": charger.soc_pct,
        "max_power_w": charger.max_ac_w,
    }


def _batteries(depot: DepotPlan, ports: SitePorts) -> list[dict[str, object]]:
    battery = {
        "id": "bess-1",
        "capacity_wh": depot.battery_wh,
        "max_charge_w": depot.battery_w,
        "max_discharge_w": depot.battery_w,
    }
    if depot.battery == "sunspec":
        return [{**battery, "kind": "sunspec", "host": LOOPBACK, "port": ports.battery}]
    if depot.battery == "mqtt":
        return [{**battery, "kind": "mqtt", "password": "demo-only"}]
    return []


def _pv(depot: DepotPlan, ports: SitePorts) -> list[dict[str, object]]:
    if not depot.pv_w:
        return []
    return [{"id": "pv-1", "host": LOOPBACK, "port": ports.pv, "rated_w": depot.pv_w}]
