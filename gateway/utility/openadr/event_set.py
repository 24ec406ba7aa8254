"""What changed between the events we know and one distribution: a pure function.

A distribution carries *all* current events, so a known one that is missing has been cancelled
(implied cancellation, OpenADR 2.0b EiEvent rules).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.openadr.payloads import EventStatus, OadrEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEvent:
    """What must be remembered of an event to judge the next distribution."""

    event_id: str
    modification: int
    opt_in: bool
    cause: str
    ends_at: datetime | None
    over: bool = False
    """Cancelled, or seen completed: never cancelled again by its absence."""

    def open_at(self, now: datetime) -> bool:
        """Whether its absence would cancel it."""
        return not self.over and (self.ends_at is None or now < self.ends_at)


class Change(StrEnum):
    """What an event of a distribution means to us."""

    NEW = "new"
    UPDATE = "update"
    CANCEL = "cancel"
    REPEAT = "repeat"
    """Known at this modification: the same answer as before, nothing else happens."""
    STALE = "stale"
    """Older than what we know: answered 450, ignored."""
    PAST = "past"
    """Unknown and already cancelled or completed: acknowledged only."""


def changes(
    known: Mapping[str, KnownEvent], batch: Sequence[OadrEvent]
) -> Iterator[tuple[Change, OadrEvent]]:
    """Each event of the batch with what it means, in order."""
    for event in batch:
        yield _change(known.get(event.event_id), event), event


def gone(known: Mapping[str, KnownEvent], listed: frozenset[str], now: datetime) -> tuple[str, ...]:
    """Ids of open events that a distribution no longer lists."""
    return tuple(
        sorted(key for key, event in known.items() if key not in listed and event.open_at(now))
    )


def _change(known: KnownEvent | None, event: OadrEvent) -> Change:
    status, modification = event.descriptor.status, event.descriptor.modification_number
    if known is None:
        over = status in (EventStatus.CANCELLED, EventStatus.COMPLETED)
        return Change.PAST if over else Change.NEW
    if modification < known.modification:
        return Change.STALE
    if status is EventStatus.CANCELLED:
        return Change.REPEAT if known.over else Change.CANCEL
    return Change.UPDATE if modification > known.modification else Change.REPEAT
