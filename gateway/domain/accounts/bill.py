"""What a month should cost, line by line, and what of it is whose; exact decimals until shown.

Energy is priced slot by slot with the mean price of the slot. Of a demand charge each use bears
what it drew at the peak itself (coincident peak: NARUC, Electric Utility Cost Allocation Manual,
1992, chapter 4). The fixed charge is borne by energy. What is paid for export is the site's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import numpy as np

from contracts.site_link.points import PCC_POWER_W
from gateway.domain.accounts.allot import Allotted, allot
from gateway.domain.accounts.balance import Balance, Metered, Use, balance
from gateway.domain.accounts.bearing import ZERO, Bearing, Parts, exact, total
from gateway.domain.accounts.charged import Charged
from gateway.domain.accounts.demand import DemandAudit, audits
from gateway.domain.accounts.grid import Numbers, SlotGrid
from gateway.domain.accounts.market import version_of
from gateway.domain.accounts.terms import PricePeriod, Terms
from gateway.domain.measure.rows import kilowatts


class Component(StrEnum):
    """What is paid for."""

    ENERGY = "energy"
    DEMAND = "demand"
    FIXED = "fixed"
    EXPORT = "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """One line; a credit is negative."""

    component: Component
    name: str
    quantity: Decimal
    unit: str
    amount: Decimal
    source: str
    """Who named the price: the tariff, or a market by way of a price source."""
    version: str
    """Of the prices the line is made from."""
    as_of: datetime | None = None
    """Of a market: its newest word among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Of one month; `uses` sum to the lines less the export credit."""

    currency: str
    lines: tuple[BillLine, ...]
    uses: Mapping[Use, Parts]
    sessions: tuple[Parts, ...]
    """In the order of the sessions."""
    nobodys: Parts
    """Of charging, in no session that was told; with `sessions` it sums to `uses[CHARGING]`."""
    audits: tuple[DemandAudit, ...]
    unpriced_wh: float
    """Imported while the tariff names no price."""
    without_market_wh: float
    """Of a tariff that follows a market: imported while none of its prices is known."""
    from_before_wh: float
    """Discharged of what batteries held when the month began: without a cost here."""

    @property
    def amount(self) -> Decimal:
        """The sum of its lines."""
        return sum((line.amount for line in self.lines), ZERO)


def bill(terms: Terms, metered: Metered, sessions: Sequence[Charged]) -> Bill:
    """The month of a site.

    Raises:
        ValueError: the tariff's demand interval is no whole number of slots.
    """
    grid, books = metered.grid, balance(metered)
    energy = _energy(terms, metered, books)
    covered_s = metered.covered_s.get(PCC_POWER_W, np.zeros(grid.count))
    checked = audits(terms, grid, metered.import_wh, covered_s)
    bearing = Bearing(metered, books, sessions)
    uses = {use: Parts(energy=sum(found, ZERO)) for use, found in energy.by_use.items()}
    uses[Use.STORAGE] = Parts(energy=energy.stored)
    mine = [Parts(energy=one) for one in bearing.by_slot(energy.by_use[Use.CHARGING])]
    for amount, span, fixed in _shared(terms, checked, grid):
        by_use = bearing.by_use(amount, span)
        for use, part in by_use.items():
            uses[use] += _part(part, fixed=fixed)
        parts = bearing.by_session(by_use[Use.CHARGING], span)
        mine = [one + _part(part, fixed=fixed) for one, part in zip(mine, parts, strict=True)]
    return Bill(
        currency=terms.currency,
        lines=tuple(_lines(terms, metered, checked)),
        uses=uses,
        sessions=tuple(mine),
        nobodys=uses[Use.CHARGING] - total(mine),
        audits=checked,
        unpriced_wh=_unpriced_wh(terms.imports, grid, metered.import_wh),
        without_market_wh=_without_market_wh(terms, grid, metered.import_wh),
        from_before_wh=energy.from_before_wh,
    )


def _energy(terms: Terms, metered: Metered, books: Balance) -> Allotted[Decimal]:
    costs = [ZERO] * metered.grid.count
    for one in terms.imports:
        for slot, _, amount in _priced(one, metered.grid, metered.import_wh):
            costs[slot] += amount
    return allot(books, costs, lambda share: Decimal(repr(share)))


def _shared(
    terms: Terms, checked: Sequence[DemandAudit], grid: SlotGrid
) -> Iterator[tuple[Decimal, tuple[int, int], bool]]:
    """Amounts that are borne by what was drawn in some slots, and whether it is the fixed one."""
    for audit in checked:
        if audit.peaks:
            yield audit.amount, audit.peaks[0].slots, False
    yield terms.fixed, (0, grid.count), True


def _part(amount: Decimal, *, fixed: bool) -> Parts:
    return Parts(fixed=amount) if fixed else Parts(demand=amount)


def _priced(
    period: PricePeriod, grid: SlotGrid, wh: Numbers
) -> Iterator[tuple[int, Decimal, Decimal]]:
    """Slot by slot: its index, kWh in the period, and what they cost."""
    first, lasting = grid.overlaps_s(period.interval)
    energies = wh[first : first + len(lasting)] * (lasting / grid.seconds)
    for slot, energy in enumerate(energies.tolist(), first):
        if energy:
            kwh = exact(energy) / 1000
            yield slot, kwh, kwh * period.per_kwh


def _lines(terms: Terms, metered: Metered, checked: Sequence[DemandAudit]) -> Iterator[BillLine]:
    yield from _energy_lines(terms, terms.imports, metered.grid, metered.import_wh)
    for audit in checked:
        peak_w = audit.peaks[0].mean_w if audit.peaks else 0.0
        yield BillLine(
            component=Component.DEMAND,
            name=audit.name,
            quantity=kilowatts(peak_w),
            unit="kW",
            amount=audit.amount,
            source=terms.tariff,
            version=terms.version,
        )
    if terms.fixed:
        yield BillLine(
            component=Component.FIXED,
            name="fixed",
            quantity=Decimal(1),
            unit="month",
            amount=terms.fixed,
            source=terms.tariff,
            version=terms.version,
        )
    for line in _energy_lines(terms, terms.exports, metered.grid, metered.export_wh):
        yield replace(line, component=Component.EXPORT, amount=-line.amount)


def _energy_lines(
    terms: Terms, periods: Sequence[PricePeriod], grid: SlotGrid, wh: Numbers
) -> Iterator[BillLine]:
    """One a name and source; those without energy are left out."""
    groups: dict[tuple[str, str], list[PricePeriod]] = {}
    for one in periods:
        groups.setdefault((one.name, one.source), []).append(one)
    for (name, source), found in groups.items():
        parts = [part for one in found for part in _priced(one, grid, wh)]
        kwh = sum((part for _, part, _ in parts), ZERO)
        if kwh:
            yield BillLine(
                component=Component.ENERGY,
                name=name,
                quantity=kwh,
                unit="kWh",
                amount=sum((amount for *_, amount in parts), ZERO),
                source=source or terms.tariff,
                version=version_of(found) if source else terms.version,
                as_of=max((one.as_of for one in found if one.as_of is not None), default=None),
            )


def _unpriced_wh(periods: Sequence[PricePeriod], grid: SlotGrid, wh: Numbers) -> float:
    priced_s = grid.means([(one.interval, 1.0) for one in periods])[1]
    return float((wh * (1.0 - priced_s / grid.seconds)).clip(min=0.0).sum())


def _without_market_wh(terms: Terms, grid: SlotGrid, wh: Numbers) -> float:
    if not terms.follows_market:
        return 0.0
    own = [(one.interval, 1.0) for one in terms.imports if not one.source]
    return float((wh * grid.means(own)[1] / grid.seconds).sum())
