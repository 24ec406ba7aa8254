"""What a year costs: representative days, every strategy, every tariff.

One working day of the middle month of each quarter stands for the quarter: its energy is counted
for every working day, its highest demand and the customer charge for three months. Weekends, on
which nobody comes, are left out; they cost every strategy the same. A night is drawn per quarter,
the same for all strategies and tariffs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from multiprocessing import get_context

from gridyard.simulate.many import Tell
from gridyard.simulate.measure import Result
from gridyard.simulate.setup import Inputs, billed, simulated, strategy_named
from gridyard.simulate.tables import table
from site_agent.config.tariff_files import shipped
from site_agent.domain.tariff.bill import Kind

STRATEGIES = ("uncontrolled", "first-come", "rules", "plan")
MONTHS = (2, 5, 8, 11)
_WORKDAYS, _DAYS, _MONTHS_EACH = 261 / 4, 365 / 4, 3.0
"""Of a quarter: Monday to Friday, all days, months."""
_NOON = time(12)
_WEDNESDAY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One day to simulate."""

    inputs: Inputs
    strategy: str
    tariffs: tuple[str, ...]
    """To bill it by; the first one guides."""
    month: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarter:
    """One strategy in one quarter of the year under one tariff; energies in Wh, powers in W."""

    tariff: str
    strategy: str
    month: int
    currency: str
    energy_cost: float
    demand_cost: float
    other_cost: float
    charged_wh: float
    peak_w: float
    pv_wh: float
    pv_used_wh: float
    vehicles: int
    ready: int


@dataclass(frozen=True, slots=True, kw_only=True)
class YearRow:
    """One strategy's year under one tariff."""

    tariff: str
    strategy: str
    currency: str
    cost: float
    energy_cost: float
    demand_cost: float
    charged_wh: float
    peak_w: float
    """Highest mean of a quarter of an hour."""
    pv_used: float
    """Share of what PV makes that is used on the site."""
    ready: float
    """Share of departures with all the energy that was needed."""

    @property
    def per_kwh(self) -> float:
        """Cost of the whole site per kWh that vehicles took."""
        return self.cost / (self.charged_wh / 1000.0) if self.charged_wh else 0.0


def run_year(
    inputs: Inputs, strategies: Sequence[str], tariffs: Sequence[str], jobs: int, tell: Tell
) -> list[YearRow]:
    """Every strategy under every tariff.

    Raises:
        ConfigError: an unknown scenario, strategy or tariff.
    """
    case = inputs.case()
    for name in tariffs:
        replace(inputs, tariff=name).prices(case)
    tasks = list(_tasks(inputs, strategies, tuple(tariffs)))
    found: list[Quarter] = []
    with ProcessPoolExecutor(
        max(1, min(jobs or os.cpu_count() or 1, len(tasks))), mp_context=get_context("spawn")
    ) as pool:
        running = [pool.submit(quarters, task) for task in tasks]
        for done, future in enumerate(as_completed(running), start=1):
            found += future.result()
            tell(done, len(tasks))
    return [
        _year([one for one in found if (one.tariff, one.strategy) == (tariff, strategy)])
        for tariff in tariffs
        for strategy in strategies
    ]


def every_tariff() -> tuple[str, ...]:
    """Names of the tariffs that come with Gridyard."""
    return tuple(name for name, _ in shipped())


def _tasks(inputs: Inputs, strategies: Sequence[str], tariffs: tuple[str, ...]) -> Iterator[Task]:
    """What no tariff guides is simulated once and billed by each."""
    for month in MONTHS:
        for strategy in strategies:
            guided = bool(strategy_named(strategy).guided)
            for group in [(name,) for name in tariffs] if guided else [tariffs]:
                yield Task(inputs=inputs, strategy=strategy, tariffs=group, month=month)


def quarters(task: Task) -> list[Quarter]:
    """Simulate the task's day and bill it."""
    case = task.inputs.case()
    begin = _day(task.month, case.settings.begin.year, case.zone)
    inputs = replace(task.inputs, begin=begin, days=1, tariff=task.tariffs[0])
    result = simulated(inputs, task.strategy, seed=task.month)
    return [_billed(replace(inputs, tariff=name), name, result, task) for name in task.tariffs]


def _billed(inputs: Inputs, name: str, result: Result, task: Task) -> Quarter:
    tariff = inputs.prices(inputs.case())
    assert tariff is not None  # noqa: S101 (named)
    day = billed(result, tariff)
    return Quarter(
        tariff=name,
        strategy=task.strategy,
        month=task.month,
        currency=day.currency,
        energy_cost=day.of(Kind.ENERGY) * _WORKDAYS,
        demand_cost=day.of(Kind.DEMAND) * _MONTHS_EACH,
        other_cost=day.of(Kind.EXPORT) * _WORKDAYS + day.of(Kind.CUSTOMER) * _DAYS,
        charged_wh=result.charged_wh * _WORKDAYS,
        peak_w=max(result.quarters_w),
        pv_wh=result.pv_wh * _WORKDAYS,
        pv_used_wh=result.pv_used_wh * _WORKDAYS,
        vehicles=len(result.left),
        ready=result.ready,
    )


def _day(month: int, year: int, zone: tzinfo) -> datetime:
    """Noon of the second Wednesday of a month."""
    first = datetime(year, month, 1, tzinfo=zone)
    ahead = (_WEDNESDAY - first.weekday()) % 7 + 7
    return datetime.combine((first + timedelta(days=ahead)).date(), _NOON, tzinfo=zone).astimezone(
        UTC
    )


def _year(found: Sequence[Quarter]) -> YearRow:
    first = found[0]
    pv_wh = sum(one.pv_wh for one in found)
    energy, demand = sum(q.energy_cost for q in found), sum(q.demand_cost for q in found)
    return YearRow(
        tariff=first.tariff,
        strategy=first.strategy,
        currency=first.currency,
        cost=energy + demand + sum(one.other_cost for one in found),
        energy_cost=energy,
        demand_cost=demand,
        charged_wh=sum(one.charged_wh for one in found),
        peak_w=max(one.peak_w for one in found),
        pv_used=sum(one.pv_used_wh for one in found) / pv_wh if pv_wh > 0 else 0.0,
        ready=sum(one.ready for one in found) / max(1, sum(one.vehicles for one in found)),
    )


def year_lines(rows: Sequence[YearRow]) -> Iterator[str]:
    """A table for people."""
    columns = (
        "tariff", "strategy", "cost", "energy", "demand", "per kWh", "MWh charged",
        "peak kW", "PV used", "ready",
    )  # fmt: skip
    yield from table(columns, (_cells(row) for row in rows))


def _cells(row: YearRow) -> list[str]:
    return [
        row.tariff,
        row.strategy,
        f"{row.cost:,.0f} {row.currency}",
        f"{row.energy_cost:,.0f}",
        f"{row.demand_cost:,.0f}",
        f"{row.per_kwh:.3f}",
        f"{row.charged_wh / 1e6:.0f}",
        f"{row.peak_w / 1000:.0f}",
        f"{row.pv_used:.0%}",
        f"{row.ready:.1%}",
    ]


def year_document(rows: Sequence[YearRow]) -> list[dict[str, object]]:
    """The rows as JSON."""
    return [asdict(row) | {"per_kwh": row.per_kwh} for row in rows]
