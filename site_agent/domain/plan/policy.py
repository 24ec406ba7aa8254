"""What a site wants of its plan, with the reasons for the defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPolicy:
    """Prices of wear are in the tariff's currency per kWh that comes out of a battery."""

    length: timedelta = timedelta(hours=30)
    """How far ahead, 24 to 36 h: at any hour of the day, the next night is whole."""
    battery_wear_per_kwh: float = 0.03
    """A battery of 300 a kWh that lasts 6000 cycles and keeps half its worth: 0.025."""
    charge_efficiency: float = 0.96
    """Of a stationary battery: of what it takes, the share that reaches its cells."""
    vehicle_wear_per_kwh: float = 0.08
    """Of a vehicle's battery: dearer cells, and its owner's."""
    vehicle_round_trip: float = 0.85
    vehicle_floor_soc_pct: float = 50.0
    """A vehicle gives nothing back below this."""
    peak_days: float | None = None
    """For how many days a higher peak is of use, which is over how many its price is spread: what a
    plan of one day saves by it, other days save as well. None: half the rest of the billing month,
    for on light days a peak is of no use; 1: its whole price on this plan."""
    expected_peak_w: float = 0.0
    """A peak that the month will see anyway: up to here demand costs nothing from the start."""
    limit_share: float = 0.98
    """Of the import limit, what is planned: control aims 1 % below, and forecasts err."""
    departs_early: timedelta = timedelta(minutes=10)
    """Vehicles are planned to be ready so long before they leave: loads vary, people are early."""


class Strategy(StrEnum):
    """Who says when vehicles and batteries charge, within all limits."""

    PLAN = "plan"
    """The plan, where there is a tariff, below the site's own rules."""
    RULES = "rules"
    """The site's own rules alone."""
    SOONEST = "soonest"
    """Nobody: as soon as there is power."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningChoices:
    """How a site plans."""

    strategy: Strategy = Strategy.PLAN
    policy: PlanPolicy = field(default_factory=PlanPolicy)
    every: timedelta = timedelta(minutes=5)
