"""Names of what a site measures: one name, one unit, one sign (import positive)."""

from typing import Final

PCC_POWER_W: Final = "pcc_power_w"
"""Active power at the point of common coupling; import positive."""
PCC_IMPORT_WH: Final = "pcc_import_wh"
"""Imported energy register of the revenue or check meter."""
BUILDING_POWER_W: Final = "building_power_w"
"""PCC power less chargers and batteries: the building and PV together."""
CHARGING_POWER_W: Final = "charging_power_w"
"""Sum over chargers."""
BATTERY_POWER_W: Final = "battery_power_w"
"""Sum over batteries; charging positive."""
BATTERY_SOC_PCT: Final = "battery_soc_pct"
"""Energy-weighted state of charge over batteries, 0-100."""
PV_POWER_W: Final = "pv_power_w"
"""Sum over PV inverters; generation negative."""
LOAD_POWER_W: Final = "load_power_w"
"""What a load limit bounds: sum over chargers, and over batteries that charge; >= 0."""
GENERATION_POWER_W: Final = "generation_power_w"
"""What a generation limit bounds: sum over PV inverters, and batteries that discharge; <= 0."""
FLEX_DOWN_W: Final = "flex_down_w"
"""How far the site could lower its import now and hold it for the next hour, >= 0."""
SITE_LIMIT_W: Final = "site_limit_w"
"""The tightest import limit in force at the PCC."""
CHARGERS_ONLINE: Final = "chargers_online"
"""Count of chargers connected to the agent."""
CHARGERS_TOTAL: Final = "chargers_total"
"""Count of chargers configured."""
VEHICLES_CHARGING: Final = "vehicles_charging"
"""Count of vehicles drawing power."""


def evse_power_w(evse_id: str) -> str:
    """Power of one EVSE, charging positive."""
    return f"evse/{evse_id}/power_w"


def evse_limit_w(evse_id: str) -> str:
    """Limit in force at one EVSE."""
    return f"evse/{evse_id}/limit_w"


def sensor(sensor_id: str, quantity: str) -> str:
    """What a sensor measures beside the power: `frequency_hz`, `irradiance_w_m2`, `contact` ..."""
    return f"sensor/{sensor_id}/{quantity}"
