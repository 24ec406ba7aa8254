"""What `gridyard baseline` computes from files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, time, timedelta
from pathlib import Path
from typing import Any

from contracts.errors import ConfigError
from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.measure.baseline import BaselineInputs, BaselineRun, run_baseline
from gateway.domain.measure.baseline_run import Control
from gateway.domain.measure.baseline_words import describe
from gateway.domain.measure.past_days import is_off
from gateway.domain.measure.performance import Performance, measure
from gateway.domain.measure.placebo import Fairness, fairness, placebo_windows
from gateway.domain.measure.presets import PRESETS, Preset
from gateway.domain.program import BaselineMethod
from gridyard.baseline.given import Site

Json = dict[str, Any]
QUARTER = timedelta(minutes=15)


def methods() -> list[Json]:
    """Every preset with its source."""
    return [
        {
            "method": one.name,
            "rule": describe(one.method),
            "source": one.source,
            "read": one.read,
            "check": one.check,
            "meter": one.point.value,
            "needs": one.needs or None,
        }
        for one in PRESETS.values()
    ]


def with_level(chosen: Preset, level_kw: float | None) -> BaselineMethod:
    """The method, with its level where it needs one.

    Raises:
        ConfigError: there is none, or one that the method does not need.
    """
    if (chosen.needs == "level_w") is (level_kw is None):
        wanted = "needs" if chosen.needs == "level_w" else "takes no"
        raise ConfigError(f"--level-kw: {chosen.name} {wanted} level")
    if level_kw is None:
        return chosen.method
    return replace(chosen.method, level_w=1000.0 * level_kw)


def ran(
    site: Site, method: BaselineMethod, event: Interval, controls: Sequence[tuple[str, StepSeries]]
) -> Json:
    """The baseline of one event, and what was delivered by it."""
    run = run_baseline(
        BaselineInputs(
            method=method,
            zone=site.zone,
            event=event,
            span=event,
            resolution=QUARTER,
            history=site.load,
            other_events=site.others,
            holidays=site.holidays,
            controls=tuple(Control(name=name, load=load) for name, load in controls),
        )
    )
    delivered = measure(
        event=event,
        resolution=QUARTER,
        observe_after=QUARTER,
        baseline=run.series,
        actual=site.load,
        asked=StepSeries(),
    )
    return _told(site, run, delivered, event)


def controls_of(paths: Sequence[Path], loads: Sequence[StepSeries]) -> list[tuple[str, StepSeries]]:
    """Sites of a control group, each named by its file."""
    return [(path.name, load) for path, load in zip(paths, loads, strict=True)]


def fair(
    site: Site,
    chosen: Sequence[BaselineMethod],
    start: time,
    duration: timedelta,
    days: int,
    *,
    every_day: bool,
) -> list[Json]:
    """Every method on events pretended back from the last day of the file.

    Raises:
        ConfigError: the pretended event lasts nothing, or more than a day.
    """
    last = site.load.steps[-1].interval.start.astimezone(site.zone).date()
    try:
        windows = placebo_windows(
            start,
            duration,
            site.zone,
            last,
            days,
            off=lambda day: not every_day and is_off(day, site.holidays),
        )
    except ValueError as error:
        raise ConfigError(f"--hours: {error}") from error
    return [_fair(fairness(_pretended(site, one, windows[0]), windows), one) for one in chosen]


def _pretended(site: Site, method: BaselineMethod, window: Interval) -> BaselineInputs:
    return BaselineInputs(
        method=method,
        zone=site.zone,
        event=window,
        span=window,
        resolution=QUARTER,
        history=site.load,
        other_events=site.others,
        holidays=site.holidays,
    )


def _fair(found: Fairness, method: BaselineMethod) -> Json:
    """The same words as the gateway's API."""
    return {
        "method": found.method,
        "rule": describe(method),
        "days_judged": found.judged,
        "intervals": found.intervals,
        "bias_pct": _pct(found.bias),
        "cvrmse_pct": _pct(found.cvrmse),
        "mape_pct": _pct(found.mape),
        "over_pct": _pct(found.over_share),
        "under_pct": _pct(found.under_share),
        "days": [
            {
                "day": one.day.isoformat(),
                "judged": one.judged,
                "reason": one.reason,
                "bias_w": one.bias_w,
            }
            for one in found.days
        ],
    }


def _told(site: Site, run: BaselineRun, delivered: Performance, event: Interval) -> Json:
    return {
        "method": run.method.name,
        "rule": describe(run.method),
        "time_zone": site.zone.key,
        "start": event.start.isoformat(),
        "end": (event.end or event.start).isoformat(),
        "problem": run.problem,
        "fallback": run.fallback,
        "days": [
            {"day": one.day.isoformat(), "used": one.used, "reason": one.reason} for one in run.days
        ],
        "controls": [
            {"name": one.name, "used": one.used, "reason": one.reason} for one in run.controls
        ],
        "adjustment": {
            "kind": run.method.adjustment.value,
            "value": run.adjustment.value,
            "capped": run.adjustment.capped,
            "reason": run.adjustment.reason,
        },
        "intervals": [
            {
                "start": one.interval.start.astimezone(UTC).isoformat(),
                "baseline_w": one.baseline_w,
                "actual_w": one.actual_w,
                "delivered_w": one.delivered_w,
                "thin": one.interval in run.thin,
            }
            for one in delivered.during
        ],
        "gaps": [one.start.isoformat() for one in run.gaps],
        "delivered_mean_w": delivered.delivered_mean_w,
        "coverage": delivered.coverage,
        "inputs_hash": run.inputs_hash,
    }


def _pct(share: float | None) -> float | None:
    return None if share is None else 100.0 * share
