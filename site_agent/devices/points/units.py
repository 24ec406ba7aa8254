"""Units a mapping may name, converted to the one unit each point has."""

from __future__ import annotations

from types import MappingProxyType

UNITS = MappingProxyType(
    {
        "": ("", 1.0, 0.0),
        "W": ("W", 1.0, 0.0),
        "kW": ("W", 1e3, 0.0),
        "MW": ("W", 1e6, 0.0),
        "var": ("var", 1.0, 0.0),
        "kvar": ("var", 1e3, 0.0),
        "Wh": ("Wh", 1.0, 0.0),
        "kWh": ("Wh", 1e3, 0.0),
        "MWh": ("Wh", 1e6, 0.0),
        "J": ("Wh", 1 / 3600, 0.0),
        "A": ("A", 1.0, 0.0),
        "mA": ("A", 1e-3, 0.0),
        "V": ("V", 1.0, 0.0),
        "mV": ("V", 1e-3, 0.0),
        "kV": ("V", 1e3, 0.0),
        "Hz": ("Hz", 1.0, 0.0),
        "mHz": ("Hz", 1e-3, 0.0),
        "pct": ("pct", 1.0, 0.0),
        "ratio": ("pct", 100.0, 0.0),
        "degC": ("degC", 1.0, 0.0),
        "K": ("degC", 1.0, -273.15),
        "degF": ("degC", 5 / 9, -160 / 9),
        "W/m2": ("W/m2", 1.0, 0.0),
    }
)
"""Unit: the canonical one, factor and offset: canonical = value * factor + offset."""


def fits(unit: str, canonical: str) -> bool:
    """Whether values in `unit` can be had in `canonical`."""
    return unit in UNITS and UNITS[unit][0] == canonical


def to_canonical(value: float, unit: str) -> float:
    """The value in the unit the vocabulary gives its point."""
    _, factor, offset = UNITS[unit]
    return value * factor + offset


def from_canonical(value: float, unit: str) -> float:
    """The other way, for controls."""
    _, factor, offset = UNITS[unit]
    return (value - offset) / factor
