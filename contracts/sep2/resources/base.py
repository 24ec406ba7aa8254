"""What resources have in common: links, lists, identified objects and events (annex B.2.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from contracts.sep2 import kinds
from contracts.sep2.fields import attribute, element
from contracts.sep2.hexes import canonical_mrid
from contracts.time import Interval

DEFAULT_POLL_RATE = timedelta(seconds=900)
"""What a missing `pollRate` means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A reference to another resource; it may be relative to the server."""

    href: Annotated[str, attribute("href", kinds.URI)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLink(Link):
    """A reference to a list."""

    all: Annotated[int | None, attribute("all", kinds.UINT32)] = None
    """How many items the list has, if the server says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Anything with an address of its own."""

    href: Annotated[str | None, attribute("href", kinds.URI)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscribableResource(Resource):
    """A resource whose changes can be notified."""

    subscribable: Annotated[int, attribute("subscribable", kinds.UINT8)] = 0
    """0 no, 1 without conditions, 2 with conditions, 3 both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedItem:
    """An item of a list that could not be read: it spoils neither the list nor looks vanished."""

    href: str | None
    mrid: str | None
    reply_to: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceList(SubscribableResource):
    """A page of a list. Each subclass narrows `items`.

    The schema knows `subscribable` and `pollRate` on some lists only; both are read on any.
    """

    all: Annotated[int | None, attribute("all", kinds.UINT32)] = None
    """Items on the server; None on writing counts `items`."""
    results: Annotated[int | None, attribute("results", kinds.UINT32)] = None
    """Items in this page; None on writing counts `items`."""
    poll_rate: Annotated[timedelta | None, attribute("pollRate", kinds.SECONDS)] = None
    items: tuple[Resource, ...] = ()
    rejected: tuple[RejectedItem, ...] = ()
    """Inbound only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifiedObject(SubscribableResource):
    """A resource with an mRID; `mrid` is kept as it was sent, for echoing."""

    mrid: Annotated[str | None, element("mRID", kinds.MRID, required=True)] = None
    description: Annotated[str | None, element("description", kinds.STRING32)] = None
    version: Annotated[int | None, element("version", kinds.UINT16)] = None

    @property
    def canonical_mrid(self) -> str:
        """The mRID as a key: 32 upper-case digits; of no mRID, an empty text."""
        return "" if self.mrid is None else canonical_mrid(self.mrid)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateTimeInterval:
    """`DateTimeInterval`."""

    duration: Annotated[timedelta, element("duration", kinds.SECONDS)]
    start: Annotated[datetime, element("start", kinds.TIME)]

    @property
    def window(self) -> Interval:
        """`[start, start + duration)`."""
        return Interval.lasting(self.start, self.duration)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStatus:
    """`EventStatus`: `current_status` is a `codes.EventState`, or a number we do not know."""

    current_status: Annotated[int, element("currentStatus", kinds.UINT8)]
    date_time: Annotated[datetime | None, element("dateTime", kinds.TIME, required=True)] = None
    potentially_superseded: Annotated[bool, element("potentiallySuperseded", kinds.BOOLEAN)] = False
    potentially_superseded_time: Annotated[
        datetime | None, element("potentiallySupersededTime", kinds.TIME)
    ] = None
    reason: Annotated[str | None, element("reason", kinds.STRING192)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(IdentifiedObject):
    """Something that holds for an interval and may have to be answered (10.2.3)."""

    reply_to: Annotated[str | None, attribute("replyTo", kinds.URI)] = None
    response_required: Annotated[int, attribute("responseRequired", kinds.BITS8)] = 0
    """Bits of `codes.ResponseRequired`."""
    mrid: Annotated[str, element("mRID", kinds.MRID)]
    creation_time: Annotated[datetime, element("creationTime", kinds.TIME)]
    event_status: Annotated[EventStatus, element("EventStatus", EventStatus)]
    interval: Annotated[DateTimeInterval, element("interval", DateTimeInterval)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomizableEvent(Event):
    """An event whose bounds each device moves by a random part, sign kept, of these (10.2.4)."""

    randomize_duration: Annotated[
        timedelta | None, element("randomizeDuration", kinds.ONE_HOUR_RANGE)
    ] = None
    randomize_start: Annotated[
        timedelta | None, element("randomizeStart", kinds.ONE_HOUR_RANGE)
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """`Error`: why a request failed; `reason_code` 0 invalid request format, 1 invalid values."""

    max_retry_duration: Annotated[
        timedelta | None, element("maxRetryDuration", kinds.SECONDS16)
    ] = None
    reason_code: Annotated[int, element("reasonCode", kinds.UINT16)]
    message: Annotated[str | None, element("message", kinds.STRING192)] = None
    """Not in the schema; some servers send it. Leave it out on writing."""
