"""What the sky offers to a PV generator, as a share of its rated AC power: two kinds of sky."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from depot_sim.physics.drift import Drift
from depot_sim.physics.sun import Plane

_STANDARD_W_M2 = 1000.0
_OVERCAST = 0.75
"""What a closed cover takes (Kasten and Czeplak, Solar Energy 24, 1980)."""
_EDGE = 0.15
"""How softly clouds begin, in units of the drift."""
_WARMING_K_M2_W, _LOSS_PER_K, _STANDARD_C = 0.03, 0.004, 25.0
"""Modules stand some 30 K above ambient in full sun, and lose 0.4 % a kelvin above 25 °C (usual
values of crystalline silicon)."""


class Sky(Protocol):
    """Anything that says how much sun there is."""

    def share(self, now_s: float) -> float:
        """Share of rated power on offer at `now_s`, 0..1."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftingSky:
    """`clearness` (0..1), give or take `swing` (0..1) of it, at any hour of the day.

    It does not follow the sun, so that a run looks the same at noon and at night.
    """

    clearness: float
    swing: float
    drift: Drift

    def share(self, now_s: float) -> float:
        """See `Sky`."""
        return max(0.0, min(1.0, self.clearness * (1.0 + self.swing * self.drift.at(now_s))))


@dataclass(frozen=True, slots=True, kw_only=True)
class RealSky:
    """The sun of a place and an hour, behind seeded clouds over a part `cover` (0..1) of the time.

    `begin` is the instant of second 0. `oversize` is the modules' rated power over the inverter's:
    above 1 the inverter clips at noon.
    """

    plane: Plane
    begin: datetime
    clouds: Drift
    cover: float = 0.3
    oversize: float = 1.2
    ambient_c: float = 15.0

    def share(self, now_s: float) -> float:
        """See `Sky`."""
        sun = self.irradiance_w_m2(now_s)
        warm_k = max(0.0, self.ambient_c + _WARMING_K_M2_W * sun - _STANDARD_C)
        made = self.oversize * sun / _STANDARD_W_M2 * (1.0 - _LOSS_PER_K * warm_k)
        return max(0.0, min(1.0, made))

    def irradiance_w_m2(self, now_s: float) -> float:
        """In the plane of the modules."""
        clear = self.plane.clear_sky_w_m2(self.begin + timedelta(seconds=now_s))
        return clear * (1.0 - _OVERCAST * self._cloud(now_s))

    def _cloud(self, now_s: float) -> float:
        """How much of the sun is behind a cloud, 0..1; edges pass within seconds to a minute."""
        if self.cover <= 0.0:
            return 0.0
        inside = (2.0 * self.cover - 1.0) - self.clouds.at(now_s)
        return max(0.0, min(1.0, inside / _EDGE))
