"""What of an event's evidence a statement computes with: delivery by meter interval and site.

Kept in the event's report, so that money can be computed again when a price, a ratio or another
program's claim becomes known, without measuring again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from contracts.time import Interval
from gateway.domain.measure.blocks import ZERO
from gateway.domain.measure.firm_level import Load
from gateway.domain.measure.performance import Performance
from gateway.domain.measure.rows import Row, kilowatts, rows_of, seconds_of
from gateway.domain.program import Program
from gateway.domain.program.paying import Basis
from gateway.domain.program.promise import Shape

_MILLI = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteAccount:
    """One site over the event's intervals; None: not measured."""

    delivered_w: tuple[float | None, ...]
    """Baseline less load, W."""
    load_w: tuple[float | None, ...]
    """Import positive, W, by the program's rule for export."""
    level_kw: Decimal | None = None
    """Its firm service level, kW; None: none is agreed."""
    over_level_kwh: Decimal | None = None
    """Energy above that level; None: it has none, or the program asks for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One meter interval of the whole portfolio."""

    interval: Interval
    asked_w: float
    delivered_w: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventAccount:
    """An event, interval by interval."""

    steps: tuple[Step, ...]
    basis: Basis = Basis.RESERVATION
    """What it is paid as."""
    voluntary: bool = False
    sites: Mapping[str, SiteAccount] = field(default_factory=dict)

    def rows(self, program: Program) -> tuple[Row, ...]:
        """As settlement sees it."""
        return rows_of(self.steps, shape=shape_of(program))

    def loads(self, site_id: str) -> Iterator[Load]:
        """A site's load by interval, kW."""
        loads = self.sites[site_id].load_w
        for step, load in zip(self.steps, loads, strict=True):
            yield step.interval, None if load is None else kilowatts(load)

    def exported(self, site_id: str) -> Mapping[Interval, Decimal]:
        """What a site fed in, kW s by interval; an interval without export is absent."""
        found = {when: load for when, load in self.loads(site_id) if load is not None and load < 0}
        return {when: -load * seconds_of(when) for when, load in found.items()}


def site_account(found: Performance, level_kw: Decimal | None) -> SiteAccount:
    """One site's, to the milliwatt; energy over its level is added by the penalty's rule."""
    return SiteAccount(
        delivered_w=tuple(_rounded(one.delivered_w) for one in found.during),
        load_w=tuple(_rounded(one.actual_w) for one in found.during),
        level_kw=level_kw,
    )


def steps_of(whole: Performance) -> tuple[Step, ...]:
    """The portfolio's intervals, to the milliwatt."""
    return tuple(
        Step(
            interval=one.interval,
            asked_w=round(one.asked_w, _MILLI),
            delivered_w=_rounded(one.delivered_w),
        )
        for one in whole.during
    )


def shape_of(program: Program) -> Shape:
    """What is promised to a program, by its first rule for it."""
    promises: Sequence[Shape] = [one.shape for one in program.rules.commitment]
    return promises[0] if promises else Shape.BY


def site_shares(account: EventAccount, index: int) -> Mapping[str, Decimal]:
    """By site, its part of what all that delivered in one interval gave; they sum to 1, or to 0."""
    given = {
        site: max(ZERO, kilowatts(power))
        for site, one in account.sites.items()
        if (power := one.delivered_w[index]) is not None
    }
    whole = sum(given.values(), ZERO)
    return {site: power / whole for site, power in given.items()} if whole else {}


def _rounded(power_w: float | None) -> float | None:
    return None if power_w is None else round(power_w, _MILLI)
