"""A site's history seen day by day at the same local time of day, over clock changes too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, timedelta
from math import fsum
from zoneinfo import ZoneInfo

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.curves import Mean, Sampler
from gateway.domain.measure.metering import metered
from gateway.domain.program.measuring import ExportRule

_HALF = 0.5  # an interval of a past day counts when at least half of it was measured
_SATURDAY = 5


class PastDays:
    """Means of past days, named by how many days they lie before the event's local day."""

    def __init__(
        self,
        history: StepSeries,
        zone: ZoneInfo,
        event: Interval,
        export: ExportRule = ExportRule.COUNTED,
    ) -> None:
        self.zone = zone
        self._export = export
        self.event_day = event.start.astimezone(zone).date()
        self._sampler = Sampler(history)

    def day(self, back: int) -> date:
        """The local date of the day this far back."""
        return self.event_day - timedelta(days=back)

    def means(self, bins: Sequence[Interval], back: int) -> tuple[Mean, ...]:
        """The means of one past day over intervals given on the event day."""
        past = [days_back(interval, back, self.zone) for interval in bins]
        return tuple(metered(mean, self._export) for mean in self._sampler.means(past))

    def mean_of(self, days: Sequence[int], bins: Sequence[Interval]) -> tuple[float | None, ...]:
        """Per interval, the mean over those of the days that were measured then."""
        table = [self.means(bins, back) for back in days]
        return tuple(
            mean([m.value for m in column if m.value is not None and m.coverage >= _HALF])
            for column in zip(*table, strict=True)
        )

    def bytes_between(self, window: Interval) -> bytes:
        """The history inside a window, for hashing."""
        return self._sampler.bytes_between(window)


def days_back(interval: Interval, days: int, zone: ZoneInfo) -> Interval:
    """The same local time of day on an earlier day, and as long as the original.

    A local time that a clock change leaves out counts by the offset of the original's `fold` (PEP
    495); of a local time that happens twice, the same one of the two as in the original.
    """
    local = interval.start.astimezone(zone)
    naive = local.replace(tzinfo=None) - timedelta(days=days)
    start = naive.replace(tzinfo=zone, fold=local.fold).astimezone(UTC)
    end = None if interval.end is None else start + (interval.end - interval.start)
    return Interval(start=start, end=end)


def local_days(event: Interval, zone: ZoneInfo) -> frozenset[date]:
    """Every local date an event touches; an open-ended event counts for its first day."""
    first = event.start.astimezone(zone).date()
    last_instant = (event.end or event.start) - timedelta(microseconds=1)
    count = (last_instant.astimezone(zone).date() - first).days
    return frozenset(first + timedelta(days=n) for n in range(max(0, count) + 1))


def is_off(day: date, holidays: frozenset[date]) -> bool:
    """Whether a day is a weekend day or a holiday."""
    return day.weekday() >= _SATURDAY or day in holidays


def mean(values: Sequence[float]) -> float | None:
    """Plain mean, exact in its sum; None of nothing."""
    return fsum(values) / len(values) if values else None
