"""A tariff, and what it says for the slots of a horizon.

Prices are per kWh and per kW of the tariff's currency, as every tariff book has them; energies and
powers are in Wh and W as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from contracts import days as days_of
from contracts.days import Days, Holidays
from contracts.series import StepSeries
from contracts.time import Interval
from site_agent.domain.horizon import Horizon, Series
from site_agent.domain.tariff.wall_clock import MINUTES, Steps, shares

BillingMonth = tuple[int, int]
"""Year and month in which it begins."""
_MOST_DAYS = 366 * 3
"""Of a horizon that prices are asked for at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceStep:
    """A price from a minute of the local day on."""

    minute: int
    per_kwh: float
    name: str = ""
    """Such as `on-peak`; empty: its schedule and hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergySchedule:
    """Prices of the days it holds on. The first step is from minute 0; minutes ascend."""

    name: str
    days: Days
    steps: tuple[PriceStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandCharge:
    """A price for the highest average power of a billing month within some hours.

    Several apply side by side: one on the whole month, one more on its on-peak hours.
    """

    name: str
    per_kw: float
    days: Days = field(default_factory=Days)
    from_minute: int = 0
    to_minute: int = MINUTES
    """Exclusive; less than `from_minute`: over midnight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What is paid for energy fed in: the first of these that is given."""

    schedules: tuple[EnergySchedule, ...] = ()
    share_of_import: float | None = None
    per_kwh: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dynamic:
    """How a market's price becomes the site's: `factor` x market + `adder_per_kwh`."""

    factor: float = 1.0
    adder_per_kwh: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """What a site pays.

    Raises:
        ValueError: not exactly one energy schedule holds on every kind of day of the year, or
            export schedules overlap; the message names them and a day.
    """

    name: str
    currency: str
    zone: tzinfo
    """On whose wall clock its hours are."""
    energy: tuple[EnergySchedule, ...]
    demand: tuple[DemandCharge, ...] = ()
    demand_interval: timedelta = timedelta(minutes=15)
    """Demand is the average over so long."""
    rolling: bool = False
    """True: over any such time; False: over those that begin at whole multiples of it."""
    export: Export = field(default_factory=Export)
    dynamic: Dynamic | None = None
    """Given: where a market price is known, it replaces the energy schedules."""
    holidays: Holidays = field(default_factory=Holidays)
    billing_day: int = 1
    """Day of the month, 1 to 28, on which a billing month begins."""
    customer_per_day: float = 0.0
    """The fixed charge: part of the bill, no reason to do anything at another time."""

    def __post_init__(self) -> None:
        wrong = days_of.faults(((one.name, one.days) for one in self.energy), complete=True)
        exports = ((one.name, one.days) for one in self.export.schedules)
        wrong += days_of.faults(exports, complete=bool(self.export.schedules))
        if wrong:
            raise ValueError(f"tariff {self.name!r}: {'; '.join(wrong)}")

    # --- prices ---------------------------------------------------------------------------------

    def import_per_kwh(self, horizon: Horizon, market: StepSeries | None = None) -> Series:
        """Mean price of energy drawn in every slot.

        `market`: prices per kWh, used with `dynamic`, where they cover a whole slot.
        """
        price = self._mean(horizon, self.energy)
        if self.dynamic is None or market is None:
            return price
        for i, start in enumerate(horizon):
            slot = Interval.lasting(start, horizon.step)
            mean = market.mean(slot)
            if mean is not None and market.covered_seconds(slot) >= horizon.step.total_seconds():
                price[i] = self.dynamic.factor * mean + self.dynamic.adder_per_kwh
        return price

    def export_per_kwh(self, horizon: Horizon, market: StepSeries | None = None) -> Series:
        """Mean price paid for energy fed in, in every slot."""
        if self.export.schedules:
            return self._mean(horizon, self.export.schedules)
        if self.export.share_of_import is not None:
            return self.export.share_of_import * self.import_per_kwh(horizon, market)
        return horizon.filled(self.export.per_kwh)

    def priced_periods(self, horizon: Horizon) -> Mapping[str, tuple[Series, Series]]:
        """By period of the energy schedules that the horizon touches: share of every slot, price.

        Periods of one name (on-peak in summer and in winter) are one, with the price of each slot.
        """
        found: dict[str, tuple[Series, Series]] = {}
        none = horizon.filled(0.0)
        for (name, per_kwh), share in self._shares(horizon, self.energy):
            if share.any():
                before, paid = found.get(name, (none, none))
                found[name] = before + share, paid + per_kwh * share
        return {
            name: (share, np.divide(paid, share, out=none.copy(), where=share > 0))
            for name, (share, paid) in found.items()
        }

    def _mean(self, horizon: Horizon, schedules: Sequence[EnergySchedule]) -> Series:
        price = horizon.filled(0.0)
        for (_, per_kwh), share in self._shares(horizon, schedules):
            price += per_kwh * share
        return price

    def _shares(
        self, horizon: Horizon, schedules: Sequence[EnergySchedule]
    ) -> list[tuple[tuple[str, float], Series]]:
        """(name of the period, its price) and its share of every slot."""
        numbered: dict[str, Steps] = {}
        labels: list[tuple[str, float]] = []
        for one in schedules:
            first = len(labels)
            labels += [(_label(one, i), step.per_kwh) for i, step in enumerate(one.steps)]
            numbered[one.name] = [(step.minute, first + i) for i, step in enumerate(one.steps)]

        def steps_on(day: date) -> Steps:
            kind = self.holidays.kind(day)
            return next(numbered[one.name] for one in schedules if one.days.holds(day, kind))

        found = shares(_checked(horizon), self.zone, steps_on, len(labels))
        return list(zip(labels, found, strict=True))

    # --- demand ---------------------------------------------------------------------------------

    def charged(self, charge: DemandCharge, horizon: Horizon) -> NDArray[np.bool_]:
        """In which slots this charge counts, be it in part."""

        def steps_on(day: date) -> Steps:
            if not charge.days.holds(day, self.holidays.kind(day)):
                return [(0, 0)]
            begins, ends = charge.from_minute, charge.to_minute
            if begins < ends:
                edges = [(0, 0), (begins, 1), (ends, 0)]
            else:
                edges = [(0, 1), (ends, 0), (begins, 1)]
            return [edge for edge in edges if edge[0] < MINUTES]

        return shares(_checked(horizon), self.zone, steps_on, 2)[1] > 0

    def billing_month(self, at: datetime) -> BillingMonth:
        """The billing month an instant lies in."""
        day = at.astimezone(self.zone).date() - timedelta(days=self.billing_day - 1)
        return day.year, day.month

    def window_of(self, at: datetime) -> Interval:
        """The demand interval an instant lies in (the one that begins at a whole multiple)."""
        start = Horizon.around(at.astimezone(UTC), self.demand_interval, self.demand_interval).start
        return Interval.lasting(start, self.demand_interval)


def _label(schedule: EnergySchedule, i: int) -> str:
    step = schedule.steps[i]
    if step.name:
        return step.name
    ends = schedule.steps[i + 1].minute if i + 1 < len(schedule.steps) else MINUTES
    return f"{schedule.name} {_clock(step.minute)}-{_clock(ends)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _checked(horizon: Horizon) -> Horizon:
    if horizon.count * horizon.step > timedelta(days=_MOST_DAYS):
        raise ValueError(f"a horizon of more than {_MOST_DAYS} days: ask for less at once")
    return horizon
