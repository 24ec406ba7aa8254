"""An electric vehicle: what it accepts, and what charging does to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

FULL_PCT = 99.9
"""The battery management ends charging here."""
_LEAST_TAPER = 0.05
"""Share of full power below which the taper does not fall, so that charging ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """A vehicle at its state of charge; `departure` and `required_soc_pct` are the fleet's plan.

    `max_ac_w` bounds its on-board charger over `phases` phases, `max_dc_w` its battery on a DC
    outlet. On AC it takes nothing below `min_current_a` per phase (6 A, IEC 61851-1 annex A).
    """

    id: str
    id_tag: str
    capacity_wh: float
    soc_pct: float
    max_ac_w: float
    max_dc_w: float = 0.0
    phases: int = 3
    min_current_a: float = 6.0
    taper_from_pct: float = 85.0
    efficiency: float = 0.92
    departure: datetime | None = None
    required_soc_pct: float = 80.0
    tag_type: str = "ISO14443"
    """What `id_tag` is, in the words of OCPP 2.0.1: a card, an eMAID, a MacAddress (autocharge)."""
    contract: str | None = None
    """PEM chain of an ISO 15118 contract certificate."""

    @property
    def stored_wh(self) -> float:
        """Energy in the battery."""
        return self.capacity_wh * self.soc_pct / 100.0

    @property
    def headroom_wh(self) -> float:
        """Energy the outlet can still deliver until the battery is full, losses included."""
        return (self.capacity_wh - self.stored_wh) / self.efficiency

    def acceptance_w(self, *, dc: bool = False) -> float:
        """The most it takes now: constant current, then a linear fall with the missing charge.

        A fall that is linear in the missing charge is the exponential decay of a constant-voltage
        phase.
        """
        if self.soc_pct >= FULL_PCT:
            return 0.0
        missing = (100.0 - self.soc_pct) / (100.0 - self.taper_from_pct)
        return (self.max_dc_w if dc else self.max_ac_w) * min(1.0, max(_LEAST_TAPER, missing))

    def charged(self, energy_wh: float) -> Vehicle:
        """The vehicle after the outlet has delivered `energy_wh` (at most `headroom_wh`)."""
        gained_pct = 100.0 * energy_wh * self.efficiency / self.capacity_wh
        return replace(self, soc_pct=min(100.0, self.soc_pct + gained_pct))
