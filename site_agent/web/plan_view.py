"""The plan of the coming hours as a chart: what draws and gives, slot by slot, and the limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from site_agent.domain.horizon import Series
from site_agent.domain.plan.schedule import Schedule
from site_agent.domain.why.answer import kw

WIDTH, HEIGHT = 1080, 260
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 12, 30
_NICE = (1, 2, 5, 10)
_TICKS = 4
_TINY_W = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A part of one slot."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    """building, vehicles, charge, discharge or pv."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark on an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The price of one slot, as a shade from cheap to dear."""

    x: float
    width: float
    level: int
    """1 (cheapest) to 5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """The chart and what it says in words."""

    name: str
    bars: tuple[Bar, ...]
    net: str
    """Path of the power at the grid."""
    zero_y: float
    times: tuple[Tick, ...]
    powers: tuple[Tick, ...]
    prices: tuple[Price, ...]
    cost: str
    late: tuple[str, ...]
    label: str


def plan_view(plan: Schedule, now: datetime) -> PlanView | None:
    """The chart of a plan from now on; None when all of it is over."""
    first = max(0, plan.horizon.slot(now))
    if first >= plan.horizon.count:
        return None
    ups, downs = _parts(plan)
    scale = _Scale(plan, first, ups, downs)
    peak_w = float(np.max(plan.net_w[first:]))
    return PlanView(
        name=plan.name,
        bars=tuple(_bars(scale, ups, downs)),
        net=_step_path(scale, plan.net_w),
        zero_y=scale.y(0.0),
        times=tuple(_times(scale, plan)),
        powers=tuple(Tick(at=scale.y(w), text=f"{w / 1000:g}") for w in scale.ticks()),
        prices=tuple(_prices(scale, plan.import_per_kwh)),
        cost=f"{plan.cost.total:.2f} {plan.currency}".strip(),
        late=tuple(f"{one.vehicle_id}: {one.reason}" for one in plan.shortfalls),
        label=f"{plan.name[:1].upper()}{plan.name[1:]} until {plan.clock(plan.horizon.end)}. "
        f"Highest import {kw(max(0.0, peak_w))}.",
    )


Parts = Sequence[tuple[str, Series]]


def _parts(plan: Schedule) -> tuple[Parts, Parts]:
    """What is stacked above and below zero."""
    zero = plan.horizon.filled(0.0)
    vehicles = sum((one.power_w for one in plan.vehicles), zero)
    batteries = sum((one.power_w for one in plan.batteries), zero)
    given = sum((np.minimum(one.power_w, 0.0) for one in plan.vehicles), zero)
    ups = [
        ("building", np.maximum(plan.building_w, 0.0)),
        ("vehicles", np.maximum(vehicles - given, 0.0)),
        ("charge", np.maximum(batteries, 0.0)),
    ]
    downs = [("pv", plan.pv_w), ("discharge", np.minimum(batteries, 0.0) + given)]
    return ups, downs


class _Scale:
    """From slots and watts to the drawing."""

    def __init__(self, plan: Schedule, first: int, ups: Parts, downs: Parts) -> None:
        self.first, self.count = first, plan.horizon.count
        zero = plan.horizon.filled(0.0)
        highest = float(np.max(sum((one for _, one in ups), zero)[first:]))
        lowest = float(np.min(sum((one for _, one in downs), zero)[first:]))
        highest = max(1_000.0, highest, float(np.max(plan.net_w[first:])))
        self._low = min(0.0, lowest, float(np.min(plan.net_w[first:])))
        self._high = highest * 1.05
        self.step = (WIDTH - LEFT - RIGHT) / (self.count - first)

    def x(self, slot: int) -> float:
        return round(LEFT + (slot - self.first) * self.step, 1)

    def y(self, power_w: float) -> float:
        share = (self._high - power_w) / (self._high - self._low)
        return round(TOP + share * (HEIGHT - TOP - BOTTOM), 1)

    def ticks(self) -> Iterator[float]:
        span = self._high - self._low
        raw = span / _TICKS
        power = 10.0 ** np.floor(np.log10(raw))
        step = next(nice * power for nice in _NICE if nice * power >= raw * 0.999)
        tick = float(np.ceil(self._low / step) * step)
        while tick <= self._high:
            yield tick + 0.0
            tick += step


def _bars(scale: _Scale, ups: Parts, downs: Parts) -> Iterator[Bar]:
    for parts in (ups, downs):
        base = np.zeros(scale.count)
        for kind, series in parts:
            for slot in range(scale.first, scale.count):
                value = float(series[slot])
                if abs(value) < _TINY_W:
                    continue
                ends = scale.y(base[slot]), scale.y(base[slot] + value)
                yield Bar(
                    x=scale.x(slot),
                    y=min(ends),
                    width=max(0.5, round(scale.step - 0.6, 1)),
                    height=round(abs(ends[0] - ends[1]), 1),
                    kind=kind,
                )
            base = base + series


def _step_path(scale: _Scale, series: Series) -> str:
    points = []
    for slot in range(scale.first, scale.count):
        y = scale.y(float(series[slot]))
        points.append(f"{scale.x(slot)},{y} {scale.x(slot + 1)},{y}")
    return "M" + " L".join(points)


def _times(scale: _Scale, plan: Schedule) -> Iterator[Tick]:
    """Every third full hour of the site's clock."""
    for slot, at in enumerate(plan.horizon):
        local = at.astimezone(plan.zone)
        if slot >= scale.first and local.minute == 0 and local.hour % 3 == 0:
            yield Tick(at=scale.x(slot), text=f"{local:%H:%M}")


def _prices(scale: _Scale, prices: Series) -> Iterator[Price]:
    shown = prices[scale.first :]
    low, high = float(np.min(shown)), float(np.max(shown))
    if high <= low:
        return
    for slot in range(scale.first, scale.count):
        level = 1 + round(4 * (float(prices[slot]) - low) / (high - low))
        yield Price(x=scale.x(slot), width=round(scale.step + 0.2, 1), level=level)


OLDEST = timedelta(hours=1)
"""A plan made longer ago is not shown as the present one."""
