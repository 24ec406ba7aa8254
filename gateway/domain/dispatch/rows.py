"""What sites offer as rows of a problem: sites by intervals, with the energy of each.

An offer names an energy (what it can put off, times how long it lasts) and when the same could be
asked again. So a site is one row until then and another one afterwards, each with its own energy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

import numpy as np

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.curves import Grid, Sampler
from gateway.domain.dispatch.problem import Flags, Index, Table, Vector
from gateway.domain.flexibility import OfferedSlot, SiteFlexibility

_HOUR = timedelta(hours=1)
_ALWAYS = 1.0 - 1e-6
"""An energy that lasts for this part of all that can be asked bounds nothing."""
_MOST_SPELLS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """[R] rows of [N] sites, in order of the sites."""

    site: Index
    """[R] The place of its site."""
    baseline_w: Table
    """[N, T] NaN where it is not known."""
    likely_w: Table
    """[R, T] Most that may be asked."""
    sure_w: Table
    """[R, T] The same in nine cases of ten."""
    likely_wh: Vector
    """[R] infinity where the energy binds nothing."""
    sure_wh: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    likely_w: Vector
    sure_w: Vector
    likely_wh: float
    sure_wh: float


def rows(
    sites: Sequence[SiteFlexibility], pieces: Sequence[Interval], hours: Vector, asked: Vector
) -> Rows:
    """The rows of these sites.

    `asked`: W in each piece; where nothing is asked the baseline counts towards no energy.
    """
    shape = (len(sites), len(pieces))
    grid = Grid(pieces)
    baseline = np.array([Sampler(site.baseline).whole(grid) for site in sites]).reshape(shape)
    found: list[_Row] = []
    place: list[int] = []
    for index, site in enumerate(sites):
        for one in _of_site(site, baseline[index], pieces, grid, hours, asked):
            found.append(one)
            place.append(index)
    wide = (len(found), len(pieces))
    return Rows(
        site=np.array(place, dtype=np.intp),
        baseline_w=baseline,
        likely_w=np.array([one.likely_w for one in found]).reshape(wide),
        sure_w=np.array([one.sure_w for one in found]).reshape(wide),
        likely_wh=np.array([one.likely_wh for one in found]),
        sure_wh=np.array([one.sure_wh for one in found]),
    )


def row(series: StepSeries, pieces: Sequence[Interval]) -> Vector:
    """The value in each piece, NaN where there is none for all of it."""
    return Sampler(series).whole(Grid(pieces))


def _of_site(
    site: SiteFlexibility,
    baseline: Vector,
    pieces: Sequence[Interval],
    grid: Grid,
    hours: Vector,
    asked: Vector,
) -> Iterator[_Row]:
    if not site.available or not site.slots:
        cap = _capped(site, baseline, baseline - (-inf if site.floor_w is None else site.floor_w))
        yield _Row(likely_w=cap, sure_w=cap, likely_wh=inf, sure_wh=inf)
        return
    expected, likely, sure = _told(site.slots, grid)
    below = baseline - expected
    likely_w = _capped(site, baseline, below + likely)
    sure_w = np.minimum(likely_w, _capped(site, baseline, below + sure))
    freely_wh = np.where((asked > 0) & ~np.isnan(below), below, 0.0) * hours
    for slots, inside in _spells(site.slots, pieces, grid.starts_s) if pieces else ():
        free = float(freely_wh[inside].sum())
        yield _Row(
            likely_w=np.where(inside, likely_w, 0.0),
            sure_w=np.where(inside, sure_w, 0.0),
            likely_wh=_energy(slots, "down_w", free, likely_w, inside, hours),
            sure_wh=_energy(slots, "sure_w", free, sure_w, inside, hours),
        )


def _told(slots: Sequence[OfferedSlot], grid: Grid) -> tuple[Vector, Vector, Vector]:
    """Expected, likely and sure in each interval, NaN where the offer does not cover all of it."""
    held = [s for s in slots if s.interval.end is None or s.interval.end > s.interval.start]
    held.sort(key=lambda slot: slot.interval.start)
    expected = Sampler(StepSeries.of((s.interval, s.expected_w) for s in held))
    likely = expected.with_values([s.down_w for s in held])
    sure = expected.with_values([s.sure_w for s in held])
    return expected.whole(grid), likely.whole(grid), sure.whole(grid)


def _capped(site: SiteFlexibility, baseline: Vector, reachable: Vector) -> Vector:
    most = site.down_w if site.available else 0.0
    cap = np.clip(reachable, 0.0, most)
    return np.where(np.isnan(baseline) | np.isnan(cap), 0.0, cap)


def _energy(
    slots: Sequence[OfferedSlot],
    power: str,
    free_wh: float,
    cap_w: Vector,
    inside: Flags,
    hours: Vector,
) -> float:
    """What can be asked in all, Wh; infinity where it bounds nothing.

    The largest energy any slot offers below what the site expects, and by how much that lies below
    the baseline anyway.
    """
    offered = max((getattr(s, power) * (s.lasts / _HOUR) for s in slots), default=0.0)
    energy = max(0.0, offered + free_wh)
    whole = float(np.where(inside, cap_w, 0.0) @ hours)
    return inf if energy >= _ALWAYS * whole else energy


def _spells(
    slots: Sequence[OfferedSlot], pieces: Sequence[Interval], starts: Vector
) -> Iterator[tuple[Sequence[OfferedSlot], Flags]]:
    """Slots and pieces in which one energy is all there is, one spell after the other."""
    whole = Interval(start=pieces[0].start, end=pieces[-1].end)
    inside = [s for s in slots if s.interval.overlaps(whole)]
    since: datetime | None = None
    for number in range(_MOST_SPELLS):
        left = [s for s in inside if since is None or s.interval.start >= since]
        first = next((s for s in left if s.down_w > 0), None)
        again = first.again_at if first and number < _MOST_SPELLS - 1 else None
        if first and again and again <= first.interval.start:
            again = None  # no use of it
        within = np.ones(len(pieces), dtype=bool)
        if since is not None:
            within &= starts >= since.timestamp()
        if again is not None:
            within &= starts < again.timestamp()
        yield [s for s in left if again is None or s.interval.start < again], within
        if again is None or not (starts >= again.timestamp()).any():
            return
        since = again
