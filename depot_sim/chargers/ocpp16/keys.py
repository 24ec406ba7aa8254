"""The configuration keys of 1.6 (appendix "Standard configuration key names")."""

from __future__ import annotations

from collections.abc import Mapping

from depot_sim.chargers.json_rpc import Json
from depot_sim.chargers.profiles import RateUnit
from depot_sim.chargers.station import Station
from depot_sim.chargers.variables import (
    HEARTBEAT,
    MAX_PERIODS,
    MAX_STACK_LEVEL,
    MEASURANDS,
    METER_INTERVAL,
    OUTLETS,
    Variable,
    fixed,
)

_UNIT_WORDS = {RateUnit.AMPERE: "Current", RateUnit.WATT: "Power"}


def _rate_units(station: Station) -> str:
    units = station.personality.rate_units
    return ",".join(word for unit, word in _UNIT_WORDS.items() if unit in units)


KEYS: Mapping[str, Variable] = {
    "AuthorizeRemoteTxRequests": fixed("false"),
    "ChargeProfileMaxStackLevel": MAX_STACK_LEVEL,
    "ChargingScheduleAllowedChargingRateUnit": Variable(_rate_units),
    "ChargingScheduleMaxPeriods": MAX_PERIODS,
    "ClockAlignedDataInterval": fixed("0"),
    "ConnectionTimeOut": fixed("60"),
    "HeartbeatInterval": HEARTBEAT,
    "LocalAuthorizeOffline": fixed("false"),
    "LocalPreAuthorize": fixed("false"),
    "MaxChargingProfilesInstalled": fixed("100"),
    "MeterValueSampleInterval": METER_INTERVAL,
    "MeterValuesSampledData": fixed(",".join(MEASURANDS)),
    "NumberOfConnectors": OUTLETS,
    "StopTransactionOnEVSideDisconnect": fixed("true"),
    "SupportedFeatureProfiles": fixed("Core,SmartCharging,RemoteTrigger"),
}


def get_configuration(station: Station, payload: Json) -> Json:
    """Answer GetConfiguration: the keys asked for, or all of them."""
    asked = payload.get("key") or list(KEYS)
    known = [
        {"key": key, "readonly": KEYS[key].write is None, "value": KEYS[key].read(station)}
        for key in asked
        if key in KEYS
    ]
    return {"configurationKey": known, "unknownKey": [key for key in asked if key not in KEYS]}


def change_configuration(station: Station, payload: Json) -> Json:
    """Answer ChangeConfiguration."""
    variable = KEYS.get(payload["key"])
    if variable is None:
        return {"status": "NotSupported"}
    if variable.write is None:
        return {"status": "Rejected"}
    try:
        variable.write(station, payload["value"])
    except ValueError:
        return {"status": "Rejected"}
    return {"status": "Accepted"}
