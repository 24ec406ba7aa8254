"""Settings of every program of the demo, made from the plan; people could type the same files."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from certs.pki import Pki
from contracts.time import Clock
from depot_sim.config import DepotSettings
from gateway.config import GatewaySettings
from gridyard.credentials import make_credentials, site_folder
from gridyard.demo import grid
from gridyard.demo import plan as demo
from gridyard.demo.grid import GridPorts
from gridyard.demo.plan import ChargerPlan, DepotPlan, Pace
from gridyard.demo.site_layout import LOOPBACK, SitePorts, id_tag, site_settings
from site_agent.config import SiteSettings
from vtn_sim.config import VtnSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Everything the demo runs."""

    pki: Pki
    utility: VtnSettings
    gateway: GatewaySettings
    agents: tuple[SiteSettings, ...]
    depots: tuple[DepotSettings, ...]


def make_layout(
    folder: Path, pki_folder: Path, pace: Pace, clock: Clock, *, web_port: int
) -> Layout:
    """Keys, free ports and settings for one run in `folder`."""
    site_ids = [depot.site_id for depot in demo.DEPOTS]
    pki = make_credentials(pki_folder, site_ids, clock)
    ports = iter(free_ports(6 + 6 * len(demo.DEPOTS)))
    vtn_port, api_port, link_port, any_web_port = (next(ports) for _ in range(4))
    grid_ports = GridPorts(server=next(ports), listener=next(ports))
    site_ports = {site: SitePorts(*(next(ports) for _ in range(6))) for site in site_ids}
    link = f"tls://{LOOPBACK}:{link_port}"
    return Layout(
        pki=pki,
        utility=_utility(pki, pace, vtn_port, api_port, grid_ports),
        gateway=_gateway(
            folder, pki, pace, vtn_port, link_port, web_port or any_web_port, grid_ports
        ),
        agents=tuple(
            site_settings(
                depot,
                site_ports[depot.site_id],
                folder=folder / "sites" / depot.site_id,
                credentials=site_folder(pki.folder, depot.site_id),
                link=link,
                telemetry_s=pace.telemetry,
            )
            for depot in demo.DEPOTS
        ),
        depots=tuple(_depot(depot, site_ports[depot.site_id], pace) for depot in demo.DEPOTS),
    )


def free_ports(count: int) -> Sequence[int]:
    """Ports nobody listens on now; all are held open until all are known, so none comes twice."""
    with ExitStack() as stack:
        found = []
        for _ in range(count):
            listener = stack.enter_context(socket.socket())
            listener.bind((LOOPBACK, 0))
            found.append(int(listener.getsockname()[1]))
        return found


def _utility(pki: Pki, pace: Pace, port: int, api_port: int, grid_ports: GridPorts) -> VtnSettings:
    steps = [{"duration_s": pace.duration, "value": -demo.REDUCTION_W / 1000.0}]
    return VtnSettings.model_validate(
        {
            "vtn_id": "DEMO-VTN",
            "port": port,
            "api_port": api_port,
            "cert_file": pki.vtn.cert,
            "key_file": pki.vtn.key,
            "ca_file": pki.utility_ca,
            "poll_frequency_s": 1,
            "vens": [{"ven_id": demo.VEN_ID, "name": demo.VEN_NAME}],
            "report": {"granularity_s": 10, "report_back_s": 10},
            "sep2": grid.server(pki, pace, grid_ports),
            "scenario": [
                {
                    "event_id": demo.EVENT_ID,
                    "relative_to": "start",
                    "notice_after_s": pace.notice,
                    "start_after_s": pace.start,
                    "notification_s": round(pace.start - pace.notice),
                    "market_context": demo.PROGRAM_ID,
                    "comment": "First light",
                    "signals": [{"intervals": steps}],
                }
            ],
        }
    )


