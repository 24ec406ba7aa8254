"""Time as the whole system speaks it: aware UTC instants, half-open intervals, clocks as arguments.

`now` is an argument in `domain/` and a `Clock` in `flows/`; nothing else may ask the wall clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


def as_utc(value: datetime) -> datetime:
    """Return `value` in UTC.

    Raises:
        ValueError: the value carries no time zone, so its instant is unknown.
    """
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None or value.utcoffset() is None:
        raise ValueError(f"naive datetime {value.isoformat()}: give a time zone")
    return value.astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """The half-open span `[start, end)`; `end` None means open-ended.

    Raises:
        ValueError: a bound is naive, or `end` lies before `start`.
    """

    start: datetime
    end: datetime | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", as_utc(self.start))
        if self.end is not None:
            object.__setattr__(self, "end", as_utc(self.end))
            if self.end < self.start:
                raise ValueError(f"interval ends before it starts: {self.start} > {self.end}")

    @classmethod
    def lasting(cls, start: datetime, duration: timedelta) -> Interval:
        """The interval of this length from `start`."""
        return cls(start=start, end=start + duration)

    @property
    def duration(self) -> timedelta | None:
        """Length, or None when open-ended."""
        return None if self.end is None else self.end - self.start

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant and (self.end is None or instant < self.end)

    def overlaps(self, other: Interval) -> bool:
        """Whether some instant lies in both."""
        start = max(self.start, other.start)
        return all(end is None or end > start for end in (self.end, other.end))

    def intersection(self, other: Interval) -> Interval | None:
        """The common span, or None when there is none of positive length."""
        start = max(self.start, other.start)
        ends = [end for end in (self.end, other.end) if end is not None]
        end = min(ends) if ends else None
        if end is not None and end <= start:
            return None
        return Interval(start=start, end=end)

    def split(self, step: timedelta) -> Iterator[Interval]:
        """Consecutive pieces of length `step`; the last one may be shorter.

        Raises:
            ValueError: the interval is open-ended or `step` is not positive.
        """
        if self.end is None or step <= timedelta(0):
            raise ValueError("only a closed interval can be split, in positive steps")
        start = self.start
        while start < self.end:
            end = min(start + step, self.end)
            yield Interval(start=start, end=end)
            start = end


class Clock(Protocol):
    """The only way a flow or an adapter learns the time or waits for it."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards, for ages and leases."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait at least this long (0 yields to other tasks)."""
        ...
