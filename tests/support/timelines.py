"""One event at a time at a site, by priority alone: the plainest use of `layered`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from gateway.domain.event import GridEvent
from gateway.domain.timeline import Claim, TimelineEntry, layered, precedence


def one_at_a_time(claims: Iterable[Claim]) -> tuple[TimelineEntry, ...]:
    ordered = sorted(claims, key=lambda claim: precedence(claim.event))
    return layered(ordered, lambda _strong, _weak: False)


def held_by(entries: Sequence[TimelineEntry], site_id: str, at: datetime) -> GridEvent | None:
    """The event a site obeys at an instant; there is at most one."""
    found = [one.event for one in entries if site_id in one.sites and at in one.interval]
    assert len(found) <= 1
    return found[0] if found else None
