"""The network operator of the demo: an IEEE 2030.5 server, and how the gateway reaches it."""

from __future__ import annotations

from dataclasses import dataclass

from certs.pki import Pki
from contracts.identity import lfdi
from contracts.sep2.dialect import CSIPAUS_V1_2
from gridyard.demo import plan as demo
from gridyard.demo.plan import Pace

_LOOPBACK = "127.0.0.1"
_PIN = 111_115
_ANNOUNCED_S = 12.0
"""The limit is known so long after the start of the demo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridPorts:
    """Where the server and the gateway's listener for its Notifications are reached."""

    server: int
    listener: int


def server(pki: Pki, pace: Pace, ports: GridPorts) -> dict[str, object]:
    """The `sep2` part of the simulated utility's settings."""
    return {
        "port": ports.server,
        "cert_file": pki.sep2.server.cert,
        "key_file": pki.sep2.server.key,
        "ca_file": pki.sep2.ca,
        "csipaus": CSIPAUS_V1_2,
        "poll_rate_s": 5,
        "post_rate_s": 60,
        "aggregators": [{"certificate": pki.sep2.aggregator.cert}],
        "devices": [
            {"lfdi": _assigned_lfdi(), "label": demo.LIMITED_SITE, "pin": _PIN, "fsas": ["feeder"]}
        ],
        "fsas": [{"name": "feeder", "description": demo.GRID_PROGRAM, "programs": ["limits"]}],
        "programs": [
            {
                "name": "limits",
                "primacy": 1,
                "description": demo.GRID_PROGRAM,
                "default": {"modes": {"opModExpLimW": demo.EXPORT_LIMIT_W}},
            }
        ],
        "scenario": [
            {
                "after_s": _ANNOUNCED_S,
                "do": {
                    "action": "add-control",
                    "program": "limits",
                    "name": "feeder-relief",
                    "description": "feeder relief",
                    "start_in_s": pace.limit - _ANNOUNCED_S,
                    "duration_s": pace.limit_for,
                    "modes": {"opModImpLimW": demo.IMPORT_LIMIT_W},
                },
            }
        ],
    }


def client(pki: Pki, ports: GridPorts) -> dict[str, object]:
    """One entry of `sep2` in the gateway's settings."""
    limited = next(depot for depot in demo.DEPOTS if depot.site_id == demo.LIMITED_SITE)
    return {
        "utility_id": demo.GRID_ID,
        "url": f"https://{_LOOPBACK}:{ports.server}/dcap",
        "ca": pki.sep2.ca,
        "cert": pki.sep2.aggregator.cert,
        "key": pki.sep2.aggregator.key,
        "csipaus": CSIPAUS_V1_2,
        "monitoring_period_s": 60,
        "devices": [
            {
                "lfdi": _assigned_lfdi(),
                "pin": _PIN,
                "sites": [demo.LIMITED_SITE],
                "ratings": {"rtg_max_w": limited.contract_limit_w},
            }
        ],
        "listener": {
            "host": _LOOPBACK,
            "port": ports.listener,
            "url": f"https://{_LOOPBACK}:{ports.listener}/notify",
            "cert": pki.sep2.aggregator.cert,
            "key": pki.sep2.aggregator.key,
        },
    }


def _assigned_lfdi() -> str:
    """Utilities assign the LFDI of a site that an aggregator stands in for."""
    return lfdi(demo.LIMITED_SITE.encode())
