"""When which intervals of a report are due. Pure: the time is an argument."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from contracts.openadr.payloads import ReportSpecifier, ReportWindow
from contracts.time import Interval
from gateway.utility.openadr.reports.offer import HISTORY_SPAN, HISTORY_STEP, Offering

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_NEVER_ENDS = timedelta(days=20 * 365)
"""A window at least this long has no end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Intervals of `granularity` laid end to end from `begin`, handed over each `back`.

    Intervals begin on multiples of the granularity since 1970 (so that 15 minutes begin at :00,
    :15, :30, :45), or at the start of the window the VTN named. Only the last one may be shorter,
    when the window ends inside it.
    """

    begin: datetime
    end: datetime | None
    """None: without end."""
    granularity: timedelta
    """Whole seconds, above zero."""
    back: timedelta
    """Zero: once, at the end."""
    on_change: bool = False
    """Whether only values that changed are sent."""

    def due(self, sent_until: datetime, horizon: datetime) -> datetime | None:
        """Up to where intervals shall be handed over when all is known up to `horizon`.

        None when nothing is due. The end is due even when no interval is left before it.
        """
        if self.end is not None and horizon >= self.end:
            return self.end
        if not self.back or horizon < self.begin:
            return None
        handed_over = (horizon - self.begin) // self.back * self.back
        complete = self.begin + handed_over // self.granularity * self.granularity
        return complete if complete > sent_until else None

    def pieces(self, sent_until: datetime, until: datetime, most: int) -> list[Interval]:
        """The first `most` intervals from where the last report ended."""
        return list(islice(self._pieces(sent_until, until), most))

    def closed_at(self, now: datetime) -> Schedule:
        """The same, ending with the last interval that is complete."""
        begin = min(self.begin, now)
        end = begin + (now - begin) // self.granularity * self.granularity
        return replace(self, begin=begin, end=end if self.end is None else min(end, self.end))

    def _pieces(self, start: datetime, until: datetime) -> Iterator[Interval]:
        while start < until:
            end = min(start + self.granularity, until)
            yield Interval(start=start, end=end)
            start = end


def floor(instant: datetime, step: timedelta) -> datetime:
    """The last multiple of `step` since 1970 at or before an instant."""
    return _EPOCH + (instant - _EPOCH) // step * step


def lay_out(
    specifier: ReportSpecifier, offering: Offering, now: datetime, settled: datetime
) -> Schedule:
    """The schedule of a request that `refusal` has let pass.

    `settled`: up to when measurements may be taken as complete. A report without window and period
    tells the newest complete interval; of a status, which nobody knows afterwards, the next one.
    """
    if not offering.live:
        return _history(specifier, settled)
    step = specifier.granularity or offering.min_period
    back, window = specifier.report_back_duration, specifier.window
    end = None if window is None else _end(window)
    if back or end is not None:
        first = floor(now, step) if window is None else window.start
        oldest = now - step if offering.status else now - HISTORY_SPAN
        begin = _not_before(first, oldest, step)
        end = None if end is None else max(begin, end)
    else:
        at = now if window is None else max(now, window.start)
        newest = floor(settled if at == now else at, step)
        begin = floor(at, step) if offering.status else newest - step
        end = begin + step
    on_change = not specifier.granularity and bool(back)
    return Schedule(begin=begin, end=end, granularity=step, back=back, on_change=on_change)


def _history(specifier: ReportSpecifier, settled: datetime) -> Schedule:
    """What is stored, or the part of it that was asked for, in one go."""
    step = specifier.granularity or HISTORY_STEP
    window, begin = specifier.window, floor(settled - HISTORY_SPAN, step)
    asked = None if window is None else _end(window)
    if window is not None:
        begin = _not_before(window.start, begin, step)
    unit = step if asked is None else _SECOND
    known = begin + (settled - begin) // unit * unit
    end = known if asked is None else min(asked, known)
    return Schedule(begin=begin, end=max(begin, end), granularity=step, back=timedelta(0))


def _not_before(begin: datetime, oldest: datetime, step: timedelta) -> datetime:
    """`begin`, moved forward by whole steps until it is not older than `oldest`."""
    return begin if begin >= oldest else begin - (begin - oldest) // step * step


def _end(window: ReportWindow) -> datetime | None:
    if not window.duration or window.duration >= _NEVER_ENDS:
        return None
    return window.start + window.duration // _SECOND * _SECOND
