"""A scenario: one depot, its vehicles and its weather, as a YAML file says them.

The depot itself is an agent's settings file, so that what is simulated is what would run. Ranges
`[low, high]` are drawn anew for every seed, evenly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from contracts.config import Settings, load
from contracts.errors import ConfigError
from contracts.time import as_utc
from depot_sim.config_field import BuildingSettings, PlaceSettings, RoofSettings
from site_agent.config import SiteSettings
from site_agent.config.values import Name, Percent, Positive

FOLDER = Path(__file__).with_name("scenarios")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def _ascending(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError("a range ascends: [low, high]")
    return value


def _clock(value: str) -> str:
    if not _CLOCK.fullmatch(value):
        raise ValueError('a clock time is "HH:MM", in quotes')
    return value


Clock = Annotated[str, AfterValidator(_clock)]
Percents = Annotated[tuple[Percent, Percent], AfterValidator(_ascending)]
Seconds = Annotated[
    tuple[Annotated[float, Field(ge=0, le=60)], Annotated[float, Field(ge=0, le=60)]],
    AfterValidator(_ascending),
]
NotNegative = Annotated[float, Field(ge=0, le=1e8, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]


class GroupSettings(Settings):
    """Vehicles of one kind: they come once within the time that is simulated."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,20}$")]
    count: Annotated[int, Field(ge=1, le=2000)]
    arrives: tuple[Clock, Clock]
    """As the roster says, drawn within; on the depot's clock, after `begin`."""
    late_min: Annotated[tuple[float, float], AfterValidator(_ascending)] = (0.0, 0.0)
    """How much later than that it really comes; negative: earlier."""
    departs: tuple[Clock, Clock]
    capacity_wh: Positive
    arrival_soc_pct: Percents
    required_soc_pct: Percent
    max_ac_w: NotNegative = 11_040.0
    max_dc_w: NotNegative = 0.0
    taper_from_pct: Annotated[float, Field(ge=1, le=99)] = 90.0
    efficiency: Annotated[float, Field(ge=0.5, le=1)] = 0.92
    phases: Literal[1, 2, 3] = 3
    rank: Annotated[int, Field(ge=0, le=1000)] = 0
    stranded_share: Share = 0.0
    """How likely it is, a night, that one of them comes back too late to be charged at all."""


class YardSettings(Settings):
    """How people work in the yard."""

    swap_min: Annotated[float, Field(ge=1, le=120)] = 10.0
    slack_min: Annotated[float, Field(ge=0, le=240)] = 20.0
    """Lateness the yard list must bear."""
    walk_min: Annotated[float, Field(ge=0, le=60)] = 1.0
    """From parking to plugging in."""
    late_share: Share = 0.0
    """How many swaps come late."""
    late_most_min: Annotated[float, Field(ge=0, le=600)] = 20.0


class EventSettings(Settings):
    """Something that happens at a clock time, for a while."""

    at: Clock
    kind: Literal["import_limit", "charger_offline", "load"]
    """`import_limit`: a utility's, W. `load`: the building draws more, W."""
    for_min: Positive
    value_w: NotNegative = 0.0
    evse: Name | None = None
    day: Annotated[int, Field(ge=0, le=366)] = 0
    """Days after `begin`."""

    @model_validator(mode="after")
    def _names_what_it_needs(self) -> EventSettings:
        if (self.evse is None) == (self.kind == "charger_offline"):
            raise ValueError("charger_offline names an evse, and nothing else does")
        return self


