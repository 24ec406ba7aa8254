"""The few numbers that shape control, with their reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from contracts import metering


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPolicy:
    """How fast limits fall and rise; the defaults suit alternating-current depots."""

    settle: timedelta = timedelta(seconds=3)
    """Time in which a device that has accepted a setpoint usually follows it."""
    raise_hold: timedelta = timedelta(seconds=10)
    """A limit changed less than this ago is not raised: falls are fast, rises wait for proof."""
    resume_hold: timedelta = timedelta(seconds=60)
    """The same for a paused vehicle: contactors wear, and some vehicles give up."""
    least_on: timedelta = timedelta(seconds=60)
    """A vehicle whose limit came or moved less than this ago is not paused for others while limits
    bear its minimum: turns wear contactors and charge nobody."""
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
    wish_reserve: timedelta = timedelta(minutes=30)
    """A vehicle with less laxity than this charges whatever a plan or rule wishes."""
    give_reserve: timedelta = timedelta(hours=1)
    """A vehicle with less laxity than this gives nothing back: it takes as long again to refill."""
    give_floor_soc_pct: float = 30.0
    """Nor one whose battery is below this, %: deep cycles wear, and plans change."""
    obey_after: timedelta = timedelta(seconds=30)
    """How long a charger may draw more than its limit before it counts as not obeying."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """When measured values are believed; shares are of the import limit of the contract.

    What a lying meter would let the site draw more is believed after `confirmed_after`, which is
    longer than any check of the meter takes: a lie is caught before it is acted upon.
    """

    pace: timedelta = timedelta(seconds=3)
    """The unit of the times below, or the age at which the meter is stale if that is more: a meter
    that is read slowly is judged slowly."""
    nameplate: float = 1.5
    """A power beyond this many times what is installed is nonsense; transients are not."""
    rejected_paces: float = 1.0
    """How long readings are nonsense before the meter itself is not trusted; one is a glitch."""
    contradicted_paces: float = 2.7
    """How long devices must contradict the meter, 8 s: chargers sample every 5 s, and a vehicle
    that stops is seen at the meter first."""
    confirmed_paces: float = 3.4
    """How long a fall of load must last before the site draws more, 10 s."""
    unmoved_paces: float = 10.0
    """A meter that has shown the very same for so long must show a step before it is relied on."""
    trust_after: timedelta = timedelta(seconds=60)
    """How long nothing may contradict a meter before it is trusted again."""
    told_max_age: timedelta = timedelta(seconds=10)
    """A word of a device this old says nothing of what it does now: vehicles stop unasked."""
    step_share: float = 0.05
    """A step of devices this large must show; the site draws no more than this beyond what it has
    been granted, or beyond the static split, while a meter has yet to show a step."""
    proof_share: float = metering.PROOF_SHARE
    """A step this large proves the meter when it shows; less is lost in the building's noise."""
    shown_least: float = 0.4
    shown_most: float = 2.5
    """A step shows if the meter moves by this share of it: the building moves as well."""
    strikes: int = 2
    """So many steps in a row that do not show: one may be hidden by the building."""
    level_share: float = metering.LEVEL_SHARE
    """What the meter may miss of what devices tell, beside `told_error`."""
    told_error: float = metering.TOLD_ERROR
    """What devices may be off by: meters in chargers are of class B at best."""
    voltage_share: float = 0.15
    """How far voltage and rounding may set the power apart from the phase currents."""
    least_power_factor: float = 0.25
    """Below it, currents without power are no load but a meter's fault."""
    energy_error: float = metering.ENERGY_ERROR
    """How far a register may be off the integral of sampled power."""
    energy_share: float = metering.ENERGY_SHARE
    """... and of the contract, for meters that round their power coarsely."""
