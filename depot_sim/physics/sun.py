"""Where the sun stands, and what a clear sky gives to a plane.

Position: the PSA algorithm (Blanco-Muriel et al., "Computing the solar vector", Solar Energy 70,
2001), good to some hundredths of a degree from 1999 to 2015 and to a tenth now. Irradiance: the
direct beam of Meinel and Meinel ("Applied Solar Energy", 1976) through the relative air mass of
Kasten and Young (Applied Optics 28, 1989), a tenth of it as diffuse light, isotropic on a tilted
plane (Liu and Jordan, 1963), and a ground that reflects a fifth. Within some ten percent of what a
clear sky over temperate lowland gives: enough for a simulator, not for a yield forecast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

_EPOCH = datetime(2000, 1, 1, 12, tzinfo=UTC)
_SOLAR_CONSTANT_W_M2 = 1353.0
_TRANSMITTED, _AIR_MASS_POWER = 0.7, 0.678
_DIFFUSE_SHARE, _ALBEDO = 0.1, 0.2
_PARALLAX_RAD = 6371.01 / 149_597_890.0


@dataclass(frozen=True, slots=True)
class SunPosition:
    """Degrees: `zenith` from straight up (0..180), `azimuth` from north over east (0..360)."""

    zenith_deg: float
    azimuth_deg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """Modules in degrees: `tilt` from flat (0) to upright (90), `azimuth` 180 looks south."""

    latitude_deg: float
    longitude_deg: float
    """East positive."""
    tilt_deg: float = 15.0
    azimuth_deg: float = 180.0

    def clear_sky_w_m2(self, at: datetime) -> float:
        """Irradiance in the plane under a clear sky; 0 at night."""
        sun = sun_position(at, self.latitude_deg, self.longitude_deg)
        up = math.cos(math.radians(sun.zenith_deg))
        if up <= 0.0:
            return 0.0
        beam = _beam_w_m2(sun.zenith_deg)
        diffuse = _DIFFUSE_SHARE * beam
        tilt = math.radians(self.tilt_deg)
        ground = _ALBEDO * (beam * up + diffuse) * (1.0 - math.cos(tilt)) / 2.0
        return beam * self._incidence(sun) + diffuse * (1.0 + math.cos(tilt)) / 2.0 + ground

    def _incidence(self, sun: SunPosition) -> float:
        """Cosine of the angle between the beam and the plane's normal, 0 from behind."""
        zenith, tilt = math.radians(sun.zenith_deg), math.radians(self.tilt_deg)
        turned = math.radians(sun.azimuth_deg - self.azimuth_deg)
        facing = math.sin(zenith) * math.sin(tilt) * math.cos(turned)
        return max(0.0, math.cos(zenith) * math.cos(tilt) + facing)


def sun_position(at: datetime, latitude_deg: float, longitude_deg: float) -> SunPosition:
    """Where the sun stands at an aware instant, without refraction."""
    at = at.astimezone(UTC)
    days = (at - _EPOCH).total_seconds() / 86_400.0
    ascension, declination = _equatorial(days)
    hours = at.hour + at.minute / 60.0 + at.second / 3600.0
    sidereal = (6.6974243242 + 0.0657098283 * days + hours) * 15.0 + longitude_deg
    angle, latitude = math.radians(sidereal) - ascension, math.radians(latitude_deg)
    up = math.cos(latitude) * math.cos(angle) * math.cos(declination)
    zenith = math.acos(max(-1.0, min(1.0, up + math.sin(declination) * math.sin(latitude))))
    north = math.tan(declination) * math.cos(latitude) - math.sin(latitude) * math.cos(angle)
    azimuth = math.atan2(-math.sin(angle), north) % math.tau
    zenith += _PARALLAX_RAD * math.sin(zenith)
    return SunPosition(math.degrees(zenith), math.degrees(azimuth))


def _equatorial(days: float) -> tuple[float, float]:
    """Right ascension and declination, radians, so many days after J2000."""
    node = 2.1429 - 0.0010394594 * days
    longitude = 4.8950630 + 0.017202791698 * days
    anomaly = 6.2400600 + 0.0172019699 * days
    ecliptic = (
        longitude
        + 0.03341607 * math.sin(anomaly)
        + 0.00034894 * math.sin(2.0 * anomaly)
        - 0.0001134
        - 0.0000203 * math.sin(node)
    )
    obliquity = 0.4090928 - 6.2140e-9 * days + 0.0000396 * math.cos(node)
    ascension = math.atan2(math.cos(obliquity) * math.sin(ecliptic), math.cos(ecliptic))
    return ascension, math.asin(math.sin(obliquity) * math.sin(ecliptic))


def _beam_w_m2(zenith_deg: float) -> float:
    """The direct beam, square to itself, with the sun above the horizon."""
    above = max(0.01, 96.07995 - zenith_deg)
    air_mass = 1.0 / (math.cos(math.radians(zenith_deg)) + 0.50572 * math.pow(above, -1.6364))
    return _SOLAR_CONSTANT_W_M2 * math.pow(_TRANSMITTED, math.pow(air_mass, _AIR_MASS_POWER))
