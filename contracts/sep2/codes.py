"""The numbers of IEEE 2030.5 by name. A peer may send others: fields hold plain integers."""

from __future__ import annotations

from enum import IntEnum, IntFlag

IEEE_2030_5_PEN = 40732
"""Private enterprise number of the standard: `LogEvent.log_event_pen` of its own alarms."""
IEEE_2030_5_PROFILE = 2
"""`LogEvent.profile_id` of the standard."""


class EventState(IntEnum):
    """`EventStatus.current_status` (10.2.3)."""

    SCHEDULED = 0
    ACTIVE = 1
    CANCELLED = 2
    CANCELLED_WITH_RANDOMIZATION = 3
    SUPERSEDED = 4


class ResponseRequired(IntFlag):
    """`Event.response_required`: which answers the server wants."""

    RECEIVED = 1
    SPECIFIC = 2
    """Start, end and every change of state."""
    USER = 4


class ResponseStatus(IntEnum):
    """`Response.status` (table 27)."""

    RECEIVED = 1
    STARTED = 2
    COMPLETED = 3
    OPT_OUT = 4
    OPT_IN = 5
    CANCELLED = 6
    SUPERSEDED = 7
    PARTIAL_OPT_OUT = 8
    PARTIAL_OPT_IN = 9
    NO_PARTICIPATION = 10
    USER_ACKNOWLEDGED = 11
    NOT_DISPLAYABLE = 12
    ABORTED_OTHER_SERVER = 13
    ABORTED_OTHER_PROGRAM = 14
    NOT_APPLICABLE = 252
    INVALID = 253
    EXPIRED = 254


class NotificationStatus(IntEnum):
    """`Notification.status`: all but the first end the subscription."""

    DEFAULT = 0
    CANCELLED = 1
    MOVED = 2
    REDEFINED = 3
    DELETED = 4


class FunctionSet(IntEnum):
    """`LogEvent.function_set`."""

    GENERAL = 0
    SUBSCRIPTION = 1
    END_DEVICE = 2
    FUNCTION_SET_ASSIGNMENTS = 3
    RESPONSE = 4
    DRLC = 5
    METERING = 6
    PRICING = 7
    DER = 11
    TIME = 12
    SECURITY = 19


class DerAlarm(IntEnum):
    """`LogEvent.log_event_code` of `FunctionSet.DER`; the next odd number is back to normal."""

    OVER_CURRENT = 0
    OVER_VOLTAGE = 2
    UNDER_VOLTAGE = 4
    OVER_FREQUENCY = 6
    UNDER_FREQUENCY = 8
    VOLTAGE_IMBALANCE = 10
    CURRENT_IMBALANCE = 12
    EMERGENCY_LOCAL = 14
    EMERGENCY_REMOTE = 16
    LOW_POWER_INPUT = 18
    PHASE_ROTATION = 20


class ControlMode(IntFlag):
    """`modes_supported`, `modes_enabled`: bits of `DERControlType`."""

    CHARGE = 1 << 0
    DISCHARGE = 1 << 1
    CONNECT = 1 << 2
    ENERGIZE = 1 << 3
    FIXED_PF_ABSORB_W = 1 << 4
    FIXED_PF_INJECT_W = 1 << 5
    FIXED_VAR = 1 << 6
    FIXED_W = 1 << 7
    FREQ_DROOP = 1 << 8
    FREQ_WATT = 1 << 9
    HFRT_MAY_TRIP = 1 << 10
    HFRT_MUST_TRIP = 1 << 11
    HVRT_MAY_TRIP = 1 << 12
    HVRT_MOMENTARY_CESSATION = 1 << 13
    HVRT_MUST_TRIP = 1 << 14
    LFRT_MAY_TRIP = 1 << 15
    LFRT_MUST_TRIP = 1 << 16
    LVRT_MAY_TRIP = 1 << 17
    LVRT_MOMENTARY_CESSATION = 1 << 18
    LVRT_MUST_TRIP = 1 << 19
    MAX_LIM_W = 1 << 20
    TARGET_VAR = 1 << 21
    TARGET_W = 1 << 22
    VOLT_VAR = 1 << 23
    VOLT_WATT = 1 << 24
    WATT_PF = 1 << 25
    WATT_VAR = 1 << 26


class DoeMode(IntFlag):
    """CSIP-AUS `doe_modes_supported`, `doe_modes_enabled`."""

    EXP_LIM_W = 1
    IMP_LIM_W = 2
    GEN_LIM_W = 4
    LOAD_LIM_W = 8


class VppMode(IntFlag):
    """CSIP-AUS v1.3 `vpp_modes_supported`, `vpp_modes_enabled`."""

    STORAGE_TARGET_W = 1


