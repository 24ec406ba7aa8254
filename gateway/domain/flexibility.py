"""What each site can give, as dispatch sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from math import inf

from contracts.reading import Reading
from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.curves import pointwise
from gateway.domain.words import span


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedSlot:
    """What a site has told for one interval; each stands alone, powers are magnitudes, W >= 0."""

    interval: Interval
    expected_w: float
    """Import it expects without a further request."""
    down_w: float
    """By how much it can lower that, as likely more as less."""
    sure_w: float
    """The same in nine cases of ten, <= `down_w`."""
    lasts: timedelta
    """How long it can hold that."""
    again_at: datetime | None = None
    """When the same could be asked again."""

    @property
    def floor_w(self) -> float:
        """The lowest import it can hold."""
        return self.expected_w - self.down_w


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteOffer:
    """A site's newest offer."""

    at: datetime
    slots: tuple[OfferedSlot, ...]
    ramp_w_per_min: float = inf
    """How fast the import falls."""

    def within(self, window: Interval) -> tuple[OfferedSlot, ...]:
        """Slots that touch a window."""
        return tuple(slot for slot in self.slots if slot.interval.overlaps(window))


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFlexibility:
    """One site's expected import without an event and the reduction it offers."""

    site_id: str
    baseline: StepSeries
    """Expected import over the event, W; the same baseline the event is settled on."""
    down_w: float
    """Reduction offered against the baseline, W, >= 0; never ask for more."""
    as_of: datetime | None
    """When the site last said so; None when it never did."""
    available: bool
    """False when the site is offline, opted out or otherwise not to be counted on."""
    reason: str = ""
    """Why it is not available, or what to know about the offer or the baseline."""
    floor_w: float | None = None
    """Lowest import the site says it can hold, W; no limit below it is worth sending."""
    slots: tuple[OfferedSlot, ...] = ()
    """Interval by interval; nothing is asked outside them. Empty: `down_w` and `floor_w` hold at
    all times."""
    ramp_w_per_min: float = inf
    zone: tzinfo = UTC
    """Its owner's, for times in causes."""

    def against(self, baseline: StepSeries) -> SiteFlexibility:
        """The same lowest load, counted from a lower baseline: never more than before."""
        slots = self.slots
        most_w = _most_w(baseline, slots) if slots else _against(baseline, self.floor_w)
        return replace(self, baseline=baseline, down_w=min(self.down_w, most_w))


def offer(
    site_id: str,
    *,
    baseline: StepSeries,
    note: str,
    power: Reading | None,
    flex_down: Reading | None,
    now: datetime,
    max_age: timedelta,
    blocked: str = "",
    told: SiteOffer | None = None,
    zone: tzinfo = UTC,
) -> SiteFlexibility:
    """What a site offers against its baseline, from its newest words.

    A site says how far it could go below its *present* load, or with `told` below the load it
    expects in each interval. What counts for delivery is how far that lies below the *baseline*: so
    the offer stays the same while the site obeys an instruction, and falls when the load it could
    shed has gone. `note` says what to know about the baseline; `blocked` why the site is out
    whatever it says; `told`: None when it has told none that is still good.
    """
    power_w = power.fresh(now, max_age) if power else None
    down_w = flex_down.fresh(now, max_age) if flex_down else None
    why_not = blocked or _why_not(baseline, note, power, power_w, down_w, now)
    slots = told.slots if told else ()
    floor_w = None if slots or power_w is None or down_w is None else power_w - max(0.0, down_w)
    return SiteFlexibility(
        site_id=site_id,
        baseline=baseline,
        down_w=_most_w(baseline, slots) if slots else _against(baseline, floor_w),
        as_of=power.at if power else None,
        available=not why_not,
        reason=why_not or note,
        floor_w=floor_w,
        slots=slots,
        ramp_w_per_min=told.ramp_w_per_min if told else inf,
        zone=zone,
    )


def _against(baseline: StepSeries, floor_w: float | None) -> float:
    highest_w = max((step.value for step in baseline), default=0.0)
    return 0.0 if floor_w is None else max(0.0, highest_w - floor_w)


def _most_w(baseline: StepSeries, slots: Sequence[OfferedSlot]) -> float:
    """The largest reduction against the baseline in any slot."""
    floors = StepSeries.of((slot.interval, slot.floor_w) for slot in slots)
    below = pointwise(lambda pair: pair[0] - pair[1], (baseline, floors))
    return max(0.0, *(step.value for step in below), 0.0)


def _why_not(
    baseline: StepSeries,
    note: str,
    power: Reading | None,
    power_w: float | None,
    down_w: float | None,
    now: datetime,
) -> str:
    if power is None:
        return "it has never reported its load"
    if power_w is None:
        return f"no usable load value (the newest is {span(now - power.at)} old)"
    if down_w is None:
        return "it does not say how far it can go down"
    return "" if len(baseline) else f"no baseline: {note}"
