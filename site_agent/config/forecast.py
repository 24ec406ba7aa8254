"""Settings of the forecasts: where the site is, how its modules stand, which days are holidays."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from contracts.config import Settings
from contracts.days import Holidays, holiday
from site_agent.config.values import Name, Positive
from site_agent.domain.device import PvSpec
from site_agent.domain.forecast.calendar import Calendar
from site_agent.domain.forecast.clear_sky import Place, PvArray
from site_agent.domain.forecast.ground import ForecastGround
from site_agent.domain.site import SiteModel
from site_agent.domain.tariff.tariff import Tariff


def _known(text: str) -> str:
    holiday(text)
    return text


class ArraySettings(Settings):
    """How the modules of one PV inverter stand."""

    tilt_deg: Annotated[float, Field(ge=0, le=90)] = 15.0
    """From flat (0) to upright (90)."""
    azimuth_deg: Annotated[float, Field(ge=0, lt=360)] | None = None
    """Where they look: 90 east, 180 south, 270 west; None: towards the equator."""
    modules_w: Positive | None = None
    """Rated power of the modules; None: as much as the inverter."""


class ForecastSettings(Settings):
    """What forecasts need to know that nobody can measure. All of it may be left out."""

    latitude_deg: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude_deg: Annotated[float, Field(ge=-180, le=180)] | None = None
    """East positive. With both, PV is forecast from the sun; else from the last days."""
    altitude_m: Annotated[float, Field(ge=-500, le=6000)] = 0.0
    arrays: Annotated[Mapping[Name, ArraySettings], Field(max_length=500)] = Field(
        default_factory=dict
    )
    """By PV inverter id; one that is not named is flat enough and looks to the equator."""
    outdoor_sensor: Name | None = None
    """A sensor that tells the outdoor temperature: the building's load may follow it."""
    holidays: Annotated[
        tuple[Annotated[str, AfterValidator(_known)], ...], Field(max_length=100)
    ] = ()
    """Days on which the site does as on Sundays: `2026-12-24`, `12-25` (every year), `easter+1`,
    `11 thu 4` (the fourth Thursday of November). Empty: those of the tariff."""

    @model_validator(mode="after")
    def _whole_place(self) -> ForecastSettings:
        if (self.latitude_deg is None) != (self.longitude_deg is None):
            raise ValueError("latitude_deg and longitude_deg go together")
        return self

    @property
    def place(self) -> Place | None:
        """Where the site is, where that was told."""
        if self.latitude_deg is None or self.longitude_deg is None:
            return None
        return Place(
            latitude_deg=self.latitude_deg,
            longitude_deg=self.longitude_deg,
            altitude_m=self.altitude_m,
        )

    def faults(self, sensors: Collection[str], inverters: Collection[str]) -> Iterator[str]:
        """Names that there are none of."""
        if self.outdoor_sensor is not None and self.outdoor_sensor not in sensors:
            yield f"forecast: sensor {self.outdoor_sensor!r} is named, which there is none of"
        for name in sorted(set(self.arrays) - set(inverters)):
            yield f"forecast: array of {name!r}, which is no PV inverter here"

    def ground(self, model: SiteModel, zone: str, tariff: Tariff | None = None) -> ForecastGround:
        """The site as its forecasts see it; `zone` is its time zone."""
        holidays = Holidays(rules=tuple(holiday(text) for text in self.holidays))
        if not self.holidays and tariff is not None:
            holidays = tariff.holidays
        return ForecastGround(
            calendar=Calendar(zone=ZoneInfo(zone), holidays=holidays),
            largest_w=model.max_building_w,
            place=self.place,
            arrays=tuple(self._array(spec) for spec in model.pv),
            batteries=model.batteries,
        )

    def _array(self, spec: PvSpec) -> PvArray:
        settings = self.arrays.get(spec.pv_id, ArraySettings())
        south = 0.0 if (self.latitude_deg or 0.0) < 0.0 else 180.0
        return PvArray(
            pv_id=spec.pv_id,
            rated_w=spec.rated_w,
            modules_w=settings.modules_w or spec.rated_w,
            tilt_deg=settings.tilt_deg,
            azimuth_deg=south if settings.azimuth_deg is None else settings.azimuth_deg,
        )
