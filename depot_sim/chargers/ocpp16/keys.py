"""The configuration keys of 1.6 (appendix "Standard configuration key names")."""

from __future__ import annotations

from collections.abc import Mapping

from depot_sim.chargers.json_rpc import Json
from depot_sim.chargers.local_list import MOST_LISTED, MOST_SENT
from depot_sim.chargers.profiles import RateUnit
from depot_sim.chargers.station import Station
from depot_sim.chargers.variables import (
    CONNECTION_TIMEOUT,
    HEARTBEAT,
    LOCAL_AUTHORIZE_OFFLINE,
    LOCAL_LIST,
    LOCAL_PRE_AUTHORIZE,
    MAX_PERIODS,
    MAX_STACK_LEVEL,
    METER_INTERVAL,
    OFFLINE_UNKNOWN,
    OUTLETS,
    PASSWORD,
    REMOTE_NEEDS_AUTHORIZATION,
    SAMPLED,
    SECURITY_PROFILE,
    Variable,
    fixed,
    kept,
)

_MOST_KEYS, _LONGEST_NAME = 100, 50
_FEATURES = (
    "Core",
    "FirmwareManagement",
    "LocalAuthListManagement",
    "Reservation",
    "SmartCharging",
    "RemoteTrigger",
)


def _rate_units(station: Station) -> str:
    mood = station.personality
    words = {RateUnit.AMPERE: "Current", RateUnit.WATT: mood.watt_word}
    return ",".join(word for unit, word in words.items() if unit in mood.rate_units)


def _features(station: Station) -> str:
    return ",".join(
        feature
        for feature in _FEATURES
        if feature != "SmartCharging" or station.personality.serves_profiles
    )


def _phase_rotation(station: Station) -> str:
    return ",".join(f"{number}.RST" for number in (0, *station.outlets))


def _name(text: str) -> None:
    if len(text) > _LONGEST_NAME:
        raise ValueError("too long")


KEYS: Mapping[str, Variable] = {
    "AllowOfflineTxForUnknownId": OFFLINE_UNKNOWN,
    "AuthorizationCacheEnabled": fixed("true"),
    "AuthorizationKey": PASSWORD,
    "AuthorizeRemoteTxRequests": REMOTE_NEEDS_AUTHORIZATION,
    "CertificateStoreMaxLength": fixed("20"),
    "ChargeProfileMaxStackLevel": MAX_STACK_LEVEL,
    "ChargingScheduleAllowedChargingRateUnit": Variable(_rate_units),
    "ChargingScheduleMaxPeriods": MAX_PERIODS,
    "ClockAlignedDataInterval": fixed("0"),
    "ConnectionTimeOut": CONNECTION_TIMEOUT,
    "ConnectorPhaseRotation": Variable(_phase_rotation),
    "ConnectorSwitch3to1PhaseSupported": fixed("false"),
    "CpoName": kept("CpoName", "", _name),
    "GetConfigurationMaxKeys": fixed(str(_MOST_KEYS)),
    "HeartbeatInterval": HEARTBEAT,
    "LocalAuthListEnabled": LOCAL_LIST,
    "LocalAuthListMaxLength": fixed(str(MOST_LISTED)),
    "LocalAuthorizeOffline": LOCAL_AUTHORIZE_OFFLINE,
    "LocalPreAuthorize": LOCAL_PRE_AUTHORIZE,
    "MaxChargingProfilesInstalled": fixed("100"),
    "MeterValueSampleInterval": METER_INTERVAL,
    "MeterValuesAlignedData": fixed(""),
    "MeterValuesSampledData": SAMPLED,
    "MinimumStatusDuration": kept("MinimumStatusDuration", "0"),
    "NumberOfConnectors": OUTLETS,
    "ReserveConnectorZeroSupported": fixed("false"),
    "ResetRetries": kept("ResetRetries", "3"),
    "SecurityProfile": SECURITY_PROFILE,
    "SendLocalListMaxLength": fixed(str(MOST_SENT)),
    "StopTransactionOnEVSideDisconnect": fixed("true"),
    "StopTransactionOnInvalidId": fixed("true"),
    "StopTxnAlignedData": fixed(""),
    "StopTxnSampledData": SAMPLED,
    "SupportedFeatureProfiles": Variable(_features),
    "TransactionMessageAttempts": kept("TransactionMessageAttempts", "3"),
    "TransactionMessageRetryInterval": kept("TransactionMessageRetryInterval", "60"),
    "UnlockConnectorOnEVSideDisconnect": fixed("true"),
    "WebSocketPingInterval": kept("WebSocketPingInterval", "0"),
}


_SMART_CHARGING = {
    "ChargeProfileMaxStackLevel",
    "ChargingScheduleAllowedChargingRateUnit",
    "ChargingScheduleMaxPeriods",
    "ConnectorSwitch3to1PhaseSupported",
    "MaxChargingProfilesInstalled",
}


def keys(station: Station) -> Mapping[str, Variable]:
    """The keys of a station; one that has never heard of profiles has none about them."""
    if station.personality.serves_profiles:
        return KEYS
    return {key: variable for key, variable in KEYS.items() if key not in _SMART_CHARGING}


def get_configuration(station: Station, payload: Json) -> Json:
    """Answer GetConfiguration: the keys asked for, or all of them."""
    there = keys(station)
    asked = payload.get("key") or list(there)
    known = [_entry(station, key, there[key]) for key in asked if key in there]
    return {"configurationKey": known, "unknownKey": [key for key in asked if key not in there]}


def _entry(station: Station, key: str, variable: Variable) -> Json:
    """A secret has no value."""
    entry: Json = {"key": key, "readonly": variable.write is None}
    if variable.read is not None:
        entry["value"] = variable.read(station)
    return entry


def change_configuration(station: Station, payload: Json) -> Json:
    """Answer ChangeConfiguration."""
    variable = keys(station).get(payload["key"])
    if variable is None:
        return {"status": "NotSupported"}
    if variable.write is None:
        return {"status": "Rejected"}
    try:
        variable.write(station, payload["value"])
    except ValueError:
        return {"status": "Rejected"}
    return {"status": "Accepted"}
