"""What is forecast of a site now, from its history on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from contracts.clock import SystemClock
from gridyard.forecast.place import ground_of, history_of, settings_of
from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.domain.forecast.forecast import Forecast
from site_agent.domain.horizon import Horizon
from site_agent.flows.forecast.forecasting import Forecaster

Json = Mapping[str, object]
_HOUR = timedelta(hours=1)


def shown(site: Path, hours: int) -> Json:
    """Load, PV and stays of the next hours, hour by hour; stays by habit alone.

    Raises:
        ConfigError: the settings cannot be read, or there is no history yet.
    """
    settings, clock = settings_of(site), SystemClock()
    ground = ground_of(settings)
    with history_of(settings) as history:
        forecaster = Forecaster(
            ground=ground, store=history, clock=clock, present=dict, roster=lambda _: ()
        )
        asyncio.run(forecaster.refresh())
    now = clock.now().replace(minute=0, second=0, microsecond=0)
    horizon = Horizon(start=now, count=hours, step=_HOUR)
    zone = ground.calendar.zone
    return {
        "site": settings.site_id,
        "load": _document(forecaster.load(horizon), zone),
        "pv": _document(forecaster.pv(horizon), zone),
        "stays": [_stay(one, zone) for one in forecaster.stays(horizon)],
        "unusual": [{"subject": one.subject, "words": one.words} for one in forecaster.anomalies],
    }


def _document(found: Forecast, zone: tzinfo) -> Json:
    hours = zip(found.horizon, found.p10, found.p50, found.p90, strict=True)
    return {
        "method": found.method,
        "trained_days": found.trained_days,
        "why": found.why,
        "hours": [
            {
                "start": _local(start, zone),
                "p10_w": round(float(low)),
                "p50_w": round(float(middle)),
                "p90_w": round(float(high)),
            }
            for start, low, middle, high in hours
        ],
    }


def _stay(one: ExpectedStay, zone: tzinfo) -> Json:
    return {
        "vehicle": one.vehicle_id,
        "evse": one.evse_id,
        "arrives": _local(one.arrives, zone),
        "departs": _local(one.departs, zone),
        "required_wh": round(one.required_wh),
        "probability": round(one.probability, 2),
    }


def _local(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).isoformat(timespec="minutes")


def lines(found: Json) -> Iterator[str]:
    """For people: an hour a line, then who is expected and what is unusual."""
    load, made = _part(found["load"]), _part(found["pv"])
    yield f"building: {load['method']}: {load['why']}"
    yield f"pv:       {made['method']}: {made['why']}"
    yield f"{'':<24}{'building kW':^24}   {'pv kW':^24}"
    yield f"{'':<24}{'P10':>8}{'P50':>8}{'P90':>8}   {'P10':>8}{'P50':>8}{'P90':>8}"
    for hour, sun in zip(_items(load["hours"]), _items(made["hours"]), strict=True):
        yield f"{hour['start']!s:<24}{_band(hour)}   {_band(sun)}"
    for stay in _items(found["stays"]):
        where = "" if stay["evse"] is None else f" at {stay['evse']}"
        wh, share = stay["required_wh"], stay["probability"]
        yield (
            f"expected: {stay['vehicle']}{where}, {stay['arrives']} .. {stay['departs']}, "
            f"{_number(wh) / 1000.0:.1f} kWh, {100.0 * _number(share):.0f} %"
        )
    for one in _items(found["unusual"]):
        yield f"unusual: {one['subject']} {one['words']}"


def _part(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def _items(value: object) -> Sequence[Json]:
    return value if isinstance(value, list) else []


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _band(hour: Json) -> str:
    return "".join(f"{_number(hour[key]) / 1000.0:>8.1f}" for key in ("p10_w", "p50_w", "p90_w"))
