"""What temperature leaves of a lithium-ion battery's power.

Linear between the ends, which is the shape makers' derating tables have (typical values, not one
maker's).
"""

from __future__ import annotations

_WARM_C, _FROZEN_C, _LEAST_WHEN_FROZEN = 15.0, -20.0, 0.1
"""Full charge from here, and this share of it at the other end."""
_HOT_C, _TOO_HOT_C = 45.0, 60.0
"""Full power up to here, and none at the other end."""


def cold_share(temperature_c: float) -> float:
    """Share of full charging power, 0.1..1."""
    above = (temperature_c - _FROZEN_C) / (_WARM_C - _FROZEN_C)
    return min(1.0, max(_LEAST_WHEN_FROZEN, above))


def hot_share(temperature_c: float) -> float:
    """Share of full power either way, 0..1."""
    return min(1.0, max(0.0, (_TOO_HOT_C - temperature_c) / (_TOO_HOT_C - _HOT_C)))
