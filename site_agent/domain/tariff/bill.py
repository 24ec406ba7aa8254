"""What a metered series costs: energy by period, demand by charge, credit for what is fed in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import numpy as np

from contracts.series import StepSeries
from site_agent.domain.horizon import Horizon, Series
from site_agent.domain.tariff.demand import averages, windows
from site_agent.domain.tariff.tariff import BillingMonth, DemandCharge, Tariff


class Kind(StrEnum):
    """What is paid for."""

    ENERGY = "energy"
    DEMAND = "demand"
    EXPORT = "export"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a bill."""

    kind: Kind
    name: str
    quantity: float
    """Wh, W or days, >= 0."""
    amount: float
    """In the tariff's currency; credit is negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a tariff asks for a time."""

    tariff: str
    currency: str
    lines: tuple[Line, ...]

    @property
    def total(self) -> float:
        """The sum."""
        return sum(line.amount for line in self.lines)

    def of(self, kind: Kind) -> float:
        """The sum of one kind."""
        return sum(line.amount for line in self.lines if line.kind is kind)


def bill(tariff: Tariff, horizon: Horizon, net_w: Series, market: StepSeries | None = None) -> Bill:
    """The bill for the mean power at the PCC in each slot, W, import positive.

    Demand is charged in full for each billing month that the horizon touches, as utilities do.

    Raises:
        ValueError: another number of values than slots, or one that is no number; or the tariff's
            demand interval is no multiple of a slot.
    """
    if len(net_w) != horizon.count or not np.isfinite(net_w).all():
        raise ValueError(f"a bill needs a number for each of {horizon.count} slots")
    lines = [
        *_energy(tariff, horizon, net_w, market),
        *_demand(tariff, horizon, net_w),
        *_export(tariff, horizon, net_w, market),
        *_customer(tariff, horizon),
    ]
    return Bill(tariff=tariff.name, currency=tariff.currency, lines=tuple(lines))


def _energy(
    tariff: Tariff, horizon: Horizon, net_w: Series, market: StepSeries | None
) -> Iterator[Line]:
    drawn_wh = np.maximum(0.0, net_w) * horizon.hours
    if tariff.dynamic is not None and market is not None:
        price = tariff.import_per_kwh(horizon, market)
        amount = float(np.dot(drawn_wh, price)) / 1e3
        yield Line(kind=Kind.ENERGY, name="market", quantity=float(drawn_wh.sum()), amount=amount)
        return
    for name, (share, price) in tariff.priced_periods(horizon).items():
        used = drawn_wh * share
        yield Line(
            kind=Kind.ENERGY,
            name=name,
            quantity=float(used.sum()),
            amount=float(np.dot(used, price)) / 1e3,
        )


def _demand(tariff: Tariff, horizon: Horizon, net_w: Series) -> Iterator[Line]:
    """The highest average of each charge and billing month; an interval counts by its begin."""
    if not tariff.demand:
        return
    power = averages(net_w, horizon, tariff.demand_interval, rolling=tariff.rolling)
    begins = [
        first for first, _ in windows(horizon, tariff.demand_interval, rolling=tariff.rolling)
    ]
    starts = list(horizon)
    months = [tariff.billing_month(starts[first]) for first in begins]
    for charge in tariff.demand:
        charged = tariff.charged(charge, horizon)[begins]
        for month in dict.fromkeys(months):
            counts = charged & np.array([one == month for one in months])
            if counts.any():
                yield _peak(charge, month, float(power[counts].max()))


def _peak(charge: DemandCharge, month: BillingMonth, peak_w: float) -> Line:
    year, number = month
    return Line(
        kind=Kind.DEMAND,
        name=f"{charge.name} {year}-{number:02d}",
        quantity=peak_w,
        amount=charge.per_kw * peak_w / 1e3,
    )


def _export(
    tariff: Tariff, horizon: Horizon, net_w: Series, market: StepSeries | None
) -> Iterator[Line]:
    fed_wh = np.maximum(0.0, -net_w) * horizon.hours
    if fed_wh.any():
        price = tariff.export_per_kwh(horizon, market)
        yield Line(
            kind=Kind.EXPORT,
            name="fed in",
            quantity=float(fed_wh.sum()),
            amount=-float(np.dot(fed_wh, price)) / 1e3,
        )


def _customer(tariff: Tariff, horizon: Horizon) -> Iterator[Line]:
    if tariff.customer_per_day:
        days = horizon.count * horizon.step / timedelta(days=1)
        yield Line(
            kind=Kind.CUSTOMER,
            name="fixed charge",
            quantity=days,
            amount=tariff.customer_per_day * days,
        )
