"""Is this method fair here? Events that never were, on days that had none: what it says of them.

On a day without an event a baseline should be the load itself. Its mean error (bias) says who would
be paid for nothing, its scatter how much of a delivery is noise. AEMO asks for both before a meter
may join (its limits, 20 % and 4 %, are from memory).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from math import fsum, sqrt
from zoneinfo import ZoneInfo

from contracts.time import Interval
from gateway.domain.curves import Grid, Sampler
from gateway.domain.measure.baseline import BaselineInputs, run_on
from gateway.domain.measure.baseline_run import BaselineRun
from gateway.domain.measure.metering import Numbers, metered_table
from gateway.domain.measure.past_days import local_days
from gateway.domain.words import pct

LONGEST_LOOK = 400
"""No pretended event lies further back than so many days."""
_WHOLE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceboDay:
    """One day on which an event was pretended."""

    day: date
    window: Interval
    reason: str = ""
    """Why it could not be judged; empty when it was."""
    baseline_w: tuple[float, ...] = ()
    actual_w: tuple[float, ...] = ()
    """Both for the intervals that are known of both."""

    @property
    def judged(self) -> bool:
        """Whether it says anything."""
        return not self.reason

    @property
    def bias_w(self) -> float | None:
        """Mean of baseline less load, W: what would have been paid for nothing."""
        pairs = zip(self.baseline_w, self.actual_w, strict=True)
        return fsum(b - a for b, a in pairs) / len(self.actual_w) if self.judged else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairness:
    """A method at one site. Shares are of the mean load; None while no day could be judged."""

    method: str
    days: tuple[PlaceboDay, ...]
    """Newest first."""

    @property
    def judged(self) -> int:
        """How many days it rests on."""
        return sum(one.judged for one in self.days)

    @property
    def intervals(self) -> int:
        """How many intervals it rests on."""
        return len(self._errors)

    @property
    def bias(self) -> float | None:
        """Sum of baseline less load over the sum of load; positive: deliveries are overstated."""
        return self._share(fsum(self._errors) / max(1, self.intervals))

    @property
    def cvrmse(self) -> float | None:
        """Root of the mean squared error over the mean load.

        As ASHRAE Guideline 14's CV(RMSE), without its correction for a number of parameters.
        """
        return self._share(sqrt(fsum(e * e for e in self._errors) / max(1, self.intervals)))

    @property
    def mape(self) -> float | None:
        """Mean of the relative errors, of intervals with any load."""
        shares = [abs(b - a) / abs(a) for b, a in self._pairs if a]
        return fsum(shares) / len(shares) if shares else None

    @property
    def over_share(self) -> float | None:
        """Share of intervals in which the baseline lay above the load, 0-1."""
        return self._part(e > 0 for e in self._errors)

    @property
    def under_share(self) -> float | None:
        """Share of intervals in which it lay below, 0-1."""
        return self._part(e < 0 for e in self._errors)

    @property
    def _pairs(self) -> list[tuple[float, float]]:
        return [
            pair for one in self.days for pair in zip(one.baseline_w, one.actual_w, strict=True)
        ]

    @property
    def _errors(self) -> list[float]:
        return [b - a for b, a in self._pairs]

    def _share(self, error_w: float) -> float | None:
        loads = [abs(a) for _, a in self._pairs]
        mean_w = fsum(loads) / len(loads) if loads else 0.0
        return error_w / mean_w if mean_w else None

    def _part(self, which: Iterator[bool]) -> float | None:
        return sum(which) / self.intervals if self.intervals else None


def placebo_windows(
    start: time,
    duration: timedelta,
    zone: ZoneInfo,
    last: date,
    days: int,
    off: Callable[[date], bool] = lambda _: False,
) -> tuple[Interval, ...]:
    """The pretended event at the same local time on each of the last days, newest first.

    Days that are `off` (nobody would call then) are not among them, and count as none.

    Raises:
        ValueError: it would be shorter than nothing or longer than a day.
    """
    if not timedelta(0) < duration <= timedelta(days=1):
        raise ValueError("a pretended event lasts between nothing and 24 h")
    every = (last - timedelta(days=n) for n in range(LONGEST_LOOK))
    wanted = islice((day for day in every if not off(day)), days)
    begins = (datetime.combine(day, start, zone).astimezone(UTC) for day in wanted)
    return tuple(Interval.lasting(at, duration) for at in begins)


def fairness(inputs: BaselineInputs, windows: Sequence[Interval]) -> Fairness:
    """The method of `inputs`, tried on events that never were.

    `inputs` names the site's history, real events and holidays; its own event is of no matter. A
    day is judged when no event touched it, all of the window was measured, and there is a baseline.
    """
    sampler = Sampler(inputs.history)
    unusual = frozenset[date]().union(*(local_days(e, inputs.zone) for e in inputs.other_events))
    return Fairness(
        method=inputs.method.name,
        days=tuple(_tried(inputs, sampler, window, unusual) for window in windows),
    )


def _tried(
    inputs: BaselineInputs, sampler: Sampler, window: Interval, unusual: frozenset[date]
) -> PlaceboDay:
    day = window.start.astimezone(inputs.zone).date()
    if local_days(window, inputs.zone) & unusual:
        return PlaceboDay(day=day, window=window, reason="day of an event")
    bins = tuple(window.split(inputs.resolution))
    values, coverage = metered_table(*sampler.table(Grid(bins)), inputs.export)
    share = float(coverage.mean())
    if share < _WHOLE:
        said = f"measured for only {pct(share)} of the hours" if share else "no data"
        return PlaceboDay(day=day, window=window, reason=said)
    run = run_on(replace(inputs, event=window, span=window, notified=None, moved=()), sampler)
    if run.problem or run.gaps:
        reason = run.problem or "the baseline has gaps"
        return PlaceboDay(day=day, window=window, reason=reason)
    return _judged(day, window, run, values)


def _judged(day: date, window: Interval, run: BaselineRun, values: Numbers) -> PlaceboDay:
    return PlaceboDay(
        day=day,
        window=window,
        baseline_w=tuple(step.value for step in run.series),
        actual_w=tuple(values.tolist()),
    )
