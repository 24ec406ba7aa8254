"""The closed word lists of the schema, and which of them a party may extend with `x-...`.

Fields that hold such a word are plain strings, since an extension is one too: a member of these
lists can be put there as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum

_EXTENSION = re.compile(r"x-\S+(?: \S+)*", re.ASCII)


class SignalName(StrEnum):
    """`signalName`, with `x-...`. The schema's `simple` is read as `SIMPLE`."""

    SIMPLE = "SIMPLE"
    ELECTRICITY_PRICE = "ELECTRICITY_PRICE"
    ENERGY_PRICE = "ENERGY_PRICE"
    DEMAND_CHARGE = "DEMAND_CHARGE"
    BID_PRICE = "BID_PRICE"
    BID_LOAD = "BID_LOAD"
    BID_ENERGY = "BID_ENERGY"
    CHARGE_STATE = "CHARGE_STATE"
    LOAD_DISPATCH = "LOAD_DISPATCH"
    LOAD_CONTROL = "LOAD_CONTROL"


class SignalType(StrEnum):
    """`signalType`; the four `LOAD_CONTROL_...` go with the signal LOAD_CONTROL."""

    DELTA = "delta"
    LEVEL = "level"
    MULTIPLIER = "multiplier"
    PRICE = "price"
    PRICE_MULTIPLIER = "priceMultiplier"
    PRICE_RELATIVE = "priceRelative"
    SETPOINT = "setpoint"
    LOAD_CONTROL_CAPACITY = "x-loadControlCapacity"
    LOAD_CONTROL_LEVEL_OFFSET = "x-loadControlLevelOffset"
    LOAD_CONTROL_PERCENT_OFFSET = "x-loadControlPercentOffset"
    LOAD_CONTROL_SETPOINT = "x-loadControlSetpoint"


class ReportName(StrEnum):
    """`reportName`, with `x-...`; a metadata report has the prefix `METADATA_`."""

    TELEMETRY_USAGE = "TELEMETRY_USAGE"
    TELEMETRY_STATUS = "TELEMETRY_STATUS"
    HISTORY_USAGE = "HISTORY_USAGE"
    HISTORY_GREENBUTTON = "HISTORY_GREENBUTTON"
    METADATA_TELEMETRY_USAGE = "METADATA_TELEMETRY_USAGE"
    METADATA_TELEMETRY_STATUS = "METADATA_TELEMETRY_STATUS"
    METADATA_HISTORY_USAGE = "METADATA_HISTORY_USAGE"
    METADATA_HISTORY_GREENBUTTON = "METADATA_HISTORY_GREENBUTTON"


class ReportType(StrEnum):
    """`reportType`, with `x-...`: what the values of a point are."""

    READING = "reading"
    USAGE = "usage"
    DEMAND = "demand"
    SET_POINT = "setPoint"
    DELTA_USAGE = "deltaUsage"
    DELTA_SET_POINT = "deltaSetPoint"
    DELTA_DEMAND = "deltaDemand"
    BASELINE = "baseline"
    DEVIATION = "deviation"
    AVG_USAGE = "avgUsage"
    AVG_DEMAND = "avgDemand"
    OPERATING_STATE = "operatingState"
    UP_REGULATION_CAPACITY_AVAILABLE = "upRegulationCapacityAvailable"
    DOWN_REGULATION_CAPACITY_AVAILABLE = "downRegulationCapacityAvailable"
    REGULATION_SETPOINT = "regulationSetpoint"
    STORED_ENERGY = "storedEnergy"
    TARGET_ENERGY_STORAGE = "targetEnergyStorage"
    AVAILABLE_ENERGY_STORAGE = "availableEnergyStorage"
    PRICE = "price"
    LEVEL = "level"
    POWER_FACTOR = "powerFactor"
    PERCENT_USAGE = "percentUsage"
    PERCENT_DEMAND = "percentDemand"
    RESOURCE_STATUS = "x-resourceStatus"


