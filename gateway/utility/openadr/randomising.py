"""`startafter`: the start and the end of an event are moved by one random part of it.

Drawn once per event, kept over modifications and restarts. The draw follows from the event's and
our own id, so that a kill before it is stored draws the same again, and VENs are spread.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.openadr.payloads import ActivePeriod
from gateway.domain.der.draw import draw
from gateway.utility.openadr.event_set import KnownEvent

_NONE = timedelta(0)


def shift(
    event_id: str, period: ActivePeriod, known: KnownEvent | None, seed: str, now: datetime
) -> timedelta:
    """How much later the event starts and ends, from nothing to `startafter`, whole seconds.

    A smaller `startafter` than before bounds what was drawn. An event that has begun never gets a
    move it did not have: it would stop and begin again.
    """
    tolerance = period.start_after
    if known is not None and known.tolerance_s > 0:
        return min(timedelta(seconds=known.shift_s), tolerance)
    if known is not None and known.starts_at is not None and known.starts_at <= now:
        return _NONE
    return _drawn(event_id, seed, tolerance)


def cancelled_at(known: KnownEvent, seed: str, now: datetime) -> datetime:
    """When a cancelled event stops: now, or for a running one within `startafter`.

    Never later than its own end.
    """
    start = (known.starts_at or now) + timedelta(seconds=known.shift_s)
    if not known.tolerance_s or now < start:
        return now
    delay = _drawn(f"{known.event_id}/cancel", seed, timedelta(seconds=known.tolerance_s))
    end = known.ends_at
    if end is not None:
        return min(now + delay, max(now, end + timedelta(seconds=known.shift_s)))
    return now + delay


def _drawn(event_id: str, seed: str, bound: timedelta) -> timedelta:
    return draw(event_id, seed, randomize_start=max(bound, _NONE), randomize_duration=_NONE).start
