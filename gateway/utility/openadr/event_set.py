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

NOTHING_TAKEN = -1
"""`KnownEvent.modification` of an event of which no modification could be taken yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A modification we could not take, and what was said to it."""

    modification: int
    code: int
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEvent:
    """What must be remembered of an event to judge the next distribution."""

    event_id: str
    modification: int
    """The one in force here: the newest we could take."""
    opt_in: bool
    cause: str
    ends_at: datetime | None
    """By the utility's word, without any random part."""
    over: bool = False
    """Cancelled, or seen completed: never cancelled again by its absence."""
    starts_at: datetime | None = None
    """By the utility's word."""
    shift_s: float = 0.0
    """Random part of `startafter` by which start and end are later, s; drawn once."""
    tolerance_s: float = 0.0
    """The `startafter` in force, s."""
    cancel_at: datetime | None = None
    """A cancelled event goes on until then (randomised end)."""
    left: bool = False
    """Every site has left it: that is why we are out."""
    request_id: str = ""
    """Of the distribution that brought the newest modification we took."""
    silent: bool = False
    """The utility wants no answer."""
    refused: Refused | None = None
    """A newer modification that could not be taken; the one before stays in force."""

    @property
    def newest(self) -> int:
        """The newest modification heard of."""
        return self.modification if self.refused is None else self.refused.modification

    def open_at(self, now: datetime) -> bool:
        """Whether its absence would cancel it."""
        return not self.over and (self.ends_at is None or now < self.ends_at)

    def needed_at(self, now: datetime) -> bool:
        """Whether it must be remembered though it is not listed any more."""
        return self.cancel_at is not None or self.open_at(now)


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
    """Each event of the batch with what it means, in order; one sent twice counts once."""
    newest: dict[str, OadrEvent] = {}
    for event in batch:
        before = newest.get(event.event_id)
        if before is None or _modification(before) < _modification(event):
            newest[event.event_id] = event
    for event in newest.values():
        yield _change(known.get(event.event_id), event), event


def gone(known: Mapping[str, KnownEvent], listed: frozenset[str], now: datetime) -> tuple[str, ...]:
    """Ids of open events that a distribution no longer lists."""
    return tuple(
        sorted(key for key, event in known.items() if key not in listed and event.open_at(now))
    )


def _modification(event: OadrEvent) -> int:
    return event.descriptor.modification_number


def _change(known: KnownEvent | None, event: OadrEvent) -> Change:
    status, modification = event.descriptor.status, _modification(event)
    if known is None or (known.modification == NOTHING_TAKEN and modification > known.newest):
        over = status in (EventStatus.CANCELLED, EventStatus.COMPLETED)
        return Change.PAST if over else Change.NEW
    if modification < known.newest and modification != known.modification:
        return Change.STALE
    if status is EventStatus.CANCELLED and known.modification != NOTHING_TAKEN:
        return Change.REPEAT if known.over else Change.CANCEL
    return Change.UPDATE if modification > known.newest else Change.REPEAT
