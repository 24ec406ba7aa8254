"""From stored points to what the detectors look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from contracts.site_link import points
from contracts.time import Interval
from gateway.domain.accounts.grid import Numbers, SlotGrid
from gateway.domain.anomaly.drift import DayRatio
from gateway.domain.anomaly.picture import Flags, Picture
from gateway.domain.portfolio import Site
from gateway.flows.accounts.reading import evse_of
from gateway.ports.accounts import SlotReader, Slots

STEP, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_ENOUGH = 0.5
"""Of a slot that must be known for its mean to say something."""
_WELL = 0.99
"""Of a day that must be measured to compare energies."""
_LEAST_WH = 1000.0
_EVSE, _LIMIT = "evse/", "/limit_w"


async def picture_of(reader: SlotReader, site: Site, window: Interval) -> Picture:
    """A site over a window of whole minutes."""
    grid = SlotGrid(window=window, step=STEP)
    known = set(await reader.points(site.site_id))
    wanted = [one for one in known if one in _SITE or evse_of(one) is not None or _limits(one)]
    means = {
        one: _mean(await reader.slots(site.site_id, one, window, STEP), grid)
        for one in sorted(wanted)
    }
    evse_w = {name: one for point, one in means.items() if (name := evse_of(point)) is not None}
    limit_w = {name: one for point, one in means.items() if (name := _limits(point)) is not None}
    unknown, none = np.full(grid.count, np.nan), np.zeros(grid.count)
    return Picture(
        grid=grid,
        contract_w=max(1.0, site.import_limit_w),
        pcc_w=means.get(points.PCC_POWER_W, unknown),
        register_wh=means.get(points.PCC_IMPORT_WH, unknown),
        charging_w=_charging(means, evse_w, none),
        battery_w=means.get(points.BATTERY_POWER_W, none),
        pv_w=means.get(points.PV_POWER_W, none),
        evse_w=evse_w,
        limit_w=limit_w,
    )


_SITE = frozenset(
    {
        points.PCC_POWER_W,
        points.PCC_IMPORT_WH,
        points.CHARGING_POWER_W,
        points.BATTERY_POWER_W,
        points.PV_POWER_W,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """The meter at the connection point over several days."""

    grid: SlotGrid
    """Hours."""
    known: Flags
    """Hours in which it told something."""
    ratios: tuple[DayRatio, ...]
    """Of the days that were measured well."""


async def days_of(reader: SlotReader, site: Site, window: Interval) -> Days:
    """A window of whole days, by the hour."""
    grid = SlotGrid(window=window, step=HOUR)
    power = await reader.slots(site.site_id, points.PCC_POWER_W, window, HOUR)
    register = _mean(await reader.slots(site.site_id, points.PCC_IMPORT_WH, window, HOUR), grid)
    per_day = DAY // HOUR
    found = [
        _ratio(grid, power, register, first, first + per_day)
        for first in range(0, grid.count - per_day + 1, per_day)
    ]
    return Days(
        grid=grid, known=power.seconds > 0, ratios=tuple(one for one in found if one is not None)
    )


def _ratio(
    grid: SlotGrid, power: Slots, register: Numbers, first: int, end: int
) -> DayRatio | None:
    """From the middle of a day's first hour to that of its last; None: not measured well."""
    covered = power.seconds[first:end]
    counted = float(register[end - 1] - register[first])
    if covered.min() < _WELL * grid.seconds or not counted > _LEAST_WH:
        return None
    drawn = power.above_h[first:end]
    summed = float(drawn.sum() - (drawn[0] + drawn[-1]) / 2.0)
    day = Interval(start=grid.slot(first).start, end=grid.slot(end - 1).end)
    return DayRatio(day=day, ratio=summed / counted)


def _charging(
    means: Mapping[str, Numbers], evse_w: Mapping[str, Numbers], none: Numbers
) -> Numbers:
    """All chargers, unknown where one of them is: the site's own sum leaves that one out."""
    if not evse_w:
        return means.get(points.CHARGING_POWER_W, none)
    return np.asarray(np.sum(list(evse_w.values()), axis=0))


def _limits(point: str) -> str | None:
    inner = point.removeprefix(_EVSE).removesuffix(_LIMIT)
    return inner if points.evse_limit_w(inner) == point else None


def _mean(one: Slots, grid: SlotGrid) -> Numbers:
    whole = (one.above_h + one.below_h) * 3600.0
    known = one.seconds >= _ENOUGH * grid.seconds
    return np.divide(whole, one.seconds, out=np.full_like(whole, np.nan), where=known)
