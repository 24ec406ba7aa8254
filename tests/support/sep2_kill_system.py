"""A utility and a gateway as real programs, with the gateway's CSIP side and nothing else."""

from __future__ import annotations

import json
import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from certs.pki import Pki
from contracts.clock import SystemClock
from contracts.sep2.dialect import CSIPAUS_V1_2
from gateway.config import GatewaySettings
from gateway.utility.sep2.device_track import LANES
from gridyard.credentials import make_credentials
from support.kill_system import KillSystem, running
from support.ports import steady_ports
from support.processes import LOOPBACK
from support.sep2_server import device_lfdi, sep2_settings
from vtn_sim.config import VtnSettings

SITES = ("depot-1", "depot-2", "depot-3")


class Sep2KillSystem(KillSystem):
    """Both programs, and what each of them shows of itself."""

    def __init__(self, folder: Path) -> None:
        pki = make_credentials(folder / "pki", SITES, SystemClock())
        sep2, api, link, web = steady_ports(4)
        gateway = _gateway(folder, pki, sep2, link, web)
        super().__init__(folder, _utility(pki, sep2, api), gateway, "/sep2/actions")

    # --- the utility's side ---

    def heard(self, after: int) -> tuple[int, bool]:
        found = self.look("/sep2/exchanges", after=after, wait_s=0.1, limit=1000)
        newest = max((one["number"] for one in found), default=after)
        return newest, any(one["method"] == "POST" for one in found)

    def answers(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """Every Response received, refused ones too, by event and device in order of arrival."""
        found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for one in self.look("/sep2/responses"):
            found.setdefault((one["event"], one["device"]), []).append(one)
        return found

    # --- the gateway's side ---

    @property
    def in_touch(self) -> bool:
        """Whether the gateway has reached the utility in this life."""
        return bool(self.gateway.log("sep2_in_touch"))

    def drawn(self) -> dict[tuple[str, str], str]:
        """What is stored of chance, by the control's mRID and the device's LFDI.

        Whether or not the gateway lives; call it once it has been in touch.
        """
        query = "SELECT key, document FROM utility_document WHERE kind = 'sep2.Lane'"
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        try:
            lanes = [(key, json.loads(text)) for key, text in connection.execute(query).fetchall()]
        finally:
            connection.close()
        return {
            (one["control"]["mrid"], key.removeprefix(LANES)): json.dumps(one["draws"])
            for key, lane in lanes
            if key.startswith(LANES) and lane["state"] is not None
            for one in lane["state"]["engagements"]
        }


def kill_system(folder: Path) -> AbstractContextManager[Sep2KillSystem]:
    """Both programs up; gone afterwards, also after a failure."""
    return running(Sep2KillSystem(folder))


def _utility(pki: Pki, sep2: int, api: int) -> VtnSettings:
    fsas = ["system", "feeder"]
    devices = [
        {"lfdi": device_lfdi(number), "label": site_id, "fsas": fsas}
        for number, site_id in enumerate(SITES, start=1)
    ]
    changes = {
        "port": sep2,
        "devices": devices,
        "poll_rates": {"DERProgramList": 1},
        "keep_ended_s": 3600,  # so that a restarted client meets what it has answered for good
        "judge": {"received_within_s": 300},
    }
    return VtnSettings.model_validate(
        {
            "cert_file": pki.vtn.cert,
            "key_file": pki.vtn.key,
            "ca_file": pki.utility_ca,
            "api_port": api,
            "sep2": sep2_settings(pki, **changes),
        }
    )


def _gateway(folder: Path, pki: Pki, sep2: int, link: int, web: int) -> GatewaySettings:
    own = pki.sep2.aggregator
    ratings = {"rtg_max_w": 100_000.0, "rtg_max_discharge_rate_w": 100_000.0}
    devices = [
        {"lfdi": device_lfdi(number), "pin": 111_115, "sites": [site_id], "ratings": ratings}
        for number, site_id in enumerate(SITES, start=1)
    ]
    return GatewaySettings.model_validate(
        {
            "data": folder / "gateway",
            "sites": [
                {"site_id": s, "name": s, "time_zone": "UTC", "import_limit_w": 90_000.0}
                for s in SITES
            ],
            "sep2": [
                {
                    "utility_id": "utility",
                    "url": f"https://{LOOPBACK}:{sep2}/dcap",
                    "ca": pki.sep2.ca,
                    "cert": own.cert,
                    "key": own.key,
                    "csipaus": CSIPAUS_V1_2,
                    "devices": devices,
                    "max_backoff_s": 1,
                }
            ],
            "link": {
                "port": link,
                "ca": pki.site_ca,
                "broker_cert": pki.broker.cert,
                "broker_key": pki.broker.key,
                "cert": pki.gateway.cert,
                "key": pki.gateway.key,
                "nats": pki.nats,
            },
            "web": {"port": web},
        }
    )
