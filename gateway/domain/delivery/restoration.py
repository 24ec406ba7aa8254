"""The way back after an event: sites return one after another, so that the load does not snap back.

What was put off is drawn afterwards, and all at once if nobody sees to it: the rebound of an event
can be the day's new peak. Each site's import limit rises in steps of a minute from what it held to
what it may want then, and is gone at the end; the sum of all rises in any minute stays under a cap,
in the portfolio and in every network group. The steps are told in advance, together with the event,
so they hold when the link is cut.

::

    site a   held ____/------ free
    site b   held ________/------ free
    site c   held ____________/------ free
             event's end      <= longest
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

import numpy as np
from numpy.typing import NDArray

from contracts.series import StepSeries
from contracts.time import Interval

STEP = timedelta(minutes=1)
_WIDER = 1.25
_SLACK = 1.0 + 1e-9
_NOTHING_W = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorationRules:
    """How fast the load may come back."""

    cap_share: float = 0.03
    """Most the load may rise a minute, as a part of the baseline of the sites that return; > 0."""
    cap_w: float | None = None
    """The same in W a minute, for the portfolio, when it is known; > 0."""
    group_caps_w: Mapping[str, float] = field(default_factory=dict)
    """W a minute by network group, each > 0."""
    longest: timedelta = timedelta(minutes=15)
    """Every site is free so long after the end; where the caps do not allow that, they are raised
    and that is told."""
    rebound_share: float = 0.30
    """A site may want this part of its reduction beyond its baseline, at first."""
    ramp: timedelta = timedelta(minutes=2)
    """Shortest time in which a single site returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Returning:
    """One site at the end of an event."""

    site_id: str
    held_w: float
    """The import limit it held last, W."""
    full_w: float
    """What it may want when it is free, W; >= `held_w`, else it is free at once."""
    baseline_w: float
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """Limits after the end, by site, for those that are not free at once."""

    limits: Mapping[str, StepSeries]
    ends_at: datetime
    """When the last site is free."""
    cap_w: float
    """What the portfolio's load rises a minute at most."""
    raised: float = 1.0
    """By how much the caps had to be raised to end in time; 1: not at all."""


def returning(
    site_id: str,
    held_w: float,
    baseline_w: float,
    most_w: float,
    groups: frozenset[str],
    rules: RestorationRules,
) -> Returning:
    """A site that held `held_w` where `baseline_w` was expected and may import `most_w`, W."""
    rebound_w = rules.rebound_share * max(0.0, baseline_w - held_w)
    full_w = min(max(most_w, baseline_w), baseline_w + rebound_w)
    return Returning(
        site_id=site_id, held_w=held_w, full_w=full_w, baseline_w=baseline_w, groups=groups
    )


def restoration(sites: Sequence[Returning], end: datetime, rules: RestorationRules) -> Restoration:
    """The way back from `end` on.

    Largest first, each as early as the caps leave room for its ramp. Caps too tight
    for all to be free within `rules.longest` are raised, all alike, until they are.
    """
    rising = sorted(
        (s for s in sites if s.full_w - s.held_w > _NOTHING_W),
        key=lambda s: (s.held_w - s.full_w, s.site_id),
    )
    cap_w = rules.cap_w or rules.cap_share * sum(max(0.0, s.baseline_w) for s in sites)
    if not rising or cap_w <= 0:
        return Restoration(limits={}, ends_at=end, cap_w=cap_w)
    raised = _least_raise(rising, rules, cap_w)
    while (starts := _placed(rising, rules, cap_w, raised)) is None:
        raised *= _WIDER
    limits = {
        site.site_id: _limits(site, end, first, minutes)
        for site, (first, minutes) in zip(rising, starts, strict=True)
    }
    last = max(first + minutes - 1 for first, minutes in starts)
    return Restoration(
        limits=limits, ends_at=end + last * STEP, cap_w=raised * cap_w, raised=raised
    )


def rises(one: Restoration, sites: Sequence[Returning], end: datetime) -> NDArray[np.float64]:
    """By how much the limits of these sites rise together, minute by minute from `end`, W.

    The first is the rise at the end itself; a site that becomes free counts with what it may want.
    """
    count = round((one.ends_at - end) / STEP) + 1
    levels = np.zeros(count + 1)
    for site in sites:
        series = one.limits.get(site.site_id, StepSeries())
        free_w = max(site.held_w, site.full_w)
        found = [series.value_at(end + k * STEP) for k in range(count)]
        levels += [site.held_w, *(free_w if w is None else w for w in found)]
    return np.diff(levels)


def _least_raise(sites: Sequence[Returning], rules: RestorationRules, cap_w: float) -> float:
    """Without so much nobody can place them all: each cap times the minutes there are."""
    count = _minutes(rules)
    need = sum(s.full_w - s.held_w for s in sites) / (cap_w * count)
    for group, group_w in rules.group_caps_w.items():
        rise_w = sum(s.full_w - s.held_w for s in sites if group in s.groups)
        need = max(need, rise_w / (group_w * count))
    return max(1.0, need)


def _placed(
    sites: Sequence[Returning], rules: RestorationRules, cap_w: float, raised: float
) -> list[tuple[int, int]] | None:
    """First minute and length of every site's ramp; None: they do not all fit.

    Sites under the same caps are placed no earlier than the one before, so that ten thousand take
    a fraction of a second.
    """
    count = _minutes(rules)
    shortest = min(count, max(1, round(rules.ramp / STEP)))
    caps: dict[str | None, float] = {g: w * raised for g, w in rules.group_caps_w.items()}
    caps[None] = cap_w * raised
    room = {group: [w] * count for group, w in caps.items()}
    begun: dict[frozenset[str], int] = {}
    found: list[tuple[int, int]] = []
    for site in sites:
        bound = frozenset(g for g in site.groups if g in caps)
        own = [room[None], *(room[g] for g in bound)]
        rise_w = site.full_w - site.held_w
        tightest_w = min([caps[None], *(caps[g] for g in bound)])
        minutes = max(shortest, ceil(rise_w / (tightest_w * _SLACK)))
        first = _first_fit(own, rise_w / minutes, minutes, begun.get(bound, 0))
        if first is None:
            return None
        begun[bound] = first
        for left in own:
            for minute in range(first, first + minutes):
                left[minute] -= rise_w / minutes
        found.append((first, minutes))
    return found


def _first_fit(
    rooms: Sequence[Sequence[float]], rate_w: float, minutes: int, earliest: int
) -> int | None:
    """The first minute from which every cap leaves room for this rate for so many minutes."""
    least_w = rate_w / _SLACK - 1e-6
    for first in range(earliest, len(rooms[0]) - minutes + 1):
        if all(left[m] >= least_w for left in rooms for m in range(first, first + minutes)):
            return first
    return None


def _minutes(rules: RestorationRules) -> int:
    return max(1, round(rules.longest / STEP))


def _limits(site: Returning, end: datetime, first: int, minutes: int) -> StepSeries:
    """Held until `first`, then up in equal steps; the last step is freedom itself."""
    return StepSeries.of(_rising(site, end, first, minutes))


def _rising(
    site: Returning, end: datetime, first: int, minutes: int
) -> Iterator[tuple[Interval, float]]:
    start = end + first * STEP
    yield Interval(start=end, end=start), site.held_w
    step_w = (site.full_w - site.held_w) / minutes
    for k in range(1, minutes):
        begins = start + (k - 1) * STEP
        yield Interval.lasting(begins, STEP), site.held_w + k * step_w
