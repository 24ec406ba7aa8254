"""What is to be said of the meter data that a result rests on: missing, not valid, estimated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.reading import Quality
from contracts.time import Interval
from gateway.domain.metering.gaps import aligned
from gateway.domain.metering.interval import MeterInterval


class Remarkable(StrEnum):
    """What an interval is."""

    MISSING = "missing"
    NOT_VALID = "not valid"
    ESTIMATED = "estimated"
    NOTED = "noteworthy"
    CORRECTED = "corrected"

    @property
    def counts(self) -> bool:
        """Whether its value is used all the same."""
        return self not in (Remarkable.MISSING, Remarkable.NOT_VALID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An interval as it is known, and how many times it had been said before."""

    told: MeterInterval
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A stretch of intervals of which the same is to be said."""

    what: Remarkable
    reason: str
    window: Interval
    intervals: int


def remarks(
    known: Mapping[datetime, Known], window: Interval, length: timedelta
) -> Iterator[Remark]:
    """Of every interval that touches a closed window; `known` by its start.

    Raises:
        ValueError: the window is open-ended.
    """
    last: Remark | None = None
    for piece in touching(window, length):
        found = _of(known.get(piece.start), piece)
        if found and last and _same(last, found):
            joined = Interval(start=last.window.start, end=found.window.end)
            last = replace(last, window=joined, intervals=last.intervals + 1)
            continue
        if last is not None:
            yield last
        last = found
    if last is not None:
        yield last


def touching(window: Interval, length: timedelta) -> Iterator[Interval]:
    """The whole meter intervals that have something in common with a closed window.

    They begin on multiples of their length since midnight UTC.
    """
    begins = aligned(window.start, length)
    for piece in Interval(start=begins, end=window.end).split(length):
        yield Interval.lasting(piece.start, length)


def _of(known: Known | None, piece: Interval) -> Remark | None:
    if known is None:
        return _remark(Remarkable.MISSING, "nothing was delivered", piece)
    told = known.told
    if not told.counts:
        return _remark(Remarkable.NOT_VALID, told.reason or "its source says so", piece)
    if told.quality is Quality.ESTIMATED:
        return _remark(Remarkable.ESTIMATED, told.reason or "its source says so", piece)
    if told.reason:
        return _remark(Remarkable.NOTED, told.reason, piece)
    if known.version > 1:
        return _remark(Remarkable.CORRECTED, f"version {known.version} of it counts", piece)
    return None


def _remark(what: Remarkable, reason: str, window: Interval) -> Remark:
    return Remark(what=what, reason=reason, window=window, intervals=1)


def _same(last: Remark, found: Remark) -> bool:
    return (last.what, last.reason, last.window.end) == (
        found.what,
        found.reason,
        found.window.start,
    )
