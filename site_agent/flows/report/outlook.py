"""What is expected of the hours ahead: known limits, forecasts, vehicles to come, the plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.domain.flexibility.ahead import LENGTH, Ahead, steady_ahead
from site_agent.domain.forecast.forecast import Forecast
from site_agent.domain.horizon import Horizon, Series
from site_agent.domain.plan.schedule import Schedule
from site_agent.domain.protect.envelope import combine
from site_agent.domain.protect.limits import limits_at
from site_agent.domain.site import SiteModel
from site_agent.flows.control.control_loop import Cycle
from site_agent.flows.forecast.forecasting import Forecaster
from site_agent.flows.orders.instructions import Instructions

_FADES = timedelta(hours=2)
"""What is measured now beside the forecast is expected to go on for, less and less."""
_PLAN_KEPT = timedelta(hours=1)
"""A plan older than this guides nobody."""
_FREE_W = 1e9
_STAYS_KEPT = timedelta(seconds=10)
"""Habits are read from weeks of history: not for every sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Who knows of the hours ahead; each is quick."""

    load: Callable[[Horizon], Forecast]
    """The building without PV, W."""
    pv: Callable[[Horizon], Forecast]
    """W, >= 0."""
    stays: Callable[[Horizon], Sequence[ExpectedStay]]
    plan: Callable[[], Schedule | None] = lambda: None

    @classmethod
    def of(cls, forecaster: Forecaster, plan: Callable[[], Schedule | None]) -> Sources:
        """The site's own forecasts and plan."""
        return cls(load=forecaster.load, pv=forecaster.pv, stays=forecaster.stays, plan=plan)


class Outlook:
    """`flows.report.prospects.Look`: every accepted event, and what forecasts and plan say.

    Without sources, or while a forecast rests on no history yet, the building goes on as it is.
    """

    def __init__(
        self, model: SiteModel, instructions: Instructions, sources: Sources | None = None
    ) -> None:
        self._model = model
        self._instructions = instructions
        self.sources = sources
        """Set once they are made."""
        self._stays: tuple[ExpectedStay, ...] = ()
        self._stays_until: datetime | None = None

    def __call__(self, cycle: Cycle) -> Ahead:
        """The hours ahead, as of a control cycle."""
        held, sources = self._instructions.held, self.sources
        horizon = Horizon.around(cycle.snapshot.at, LENGTH)
        known = steady_ahead(
            cycle.snapshot,
            cycle.decision.building_w,
            lambda at: combine(limits_at(self._model, held, at, cycle.operator)),
            self._instructions.next_change,
            expected=self._expected(cycle.snapshot.at, horizon),
        )
        if sources is None:
            return known
        return _planned(_forecast(known, cycle, sources), cycle, sources.plan())

    def _expected(self, now: datetime, horizon: Horizon) -> tuple[ExpectedStay, ...]:
        """Vehicles to come, as of a few seconds ago at most."""
        if self.sources is not None and (self._stays_until is None or now >= self._stays_until):
            self._stays = tuple(self.sources.stays(horizon))
            self._stays_until = now + _STAYS_KEPT
        return self._stays


def _forecast(ahead: Ahead, cycle: Cycle, sources: Sources) -> Ahead:
    """The forecast, moved by what is measured now beside it."""
    horizon = ahead.horizon
    load, pv = sources.load(horizon), sources.pv(horizon)
    if load.trained_days == 0:
        return ahead
    likely, high = load.p50 - pv.p50, load.p90 - pv.p10
    measured_w = cycle.decision.building_w
    if measured_w is None:
        return replace(ahead, building_w=likely, building_high_w=high, pv_w=pv.p50)
    later = np.arange(horizon.count) * (horizon.step / _FADES)
    beside = (measured_w - likely[0]) * np.clip(1.0 - later, 0.0, 1.0)
    likely = likely + beside
    high = np.maximum(likely, high + beside)
    return replace(ahead, building_w=likely, building_high_w=high, pv_w=pv.p50)


def _planned(ahead: Ahead, cycle: Cycle, plan: Schedule | None) -> Ahead:
    """What the plan wishes vehicles to take, and has in the batteries."""
    if plan is None or cycle.snapshot.at - plan.made_at > _PLAN_KEPT:
        return ahead
    wishes: Mapping[str, Series] = {
        one.evse_id: _on(ahead.horizon, plan.horizon, one.power_w, _FREE_W)
        for one in plan.vehicles
        if one.present and one.evse_id is not None
    }
    stored: Mapping[str, Series] = {
        one.battery_id: _on(
            ahead.horizon, plan.horizon, np.concatenate([[np.inf], one.stored_wh[:-1]]), np.inf
        )
        for one in plan.batteries
    }
    return replace(ahead, wishes_w=wishes, stored_wh=stored)


def _on(asked: Horizon, known: Horizon, values: Series, beyond: float) -> Series:
    """The values of the plan on other slots of the same length; `beyond` outside of it."""
    offset = round((asked.start - known.start) / known.step)
    places = np.arange(asked.count) + offset
    inside = (places >= 0) & (places < len(values)) & (asked.step == known.step)
    found: Series = np.where(inside, values[np.clip(places, 0, len(values) - 1)], beyond)
    return found
