"""Settings of what happens when the public grid goes, and when it comes back."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from contracts.config import Settings
from site_agent.config.fleet import HolderName
from site_agent.config.values import Name, Percent
from site_agent.domain.grid.choices import SwitchContact
from site_agent.domain.grid.outage import GridPolicy
from site_agent.domain.grid.restore import RestorePolicy
from site_agent.domain.grid.stages import IslandPolicy

Names = Annotated[tuple[Name, ...], Field(max_length=1000)]


class SwitchSettings(Settings):
    """A contact of the transfer switch that cuts the site off."""

    sensor: Name
    """Of `sensors`, with a point `contact`."""
    island_when: Literal["closed", "open"] = "closed"


class IslandSettings(Settings):
    """How the site runs on its own, where a battery can carry it."""

    critical_evses: Names = ()
    """They charge first, and to the last."""
    critical_vehicles: Annotated[tuple[HolderName, ...], Field(max_length=1000)] = ()
    """The same for vehicles, wherever they stand."""
    feeds: Names | None = None
    """EVSEs on the island's side of the transfer switch; without it, all."""
    critical_building_w: Annotated[float, Field(ge=0, le=1e9)] = 0.0
    """Kept for the building's critical loads, also while it draws less."""
    all_above_pct: Percent = 60.0
    """State of charge from which all vehicles may charge."""
    critical_above_pct: Percent = 30.0
    """From here on critical ones; below it only from what PV makes beyond the building."""
    switch: SwitchSettings | None = None
    """None: batteries and the meter tell whether the grid is there."""

    @model_validator(mode="after")
    def _stages_descend(self) -> IslandSettings:
        if self.critical_above_pct > self.all_above_pct:
            raise ValueError("critical_above_pct must not lie above all_above_pct")
        return self

    @property
    def named(self) -> frozenset[str]:
        """Every EVSE that is named."""
        return frozenset((*self.critical_evses, *(self.feeds or ())))

    @property
    def contact(self) -> SwitchContact | None:
        """The contact of the transfer switch."""
        if self.switch is None:
            return None
        closed = self.switch.island_when == "closed"
        return SwitchContact(sensor=self.switch.sensor, island_when_closed=closed)

    @property
    def policy(self) -> IslandPolicy:
        """The same in the domain's words."""
        return IslandPolicy(
            evses=frozenset(self.critical_evses),
            vehicles=frozenset(self.critical_vehicles),
            fed=None if self.feeds is None else frozenset(self.feeds),
            building_w=self.critical_building_w,
            all_above_pct=self.all_above_pct,
            critical_above_pct=self.critical_above_pct,
        )


class OutageSettings(Settings):
    """When an outage begins and ends."""

    down_after_s: Annotated[float, Field(ge=0, le=60)] = 2.0
    """How long the grid must be seen to be away."""
    stable_for_s: Annotated[float, Field(ge=0, le=3600)] = 300.0
    """How long it must be back before more than critical chargers return."""

    @property
    def policy(self) -> GridPolicy:
        """The same in the domain's words."""
        usual = GridPolicy()
        stable_for = timedelta(seconds=self.stable_for_s)
        return GridPolicy(
            down_after=timedelta(seconds=self.down_after_s),
            stable_for=stable_for,
            silent_stable_for=min(stable_for, usual.silent_stable_for),
        )


class RestorationSettings(Settings):
    """How load returns after an outage, or after an event that held it back."""

    share_per_minute: Annotated[float, Field(gt=0, le=1)] = 0.2
    """Of what was held back; 1: everything with the first step."""
    most_delay_s: Annotated[float, Field(ge=0, le=3600)] = 60.0
    """Each site begins at a random time within this, so that not all begin at once."""

    @property
    def policy(self) -> RestorePolicy:
        """The same in the domain's words."""
        return RestorePolicy(
            share_per_minute=self.share_per_minute,
            most_delay=timedelta(seconds=self.most_delay_s),
        )