class ScenarioSettings(Settings):
    """Everything a run needs but the seed and the strategy."""

    name: Name
    about: str = ""
    site: Path
    """Settings of the depot's agent, beside this file."""
    begin: Annotated[AwareDatetime, AfterValidator(as_utc)]
    hours: Annotated[float, Field(gt=0, le=366 * 24)]
    dc: tuple[Name, ...] = ()
    """EVSEs that give direct current."""
    building: BuildingSettings = BuildingSettings()
    building_varies: Share = 0.0
    """How far the building's base load may differ from seed to seed, to either side."""
    drift_period_s: Positive = 3600.0
    """How slowly building and clouds wander."""
    place: PlaceSettings | None = None
    pv: tuple[RoofSettings, ...] = ()
    """The sky over each inverter of the site."""
    cover: Annotated[tuple[Share, Share], AfterValidator(_ascending)] = (0.2, 0.6)
    """Clouds, drawn for each seed."""
    battery_soc_pct: Percents = (50.0, 50.0)
    reaction_s: Seconds = (0.3, 1.5)
    """How long vehicles take to follow a limit."""
    margin_share: Annotated[float, Field(ge=0, le=0.5)] | None = None
    """Of the import limit, kept free for what the building may switch on; None: the agent's own."""
    cycle_s: Annotated[float, Field(ge=1, le=300)] = 60.0
    """Between decisions while nothing happens; something new is answered within a second."""
    fleet: tuple[GroupSettings, ...] = ()
    sessions: Path | None = None
    """CSV of vehicles instead of `fleet` (`sessions.read`)."""
    yard: YardSettings = YardSettings()
    events: tuple[EventSettings, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A scenario with its depot."""

    settings: ScenarioSettings
    site: SiteSettings
    folder: Path

    @property
    def zone(self) -> ZoneInfo:
        """The depot's clock."""
        return ZoneInfo(self.site.time_zone)

    @property
    def direct(self) -> frozenset[str]:
        """EVSEs that give direct current."""
        told = {one.id for one in self.site.chargers if getattr(one, "dc", False)}
        return frozenset({*self.settings.dc, *told})

    @property
    def end(self) -> datetime:
        """When the simulation ends."""
        return self.settings.begin + timedelta(hours=self.settings.hours)

    def next_at(self, clock: str, after: datetime) -> datetime:
        """The first instant from `after` on at which the depot's clock shows this."""
        hour, minute = (int(part) for part in clock.split(":"))
        local = after.astimezone(self.zone)
        for days in (0, 1):
            date = local.date() + timedelta(days=days)
            at = datetime.combine(date, time(hour, minute), tzinfo=self.zone)
            if at >= local:
                return at.astimezone(after.tzinfo)
        raise AssertionError("one of two days has it")


def known() -> list[str]:
    """Names of the scenarios that come with Gridyard."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml") if not path.stem.endswith("-site"))


def read(name_or_path: str) -> Case:
    """A scenario by its name, or from a file.

    Raises:
        ConfigError: there is none, or something in it or in its site is wrong.
    """
    path = FOLDER / f"{name_or_path}.yaml" if name_or_path in known() else Path(name_or_path)
    if not path.is_file():
        raise ConfigError(
            f"no scenario {name_or_path!r}: give a file, or one of {', '.join(known())}"
        )
    settings = load(path, ScenarioSettings)
    case = Case(
        settings=settings, site=load(path.parent / settings.site, SiteSettings), folder=path.parent
    )
    if faults := list(_faults(case)):
        raise ConfigError(f"{path}: " + "; ".join(faults))
    return case


def _faults(case: Case) -> Iterator[str]:
    evses = {one.id for one in case.site.chargers}
    named = {*case.settings.dc, *(one.evse for one in case.settings.events if one.evse)}
    yield from (
        f"EVSE {name!r} is named, which {case.settings.site} has none of"
        for name in sorted(named - evses)
    )
    roofs = {one.id for one in case.settings.pv}
    for inverter in case.site.pv:
        if inverter.id not in roofs:
            yield f"pv: no sky over inverter {inverter.id!r}"
    if case.settings.place is None and any(roof.sky == "sun" for roof in case.settings.pv):
        yield "sky: sun needs a place"
    if not case.settings.fleet and case.settings.sessions is None:
        yield "neither fleet nor sessions: nobody comes"
