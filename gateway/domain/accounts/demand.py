"""The demand charges of a month, checked: which intervals were the highest, what they cost.

Demand is the mean import over the tariff's interval, export counts as nothing. An interval counts
by its begin, in full in the month it begins in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from contracts.time import Interval
from gateway.domain.accounts.grid import Numbers, SlotGrid
from gateway.domain.accounts.terms import DemandTerm, Terms
from gateway.domain.measure.rows import kilowatts

SHOWN = 5
"""Of the highest intervals."""
_WHOLE = 0.999


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """One demand interval."""

    interval: Interval
    mean_w: float
    """Mean import over what was measured of it."""
    coverage: float
    """Of its time, 0 to 1."""
    slots: tuple[int, int]
    """First and end of its slots."""

    @property
    def sure(self) -> bool:
        """Whether all of it was measured."""
        return self.coverage >= _WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandAudit:
    """One demand charge of the month."""

    name: str
    per_kw: Decimal
    peaks: tuple[Peak, ...]
    """The highest intervals in which it counts, highest first; none: nothing was measured then."""
    amount: Decimal
    """What the bill should ask for, in the tariff's currency."""
    unmeasured: int
    """Intervals in which it counts and that were not measured in full: the meter may know more."""

    @property
    def sure(self) -> bool:
        """Whether no interval that could be higher went unmeasured."""
        return self.unmeasured == 0


def audits(
    terms: Terms, grid: SlotGrid, import_wh: Numbers, covered_s: Numbers
) -> tuple[DemandAudit, ...]:
    """Every demand charge of a month.

    Raises:
        ValueError: the tariff's demand interval is no whole number of slots.
    """
    if terms.demand and terms.demand_interval % grid.step:
        raise ValueError(
            f"a demand interval of {terms.demand_interval} is no whole number of {grid.step}"
        )
    return tuple(_audit(term, terms, grid, import_wh, covered_s) for term in terms.demand)


def _audit(
    term: DemandTerm, terms: Terms, grid: SlotGrid, import_wh: Numbers, covered_s: Numbers
) -> DemandAudit:
    counted = grid.means([(hours, 1.0) for hours in term.hours])[1] > 0
    found = list(_intervals(terms, grid, import_wh, covered_s, counted))
    known = [one for one in found if one.coverage > 0]
    peaks = tuple(sorted(known, key=lambda one: (-one.mean_w, one.interval.start))[:SHOWN])
    amount = term.per_kw * kilowatts(peaks[0].mean_w) if peaks else Decimal(0)
    return DemandAudit(
        name=term.name,
        per_kw=term.per_kw,
        peaks=peaks,
        amount=amount,
        unmeasured=sum(not one.sure for one in found),
    )


def _intervals(
    terms: Terms, grid: SlotGrid, import_wh: Numbers, covered_s: Numbers, counted: np.ndarray
) -> Iterator[Peak]:
    per = terms.demand_interval // grid.step
    stride = 1 if terms.rolling else per
    energy = np.concatenate([[0.0], np.cumsum(import_wh)])
    seconds = np.concatenate([[0.0], np.cumsum(covered_s)])
    for first in range(0, grid.count - per + 1, stride):
        if not counted[first]:
            continue
        covered = float(seconds[first + per] - seconds[first])
        wh = float(energy[first + per] - energy[first])
        yield Peak(
            interval=Interval.lasting(grid.slot(first).start, terms.demand_interval),
            mean_w=wh * 3600.0 / covered if covered > 0 else 0.0,
            coverage=min(1.0, covered / terms.demand_interval.total_seconds()),
            slots=(first, first + per),
        )