def _gateway(
    folder: Path,
    pki: Pki,
    pace: Pace,
    vtn_port: int,
    link_port: int,
    web_port: int,
    grid_ports: GridPorts,
) -> GatewaySettings:
    return GatewaySettings.model_validate(
        {
            "data": folder / "gateway",
            "sites": [
                {
                    "site_id": depot.site_id,
                    "name": depot.name,
                    "time_zone": demo.TIME_ZONE,
                    "import_limit_w": depot.contract_limit_w,
                    "simulated": True,
                }
                for depot in demo.DEPOTS
            ],
            "programs": [_program(pace)],
            "openadr": [
                {
                    "utility_id": demo.UTILITY_ID,
                    "url": f"https://{LOOPBACK}:{vtn_port}/OpenADR2/Simple/2.0b",
                    "ven_name": demo.VEN_NAME,
                    "ven_id": demo.VEN_ID,
                    "ca": pki.utility_ca,
                    "cert": pki.ven.cert,
                    "key": pki.ven.key,
                }
            ],
            "sep2": [grid.client(pki, grid_ports)],
            "link": {
                "port": link_port,
                "ca": pki.site_ca,
                "broker_cert": pki.broker.cert,
                "broker_key": pki.broker.key,
                "cert": pki.gateway.cert,
                "key": pki.gateway.key,
                "nats": pki.nats,
            },
            "web": {"port": web_port},
            # Loads come back at once, as in the depots: the event is over before steps would be.
            "dispatch": {"review": timedelta(seconds=5), "restoration": None},
            "reports": {"late_data": timedelta(seconds=4)},
        }
    )


def _program(pace: Pace) -> dict[str, object]:
    """A program whose times fit a compressed event; the rules are those of a real one."""
    return {
        "program_id": demo.PROGRAM_ID,
        "name": demo.PROGRAM_NAME,
        "utility_id": demo.UTILITY_ID,
        "measurement_interval": timedelta(seconds=10),
        "observe_after": timedelta(seconds=pace.observe),
        "baseline": {
            "day_type": "any",
            "adjustment": "ratio",
            "adjust_from": timedelta(seconds=pace.start - pace.notice),
            "adjust_until": timedelta(seconds=8),
            "adjust_low": 0.6,
            "adjust_high": 1.4,
        },
        "enrolments": [
            {"site_id": depot.site_id, "nominated_w": depot.nominated_w} for depot in demo.DEPOTS
        ],
    }


def _depot(depot: DepotPlan, ports: SitePorts, pace: Pace) -> DepotSettings:
    faults = [
        {"at_s": pace.fault, "device": demo.FAULTY_CHARGER, "kind": "drop", "for_s": pace.fault_for}
    ]
    battery = {
        "id": "bess-1",
        "capacity_wh": depot.battery_wh,
        "max_charge_w": depot.battery_w,
        "max_discharge_w": depot.battery_w,
        "soc_pct": 62.0,
    }
    batteries = {
        None: [],
        "sunspec": [{**battery, "kind": "sunspec", "port": ports.battery}],
        "mqtt": [
            {
                **battery,
                "kind": "mqtt",
                "broker": {"port": ports.mqtt, "username": "bess-1", "password": "demo-only"},
            }
        ],
    }[depot.battery]
    return DepotSettings.model_validate(
        {
            "site_id": depot.site_id,
            "seed": depot.seed,
            "meter": {"port": ports.meter, "rated_a": depot.service_a},
            "building": {"base_w": depot.building_w, "swing_w": depot.building_w * 0.06},
            "chargers": [_charger(charger, ports.ocpp) for charger in depot.chargers],
            "batteries": batteries,
            "pv": [{"id": "pv-1", "port": ports.pv, "rated_w": depot.pv_w, "swing": 0.06}]
            if depot.pv_w
            else [],
            "faults": faults if depot.site_id == demo.FAULTY_SITE else [],
        }
    )


def _charger(charger: ChargerPlan, ocpp_port: int) -> dict[str, object]:
    return {
        "id": charger.charger_id,
        "version": charger.version,
        "url": f"ws://{LOOPBACK}:{ocpp_port}",
        "meter_interval_s": 2,
        "vehicle": {
            "id": charger.vehicle_id,
            "id_tag": id_tag(charger),
            "capacity_wh": charger.capacity_wh,
            "soc_pct": charger.soc_pct,
            "max_ac_w": charger.max_ac_w,
            "departure_after_s": charger.leaves_in_h * 3600.0,
            "required_soc_pct": charger.required_soc_pct,
        },
        "plug_in_after_s": 0.5,
    }
