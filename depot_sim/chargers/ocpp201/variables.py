"""The variables of a simulated charging station (part 2, appendix "Referenced components")."""

from __future__ import annotations

from collections.abc import Mapping

from depot_sim.chargers.local_list import MOST_LISTED, MOST_SENT
from depot_sim.chargers.ocpp201.device_model import Entry, Key
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
    PASSWORD,
    SAMPLED,
    SECURITY_PROFILE,
    Variable,
    fixed,
    kept,
)

_INT, _BOOL, _TEXT, _LIST = "integer", "boolean", "string", "MemberList"


def _rate_units(station: Station) -> str:
    return ",".join(unit.value for unit in RateUnit if unit in station.personality.rate_units)


_STATION: Mapping[tuple[str, str], Entry] = {
    ("AlignedDataCtrlr", "Interval"): Entry(fixed("0"), _INT, "s"),
    ("AuthCacheCtrlr", "Enabled"): Entry(fixed("true"), _BOOL),
    ("AuthCtrlr", "AuthorizeRemoteStart"): Entry(fixed("false"), _BOOL),
    ("AuthCtrlr", "LocalAuthorizeOffline"): Entry(LOCAL_AUTHORIZE_OFFLINE, _BOOL),
    ("AuthCtrlr", "LocalPreAuthorize"): Entry(LOCAL_PRE_AUTHORIZE, _BOOL),
    ("AuthCtrlr", "OfflineTxForUnknownIdEnabled"): Entry(OFFLINE_UNKNOWN, _BOOL),
    ("ChargingStation", "Available"): Entry(fixed("true"), _BOOL),
    ("ChargingStation", "Problem"): Entry(fixed("false"), _BOOL),
    ("ClockCtrlr", "TimeSource"): Entry(fixed("Heartbeat"), "SequenceList"),
    ("DeviceDataCtrlr", "ItemsPerMessage"): Entry(fixed("50"), _INT),
    ("ISO15118Ctrlr", "Enabled"): Entry(fixed("true"), _BOOL),
    ("ISO15118Ctrlr", "PnCEnabled"): Entry(fixed("true"), _BOOL),
    ("LocalAuthListCtrlr", "Enabled"): Entry(LOCAL_LIST, _BOOL),
    ("LocalAuthListCtrlr", "Entries"): Entry(fixed(str(MOST_LISTED)), _INT),
    ("LocalAuthListCtrlr", "ItemsPerMessage"): Entry(fixed(str(MOST_SENT)), _INT),
    ("OCPPCommCtrlr", "HeartbeatInterval"): Entry(HEARTBEAT, _INT, "s"),
    ("OCPPCommCtrlr", "NetworkConfigurationPriority"): Entry(fixed("0"), "SequenceList"),
    ("OCPPCommCtrlr", "OfflineThreshold"): Entry(kept("OfflineThreshold", "60"), _INT, "s"),
    ("OCPPCommCtrlr", "WebSocketPingInterval"): Entry(kept("PingInterval", "0"), _INT, "s"),
    ("ReservationCtrlr", "Available"): Entry(fixed("true"), _BOOL),
    ("ReservationCtrlr", "NonEvseSpecific"): Entry(fixed("false"), _BOOL),
    ("SampledDataCtrlr", "TxUpdatedInterval"): Entry(METER_INTERVAL, _INT, "s"),
    ("SampledDataCtrlr", "TxUpdatedMeasurands"): Entry(SAMPLED, _LIST),
    ("SecurityCtrlr", "BasicAuthPassword"): Entry(PASSWORD, _TEXT),
    ("SecurityCtrlr", "SecurityProfile"): Entry(SECURITY_PROFILE, _INT),
    ("SmartChargingCtrlr", "Enabled"): Entry(fixed("true"), _BOOL),
    ("SmartChargingCtrlr", "Entries"): Entry(fixed("100"), _INT),
    ("SmartChargingCtrlr", "PeriodsPerSchedule"): Entry(MAX_PERIODS, _INT),
    ("SmartChargingCtrlr", "ProfileStackLevel"): Entry(MAX_STACK_LEVEL, _INT),
    ("SmartChargingCtrlr", "RateUnit"): Entry(Variable(_rate_units), _LIST),
    ("TxCtrlr", "EVConnectionTimeOut"): Entry(CONNECTION_TIMEOUT, _INT, "s"),
    ("TxCtrlr", "StopTxOnInvalidId"): Entry(fixed("true"), _BOOL),
    ("TxCtrlr", "TxStartPoint"): Entry(fixed("PowerPathClosed"), _LIST),
    ("TxCtrlr", "TxStopPoint"): Entry(fixed("EVConnected"), _LIST),
}


def entries(station: Station) -> dict[Key, Entry]:
    """The station's variables, then those of each EVSE; smart charging's where there is any."""
    found = {
        (component, name, 0): entry
        for (component, name), entry in _STATION.items()
        if component != "SmartChargingCtrlr" or station.personality.serves_profiles
    }
    for evse_id, outlet in station.outlets.items():
        rated_w = str(round(outlet.evse.rated_w))
        found[("EVSE", "Available", evse_id)] = Entry(_available(evse_id), _BOOL)
        found[("EVSE", "Power", evse_id)] = Entry(_power(evse_id), "decimal", "W")
        found[("EVSE", "PowerLimit", evse_id)] = Entry(fixed(rated_w), "decimal", "W")
        found[("EVSE", "SupplyPhases", evse_id)] = Entry(fixed(str(outlet.evse.phases)), _INT)
    return found


def _available(evse_id: int) -> Variable:
    return Variable(lambda station: str(station.outlets[evse_id].operative).lower())


def _power(evse_id: int) -> Variable:
    return Variable(lambda station: f"{station.outlets[evse_id].evse.power_w:.1f}")
