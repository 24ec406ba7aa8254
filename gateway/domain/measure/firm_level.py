"""Promises without a day-by-day baseline: a firm service level, and the mean of a season.

BIP (operator's pages, undated) charges energy over the level, SCR (third party, undated) measures
the drop from a flat baseline; netting within a span is a parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import groupby

from contracts.time import Interval
from gateway.domain.measure.blocks import ZERO
from gateway.domain.measure.factor import ONE, EventResult, weighted
from gateway.domain.measure.rows import Row, seconds_of
from gateway.domain.program.performing import Absent, Mean

Load = tuple[Interval, Decimal | None]
"""A meter interval and the load in kW over it; None: not measured."""


def over_level(loads: Iterable[Load], level_kw: Decimal, netting: timedelta | None) -> Decimal:
    """Energy above a firm service level, kW s.

    Within a netting span, counted from the first interval, load under the level makes up for load
    over it; without one every interval stands for itself. What is not measured is not over it.
    """
    known = sorted(
        ((when, load) for when, load in loads if load is not None), key=lambda one: one[0].start
    )
    if not known:
        return ZERO
    first = known[0][0].start

    def span_of(one: tuple[Interval, Decimal]) -> object:
        return one[0].start if netting is None else (one[0].start - first) // netting

    spans = (list(group) for _, group in groupby(known, key=span_of))
    return sum((max(ZERO, _over(span, level_kw)) for span in spans), ZERO)


def level_rows(loads: Iterable[Load], level_kw: Decimal, reference_kw: Decimal) -> tuple[Row, ...]:
    """A drop from a flat baseline: promised is the way down to the level, delivered what was gone.

    Raises:
        ValueError: the level lies above the baseline.
    """
    if level_kw > reference_kw:
        raise ValueError(f"a level of {level_kw} kW lies above the baseline of {reference_kw} kW")
    return tuple(
        Row(
            interval=when,
            committed_kw=reference_kw - level_kw,
            delivered_kw=None if load is None else reference_kw - load,
        )
        for when, load in loads
    )


def flat_baseline(
    system_loads: Sequence[tuple[Decimal, Decimal]], hours: int, loads: int
) -> Decimal:
    """Mean of the site's `loads` highest among the system's `hours` highest.

    `system_loads` are pairs of system and site load in the same hour; of system loads alike the
    site's higher one counts. SCR: 20 among 40 of last year's like season (third party, undated).

    Raises:
        ValueError: there are fewer hours than that.
    """
    if len(system_loads) < max(hours, loads):
        raise ValueError(f"{max(hours, loads)} hours needed, {len(system_loads)} known")
    top = sorted(system_loads, reverse=True)[:hours]
    highest = sorted((site for _, site in top), reverse=True)[:loads]
    return sum(highest, ZERO) / len(highest)


def season_mean_kw(
    results: Iterable[EventResult], weighting: Mean, missed: Absent
) -> Decimal | None:
    """Mean kW over a season's events; None when there was none to go by.

    `ALL_HOURS` weighs every hour alike, else every event. An event opted out of, or in which
    nothing was measured, is missed: zero, or no part of the mean.
    """
    events = sorted(results, key=lambda one: (one.window.start, one.event_key))
    if missed is not Absent.ZERO:
        events = [one for one in events if not _missed(one)]
    by_time = weighting is Mean.ALL_HOURS
    return weighted(
        (ZERO if _missed(one) else one.mean_kw, seconds_of(one.window) if by_time else ONE)
        for one in events
    )


def _missed(one: EventResult) -> bool:
    return one.opted_out or one.ratio is None


def _over(span: Sequence[tuple[Interval, Decimal]], level_kw: Decimal) -> Decimal:
    return sum(((load - level_kw) * seconds_of(when) for when, load in span), ZERO)