class ReadingType(StrEnum):
    """`readingType`, with `x-...`: how the values came about."""

    DIRECT_READ = "Direct Read"
    NET = "Net"
    ALLOCATED = "Allocated"
    ESTIMATED = "Estimated"
    SUMMED = "Summed"
    DERIVED = "Derived"
    MEAN = "Mean"
    PEAK = "Peak"
    HYBRID = "Hybrid"
    CONTRACT = "Contract"
    PROJECTED = "Projected"
    RMS = "x-RMS"
    NOT_APPLICABLE = "x-notApplicable"


class DataQuality(StrEnum):
    """`oadrDataQuality`, with `x-...`."""

    NO_VALUE = "No Quality - No Value"
    PREVIOUS_VALUE = "No New Value - Previous Value Used"
    BAD = "Quality Bad - Non Specific"
    BAD_CONFIGURATION = "Quality Bad - Configuration Error"
    BAD_NOT_CONNECTED = "Quality Bad - Not Connected"
    BAD_DEVICE = "Quality Bad - Device Failure"
    BAD_SENSOR = "Quality Bad - Sensor Failure"
    BAD_LAST_KNOWN = "Quality Bad - Last Known Value"
    BAD_COMMUNICATION = "Quality Bad - Comm Failure"
    BAD_OUT_OF_SERVICE = "Quality Bad - Out of Service"
    UNCERTAIN = "Quality Uncertain - Non Specific"
    UNCERTAIN_LAST_USABLE = "Quality Uncertain - Last Usable Value"
    UNCERTAIN_SENSOR = "Quality Uncertain - Sensor Not Accurate"
    UNCERTAIN_UNITS_EXCEEDED = "Quality Uncertain - EU Units Exceeded"
    UNCERTAIN_SUB_NORMAL = "Quality Uncertain - Sub Normal"
    GOOD = "Quality Good - Non Specific"
    GOOD_LOCAL_OVERRIDE = "Quality Good - Local Override"
    LIMIT_NOT = "Quality Limit - Field/Not"
    LIMIT_LOW = "Quality Limit - Field/Low"
    LIMIT_HIGH = "Quality Limit - Field/High"
    LIMIT_CONSTANT = "Quality Limit - Field/Constant"


class OptReason(StrEnum):
    """`optReason`, with `x-...`."""

    ECONOMIC = "economic"
    EMERGENCY = "emergency"
    MUST_RUN = "mustRun"
    NOT_PARTICIPATING = "notParticipating"
    OUTAGE_RUN_STATUS = "outageRunStatus"
    OVERRIDE_STATUS = "overrideStatus"
    PARTICIPATING = "participating"
    SCHEDULE = "x-schedule"


class ProfileName(StrEnum):
    """`oadrProfileName`."""

    A = "2.0a"
    B = "2.0b"


class TransportName(StrEnum):
    """`oadrTransportName`."""

    SIMPLE_HTTP = "simpleHttp"
    XMPP = "xmpp"


class ServiceName(StrEnum):
    """`oadrServiceName`."""

    EVENT = "EiEvent"
    OPT = "EiOpt"
    REPORT = "EiReport"
    REGISTER_PARTY = "EiRegisterParty"
    POLL = "OadrPoll"


def extensible(words: type[StrEnum]) -> Callable[[str], str]:
    """A check that text is one of the words, or an extension of them (`x-...`).

    Raises:
        ValueError: (the check) it is neither.
    """
    listed = frozenset(word.value for word in words)

    def check(text: str) -> str:
        if text not in listed and _EXTENSION.fullmatch(text) is None:
            raise ValueError(f"{text[:80]!r} is no {words.__name__} and does not begin with x-")
        return text

    return check


signal_name = extensible(SignalName)
report_name = extensible(ReportName)
report_type = extensible(ReportType)
reading_type = extensible(ReadingType)
data_quality = extensible(DataQuality)
opt_reason = extensible(OptReason)
