"""What reporting remembers over a restart; each is one document, written whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.openadr.payloads import ReportPayload, ReportRequest, ResourceStatus
from contracts.time import Interval
from gateway.utility.openadr.reports.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTask:
    """A report the VTN asked for, how far it has been handed over, and what is on its way.

    Progress and the message that brought it are one document: neither is there without the other.
    """

    request: ReportRequest
    schedule: Schedule | None
    """None: the metadata was asked for."""
    sent_until: datetime
    """Every interval before this is in `ready`, or was taken by the VTN before."""
    ready: str | None = None
    """The message on its way, until the VTN has taken it. Nothing more is made in the meantime."""
    over: bool = False
    """`ready` is the last one."""
    cancelled: bool = False
    """Only the last report is still wanted."""
    last: tuple[ReportPayload, ...] = ()
    """Of a report on change: the value of each point that was sent last."""
    taken_until: datetime | None = None
    """Every interval before this was taken by the VTN, as far as there was anything to tell."""
    gaps: tuple[Interval, ...] = ()
    """Stretches of which some or all values were not known when they were told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferMade:
    """Which metadata the VTN was given, by its fingerprint."""

    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A span of time over which a site was the same."""

    since: datetime
    until: datetime | None = None
    """None: up to the last look."""
    status: ResourceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusTrack:
    """One site's past, in order."""

    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSeen:
    """When the sites were last looked at."""

    at: datetime
