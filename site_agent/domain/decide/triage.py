"""Who is served in full when not all can be, decided for the coming hours and kept.

While all stays that are known or expected can be served, nobody is given up. When not, spreading
the shortfall makes everybody late, and deciding anew every second from those who happen to be
plugged in comes too late and flips to and fro. So the choice is made on expected arrivals, as many
vehicles as possible per rank, and latched:

- Who is served stays served while that is possible; if it no longer is, the largest need of the
  lowest rank goes first (the rule of Moore and Hodgson, Management Science 15(1), 1968: fewest
  late jobs), and whoever then fits comes back.
- Who was given up comes back when it fits beside the served with `ADMIT_SHARE` of the capacity to
  spare, or in the place of one that needs clearly more or ranks lower.

A vehicle that cannot be ready even alone claims what it can still get, and is given up first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from site_agent.domain.decide.servable import Array, Capacity, Stays, servable, stays_of
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.fleet.stay import ExpectedStay

ADMIT_SHARE, ADMIT_TOLD_SHARE = 0.08, 0.02
"""Of every capacity, what stays spare when somebody given up is served again: whole minimums and
steps use some up, and arrivals nobody told of more (chosen on recorded days, see `gridyard study
sessions`). The second one where a roster tells of them."""
KEEP_SHARE, KEEP_TOLD_SHARE = 0.04, 0.01
"""... and when those served go on being served."""
CLEARLY = 1.2
"""A vehicle takes the place of another that needs this many times its energy."""
_LIKELY = 0.5
"""Stays less probable than this are not counted on."""
_SHORTEST = timedelta(minutes=1)
_NEAR_H, _GRID_H = 2.0, 0.25
_MOST_TRIED = 50
"""So many of those that were not served are tried at a time, the cheapest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Energy that one vehicle has to get until it leaves."""

    name: str
    """The vehicle, or its EVSE while nobody knows who it is."""
    evse_id: str | None
    """None: not known yet where it will stand."""
    arrives: datetime
    departs: datetime
    required_wh: float
    max_power_w: float
    rank: int = 0
    hopeless: bool = False
    """It cannot be ready even at full power."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bottleneck:
    """What may flow through one limit over the coming hours."""

    cause: str
    capacity: Sequence[float]
    """For each piece of the outlook."""
    weights: Mapping[str, float]
    """By `evse_id`: units of the capacity per W."""
    elsewhere: float = 0.0
    """... of a vehicle that will stand nobody knows where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The capacity to come, in pieces; the last one has no end."""

    starts: Sequence[datetime]
    bottlenecks: Sequence[Bottleneck]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was decided about one vehicle."""

    claim: Claim
    served: bool
    since: datetime
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Triage:
    """Everybody's verdict: the served in order of rank and departure, then those given up."""

    at: datetime
    verdicts: tuple[Verdict, ...] = ()

    @property
    def given_up(self) -> Mapping[str, Verdict]:
        """Plugged-in vehicles that are served only from what others leave, by `evse_id`."""
        return {
            one.claim.evse_id: one
            for one in self.verdicts
            if not one.served and one.claim.evse_id is not None and one.claim.arrives <= self.at
        }

    @property
    def served(self) -> frozenset[str]:
        """The EVSE of plugged-in vehicles that are served in full."""
        return frozenset(
            one.claim.evse_id
            for one in self.verdicts
            if one.served and one.claim.evse_id is not None and one.claim.arrives <= self.at
        )

    @property
    def by_name(self) -> Mapping[str, Verdict]:
        """All verdicts by the name of their claim."""
        return {one.claim.name: one for one in self.verdicts}