class CurveType(IntEnum):
    """`DERCurve.curve_type`: the mode a curve is for."""

    FREQ_WATT = 0
    HFRT_MAY_TRIP = 1
    HFRT_MUST_TRIP = 2
    HVRT_MAY_TRIP = 3
    HVRT_MOMENTARY_CESSATION = 4
    HVRT_MUST_TRIP = 5
    LFRT_MAY_TRIP = 6
    LFRT_MUST_TRIP = 7
    LVRT_MAY_TRIP = 8
    LVRT_MOMENTARY_CESSATION = 9
    LVRT_MUST_TRIP = 10
    VOLT_VAR = 11
    VOLT_WATT = 12
    WATT_PF = 13
    WATT_VAR = 14


class UnitRef(IntEnum):
    """`DERUnitRefType`: what a percentage is of."""

    NOT_APPLICABLE = 0
    SET_MAX_W = 1
    SET_MAX_VAR = 2
    STAT_VAR_AVAIL = 3
    SET_EFFECTIVE_V = 4
    SET_MAX_CHARGE_RATE_W = 5
    SET_MAX_DISCHARGE_RATE_W = 6
    STAT_W_AVAIL = 7


class DerType(IntEnum):
    """`DERCapability.type`."""

    UNKNOWN = 0
    VIRTUAL_OR_MIXED = 1
    RECIPROCATING_ENGINE = 2
    FUEL_CELL = 3
    PHOTOVOLTAIC = 4
    COMBINED_HEAT_AND_POWER = 5
    OTHER_GENERATION = 6
    OTHER_STORAGE = 80
    ELECTRIC_VEHICLE = 81
    EVSE = 82
    PHOTOVOLTAIC_AND_STORAGE = 83


class DeviceCategory(IntFlag):
    """`device_category`; those a depot may have."""

    MANAGED_COMMERCIAL_LOAD = 1 << 9
    ENERGY_MANAGEMENT_SYSTEM = 1 << 14
    ELECTRIC_VEHICLE = 1 << 16
    EVSE = 1 << 17
    VIRTUAL_OR_MIXED_DER = 1 << 18
    PHOTOVOLTAIC = 1 << 21
    PHOTOVOLTAIC_AND_STORAGE = 1 << 23
    OTHER_GENERATION = 1 << 24
    OTHER_STORAGE = 1 << 25


class Connect(IntFlag):
    """`ConnectStatus.value`."""

    CONNECTED = 1
    AVAILABLE = 2
    OPERATING = 4
    TEST = 8
    FAULT = 16


class OperationalMode(IntEnum):
    """`DERStatus.operational_mode_status`."""

    UNKNOWN = 0
    OFF = 1
    OPERATIONAL = 2
    TEST = 3


class RoleFlag(IntFlag):
    """`role_flags` of usage points."""

    MIRROR = 1
    PREMISES_AGGREGATION_POINT = 2
    PEV = 4
    DER = 8
    REVENUE_QUALITY = 16
    DC = 32
    SUBMETER = 64


class Uom(IntEnum):
    """`ReadingType.uom`: units of measure."""

    NOT_APPLICABLE = 0
    AMPERE = 5
    VOLT = 29
    HERTZ = 33
    WATT = 38
    VOLT_AMPERE = 61
    VAR = 63
    COS_THETA = 65
    VOLT_AMPERE_HOUR = 71
    WATT_HOUR = 72
    VAR_HOUR = 73
    AMPERE_HOUR = 106


class ReadingKind(IntEnum):
    """`ReadingType.kind`."""

    NOT_APPLICABLE = 0
    CURRENCY = 3
    DEMAND = 8
    ENERGY = 12
    POWER = 37


class DataQualifier(IntEnum):
    """`ReadingType.data_qualifier`."""

    NOT_APPLICABLE = 0
    AVERAGE = 2
    MAXIMUM = 8
    MINIMUM = 9
    NORMAL = 12


class FlowDirection(IntEnum):
    """`ReadingType.flow_direction`."""

    NOT_APPLICABLE = 0
    FORWARD = 1
    """Delivered to the customer: import."""
    REVERSE = 19
    """Received from the customer: export."""


class Accumulation(IntEnum):
    """`ReadingType.accumulation_behaviour`."""

    NOT_APPLICABLE = 0
    CUMULATIVE = 3
    DELTA_DATA = 4
    INDICATING = 6
    SUMMATION = 9
    INSTANTANEOUS = 12


class Phase(IntEnum):
    """`ReadingType.phase`."""

    NOT_APPLICABLE = 0
    C = 32
    CN = 33
    CA = 40
    B = 64
    BN = 65
    BC = 66
    A = 128
    AN = 129
    AB = 132
    ABC = 224


class Quality(IntFlag):
    """`Reading.quality_flags`."""

    VALID = 1
    EDITED = 2
    ESTIMATED_REFERENCE_DAY = 4
    ESTIMATED_INTERPOLATION = 8
    QUESTIONABLE = 16
    DERIVED = 32
    PROJECTED = 64


class ReasonCode(IntEnum):
    """`Error.reason_code`."""

    INVALID_FORMAT = 0
    INVALID_VALUES = 1
    RESOURCE_LIMIT = 2
    CONDITION_UNSUPPORTED = 3
    TOO_FREQUENT = 4
