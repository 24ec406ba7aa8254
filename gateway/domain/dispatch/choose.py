"""How much each site gives: offers made rows of a problem, solved, and summed up by site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from contracts.time import Interval
from gateway.domain.dispatch.fairness import history_cost
from gateway.domain.dispatch.fill import NOTHING_W, filled, keeps
from gateway.domain.dispatch.groups import Group, group_bounds
from gateway.domain.dispatch.laxity import laxity_split
from gateway.domain.dispatch.limits import Limits
from gateway.domain.dispatch.minimum import Blocks, with_blocks
from gateway.domain.dispatch.newton import solve
from gateway.domain.dispatch.problem import Bounds, Flags, Problem, Split, Table, Vector
from gateway.domain.dispatch.ramps import ramp_bounds, reachable
from gateway.domain.dispatch.rows import Rows, rows
from gateway.domain.flexibility import SiteFlexibility

_HOUR = timedelta(hours=1)
_AT_ONCE_H = 5.0 / 60.0
"""A ramp shorter than this is over before anybody measures it."""
_SHORT = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is asked, and what bound it; [N] sites, [T] pieces, W."""

    given_w: Table
    cap_w: Table
    """Most that may be asked by the offers."""
    sure_w: Table
    baseline_w: Table
    short_w: Vector
    over_w: Vector
    """What comes beyond the request because of minimum requests."""
    tired: Flags
    """[N] Whose energy is all asked for."""
    grouped: Flags
    """[N, T] Where a group's limit is reached."""
    rising: Flags
    """[N, T] Where a ramp holds it down."""
    cost: Vector
    """[N] The share of its offer by which each is asked less for what it was asked before."""


def choose(
    sites: Sequence[SiteFlexibility], pieces: Sequence[Interval], asked_w: Vector, limits: Limits
) -> Choice:
    """First by what sites are sure of; up to what is likely only where that is not enough."""
    hours = np.array([_hours(piece) for piece in pieces])
    offered = rows(sites, pieces, hours, asked_w)
    cost = history_cost(limits.history, [site.site_id for site in sites])
    chooser = _Chooser(sites, offered, hours, asked_w, limits, cost)
    split, over_w = chooser.split(offered.sure_w, offered.sure_wh)
    cap, energy = offered.sure_w, offered.sure_wh
    short = split.short_w > _SHORT * (1.0 + asked_w)
    if short.any() and (offered.likely_w > offered.sure_w).any():
        cap, energy = np.where(short, offered.likely_w, offered.sure_w), offered.likely_wh
        split, over_w = chooser.split(cap, energy)
    return chooser.choice(split, over_w, energy)


def _hours(piece: Interval) -> float:
    duration = piece.duration
    if duration is None:
        raise ValueError("an open-ended target cannot be planned: close it first")
    return duration / _HOUR


