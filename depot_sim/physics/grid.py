"""The grid in front of the depot: frequency, voltage, and what the depot's own load does to it."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.power import NOMINAL_VOLTAGE_V
from depot_sim.physics.drift import Drift
from depot_sim.physics.phases import NO_FLOW, PhaseWatts

NOMINAL_HZ = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What stands at the connection point without load: volts to neutral, and hertz."""

    voltage_v: float = NOMINAL_VOLTAGE_V
    frequency_hz: float = NOMINAL_HZ

    @property
    def live(self) -> bool:
        """Whether there is any."""
        return self.voltage_v > 0.0


IDEAL = Supply()
DEAD = Supply(voltage_v=0.0, frequency_hz=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A grid that wanders by `wander_hz` and `wander_v`; `impedance_ohm` is that of each phase.

    A public low-voltage grid wanders by 20 to 50 mHz within minutes. 0.05 ohm are usual at the end
    of a rural feeder; the reference impedance of IEC 60725 has 0.24 ohm resistance a phase.
    """

    drift: Drift
    wander_hz: float = 0.0
    wander_v: float = 0.0
    impedance_ohm: float = 0.0

    def supply(self, now_s: float, *, beside_hz: float = 0.0, beside_v: float = 0.0) -> Supply:
        """What it offers at `now_s`, with an event's deviation added; never below 0."""
        moved = self.drift.at(now_s)
        other = self.drift.at(now_s + 10_000.0)  # voltage and frequency have nothing in common
        return Supply(
            voltage_v=max(0.0, NOMINAL_VOLTAGE_V + self.wander_v * other + beside_v),
            frequency_hz=max(0.0, NOMINAL_HZ + self.wander_hz * moved + beside_hz),
        )

    def at_the_meter_v(self, supply: Supply, phases_w: PhaseWatts) -> PhaseWatts:
        """Volts of each phase with these flows: import lowers them, export raises them."""
        if not supply.live:
            return NO_FLOW
        l1, l2, l3 = (
            max(0.0, supply.voltage_v - self.impedance_ohm * power_w / supply.voltage_v)
            for power_w in phases_w
        )
        return l1, l2, l3
