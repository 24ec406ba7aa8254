"""The device model of 2.0.1 as far as a central system needs it to charge (part 2, appendix 3)."""

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
    Variable,
    fixed,
)


def _rate_units(station: Station) -> str:
    return ",".join(unit.value for unit in RateUnit if unit in station.personality.rate_units)


VARIABLES: Mapping[tuple[str, str], Variable] = {
    ("AuthCtrlr", "LocalAuthorizeOffline"): fixed("false"),
    ("ChargingStation", "Available"): fixed("true"),
    ("OCPPCommCtrlr", "HeartbeatInterval"): HEARTBEAT,
    ("SampledDataCtrlr", "TxUpdatedInterval"): METER_INTERVAL,
    ("SampledDataCtrlr", "TxUpdatedMeasurands"): fixed(",".join(MEASURANDS)),
    ("SmartChargingCtrlr", "Enabled"): fixed("true"),
    ("SmartChargingCtrlr", "Entries"): fixed("100"),
    ("SmartChargingCtrlr", "PeriodsPerSchedule"): MAX_PERIODS,
    ("SmartChargingCtrlr", "ProfileStackLevel"): MAX_STACK_LEVEL,
    ("SmartChargingCtrlr", "RateUnit"): Variable(_rate_units),
}
_COMPONENTS = {component for component, _ in VARIABLES}


def get_variables(station: Station, payload: Json) -> Json:
    """Answer GetVariables, entry by entry."""
    return {"getVariableResult": [_get(station, asked) for asked in payload["getVariableData"]]}


def set_variables(station: Station, payload: Json) -> Json:
    """Answer SetVariables, entry by entry."""
    return {"setVariableResult": [_set(station, asked) for asked in payload["setVariableData"]]}


def _get(station: Station, asked: Json) -> Json:
    status, variable = _find(asked)
    result = _result(asked, status)
    if variable is not None:
        result["attributeValue"] = variable.read(station)
    return result


def _set(station: Station, asked: Json) -> Json:
    status, variable = _find(asked)
    if variable is not None:
        status = _written(station, variable, asked["attributeValue"])
    return _result(asked, status)


def _written(station: Station, variable: Variable, text: str) -> str:
    if variable.write is None:
        return "Rejected"
    try:
        variable.write(station, text)
    except ValueError:
        return "Rejected"
    return "Accepted"


def _find(asked: Json) -> tuple[str, Variable | None]:
    component, name = asked["component"]["name"], asked["variable"]["name"]
    if component not in _COMPONENTS:
        return "UnknownComponent", None
    if (component, name) not in VARIABLES:
        return "UnknownVariable", None
    if asked.get("attributeType", "Actual") != "Actual":
        return "NotSupportedAttributeType", None
    return "Accepted", VARIABLES[component, name]


def _result(asked: Json, status: str) -> Json:
    return {
        "attributeStatus": status,
        "component": asked["component"],
        "variable": asked["variable"],
    }
