"""Several words on the price of the same time: which one holds.

Of one source the newest word holds. Of several sources the first in the site's list that names a
price at that instant holds; where none does there is a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.time import Interval
from gateway.domain.price.timeline import (
    PriceStep,
    PriceTimeline,
    Quality,
    shared_currency,
    uncovered,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What a source says about one window: its prices there, and that it names no others."""

    window: Interval
    prices: PriceTimeline
    whole: bool = False
    """What is not named is withdrawn (a cancelled event, a line taken out of a file), not late."""


def renewed(known: PriceTimeline | None, said: Publication) -> PriceTimeline:
    """A source's prices after it has spoken again.

    Inside the window its new word holds; what it named there before and does not name now is kept
    as carried over, or gone if the word is whole. Outside the window all stays. A change of area
    or currency starts afresh.
    """
    new = said.prices.clip(said.window)
    if known is None or (known.area, known.currency) != (new.area, new.currency):
        return new
    kept = [*_outside(known.steps, said.window)]
    for gap in () if said.whole else uncovered(said.window, new.steps):
        for one in known.clip(gap):
            firm = one.quality is Quality.PUBLISHED
            kept.append(replace(one, quality=Quality.CARRIED_OVER) if firm else one)
    return PriceTimeline.of(new.area, new.currency, [*_same(known, new.steps), *kept])


def by_precedence(area: str, timelines: Sequence[PriceTimeline], window: Interval) -> PriceTimeline:
    """The prices that hold in a closed window: of the first timeline that has one there.

    Raises:
        ValueError: the timelines have several currencies.
    """
    currency = shared_currency(timelines) or ""
    found: list[PriceStep] = []
    gaps: tuple[Interval, ...] = (window,)
    for timeline in timelines:
        for gap in gaps:
            found += timeline.clip(gap).steps
        gaps = PriceTimeline.of(area, currency, found).gaps(window)
    return PriceTimeline.of(area, currency, found)


def forgotten(timeline: PriceTimeline, before: datetime) -> PriceTimeline:
    """The same without steps that ended before an instant."""
    return replace(timeline, steps=tuple(one for one in timeline.steps if one.end > before))


def _outside(steps: Iterable[PriceStep], window: Interval) -> Iterable[PriceStep]:
    before = Interval(start=datetime.min.replace(tzinfo=window.start.tzinfo), end=window.start)
    after = None if window.end is None else Interval(start=window.end, end=None)
    for step in steps:
        for side in (before, after):
            part = None if side is None else step.within(side)
            if part is not None:
                yield part


def _same(known: PriceTimeline, new: Iterable[PriceStep]) -> Iterable[PriceStep]:
    """The new steps; one that says what was known before keeps its age, so that nothing is news."""
    before = {one.interval: one for one in known.steps}
    for one in new:
        old = before.get(one.interval)
        same = old is not None and (old.per_kwh, old.quality) == (one.per_kwh, one.quality)
        yield old if same and old is not None else one
