"""Times in files of meter data: with an offset, or on the wall of the site.

On the wall an hour is left out when clocks go forward and one happens twice when they go back
(PEP 495); neither is guessed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_FIRST_YEAR, _LAST_YEAR = 1990, 2100


def instant(text: str, zone: ZoneInfo) -> datetime:
    """An ISO 8601 time as UTC; without an offset it is on the wall of `zone`.

    Raises:
        ValueError: it is no time, or on the wall it never was or was twice.
    """
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(
            f"{text[:40]!r} is no time: write 2026-10-25T02:15, or with an offset 02:15+02:00"
        ) from error
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise ValueError(f"{text[:40]!r} is not between {_FIRST_YEAR} and {_LAST_YEAR}")
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    first, second = (at.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first
    if first < second:
        offsets = " or ".join(f"{one.astimezone(zone):%z}" for one in (first, second))
        raise ValueError(f"{at} happens twice in {zone.key}: give the offset, {offsets}")
    raise ValueError(f"{at} does not exist in {zone.key}: clocks go forward over it")
