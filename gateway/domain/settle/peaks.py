"""The charge on the load in a system's peaks, as they are told after the fact.

ERCOT 4CP type (third party, undated): mean load in the system's top 15 minutes of June to September
times a rate, for all the next year.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from contracts.time import Interval
from gateway.domain.measure.blocks import ZERO
from gateway.domain.program import Program
from gateway.domain.program.paying import PeakCharge
from gateway.domain.settle.determinant import Determinant
from gateway.domain.settle.line import Line
from gateway.domain.settle.period import StatementPeriod
from gateway.domain.settle.season import peak_lines

_EVERY_MONTH = frozenset(range(1, 13))


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakLoad:
    """What sites drew in the system's top interval of a month."""

    interval: Interval
    by_site: Mapping[str, Decimal | None] = field(default_factory=dict)
    """Mean kW, by the program's rule for export; None: not measured."""

    @property
    def whole(self) -> Decimal | None:
        """Of all sites; None: one was not measured."""
        known = [load for load in self.by_site.values() if load is not None]
        return sum(known, ZERO) if len(known) == len(self.by_site) else None


def peak_months(program: Program, period: StatementPeriod) -> tuple[date, ...]:
    """The months whose peaks a statement charges: those of the year whose last one it holds."""
    asked = _months(program.rules.peak_charge)
    if not asked:
        return ()
    last = max(asked)
    years = [day.year for day in period.months() if day.month == last]
    return tuple(date(years[-1], month, 1) for month in sorted(asked)) if years else ()


def top_interval(program: Program, told: Determinant) -> Interval:
    """The peak's interval, as long as the program's charge says."""
    at = told.at or told.told_at
    return Interval(start=at, end=at + program.rules.peak_charge[0].interval)


def charges(
    program: Program, months: Sequence[date], peaks: Mapping[date, PeakLoad]
) -> tuple[tuple[Line, ...], Mapping[str, Decimal]]:
    """The next year's charge, and the load by site by which it is shared."""
    if not months:
        return (), {}
    known = {
        month.month: whole
        for month in months
        if month in peaks and (whole := peaks[month].whole) is not None
    }
    weights: dict[str, Decimal] = {}
    for month in months:
        for site, load in (peaks[month].by_site if month in peaks else {}).items():
            weights[site] = weights.get(site, ZERO) + max(ZERO, load or ZERO)
    return peak_lines(program, f"{months[0].year + 1}", known), weights


def peaks_awaited(
    program: Program, months: Iterable[date], peaks: Mapping[date, PeakLoad]
) -> tuple[str, ...]:
    """In words, what of the peaks is not known yet."""
    found = []
    for month in months:
        load = peaks.get(month)
        if load is None:
            found.append(f"the system's peak of {month:%Y-%m}, as {program.name} tells it")
        else:
            missing = sum(kw is None for kw in load.by_site.values())
            if missing:
                found.append(f"the load of {missing} sites in the peak of {month:%Y-%m}")
    return tuple(found)


def _months(rules: Iterable[PeakCharge]) -> frozenset[int]:
    asked = [one.months or _EVERY_MONTH for one in rules]
    return frozenset().union(*asked)