def triage(
    now: datetime,
    needs: Iterable[VehicleNeed],
    expected: Iterable[ExpectedStay],
    outlook: Outlook,
    before: Triage | None = None,
    *,
    told: bool | None = None,
) -> Triage:
    """Who is served in full from now on, given what was decided `before`.

    `told`: whether a roster tells of all arrivals; None: it does if anybody is expected.
    """
    expected = tuple(expected)
    claims = claims_of(now, needs, expected)
    known = {} if before is None else before.by_name
    reserves = ADMIT_SHARE, KEEP_SHARE
    if told or (told is None and expected):
        reserves = ADMIT_TOLD_SHARE, KEEP_TOLD_SHARE
    served = _Choice(now, claims, outlook, reserves).made(
        {i for i, one in enumerate(claims) if one.name in known and known[one.name].served},
        {i for i, one in enumerate(claims) if one.name in known and not known[one.name].served},
    )
    verdicts = [
        _verdict(claim, known.get(claim.name), i in served, now) for i, claim in enumerate(claims)
    ]
    return Triage(at=now, verdicts=tuple(sorted(verdicts, key=_order)))


def claims_of(
    now: datetime, needs: Iterable[VehicleNeed], expected: Iterable[ExpectedStay]
) -> list[Claim]:
    """The claims of vehicles plugged in and of those that are likely to come, one a vehicle.

    A claim asks for no more than the vehicle can take until it leaves.
    """
    found: dict[str, Claim] = {}
    for need in needs:
        if need.required_wh > 0 and need.max_power_w > 0:
            claim = _claim_of(need, now)
            name = claim.name if claim.name not in found else need.evse_id
            found[name] = replace(claim, name=name)
    present = {need.vehicle_id for need in needs if need.known}
    for stay in expected:
        likely = stay.probability >= _LIKELY and stay.departs > max(now, stay.arrives)
        likely = likely and stay.required_wh > 0 and stay.max_power_w > 0
        if likely and stay.vehicle_id not in present and stay.vehicle_id not in found:
            found[stay.vehicle_id] = _possible(
                Claim(
                    name=stay.vehicle_id,
                    evse_id=stay.evse_id,
                    arrives=max(stay.arrives, now + timedelta(microseconds=1)),
                    departs=stay.departs,
                    required_wh=stay.required_wh,
                    max_power_w=stay.max_power_w,
                    rank=stay.rank,
                )
            )
    return sorted(found.values(), key=lambda claim: (claim.rank, claim.departs, claim.name))


def _claim_of(need: VehicleNeed, now: datetime) -> Claim:
    return _possible(
        Claim(
            name=need.vehicle_id if need.known else need.evse_id,
            evse_id=need.evse_id,
            arrives=now,
            departs=max(need.due, now + _SHORTEST),
            required_wh=need.required_wh,
            max_power_w=need.max_power_w,
            rank=need.rank,
        )
    )


def _possible(claim: Claim) -> Claim:
    """The claim as far as it can be had alone, a little less so that it counts as servable."""
    alone_wh = claim.max_power_w * max(0.0, (claim.departs - claim.arrives) / timedelta(hours=1))
    if claim.required_wh <= alone_wh:
        return claim
    return replace(claim, required_wh=alone_wh * (1 - 1e-6), hopeless=True)


