"""What the API says of revenue meters and their intervals."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from contracts.reading import Quality
from gateway.domain.metering.interval import Register
from gateway.domain.metering.site_meter import SiteMeter
from gateway.meter_files.reading import ReadFile
from gateway.ports import Delivered, StoredInterval
from gateway.web.api.schemas import Schema

LISTED = 100


class MeterOut(Schema):
    """A revenue meter of a site, as the gateway's settings have it."""

    name: str
    direction: Register
    interval_s: float
    limit_w: Annotated[float | None, Field(description="The most it can count; null: not known.")]


class RefusedOut(Schema):
    """An interval that is not kept."""

    row: Annotated[int | None, Field(description="Of the file, from 1; null: see `start`.")]
    start: AwareDatetime | None
    reason: str


class NotedOut(Schema):
    """A stored interval that does not count, or is noteworthy."""

    start: AwareDatetime
    quality: Quality
    reason: str


class DeliveredOut(Schema):
    """What became of a delivery."""

    site_id: str
    meter: str
    stored: Annotated[int, Field(description="Intervals that say something new.")]
    known: Annotated[int, Field(description="Intervals that say what was known already.")]
    flagged: Annotated[int, Field(description="Of the stored: those that do not count.")]
    refused: Annotated[int, Field(description="Intervals and rows that are not kept.")]
    refusals: Annotated[list[RefusedOut], Field(description="The first 100.")]
    noted: Annotated[list[NotedOut], Field(description="The first 100 of the stored.")]


class IntervalOut(Schema):
    """One version of an interval; times in UTC."""

    start: AwareDatetime
    end: AwareDatetime
    energy_wh: float | None
    quality: Quality
    counts: bool
    version: Annotated[int, Field(description="From 1, in order of arrival.")]
    issued_at: AwareDatetime
    received_at: AwareDatetime
    reason: str


class GapOut(Schema):
    """A stretch `[start, end)` without a value that counts."""

    start: AwareDatetime
    end: AwareDatetime | None
    intervals: int


def meter_out(meter: SiteMeter) -> MeterOut:
    """A meter."""
    return MeterOut(
        name=meter.name,
        direction=meter.rules.register,
        interval_s=meter.rules.length.total_seconds(),
        limit_w=meter.rules.limit_w,
    )


def delivered_out(site_id: str, meter: str, file: ReadFile, done: Delivered) -> DeliveredOut:
    """What became of a delivery."""
    unread = [RefusedOut(row=one.row, start=None, reason=one.reason) for one in file.unread]
    refused = [RefusedOut(row=None, start=one.start, reason=one.reason) for one in done.refused]
    return DeliveredOut(
        site_id=site_id,
        meter=meter,
        stored=done.stored,
        known=done.known,
        flagged=done.flagged,
        refused=len(unread) + len(refused),
        refusals=[*unread, *refused][:LISTED],
        noted=[
            NotedOut(start=one.start, quality=one.quality, reason=one.reason)
            for one in done.noted[:LISTED]
        ],
    )


def interval_out(one: StoredInterval) -> IntervalOut:
    """A version of an interval."""
    told = one.told
    return IntervalOut(
        start=told.start,
        end=told.start + told.length,
        energy_wh=told.energy_wh,
        quality=told.quality,
        counts=told.counts,
        version=one.version,
        issued_at=told.issued_at,
        received_at=one.received_at,
        reason=told.reason,
    )
