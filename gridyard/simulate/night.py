"""What one seed makes of a scenario: who comes when with how much, the building, the sky.

The same seed gives the same night, whatever strategy is tried on it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from depot_sim.config_field import RoofSettings
from depot_sim.physics.battery import Battery
from depot_sim.physics.building import Building, Step
from depot_sim.physics.drift import Drift
from depot_sim.physics.pv import Pv
from depot_sim.physics.sky import DriftingSky, RealSky, Sky
from depot_sim.physics.sun import Plane
from depot_sim.physics.vehicle import Vehicle
from gridyard.simulate.scenario import Case, GroupSettings

_STRANDED = timedelta(minutes=25)
"""Before its departure, a vehicle that comes back too late for any charger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One vehicle's stay in the depot, as it will really be and as the roster has it."""

    vehicle: Vehicle
    """As it arrives."""
    expected: datetime
    """Arrival, as the roster says."""
    arrives: datetime
    departs: datetime
    required_soc_pct: float
    rank: int = 0
    known: bool = True
    """False: nobody knows it before or after it has come."""
    evse_id: str | None = None
    """Where it goes, whatever a yard list says."""
    expected_wh: float = 0.0
    """What the roster expects it to need, Wh at the plug."""

    @property
    def visit_id(self) -> str:
        """Name of the stay: that of the vehicle, which comes once."""
        return self.vehicle.id

    def missing_wh(self, soc_pct: float) -> float:
        """Energy at the plug up to what is required, Wh."""
        missing = max(0.0, self.required_soc_pct - soc_pct) / 100.0 * self.vehicle.capacity_wh
        return missing / self.vehicle.efficiency

    @property
    def required_wh(self) -> float:
        """The same as it arrives."""
        return self.missing_wh(self.vehicle.soc_pct)


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """Everything that is drawn."""

    seed: int
    begin: datetime
    visits: tuple[Visit, ...]
    building: Building
    pv: Mapping[str, Pv] = field(default_factory=dict)
    batteries: Mapping[str, Battery] = field(default_factory=dict)
    late_s: tuple[float, ...] = (0.0,)
    """How late people are with one swap after the other."""


def drawn(case: Case, seed: int, visits: tuple[Visit, ...] = ()) -> Night:
    """The night of this seed; `visits` instead of the fleet's groups."""
    dice = random.Random(f"night {seed}")  # noqa: S311 - weather, not cryptography
    settings = case.settings
    return Night(
        seed=seed,
        begin=settings.begin,
        visits=visits or tuple(_visits(case, dice)),
        building=_building(case, seed, dice),
        pv={roof.id: _pv(case, roof, seed, dice) for roof in settings.pv},
        batteries={
            one.id: Battery(
                capacity_wh=one.capacity_wh,
                max_charge_w=one.max_charge_w,
                max_discharge_w=one.max_discharge_w,
                soc_pct=dice.uniform(*settings.battery_soc_pct),
            )
            for one in case.site.batteries
        },
        late_s=tuple(_late_s(case, dice) for _ in range(400)),
    )


