"""A month of a site, on the wall clock of its tariff."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from contracts.time import Interval

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_YEARS = (1971, 9998)
_DECEMBER = 12


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Month:
    """A calendar month."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """From `2026-10`.

        Raises:
            ValueError: it is none.
        """
        found = _MONTH.fullmatch(text)
        if found is None or not _YEARS[0] <= int(found[1]) <= _YEARS[1]:
            raise ValueError(f"{text[:20]!r} is no month: write year and month, such as 2026-10")
        return cls(year=int(found[1]), month=int(found[2]))

    @classmethod
    def of(cls, at: datetime, zone: ZoneInfo) -> Month:
        """The one an instant lies in."""
        local = at.astimezone(zone)
        return cls(year=local.year, month=local.month)

    def __str__(self) -> str:
        return f"{self.year}-{self.month:02d}"

    def following(self) -> Month:
        """The next one."""
        if self.month == _DECEMBER:
            return Month(year=self.year + 1, month=1)
        return Month(year=self.year, month=self.month + 1)

    def window(self, zone: ZoneInfo, billing_day: int = 1) -> Interval:
        """From local midnight of its billing day (1-28) to that of the next month's.

        By the wall clock: in a month in which clocks are set it has an hour less or more.
        """
        after = self.following()
        first = date(self.year, self.month, billing_day)
        last = date(after.year, after.month, billing_day)
        start, end = (datetime.combine(day, time(), tzinfo=zone) for day in (first, last))
        return Interval(start=start.astimezone(UTC), end=end.astimezone(UTC))
