"""The names of points and controls, each with one unit, one sign and one meaning.

Load convention everywhere: import, consumption and charging are positive. A mapping (profile, topic
map, ...) flips signs and scales; nothing after it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Point:
    """Something a device shows. Values outside `low..high` are nonsense for any device."""

    unit: str
    meaning: str
    low: float
    high: float


_PHASES = ("l1", "l2", "l3")
_W, _WH, _A, _V = 1e8, 1e13, 1e5, 1e5

POINTS = MappingProxyType(
    {
        "active_power": Point("W", "total active power, import or charging positive", -_W, _W),
        **{f"active_power_{p}": Point("W", f"of {p.upper()}", -_W, _W) for p in _PHASES},
        **{f"current_{p}": Point("A", f"of {p.upper()}; a magnitude", -_A, _A) for p in _PHASES},
        **{f"voltage_{p}": Point("V", f"{p.upper()} to neutral", 0.0, _V) for p in _PHASES},
        "frequency": Point("Hz", "of the grid", 0.0, 100.0),
        "power_factor": Point("", "total", -1.0, 1.0),
        "reactive_power": Point("var", "total, absorbed positive", -_W, _W),
        "import_energy": Point(
            "Wh", "register of energy imported or charged; never falls", 0.0, _WH
        ),
        "export_energy": Point("Wh", "register of energy exported or discharged", 0.0, _WH),
        "soc": Point("pct", "state of charge", 0.0, 100.0),
        "soh": Point("pct", "state of health", 0.0, 100.0),
        "max_charge_power": Point("W", "most it takes now; a magnitude", 0.0, _W),
        "max_discharge_power": Point("W", "most it gives now; a magnitude", 0.0, _W),
        "capacity": Point("Wh", "usable energy", 0.0, _WH),
        "available_power": Point("W", "what PV could make uncurtailed; a magnitude", 0.0, _W),
        "dc_voltage": Point("V", "of battery or string", 0.0, _V),
        "dc_current": Point("A", "of battery or string, charging positive", -_A, _A),
        "temperature": Point("degC", "of the device's own cells or case", -100.0, 300.0),
        "ambient_temperature": Point("degC", "around it", -100.0, 100.0),
        "irradiance": Point("W/m2", "in the plane of the modules", -10.0, 2000.0),
        "online": Point("", "1: it says it is ready to work, 0: it is not", 0.0, 1.0),
        "fault": Point("", "1: it says it is in fault", 0.0, 1.0),
        "plugged": Point("", "1: a vehicle is plugged in", 0.0, 1.0),
        "charging": Point("", "1: a vehicle charges or may charge", 0.0, 1.0),
        "session_energy": Point("Wh", "since the vehicle was plugged in", 0.0, _WH),
        "current_limit": Point("A", "the limit an EVSE holds, per phase", 0.0, _A),
        "contact": Point("", "1: a contact is closed", 0.0, 1.0),
    }
)

CONTROLS = MappingProxyType(
    {
        "power": Point("W", "setpoint of a battery, charging positive", -_W, _W),
        "power_limit": Point("W", "most a PV inverter may make; a magnitude", 0.0, _W),
        "current_limit": Point("A", "most an EVSE may draw per phase; 0 pauses", 0.0, _A),
        "heartbeat": Point("", "a counter that says the controller lives", 0.0, 65535.0),
    }
)
