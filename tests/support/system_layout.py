"""Settings files of a small but whole system: a utility, a gateway, two depots and their agents."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import yaml
from pydantic import BaseModel

from certs.pki import Pki
from contracts.clock import SystemClock
from contracts.site_link.points import PCC_POWER_W
from depot_sim.config import DepotSettings
from gateway.config import GatewaySettings
from gateway.store.database import Database
from gateway.store.telemetry import SqlTelemetry
from gridyard.credentials import make_credentials, site_folder
from gridyard.demo.history import LABEL, synthetic_history
from gridyard.demo.plan import ChargerPlan, DepotPlan
from gridyard.demo.site_layout import SitePorts, id_tag, site_settings
from site_agent.config import SiteSettings
from support.ports import steady_ports
from support.processes import LOOPBACK
from vtn_sim.config import VtnSettings

UTILITY, BROKEN_UTILITY = "utility", "broken-utility"
PROGRAM = "http://utility.example/programs/depots"
VEN_ID, VEN_NAME = "ven-1", "gridyard"
TELEMETRY_S = 1.0
BUILDING_W = 5_000.0
TYPICAL_W = 27_000.0
"""What each depot draws when nobody asks for anything, and drew on past days."""
_POWER_W = 11_040.0


def _depot(site_id: str, letter: str, seed: int, battery: str | None) -> DepotPlan:
    chargers = tuple(
        ChargerPlan(
            charger_id=f"{letter}{n}",
            version=version,
            vehicle_id=f"van-{letter.lower()}{n}",
            max_ac_w=_POWER_W,
            capacity_wh=75_000.0,
            soc_pct=35.0,
            leaves_in_h=9.0,
        )
        for n, version in enumerate(("1.6", "2.0.1"), start=1)
    )
    return DepotPlan(
        site_id=site_id,
        name=site_id,
        seed=seed,
        contract_limit_w=45_000.0,
        service_a=100.0,
        building_w=BUILDING_W,
        chargers=chargers,
        nominated_w=12_000.0,
        typical_w=TYPICAL_W,
        battery=battery,
        battery_w=4_000.0,
        battery_wh=20_000.0,
    )


DEPOTS = (_depot("depot-a", "A", 3, None), _depot("depot-b", "B", 5, "mqtt"))
SITES = tuple(depot.site_id for depot in DEPOTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemLayout:
    """What was written where, and every port that will be listened on."""

    folder: Path
    pki: Pki
    utility: VtnSettings
    gateway: GatewaySettings
    agents: Mapping[str, SiteSettings]
    depots: Mapping[str, DepotSettings]
    ports: frozenset[int]

    def files(self) -> Iterator[tuple[str, str, BaseModel]]:
        """Name, command and settings of every program."""
        yield "utility", "utility-sim", self.utility
        yield "gateway", "gateway", self.gateway
        for site_id in SITES:
            yield site_id, "site", self.agents[site_id]
            yield f"{site_id}-hardware", "depot-sim", self.depots[site_id]

    def config(self, name: str) -> Path:
        return self.folder / f"{name}.yaml"


def make_system_layout(folder: Path, broken_utility_port: int, pki: Pki) -> SystemLayout:
    """Choose ports and write every settings file into `folder`, with a past for the baselines."""
    free = steady_ports(4 + 5 * len(DEPOTS))
    vtn_port, api_port, link_port, web_port = free[:4]
    at = {site_id: SitePorts(*free[4 + 5 * n : 9 + 5 * n]) for n, site_id in enumerate(SITES)}
    link = f"tls://{LOOPBACK}:{link_port}"
    layout = SystemLayout(
        folder=folder,
        pki=pki,
        utility=_utility(pki, vtn_port, api_port),
        gateway=_gateway(
            folder,
            pki,
            {UTILITY: vtn_port, BROKEN_UTILITY: broken_utility_port},
            link_port,
            web_port,
        ),
        agents={
            depot.site_id: site_settings(
                depot,
                at[depot.site_id],
                folder=folder / depot.site_id,
                credentials=site_folder(pki.folder, depot.site_id),
                link=link,
                telemetry_s=TELEMETRY_S,
            )
            for depot in DEPOTS
        },
        depots={depot.site_id: _hardware(depot, at[depot.site_id]) for depot in DEPOTS},
        ports=frozenset(free),
    )
    for name, _, settings in layout.files():
        write(layout.config(name), settings)
    asyncio.run(_load_history(layout.gateway))
    return layout


def make_pki(folder: Path) -> Pki:
    return make_credentials(folder, SITES, SystemClock())


def write(path: Path, settings: BaseModel) -> None:
    """As a settings file."""
    path.write_text(yaml.safe_dump(settings.model_dump(mode="json")))


async def _load_history(settings: GatewaySettings) -> None:
    settings.data.mkdir(parents=True)
    database = Database.open(settings.database)
    store = SqlTelemetry(database, max_hold=timedelta(minutes=5))
    for depot in DEPOTS:
        history = synthetic_history(
            around=SystemClock().now(), typical_w=depot.typical_w, seed=depot.seed, hours=1
        )
        await store.insert_history(depot.site_id, PCC_POWER_W, history, LABEL)
    database.close()


def _utility(pki: Pki, port: int, api_port: int) -> VtnSettings:
    return VtnSettings.model_validate(
        {
            "vtn_id": "CHAOS-VTN",
            "port": port,
            "api_port": api_port,
            "cert_file": pki.vtn.cert,
            "key_file": pki.vtn.key,
            "ca_file": pki.utility_ca,
            "poll_frequency_s": 1,
            "vens": [{"ven_id": VEN_ID, "name": VEN_NAME}],
            "report": {"granularity_s": 10, "report_back_s": 10},
        }
    )


def _gateway(
    folder: Path, pki: Pki, utilities: Mapping[str, int], link_port: int, web_port: int
) -> GatewaySettings:
    return GatewaySettings.model_validate(
        {
            "data": folder / "gateway",
            "sites": [
                {
                    "site_id": depot.site_id,
                    "name": depot.name,
                    "time_zone": "UTC",
                    "import_limit_w": depot.contract_limit_w,
                    "simulated": True,
                }
                for depot in DEPOTS
            ],
            "programs": [
                {
                    "program_id": PROGRAM,
                    "name": "Depots",
                    "utility_id": UTILITY,
                    "measurement_interval": timedelta(seconds=2),
                    "observe_after": timedelta(seconds=1),
                    "baseline": {"day_type": "any", "adjustment": "none"},
                    "enrolments": [
                        {"site_id": d.site_id, "nominated_w": d.nominated_w} for d in DEPOTS
                    ],
                }
            ],
            "openadr": [
                {
                    "utility_id": utility_id,
                    "url": f"https://{LOOPBACK}:{port}/OpenADR2/Simple/2.0b",
                    "ven_name": VEN_NAME,
                    "ven_id": VEN_ID,
                    "ca": pki.utility_ca,
                    "cert": pki.ven.cert,
                    "key": pki.ven.key,
                    "timeout_s": 3,
                    "max_backoff_s": 2,
                }
                for utility_id, port in utilities.items()
            ],
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
            "dispatch": {"review": timedelta(seconds=3), "restoration": None},
            "reports": {"late_data": timedelta(seconds=2)},
        }
    )


def _hardware(depot: DepotPlan, ports: SitePorts) -> DepotSettings:
    battery = {
        "id": "bess-1",
        "kind": "mqtt",
        "capacity_wh": depot.battery_wh,
        "max_charge_w": depot.battery_w,
        "max_discharge_w": depot.battery_w,
        "soc_pct": 60.0,
        "broker": {"port": ports.mqtt, "username": "bess-1", "password": "demo-only"},
    }
    return DepotSettings.model_validate(
        {
            "site_id": depot.site_id,
            "seed": depot.seed,
            "meter": {"port": ports.meter, "rated_a": depot.service_a},
            "building": {"base_w": depot.building_w, "swing_w": 200.0},
            "chargers": [_charger(charger, ports.ocpp) for charger in depot.chargers],
            "batteries": [battery] if depot.battery else [],
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
        },
    }
