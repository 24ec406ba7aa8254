"""What PV would make under a clear sky, from place, tilt and azimuth.

Sun position after NREL's SPA and irradiance after the simplified Solis model (Ineichen, "A
broadband simplified version of the Solis clear sky model", Solar Energy 82, 2008), both by pvlib;
isotropic diffuse light on a tilted plane (Liu and Jordan, Solar Energy 7, 1963). Haze, soiling and
losses are not modelled: they are part of the clearness that is learnt from what PV makes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from site_agent.domain.horizon import QUARTER, Series

_STANDARD_W_M2 = 1000.0
_ALBEDO = 0.2
_PASCAL_PER_HPA = 100.0
_TEMPERATURE_C, _DELTA_T_S, _REFRACTION_DEG = 12.0, 69.0, 0.5667
"""For refraction at the horizon, and the earth's rotation: usual values of pvlib."""
_WARMING_K_M2_W, _LOSS_PER_K, _STANDARD_C, _AMBIENT_C = 0.03, 0.004, 25.0, 15.0
"""Modules stand some 30 K above ambient in full sun and lose 0.4 % a kelvin above 25 °C (usual
values of crystalline silicon)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the site is: degrees north and east, metres above the sea."""

    latitude_deg: float
    longitude_deg: float
    altitude_m: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PvArray:
    """One inverter and its modules; `azimuth` 180 looks south, `tilt` 0 is flat."""

    pv_id: str
    rated_w: float
    """Of the inverter, AC."""
    modules_w: float
    """Of the modules under standard conditions; more than `rated_w`: it clips at noon."""
    tilt_deg: float
    azimuth_deg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sun:
    """The sun over a place in the middle of each quarter: degrees and W/m²."""

    zenith_deg: Series
    azimuth_deg: Series
    beam_w_m2: Series
    diffuse_w_m2: Series
    horizontal_w_m2: Series


def sun_over(place: Place, start: datetime, count: int) -> Sun:
    """The sun of `count` quarters from `start` on, by a clear sky.

    The first call takes seconds: pvlib brings pandas and SciPy along. Not for an event loop.
    """
    # Whoever forecasts no PV should not wait for it, nor hold its 120 MB.
    from pvlib import atmosphere, clearsky, spa  # noqa: PLC0415

    middle = start.timestamp() + QUARTER.total_seconds() * (np.arange(count) + 0.5)
    pressure_pa = float(atmosphere.alt2pres(place.altitude_m))
    where = (place.latitude_deg, place.longitude_deg, place.altitude_m)
    air = (pressure_pa / _PASCAL_PER_HPA, _TEMPERATURE_C, _DELTA_T_S, _REFRACTION_DEG, 1)
    apparent_zenith, _, elevation, _, azimuth, _ = spa.solar_position(middle, *where, *air)
    sky = clearsky.simplified_solis(elevation, pressure=pressure_pa)
    return Sun(
        zenith_deg=apparent_zenith,
        azimuth_deg=azimuth,
        beam_w_m2=sky["dni"],
        diffuse_w_m2=sky["dhi"],
        horizontal_w_m2=sky["ghi"],
    )


def clear_power_w(array: PvArray, sun: Sun) -> Series:
    """What the inverter would make, W >= 0, at most its rating."""
    plane = _plane_w_m2(array, sun)
    warm_k = np.maximum(0.0, _AMBIENT_C + _WARMING_K_M2_W * plane - _STANDARD_C)
    made = array.modules_w * plane / _STANDARD_W_M2 * (1.0 - _LOSS_PER_K * warm_k)
    power: Series = np.clip(made, 0.0, array.rated_w)
    return power


def _plane_w_m2(array: PvArray, sun: Sun) -> Series:
    tilt, zenith = np.radians(array.tilt_deg), np.radians(sun.zenith_deg)
    turned = np.radians(sun.azimuth_deg - array.azimuth_deg)
    facing = np.cos(zenith) * np.cos(tilt) + np.sin(zenith) * np.sin(tilt) * np.cos(turned)
    beam = np.where(np.cos(zenith) > 0.0, sun.beam_w_m2 * np.maximum(0.0, facing), 0.0)
    sky = sun.diffuse_w_m2 * (1.0 + np.cos(tilt)) / 2.0
    ground = sun.horizontal_w_m2 * _ALBEDO * (1.0 - np.cos(tilt)) / 2.0
    total: Series = beam + sky + ground
    return total