class _Choice:
    """Which claims are served together."""

    def __init__(
        self,
        now: datetime,
        claims: Sequence[Claim],
        outlook: Outlook,
        reserves: tuple[float, float],
    ) -> None:
        self._claims = claims
        self._admit, self._keep = reserves

        def hours(at: datetime) -> float:
            return max(0.0, (at - now) / timedelta(hours=1))

        self._stays = _on_grid(
            stays_of(
                [(hours(c.arrives), hours(c.departs), c.required_wh, c.max_power_w) for c in claims]
            )
        )
        weights = [
            [
                one.elsewhere if c.evse_id is None else one.weights.get(c.evse_id, 0.0)
                for c in claims
            ]
            for one in outlook.bottlenecks
        ]
        count = len(outlook.bottlenecks)
        self._capacity = Capacity(
            starts_h=np.array([hours(start) for start in outlook.starts]),
            values=np.maximum(0.0, [one.capacity for one in outlook.bottlenecks]).reshape(
                count, len(outlook.starts)
            ),
            weights=np.array(weights).reshape(count, len(claims)),
        )

    def made(self, before: set[int], given_up: set[int]) -> set[int]:
        """The served, as far as possible those served before."""
        everybody = set(range(len(self._claims)))
        if self._fits(everybody, self._admit if given_up else self._keep):
            return everybody
        served = self._without_largest(before, self._keep) if before else set()
        if not before:
            served = self._without_largest(everybody, self._admit)
        for i in sorted(everybody - served, key=self._price)[:_MOST_TRIED]:
            served = self._with(i, served)
        return served

    def _fits(self, members: set[int], reserve_share: float) -> bool:
        chosen = np.array(sorted(members), dtype=np.intp)
        stays, capacity = self._stays.only(chosen), self._capacity.only(chosen)
        return servable(stays, capacity, reserve_share)

    def _price(self, i: int) -> tuple[int, bool, float, str]:
        """Who is cheaper to serve: rank, then energy."""
        claim = self._claims[i]
        return claim.rank, claim.hopeless, claim.required_wh, claim.name

    def _without_largest(self, members: set[int], reserve_share: float) -> set[int]:
        """The members less as few of the dearest as must go for the rest to fit."""
        cheapest = sorted(members, key=self._price)
        few, many = 0, len(cheapest)
        if self._fits(members, reserve_share):
            return members
        while many - few > 1:
            middle = (few + many) // 2
            if self._fits(set(cheapest[:middle]), reserve_share):
                few = middle
            else:
                many = middle
        return set(cheapest[:few])

    def _with(self, i: int, served: set[int]) -> set[int]:
        """The served and this one, in the place of a dearer one where needed; else unchanged."""
        if self._fits(served | {i}, self._admit):
            return served | {i}
        dearer = [j for j in served if self._clearly_dearer(j, i)]
        if dearer:
            instead = (served - {max(dearer, key=self._price)}) | {i}
            if self._fits(instead, self._admit):
                return instead
        return served

    def _clearly_dearer(self, j: int, i: int) -> bool:
        one, other = self._claims[j], self._claims[i]
        if (one.rank, one.hopeless) != (other.rank, other.hopeless):
            return (one.rank, one.hopeless) > (other.rank, other.hopeless)
        return one.required_wh > CLEARLY * other.required_wh


def _on_grid(stays: Stays) -> Stays:
    """Stays whose far ends lie on a grid, so that a forecast has few pieces.

    It shortens them, by less than a quarter-hour; when they come near they are taken as they are.
    """
    departs_h = _coarse(stays.departs_h, np.floor)
    arrives_h = np.minimum(_coarse(stays.arrives_h, np.ceil), departs_h)
    most_wh = stays.power_w * (departs_h - arrives_h) * (1 - 1e-6)
    return Stays(
        arrives_h=arrives_h,
        departs_h=departs_h,
        required_wh=np.minimum(stays.required_wh, most_wh),
        power_w=stays.power_w,
    )


def _coarse(hours: Array, rounded: Callable[[Array], Array]) -> Array:
    far: Array = np.where(hours < _NEAR_H, hours, rounded(hours / _GRID_H) * _GRID_H)
    return far


def _weight(limit: Bottleneck, claim: Claim) -> float:
    return limit.elsewhere if claim.evse_id is None else limit.weights.get(claim.evse_id, 0.0)


def _verdict(claim: Claim, before: Verdict | None, served: bool, now: datetime) -> Verdict:
    since = before.since if before is not None and before.served == served else now
    if served:
        cause = "served in full"
    elif claim.hopeless:
        cause = "cannot be ready even at full power"
    else:
        cause = "not all can be ready, and others need less or go before it"
    return Verdict(claim=claim, served=served, since=since, cause=cause)


def _order(one: Verdict) -> tuple[bool, int, datetime, str]:
    return not one.served, one.claim.rank, one.claim.departs, one.claim.name
