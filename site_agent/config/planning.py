"""Settings of the plan, and where the tariff it goes by is said."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

from contracts.config import Settings
from contracts.errors import ConfigError
from site_agent.config.tariff import TariffSettings
from site_agent.config.tariff_files import load_tariff
from site_agent.config.values import Percent
from site_agent.domain.plan.policy import PlanningChoices, PlanPolicy, Strategy

_DEFAULT = PlanPolicy()


def _named(value: object) -> object:
    """A word is the name of a tariff that comes with the agent, or the path of a file."""
    if not isinstance(value, str):
        return value
    try:
        return load_tariff(value)
    except ConfigError as error:
        raise ValueError(str(error)) from error


AnyTariff = Annotated[TariffSettings, BeforeValidator(_named)]


class PlanningSettings(Settings):
    """How the site decides when vehicles and batteries charge, within all limits."""

    strategy: Strategy = Strategy.PLAN
    """`plan`: at the best price, where there is a `tariff`; the site's own rules stand above it.
    `rules`: the rules alone. `soonest`: neither, as soon as there is power."""
    horizon_h: Annotated[float, Field(ge=24, le=36)] = _DEFAULT.length / timedelta(hours=1)
    """How far a plan looks ahead."""
    every_s: Annotated[float, Field(ge=60, le=900)] = 300.0
    """How often a plan is made anew, where nothing changes; changes are planned at once."""
    ready_before_min: Annotated[float, Field(ge=0, le=120)] = _DEFAULT.departs_early / timedelta(
        minutes=1
    )
    """Vehicles are planned to be ready so long before they leave."""
    battery_wear_per_kwh: Annotated[float, Field(ge=0, le=10)] = _DEFAULT.battery_wear_per_kwh
    """What a kWh out of a stationary battery costs in wear, in the tariff's currency."""
    vehicle_wear_per_kwh: Annotated[float, Field(ge=0, le=10)] = _DEFAULT.vehicle_wear_per_kwh
    """The same of a vehicle that gives back."""
    vehicle_floor_soc_pct: Percent = _DEFAULT.vehicle_floor_soc_pct
    """A vehicle gives nothing back below this."""
    expected_peak_w: Annotated[float, Field(ge=0, le=1e9)] = 0.0
    """A peak that each month sees anyway: up to here demand charges keep nobody from charging."""
    peak_days: Annotated[float, Field(ge=1, le=31)] | None = None
    """Over how many days the price of a higher peak is spread: those on which it is of use. None:
    half the rest of the billing month."""

    def choices(self) -> PlanningChoices:
        """The same in the planner's words."""
        return PlanningChoices(
            strategy=self.strategy,
            policy=PlanPolicy(
                length=timedelta(hours=self.horizon_h),
                departs_early=timedelta(minutes=self.ready_before_min),
                battery_wear_per_kwh=self.battery_wear_per_kwh,
                vehicle_wear_per_kwh=self.vehicle_wear_per_kwh,
                vehicle_floor_soc_pct=self.vehicle_floor_soc_pct,
                expected_peak_w=self.expected_peak_w,
                peak_days=self.peak_days,
            ),
            every=timedelta(seconds=self.every_s),
        )