class _Chooser:
    """One request on its way through the methods."""

    def __init__(
        self,
        sites: Sequence[SiteFlexibility],
        offered: Rows,
        hours: Vector,
        asked_w: Vector,
        limits: Limits,
        cost: Vector,
    ) -> None:
        self._sites = sites
        self._offered = offered
        self._hours = hours
        self._asked_w = asked_w
        self._limits = limits
        self._cost = cost
        self._bounds = group_bounds(self._groups())
        slow = np.array([site.ramp_w_per_min for site in sites]) * 60.0
        self._rise_w = slow[:, None] * np.maximum(hours, _AT_ONCE_H)

    def split(self, cap_w: Table, energy_wh: Vector) -> tuple[Split, Vector]:
        """The split under these caps and energies, and by how much it exceeds the request."""
        problem = self._problem(cap_w, energy_wh)
        split = filled(problem)
        if not keeps(problem, split):
            aimless = not self._limits.ends_known and not len(problem.bounds)
            split = laxity_split(problem) if aimless else solve(problem, split.price)
        blocks = self._blocks()
        if blocks is None:
            return split, np.zeros_like(self._asked_w)
        return with_blocks(problem, split, blocks)

    def choice(self, split: Split, over_w: Vector, energy_wh: Vector) -> Choice:
        """By site."""
        given = self._by_site(split.given_w)
        used = split.given_w @ self._hours
        tired = np.zeros(len(self._sites), dtype=bool)
        tired[self._offered.site[used >= energy_wh * (1.0 - _SHORT)]] = True
        before = np.column_stack((self._start_w(), given[:, :-1]))
        full = ~(self._excess(given) < -_SHORT * np.maximum(1.0, self._bounds.most))
        grouped = np.zeros(given.shape, dtype=bool)
        entries = full[self._bounds.row]
        grouped[self._bounds.site[entries], self._bounds.interval[entries]] = True
        return Choice(
            given_w=given,
            cap_w=self._by_site(self._offered.likely_w),
            sure_w=self._by_site(self._offered.sure_w),
            baseline_w=self._offered.baseline_w,
            short_w=np.where(split.short_w > NOTHING_W, split.short_w, 0.0),
            over_w=over_w,
            tired=tired,
            grouped=grouped,
            rising=given >= (before + self._rise_w) * (1.0 - _SHORT),
            cost=self._cost,
        )

    def _problem(self, cap_w: Table, energy_wh: Vector) -> Problem:
        rise = self._rise_w[self._offered.site]
        reach = reachable(cap_w, rise, self._start_w()[self._offered.site])
        return Problem(
            hours=self._hours,
            target_w=np.maximum(0.0, self._asked_w),
            cap_w=np.where(reach > NOTHING_W, reach, 0.0),
            weight_w=np.maximum(self._weight(), NOTHING_W),
            cost=self._cost[self._offered.site],
            energy_wh=energy_wh,
            delivers=np.ones(len(cap_w)),
            bounds=self._on_rows(self._bounds) + ramp_bounds(reach, rise),
        )

    def _weight(self) -> Table:
        """Everybody gives the same share of what it offers."""
        most = np.array([site.down_w if site.available else 0.0 for site in self._sites])
        told = np.array([bool(site.slots) for site in self._sites])
        place = self._offered.site
        flat = np.broadcast_to(most[place, None], self._offered.likely_w.shape)
        return np.where(told[place, None], self._offered.likely_w, flat)

    def _start_w(self) -> Vector:
        return np.array([self._limits.given_w.get(site.site_id, 0.0) for site in self._sites])

    def _groups(self) -> list[Group]:
        place = {site.site_id: index for index, site in enumerate(self._sites)}
        known = np.nan_to_num(self._offered.baseline_w)
        found = []
        for one in self._limits.groups:
            members = np.array(sorted(place[s] for s in one.sites if s in place), dtype=np.intp)
            if members.size:
                room = np.maximum(0.0, known[members].sum(axis=0) - one.lowest_w)
                most = np.minimum(room, one.reduction_w)
                found.append(Group(name=one.name, members=members, most_w=most))
        return found

    def _on_rows(self, bounds: Bounds) -> Bounds:
        """Bounds on sites as bounds on their rows."""
        first = np.searchsorted(self._offered.site, bounds.site, "left")
        count = np.searchsorted(self._offered.site, bounds.site, "right") - first
        ahead = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        return replace(
            bounds,
            row=np.repeat(bounds.row, count),
            site=np.repeat(first, count) + ahead,
            interval=np.repeat(bounds.interval, count),
            coefficient=np.repeat(bounds.coefficient, count),
        )

    def _by_site(self, table: Table) -> Table:
        whole = np.zeros((len(self._sites), len(self._hours)))
        np.add.at(whole, self._offered.site, table)
        return whole

    def _excess(self, given: Table) -> Vector:
        return self._bounds.excess(given)

    def _blocks(self) -> Blocks | None:
        """Of the rows whose site has a least request."""
        found = [
            (place, block, self._limits.on_for.get(self._sites[index].site_id, timedelta(0)))
            for place, index in enumerate(self._offered.site)
            if (block := self._limits.blocks.get(self._sites[index].site_id)) is not None
        ]
        if not found:
            return None
        return Blocks(
            sites=np.array([place for place, _, _ in found], dtype=np.intp),
            least_w=np.array([block.least_w for _, block, _ in found]),
            least_h=np.array([block.least_run / _HOUR for _, block, _ in found]),
            on_h=np.array([on / _HOUR for _, _, on in found]),
        )
