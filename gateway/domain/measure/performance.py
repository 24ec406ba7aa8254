"""What was delivered: baseline less actual, per interval, for one site and for the portfolio.

An interval without enough measured data is reported as unknown, never filled in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import fsum, isnan

from contracts.power import energy_wh
from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.curves import Sampler, grid_of, pieces
from gateway.domain.measure.metering import metered_table
from gateway.domain.program.measuring import ExportRule

MIN_INTERVAL_COVERAGE = 0.5
"""An interval measured for less than this share of its time is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalPerformance:
    """One interval; reductions positive. None wherever the data do not say."""

    interval: Interval
    baseline_w: float | None
    actual_w: float | None
    asked_w: float
    """Reduction asked, mean over the interval, W, >= 0."""
    asked_share: float
    """Share of the interval for which anything was asked, 0-1."""
    delivered_w: float | None
    """Baseline less actual, W; negative when more was drawn than without the event."""
    coverage: float
    """Share of the interval with measured data, 0-1."""

    @property
    def measured(self) -> bool:
        """Whether it is judged on all of its data."""
        return self.coverage >= 1.0 and self.delivered_w is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """Delivery over one event, and the load after it."""

    during: tuple[IntervalPerformance, ...]
    after: tuple[IntervalPerformance, ...]
    """The time the rebound is watched."""

    @property
    def delivered_mean_w(self) -> float | None:
        """Time-weighted mean over the known intervals."""
        return _weighted((i.interval, i.delivered_w) for i in self.during)

    @property
    def delivered_min_w(self) -> float | None:
        """Of the worst known interval."""
        return min((i.delivered_w for i in self.during if i.delivered_w is not None), default=None)

    @property
    def asked_mean_w(self) -> float:
        """Time-weighted mean of the reduction asked."""
        return _weighted((i.interval, i.asked_w) for i in self.during) or 0.0

    @property
    def reduced_wh(self) -> float | None:
        """Energy over the known intervals; None when none is known."""
        known = [(i.interval, i.delivered_w) for i in self.during if i.delivered_w is not None]
        return fsum(energy_wh(w, _length(i)) for i, w in known) if known else None

    @property
    def performance_pct(self) -> float | None:
        """Delivered over asked, mean over the known intervals all of which something was asked.

        Where a site was asked for a part of an interval only, the quotient would say nothing.
        """
        shares = [
            100.0 * i.delivered_w / i.asked_w
            for i in self.during
            if i.delivered_w is not None and i.asked_w > 0 and i.asked_share == 1.0
        ]
        return fsum(shares) / len(shares) if shares else None

    @property
    def rebound_w(self) -> float | None:
        """Highest load above baseline after the event, W, >= 0; None when not known."""
        above = [-i.delivered_w for i in self.after if i.delivered_w is not None]
        return max(0.0, *above) if above else None

    @property
    def rebound_wh(self) -> float | None:
        """Energy above baseline after the event, Wh, >= 0: what is below makes up for nothing."""
        known = [(i.interval, i.delivered_w) for i in self.after if i.delivered_w is not None]
        return fsum(energy_wh(max(0.0, -w), _length(i)) for i, w in known) if known else None

    @property
    def coverage(self) -> float:
        """Share of the event with measured data, 0-1."""
        return _weighted((i.interval, i.coverage) for i in self.during) or 0.0

    @property
    def missing(self) -> tuple[Interval, ...]:
        """Intervals of the event for which delivery is not known."""
        return tuple(i.interval for i in self.during if i.delivered_w is None)

    @property
    def estimated_intervals(self) -> int:
        """Intervals judged on part of their data, or not at all."""
        return sum(not one.measured for one in self.during)


def measure(
    *,
    event: Interval,
    resolution: timedelta,
    observe_after: timedelta,
    baseline: StepSeries,
    actual: StepSeries,
    asked: StepSeries,
    export: ExportRule = ExportRule.COUNTED,
) -> Performance:
    """One site's delivery in intervals of `resolution` from the event's start.

    Raises:
        ValueError: the event is open-ended.
    """
    if event.end is None:
        raise ValueError("an open-ended event has no performance yet")
    given = tuple(Sampler(series) for series in (baseline, actual, asked))
    watched = pieces(Interval.lasting(event.end, observe_after), resolution)
    during, after = (_judged(bins, given, export) for bins in (pieces(event, resolution), watched))
    return Performance(during=during, after=after)


def _judged(
    bins: tuple[Interval, ...], given: Sequence[Sampler], export: ExportRule
) -> tuple[IntervalPerformance, ...]:
    """`given`: baseline, measured load and reduction asked."""
    grid = grid_of(bins)
    base, drawn, wanted = (sampler.table(grid) for sampler in given)
    drawn = metered_table(*drawn, export)
    columns = (column.tolist() for table in (base, drawn, wanted) for column in table)
    return tuple(map(_judge, bins, *columns))


def portfolio(sites: Sequence[Performance], target: StepSeries) -> Performance:
    """The sum over sites that were measured, against what the portfolio was asked.

    A site without data in an interval delivers nothing there (no credit without proof); then
    baseline and actual of the whole are unknown, and the coverage says how much was measured.
    """
    measured = [site for site in sites if site.coverage > 0]
    return Performance(
        during=_summed([s.during for s in sites], [s.during for s in measured], target),
        after=_summed([s.after for s in sites], [s.after for s in measured], StepSeries()),
    )


def _judge(
    interval: Interval,
    baseline_w: float,
    _baseline_share: float,
    actual_w: float,
    coverage: float,
    asked_w: float,
    asked_share: float,
) -> IntervalPerformance:
    """Unknown means come as NaN."""
    measured = coverage >= MIN_INTERVAL_COVERAGE and not isnan(actual_w)
    expected = not isnan(baseline_w)
    return IntervalPerformance(
        interval=interval,
        baseline_w=baseline_w if expected else None,
        actual_w=actual_w if measured else None,
        asked_w=0.0 if isnan(asked_w) else asked_w * asked_share,
        asked_share=asked_share,
        delivered_w=baseline_w - actual_w if measured and expected else None,
        coverage=coverage,
    )


def _summed(
    everyone: Sequence[tuple[IntervalPerformance, ...]],
    measured: Sequence[tuple[IntervalPerformance, ...]],
    target: StepSeries,
) -> tuple[IntervalPerformance, ...]:
    bins = [row.interval for row in everyone[0]] if everyone else []
    asked = Sampler(target).means(bins)
    return tuple(
        IntervalPerformance(
            interval=interval,
            baseline_w=_sum_of_all([rows[k].baseline_w for rows in measured]),
            actual_w=_sum_of_all([rows[k].actual_w for rows in measured]),
            asked_w=(asked[k].value or 0.0) * asked[k].coverage,
            asked_share=asked[k].coverage,
            delivered_w=_sum_of_known([rows[k].delivered_w for rows in measured]),
            coverage=fsum(rows[k].coverage for rows in everyone) / len(everyone),
        )
        for k, interval in enumerate(bins)
    )


def _sum_of_all(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fsum(known) if known and len(known) == len(values) else None


def _sum_of_known(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fsum(known) if known else None


def _weighted(pairs: Iterable[tuple[Interval, float | None]]) -> float | None:
    known = [(value, _length(i).total_seconds()) for i, value in pairs if value is not None]
    seconds = fsum(s for _, s in known)
    return fsum(value * s for value, s in known) / seconds if seconds > 0 else None


def _length(interval: Interval) -> timedelta:
    return interval.duration or timedelta(0)
