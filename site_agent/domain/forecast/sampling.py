"""What one picture of the site adds to its history: power, temperature and charge, as they are.

Nothing is filled in: what is not measured, or not to be believed, has no sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.reading import Quality, Reading
from site_agent.domain.device import PvState
from site_agent.domain.forecast.record import (
    LOAD_W,
    PV_W,
    battery_power_of,
    pv_of,
    soc_of,
)
from site_agent.domain.site import SiteSnapshot

_SPREAD_SHARE = 0.02
"""Of the contract: a building load that may be off by more is not kept."""
_AT_LIMIT = 0.95
"""PV that makes this share of its limit would make more without it."""
_ASLEEP = 0.01
"""An inverter that fell silent while it made less than this share of its rating sleeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of one series (`record`)."""

    series: str
    value: float
    estimated: bool = False
    curtailed: bool = False


class Sampler:
    """Takes samples; remembers what each inverter last made, to tell asleep from away."""

    def __init__(self) -> None:
        self._made_w: dict[str, float] = {}

    def samples(
        self, snapshot: SiteSnapshot, building_w: float | None, spread_w: float
    ) -> Iterator[Sample]:
        """All that is known now.

        `building_w`: what nothing steers, PV included, W, give or take `spread_w`; None: unknown.
        """
        made = [self._making(inverter, snapshot) for inverter in snapshot.pv]
        generation = _sum(made, snapshot.at)
        for inverter, reading in zip(snapshot.pv, made, strict=True):
            name = pv_of(inverter.spec.pv_id)
            yield from _told(name, reading, curtailed=_curtailed(inverter))
        if made:
            held = any(_curtailed(inverter) for inverter in snapshot.pv)
            yield from _told(PV_W, generation, curtailed=held)
        settled = spread_w <= _SPREAD_SHARE * snapshot.model.contract_limit_w
        if building_w is not None and settled:
            yield from _told(LOAD_W, _without_pv(building_w, generation, snapshot))
        for battery in snapshot.batteries:
            name = battery.spec.battery_id
            yield from _told(battery_power_of(name), _usable(battery.power_w, snapshot))
            yield from _told(soc_of(name), _usable(battery.soc_pct, snapshot))

    def _making(self, inverter: PvState, snapshot: SiteSnapshot) -> Reading:
        """What it makes, W >= 0; one that fell silent while it made next to nothing sleeps."""
        name, power = inverter.spec.pv_id, _usable(inverter.power_w, snapshot)
        if power.value is not None:
            self._made_w[name] = max(0.0, -power.value)
            return replace(power, value=self._made_w[name])
        rated_w = inverter.spec.rated_w
        asleep = self._made_w.get(name, rated_w) <= _ASLEEP * rated_w
        return _estimated(0.0, snapshot.at) if asleep else power


def _without_pv(building_w: float, generation: Reading, snapshot: SiteSnapshot) -> Reading:
    """The building's load, PV taken out of it."""
    if not snapshot.pv:
        return Reading(value=building_w, quality=snapshot.pcc.power_w.quality, at=snapshot.at)
    if generation.value is None:
        return generation
    sound = generation.quality is snapshot.pcc.power_w.quality is Quality.GOOD
    quality = Quality.GOOD if sound else Quality.ESTIMATED
    return Reading(value=building_w + generation.value, quality=quality, at=snapshot.at)


def _curtailed(inverter: PvState) -> bool:
    """Whether a limit holds it down."""
    limit_w, power_w = inverter.limited_w, inverter.power_w.value
    return limit_w is not None and power_w is not None and -power_w >= _AT_LIMIT * limit_w


def _told(series: str, reading: Reading, *, curtailed: bool = False) -> Iterator[Sample]:
    if reading.value is not None:
        yield Sample(
            series=series,
            value=reading.value,
            estimated=reading.quality is not Quality.GOOD,
            curtailed=curtailed,
        )


def _usable(reading: Reading, snapshot: SiteSnapshot) -> Reading:
    fresh = reading.fresh(snapshot.at, snapshot.model.device_max_age)
    return reading if fresh is not None else Reading.missing(snapshot.at)


def _sum(readings: Sequence[Reading], at: datetime) -> Reading:
    """The sum, only where all are known."""
    known = [reading.value for reading in readings if reading.value is not None]
    if len(known) < len(readings) or not readings:
        return Reading.missing(at)
    sound = all(reading.quality is Quality.GOOD for reading in readings)
    return (
        Reading(value=sum(known), quality=Quality.GOOD, at=at)
        if sound
        else _estimated(sum(known), at)
    )


def _estimated(value: float, at: datetime) -> Reading:
    return Reading(value=value, quality=Quality.ESTIMATED, at=at)
