"""The few numbers that shape control, with their reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPolicy:
    """How fast limits fall and rise; the defaults suit alternating-current depots."""

    settle: timedelta = timedelta(seconds=3)
    """Time in which a device that has accepted a setpoint usually follows it."""
    raise_hold: timedelta = timedelta(seconds=10)
    """A limit changed less than this ago is not raised: falls are fast, rises wait for proof."""
    resume_hold: timedelta = timedelta(seconds=60)
    """The same for a paused vehicle: contactors wear, and some vehicles give up."""
    deadband_a: float = 1.0
    """A limit this near to its target stays as it is (chargers keep profiles in flash)."""
    unused_share: float = 0.02
    """... unless together they leave more than this share of the import limit unused."""
    margin_share: float = 0.01
    """The import limit is aimed at from this share below; limits move once the margin is spent."""
    grid_charge_share: float = 0.25
    """Of its power, what a battery charges with from the grid: it has time, and peaks cost."""
    pv_headroom_share: float = 0.05
    """Of its rating, how far PV may always rise beside a battery that discharges for a target: an
    inverter at its ceiling does not show what the sun would give."""
    obey_after: timedelta = timedelta(seconds=30)
    """How long a charger may draw more than its limit before it counts as not obeying."""
