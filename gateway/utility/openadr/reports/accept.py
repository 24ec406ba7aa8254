"""Which report requests we can serve; the others are answered 461, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from contracts.openadr.payloads import ItemBase, ReportRequest, ReportSpecifier, SpecifierPayload
from contracts.openadr.words import ReadingType
from gateway.utility.openadr.reports.offer import (
    MAX_GRANULARITY,
    METADATA_SPECIFIER,
    Offering,
    Point,
)

MAX_POINTS = 2_000
"""In one request."""
_MAX_PERIOD = timedelta(days=366)
_MAX_AHEAD = timedelta(days=10 * 365)
_SECOND = timedelta(seconds=1)


def refusal(request: ReportRequest, offered: Mapping[str, Offering], now: datetime) -> str | None:
    """Why a request cannot be served; None when it can."""
    specifier = request.specifier
    if specifier.report_specifier_id == METADATA_SPECIFIER:
        return None
    offering = offered.get(specifier.report_specifier_id)
    if offering is None:
        return f"unknown reportSpecifierID {specifier.report_specifier_id[:80]!r}"
    return _bad_points(specifier, offering) or _bad_times(specifier, offering, now)


def _bad_points(specifier: ReportSpecifier, offering: Offering) -> str | None:
    wanted = specifier.payloads
    if len(wanted) > MAX_POINTS:
        return f"more than {MAX_POINTS} points in one request"
    unknown = sorted({one.r_id for one in wanted} - offering.points.keys())
    if unknown:
        return f"unknown rID {', '.join(unknown)[:200]}"
    on_change = not specifier.granularity and bool(specifier.report_back_duration)
    return next(
        (why for one in wanted if (why := _bad_point(one, offering, on_change=on_change))), None
    )


def _bad_point(wanted: SpecifierPayload, offering: Offering, *, on_change: bool) -> str | None:
    point = offering.points[wanted.r_id]
    if wanted.reading_type not in (point.reading_type, ReadingType.NOT_APPLICABLE):
        return f"{point.r_id} has no reading type {wanted.reading_type}"
    if not _same_unit(wanted.item, point):
        return f"{point.r_id} is offered in another unit or scale"
    if on_change and offering.live and not point.on_change:
        return f"{point.r_id} is not reported on change"
    return None


def _same_unit(asked: ItemBase | None, point: Point) -> bool:
    if asked is None:
        return True
    offered = point.item
    if offered is None:
        return False
    kept = (offered.kind, offered.units, offered.si_scale_code)
    return (asked.kind, asked.units, asked.si_scale_code) == kept


def _bad_times(specifier: ReportSpecifier, offering: Offering, now: datetime) -> str | None:
    granularity, back, window = (
        specifier.granularity,
        specifier.report_back_duration,
        specifier.window,
    )
    length = timedelta(0) if window is None else window.duration
    if min(granularity, back, length) < timedelta(0):
        return "a negative duration"
    if granularity % _SECOND:
        return "granularity is not whole seconds"
    if granularity and not offering.min_period <= granularity <= MAX_GRANULARITY:
        low, high = offering.min_period.total_seconds(), MAX_GRANULARITY.total_seconds()
        return f"granularity is not between {low:g} s and {high:g} s"
    if timedelta(0) < back < _SECOND or back > _MAX_PERIOD:
        return "reportBackDuration is not between one second and a year"
    if window is not None and window.start > now + _MAX_AHEAD:
        return "reportInterval begins in more than ten years"
    return None
