"""Units and the one sign of the system.

Power in W, energy in Wh, current in A, as floats whose names end in the unit.
Import, consumption and charging are positive; export, PV generation and discharge are negative,
so a site is the plain sum of its devices. kW appears only in mapping code, the web and reports.
"""

from datetime import timedelta
from math import sqrt

NOMINAL_VOLTAGE_V = 230.0
"""Line to neutral, IEC 60038."""


def watts_from_kw(power_kw: float) -> float:
    """Watts from kilowatts."""
    return power_kw * 1000.0


def kw_from_watts(power_w: float) -> float:
    """Kilowatts from watts."""
    return power_w / 1000.0


def energy_wh(power_w: float, duration: timedelta) -> float:
    """Energy of a constant power over a duration, in Wh, same sign as the power."""
    return power_w * duration.total_seconds() / 3600.0


def power_from_current_w(
    current_a: float, phases: int, voltage_v: float = NOMINAL_VOLTAGE_V
) -> float:
    """Power of `current_a` on each of `phases` phases at unity power factor, in W."""
    return current_a * phases * voltage_v


def current_from_power_a(
    power_w: float, phases: int, voltage_v: float = NOMINAL_VOLTAGE_V
) -> float:
    """Current on each of `phases` phases that carries `power_w` at unity power factor, in A."""
    return power_w / (phases * voltage_v)


def line_to_line_v(voltage_v: float) -> float:
    """Line-to-line voltage of a balanced three-phase system from line-to-neutral, in V."""
    return sqrt(3.0) * voltage_v
