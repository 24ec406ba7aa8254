"""A baseline method as data: which days or hours stand for the event's, and how they are moved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class BaselineKind(StrEnum):
    """Families of baselines."""

    X_OF_Y = "x_of_y"
    SAME_DAY = "same_day"
    """The mean load of hours before, and maybe after, the event on its own day."""
    MATCH_DAY = "match_day"
    """The days most alike outside of the event's hours."""
    FLAT = "flat"
    """One level for a season, from past peaks."""
    BEFORE_EVENT = "before_event"
    """Meter before, meter after: the load just before the event."""
    DEVICE = "device"
    """The device's own meter, for example of a battery: at rest without the event."""
    CONTROL_GROUP = "control_group"
    """The mean of sites that took no part, scaled to this one."""
    FIRM_LEVEL = "firm_level"
    """Drop to a level: there is no baseline, the level stands in its place."""
    ASSIGNED = "assigned"
    """The operator chooses one for each resource."""
    NONE = "none"


class Adjustment(StrEnum):
    """How a baseline follows the event day's own load outside of the event."""

    NONE = "none"
    RATIO = "ratio"
    ADDITIVE = "additive"


class DayType(StrEnum):
    """Which past days may stand for the event day."""

    ANY = "any"
    SAME = "same"
    """Weekdays for a weekday, weekend days and holidays for one of those."""
    BUSINESS = "business"
    """Weekdays that are no holidays, whatever the event's day is."""
    SAME_WEEKDAY = "same_weekday"
    """Mondays for a Monday; a holiday stands for a holiday alone."""


class Rank(StrEnum):
    """Which X of the Y days are used."""

    HIGHEST = "highest"
    """By mean load over the event's hours."""
    LOWEST = "lowest"
    MIDDLE = "middle"
    """As many of the highest as of the lowest left out; of an odd number one more highest."""
    NEWEST = "newest"


class Anchor(StrEnum):
    """What the adjustment window lies before."""

    START = "start"
    NOTIFICATION = "notification"


class Fallback(StrEnum):
    """What is done when the look-back holds fewer clean days than Y."""

    FEWER_DAYS = "fewer_days"
    """The mean over those there are, down to `min_days`."""
    ANY_DAY_TYPE = "any_day_type"
    """Days of the other type too, down to `min_days`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineMethod:
    """An X-of-Y baseline: the mean of X out of the last Y eligible days, then adjusted.

    Defaults are "10-of-10 type" with a same-day ratio adjustment capped at 20 % over the three
    hours that end one hour before the event (after CAISO's 10-in-10; see docs, not certified).
    The other kinds take of it what they need: SAME_DAY and BEFORE_EVENT the hours `adjust_from` to
    `adjust_until` before (and after) the event; MATCH_DAY the days and `buffer`; CONTROL_GROUP
    `min_days` as the least number of sites; FIRM_LEVEL and FLAT `level_w`.
    """

    name: str = "10-of-10 type"
    y_days: int = 10
    x_days: int = 10
    look_back: timedelta = timedelta(days=45)
    day_type: DayType = DayType.SAME
    min_days: int = 3
    """Fewer usable days than this and there is no baseline."""
    min_coverage: float = 0.9
    """Share of the event window a past day must have data for, 0-1."""
    adjustment: Adjustment = Adjustment.RATIO
    adjust_from: timedelta = timedelta(hours=4)
    """The adjustment window opens this long before the event starts ..."""
    adjust_until: timedelta = timedelta(hours=1)
    """... and closes this long before it."""
    adjust_low: float | None = 0.8
    adjust_high: float | None = 1.2
    """Bounds of the ratio; for ADDITIVE, of the shift relative to the unadjusted mean: 0.8 is up to
    a fifth of it down. None: not bounded."""
    fallbacks: tuple[Fallback, ...] = (Fallback.FEWER_DAYS,)
    """Tried in this order when there are fewer than Y clean days; none: there is no baseline."""
    anchor: Anchor = Anchor.START
    """What the adjustment window lies before, on the event's own day."""
    excludes_holidays: bool = False
    """A holiday stands for no day, not even for another holiday."""
    excluded_programs: tuple[str, ...] = ()
    """Days with events of these leave the baseline also where the site took no part in them."""
    kind: BaselineKind = BaselineKind.X_OF_Y
    rank: Rank = Rank.HIGHEST
    weights: tuple[float, ...] = ()
    """Of the days used, newest first, each > 0; empty: all count alike."""
    after_from: timedelta = timedelta(0)
    """A second window on the event's own day opens this long after the event's end ..."""
    after_until: timedelta = timedelta(0)
    """... and closes this long after it; without length there is none."""
    buffer: timedelta = timedelta(hours=1)
    """MATCH_DAY: this long before and after the event no hour is compared."""
    level_w: float | None = None
    """FIRM_LEVEL, FLAT: the level, W of import."""

    control_sites: tuple[str, ...] = ()
    """CONTROL_GROUP: sites that are compared with, as far as they took no part."""

    @property
    def reads_days(self) -> bool:
        """Whether past days stand for the event's."""
        return self.kind in (BaselineKind.X_OF_Y, BaselineKind.MATCH_DAY)
