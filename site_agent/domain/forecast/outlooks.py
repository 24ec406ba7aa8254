"""Everything that is forecast of one site at one instant, from its history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from site_agent.domain.forecast.anomalies import (
    Anomaly,
    battery_anomaly,
    load_anomaly,
    pv_anomaly,
)
from site_agent.domain.forecast.averaging import quarter_of
from site_agent.domain.forecast.clear_sky import clear_power_w, sun_over
from site_agent.domain.forecast.course import JUDGED_DAYS, Measured, outlook
from site_agent.domain.forecast.forecast import Forecast
from site_agent.domain.forecast.ground import ForecastGround
from site_agent.domain.forecast.load import LoadHistory, load_forecast
from site_agent.domain.forecast.profiles import LOOK_BACK, similar_day
from site_agent.domain.forecast.pv import pv_forecast
from site_agent.domain.forecast.record import battery_power_of, pv_of, soc_of
from site_agent.domain.horizon import QUARTER, Horizon

AHEAD = timedelta(hours=40)
"""How far is forecast: a plan looks 36 h ahead, and this is renewed every quarter of an hour."""
USED = timedelta(days=LOOK_BACK + JUDGED_DAYS + 2)
"""How much history is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteHistory:
    """What was measured, for `[since, until)`; both whole quarters."""

    since: datetime
    until: datetime
    load: Measured
    made: Measured
    """By PV, W >= 0, without quarters in which it was curtailed."""
    outdoor_c: Measured | None = None
    """None: no outdoor temperature was ever measured."""
    devices: Mapping[str, Measured] = field(default_factory=dict)
    """Series of single inverters and batteries (`record`), where they are to be judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteForecasts:
    """What the next hours should bring."""

    at: datetime
    load: Forecast
    """Of the building, W."""
    pv: Forecast
    """Generation of all inverters together, W >= 0."""


def horizon_of(now: datetime) -> Horizon:
    """The quarters ahead, from the one `now` lies in."""
    return Horizon(start=quarter_of(now), count=AHEAD // QUARTER)


def forecasts(history: SiteHistory, ground: ForecastGround, now: datetime) -> SiteForecasts:
    """Load and PV over `horizon_of(now)`; the history must end where that begins."""
    horizon = horizon_of(now)
    known = LoadHistory(load=history.load, outdoor_c=history.outdoor_c)
    return SiteForecasts(
        at=now,
        load=load_forecast(known, horizon, ground.calendar, ground.largest_w),
        pv=pv_forecast(history.made, horizon, ground.calendar, ground.arrays, ground.place),
    )


def first_guess(ground: ForecastGround, now: datetime) -> SiteForecasts:
    """Before anything has been read: wide bands, and quick enough for an event loop."""
    horizon = replace(horizon_of(now), count=1)
    nothing = Measured(start=horizon.start, values=np.empty(0))
    return SiteForecasts(
        at=now,
        load=load_forecast(LoadHistory(load=nothing), horizon, ground.calendar, ground.largest_w),
        pv=pv_forecast(nothing, horizon, ground.calendar, ground.arrays, None),
    )


def anomalies(history: SiteHistory, ground: ForecastGround) -> tuple[Anomaly, ...]:
    """What is far from what was to be expected, for long, and still is."""
    seen = outlook(history.load, 1, ground.calendar, similar_day)
    found = [load_anomaly(seen, history.load, ground.largest_w, ground.calendar)]
    if ground.place is not None and ground.arrays:
        sun = sun_over(ground.place, history.since, len(history.load.values))
        for array in ground.arrays:
            made = history.devices.get(pv_of(array.pv_id))
            if made is not None:
                clear_w = clear_power_w(array, sun)
                found.append(pv_anomaly(array.pv_id, made, clear_w, ground.calendar))
    for battery in ground.batteries:
        power = history.devices.get(battery_power_of(battery.battery_id))
        soc = history.devices.get(soc_of(battery.battery_id))
        if power is not None and soc is not None:
            found.append(battery_anomaly(battery, power, soc))
    return tuple(one for one in found if one is not None)
