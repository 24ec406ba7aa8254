"""Baseline and settlement of an event at many sites, beside the bare means of the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from contracts.series import Step, StepSeries
from contracts.time import Interval
from gateway.domain.curves import merged
from gateway.domain.measure.baseline import (
    BaselineInputs,
    history_windows,
    run_baseline,
)
from gateway.domain.measure.blocks import blocks
from gateway.domain.measure.factor import event_ratio, factor_of
from gateway.domain.measure.performance import Performance, measure, portfolio
from gateway.domain.measure.presets import preset
from gateway.domain.measure.rows import rows_of
from gateway.domain.program import Program
from gateway.domain.settle.energy import energy_basis, energy_lines
from gateway.domain.settle.line import statement
from gateway.programs import library
from gridyard.bench.core import Bench, Row, at_most, median_cpu_ms

SITES = 1_000
_BAR_MS = 3_000.0
_RUNS = 3
_QUARTER, _HOUR, _DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
_ZONE = ZoneInfo("America/New_York")
_EVENT = Interval(
    start=datetime(2026, 7, 15, 14, tzinfo=_ZONE), end=datetime(2026, 7, 15, 18, tzinfo=_ZONE)
)
_SPAN = Interval(start=_EVENT.start - _HOUR, end=datetime(2026, 7, 15, 19, tzinfo=_ZONE))
_OTHERS = tuple(Interval.lasting(_EVENT.start - n * _DAY, 4 * _HOUR) for n in (2, 8))
_ASKED = StepSeries.of([(_EVENT, 20_000.0)])
_READ = 18
"""The event's own day and what is read of the past at first: of a fortnight most days serve."""
_FLOOR_RATIO = 1_000.0
"""The floor chooses no day, reads no clock and proves nothing: no bar was set beside it."""


class DisagreementError(Exception):
    """Ours and the floor's means differ: there is nothing to compare."""


@dataclass(frozen=True, slots=True)
class MeteredSite:
    """One site as its meter was read."""

    history: StepSeries
    """What a run looks at, W."""
    actual: StepSeries
    """Around the event, W."""


def metered(sites: int) -> list[MeteredSite]:
    """Sites with loads of their own over all that the method may look at."""
    method = _program().method
    windows = history_windows(method, _ZONE, _EVENT, _SPAN)[:_READ]
    wanted = merged([one for one in windows if one.start != one.end])
    pieces = [piece for one in wanted for piece in one.split(_QUARTER)]
    around = list(_SPAN.split(_QUARTER))
    chance = np.random.default_rng(9)
    return [MeteredSite(_series(pieces, chance), _series(around, chance)) for _ in range(sites)]


def settled(program: Program, sites: Sequence[MeteredSite]) -> list[Performance]:
    """Baseline, delivery, factor and energy lines of every site, and of all of them together."""
    found = [_site(program, one) for one in sites]
    whole = portfolio(found, _ASKED)
    _paid(program, whole)
    return found


def bare(days: NDArray[np.float64], actual: NDArray[np.float64]) -> NDArray[np.float64]:
    """The floor: site by site the mean of ten days less the load."""
    return np.array([past.mean(axis=0) - load for past, load in zip(days, actual, strict=True)])


def rows(sites: int = SITES) -> Sequence[Row]:
    """Medians of several runs, in processor time: as on a quiet machine."""
    program, measured = _program(), metered(sites)
    days, actual = _arrays(program, measured)
    first = settled(program, measured)
    _agree(first, bare(days, actual))
    ours, spread = median_cpu_ms([lambda: settled(program, measured)], _RUNS)
    floor, _ = median_cpu_ms([lambda: bare(days, actual)], _RUNS)
    what = f"baseline and settlement, {sites:,} sites"
    bar = _BAR_MS * sites / SITES
    return [
        at_most(what, "ms", ours, bar, "the bar", 1.0, spread),
        at_most(what, "ms", ours, floor, "NumPy mean of the same days", _FLOOR_RATIO, spread),
    ]


def _program() -> Program:
    """CSRP type, with the baseline unadjusted: the floor has none."""
    program = library.program(library.found("csrp-type"))
    return replace(program, baseline=preset("10-in-10-unadjusted-type").method)


def _series(pieces: Sequence[Interval], chance: np.random.Generator) -> StepSeries:
    loads = chance.uniform(2e4, 8e4, len(pieces)).tolist()
    return StepSeries(
        tuple(Step(interval=p, value=load) for p, load in zip(pieces, loads, strict=True))
    )


def _inputs(program: Program, one: MeteredSite) -> BaselineInputs:
    return BaselineInputs(
        method=program.method,
        zone=_ZONE,
        event=_EVENT,
        span=_SPAN,
        resolution=_QUARTER,
        history=one.history,
        other_events=_OTHERS,
        export=program.export,
    )


def _site(program: Program, one: MeteredSite) -> Performance:
    run = run_baseline(_inputs(program, one))
    found = measure(
        event=_EVENT,
        resolution=_QUARTER,
        observe_after=_HOUR,
        baseline=run.series,
        actual=one.actual,
        asked=_ASKED,
        export=program.export,
    )
    _paid(program, found)
    return found


def _paid(program: Program, found: Performance) -> None:
    given, rule = rows_of(found.during), program.rules.performance[0]
    ratio = event_ratio(blocks(given, rule), rule)
    if ratio is not None:
        factor_of(ratio, rule)
    basis = energy_basis(program.rules.energy_pay, test=False, voluntary=False)
    statement(list(energy_lines(program, "event", given, basis=basis)))


def _arrays(
    program: Program, sites: Sequence[MeteredSite]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The loads of the days that are used, and of the event, as arrays: not timed."""
    bins = list(_EVENT.split(_QUARTER))
    used = run_baseline(_inputs(program, sites[0])).days_used
    places = {_wall(one.interval): n for n, one in enumerate(sites[0].history)}
    picked = [[places[day, _wall(one)[1]] for one in bins] for day in used]
    loads = np.array([[step.value for step in one.history] for one in sites])
    around = np.array([[step.value for step in one.actual] for one in sites])
    first = (_EVENT.start - _SPAN.start) // _QUARTER
    return loads[:, picked], around[:, first : first + len(bins)]


def _wall(interval: Interval) -> tuple[date, time]:
    local = interval.start.astimezone(_ZONE)
    return local.date(), local.time()


def _agree(found: Sequence[Performance], floor: NDArray[np.float64]) -> None:
    ours = np.array([[row.delivered_w for row in one.during] for one in found], dtype=float)
    if not np.allclose(ours, floor, rtol=1e-9, atol=1e-6):
        raise DisagreementError("the means of the same days are not the same")


BENCH = Bench(
    name="mv",
    about="baseline and settlement of an event at many sites, beside bare means of the same days",
    run=rows,
    run_with=rows,
    packages=("numpy",),
)