def _visits(case: Case, dice: random.Random) -> Iterator[Visit]:
    """Every group once a day, as often as whole days are simulated."""
    for day in range(max(1, int(case.settings.hours // 24))):
        begin = case.settings.begin + timedelta(days=day)
        for group in case.settings.fleet:
            numbers = range(1, group.count + 1)
            visits = [_visit(case, group, f"{number:02d}", begin, dice) for number in numbers]
            if dice.random() < group.stranded_share:
                lost = dice.randrange(len(visits))
                late = visits[lost].departs - _STRANDED
                visits[lost] = replace(visits[lost], arrives=late)
            yield from (_of_day(visit, day) for visit in visits if visit.departs <= case.end)


def _of_day(visit: Visit, day: int) -> Visit:
    """A vehicle that comes every day is another one each day: `van-01`, then `van-01-day2`."""
    if day == 0:
        return visit
    vehicle = replace(visit.vehicle, id=f"{visit.vehicle.id}-day{day + 1}")
    return replace(visit, vehicle=vehicle)


def _visit(
    case: Case, group: GroupSettings, number: str, begin: datetime, dice: random.Random
) -> Visit:
    expected = _between(case, group.arrives, begin, dice)
    departs = _between(case, group.departs, expected + timedelta(minutes=30), dice)
    soc = dice.uniform(*group.arrival_soc_pct)
    name = f"{group.name}-{number}"
    vehicle = Vehicle(
        id=name,
        id_tag=name.upper()[:20],
        capacity_wh=group.capacity_wh,
        soc_pct=soc,
        max_ac_w=group.max_ac_w,
        max_dc_w=group.max_dc_w,
        phases=group.phases,
        taper_from_pct=group.taper_from_pct,
        efficiency=group.efficiency,
        reaction_s=dice.uniform(*case.settings.reaction_s),
        required_soc_pct=group.required_soc_pct,
        departure=departs,
    )
    visit = Visit(
        vehicle=vehicle,
        expected=expected,
        arrives=max(begin, expected + timedelta(minutes=dice.uniform(*group.late_min))),
        departs=departs,
        required_soc_pct=group.required_soc_pct,
        rank=group.rank,
    )
    return replace(visit, expected_wh=visit.missing_wh(sum(group.arrival_soc_pct) / 2))


def _between(case: Case, clocks: tuple[str, str], after: datetime, dice: random.Random) -> datetime:
    first = case.next_at(clocks[0], after)
    last = case.next_at(clocks[1], first)
    return first + (last - first) * dice.random()


def _building(case: Case, seed: int, dice: random.Random) -> Building:
    config, varies = case.settings.building, case.settings.building_varies
    local = case.settings.begin.astimezone(case.zone)
    hour = local.hour + local.minute / 60 if config.start_hour is None else config.start_hour
    return Building(
        base_w=config.base_w * dice.uniform(1 - varies, 1 + varies),
        swing_w=config.swing_w,
        use=Drift.seeded(f"building {seed}", case.settings.drift_period_s),
        shape=config.shape,
        begin_s=hour * 3600.0,
        steps=tuple(_step(step.model_dump(), dice) for step in config.steps) + _loads(case),
    )


def _step(values: dict[str, float], dice: random.Random) -> Step:
    return Step(**{**values, "at_s": values["at_s"] + dice.uniform(0, 600)})  # type: ignore[arg-type]  # fields of Step by name


def _loads(case: Case) -> tuple[Step, ...]:
    """Events that are loads."""
    begin = case.settings.begin
    return tuple(
        Step(
            at_s=(case.next_at(one.at, begin + timedelta(days=one.day)) - begin).total_seconds(),
            for_s=one.for_min * 60,
            power_w=one.value_w,
        )
        for one in case.settings.events
        if one.kind == "load"
    )


def _pv(case: Case, roof: RoofSettings, seed: int, dice: random.Random) -> Pv:
    clouds = Drift.seeded(f"clouds {seed} {roof.id}", case.settings.drift_period_s)
    sky: Sky = DriftingSky(clearness=roof.clearness, swing=roof.swing, drift=clouds)
    place = case.settings.place
    if roof.sky == "sun" and place is not None:
        sky = RealSky(
            plane=Plane(
                latitude_deg=place.latitude_deg,
                longitude_deg=place.longitude_deg,
                tilt_deg=roof.tilt_deg,
                azimuth_deg=roof.azimuth_deg,
            ),
            begin=case.settings.begin,
            clouds=clouds,
            cover=dice.uniform(*case.settings.cover),
            oversize=roof.oversize,
            ambient_c=roof.ambient_c,
        )
    return Pv(rated_w=roof.rated_w, sky=sky)


def _late_s(case: Case, dice: random.Random) -> float:
    yard = case.settings.yard
    late = dice.random() < yard.late_share
    return dice.uniform(0.0, yard.late_most_min) * 60.0 if late else 0.0
