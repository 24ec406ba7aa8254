"""The depot of the OCPP bench: our agent's settings and its parts."""

from __future__ import annotations

from pathlib import Path

from site_agent.config import SiteSettings

ID_TAG = "BENCH-TAG"
_AMPS_A_CHARGER = 40.0


def charger_id(number: int) -> str:
    """How a charger introduces itself."""
    return f"CP-{number:04}"


def site_settings(folder: Path, count: int) -> SiteSettings:
    """A depot with so many chargers and room for all of them."""
    amps = 100.0 + count * _AMPS_A_CHARGER
    return SiteSettings.model_validate(
        {
            "site_id": "bench",
            "data": folder,
            "contract_limit_w": amps * 690.0,
            "max_building_w": 1000.0,
            "circuit": {"limit_a": min(10_000.0, amps)},
            "meter": {"kind": "sunspec", "host": "127.0.0.1", "port": 1},
            "ocpp": {"host": "127.0.0.1", "port": 0, "meter_interval_s": None},
            "chargers": [{"id": charger_id(n), "versions": ["ocpp1.6"]} for n in range(count)],
        }
    )
