"""Which event is in force where and when, once overlaps and priorities are resolved.

::

    day-ahead  (priority 0)   |=========================|        sites a b c
    emergency  (priority 1)            |=======|                 sites a b
    in force at a, b          |day-ahead|emergency|day-ah|
    in force at c             |day-ahead                 |

Unless two events may go together at a site (`gateway.domain.conflict`), it obeys one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from math import inf

from contracts.time import Interval
from gateway.domain.event import GridEvent, Opt

_FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An event, our answer to it, and the sites it addresses that have not opted out."""

    event: GridEvent
    opt: Opt
    sites: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One event in force over `interval` at `sites`."""

    interval: Interval
    event: GridEvent
    sites: frozenset[str]


def precedence(event: GridEvent) -> tuple[float, float, str]:
    """Sort key, strongest first: priority 1 before 2 ... before 0; then newest; then by key."""
    return (event.priority or inf, -event.created_at.timestamp(), event.key)


def layered(
    claims: Iterable[Claim], together: Callable[[Claim, Claim], bool]
) -> tuple[TimelineEntry, ...]:
    """Entries in order of start, of claims told strongest first.

    Where two claim a site at one instant that do not go together, only the stronger is in force.
    Cancelled events and events we opted out of do not appear.
    """
    live = [c for c in claims if c.opt is Opt.IN and not c.event.cancelled]
    place = {claim.event.key: index for index, claim in enumerate(live)}
    edges = sorted({edge for claim in live for edge in _edges(claim.event.window)})
    entries: list[TimelineEntry] = []
    for start, end in pairwise(edges):
        interval = Interval(start=start, end=None if end == _FOREVER else end)
        for entry in _in_piece(live, interval, together):
            _append(entries, entry)
    return tuple(sorted(entries, key=lambda e: (e.interval.start, place[e.event.key])))


def holds(entries: Sequence[TimelineEntry], event_key: str, site_id: str) -> tuple[Interval, ...]:
    """When this event is in force at this site."""
    return tuple(e.interval for e in entries if e.event.key == event_key and site_id in e.sites)


def _in_piece(
    claims: Sequence[Claim], interval: Interval, together: Callable[[Claim, Claim], bool]
) -> Iterator[TimelineEntry]:
    held: list[tuple[Claim, frozenset[str]]] = []
    for claim in claims:
        if not claim.event.window.overlaps(interval):
            continue
        sites = claim.sites.difference(*(s for other, s in held if not together(other, claim)))
        if sites:
            held.append((claim, sites))
            yield TimelineEntry(interval=interval, event=claim.event, sites=sites)


def _append(entries: list[TimelineEntry], entry: TimelineEntry) -> None:
    """Add an entry, or lengthen the one it continues."""
    for index in range(len(entries) - 1, -1, -1):
        before = entries[index]
        if before.interval.end != entry.interval.start:
            continue
        if before.event.key == entry.event.key and before.sites == entry.sites:
            whole = Interval(start=before.interval.start, end=entry.interval.end)
            entries[index] = TimelineEntry(interval=whole, event=entry.event, sites=entry.sites)
            return
    entries.append(entry)


def _edges(window: Interval) -> tuple[datetime, datetime]:
    return window.start, window.end or _FOREVER
