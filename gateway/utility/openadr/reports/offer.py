"""What we can report: the points of each report, and the metadata that says so (rule 510)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.openadr.payloads import (
    ItemBase,
    RegisterReport,
    Report,
    ReportDescription,
    SamplingRate,
    Target,
)
from contracts.openadr.words import ReadingType, ReportName, ReportType
from gateway.ports import ReportPoint

METADATA_SPECIFIER = "METADATA"
"""Asks for the metadata itself."""
HISTORY_SPAN = timedelta(days=40)
"""How far back reports may go."""
HISTORY_STEP = timedelta(minutes=15)
"""Of a history that is asked for without a granularity."""
STATUS_MIN = timedelta(seconds=2)
HISTORY_MIN = timedelta(minutes=1)
MAX_GRANULARITY = timedelta(days=1)


class Measure(StrEnum):
    """What the values of a point are."""

    POWER = "power"
    """Mean real power, kW."""
    ENERGY = "energy"
    """Real energy of the interval, kWh."""
    STATUS = "status"
    """`oadrPayloadResourceStatus`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One rID."""

    r_id: str
    measure: Measure
    source_id: str
    """Of a `ReportPoint`; of a status: the site."""
    site_id: str | None

    @property
    def item(self) -> ItemBase | None:
        """Its unit and scale."""
        match self.measure:
            case Measure.POWER:
                return ItemBase.power_real("k")
            case Measure.ENERGY:
                return ItemBase.energy_real("k")
            case Measure.STATUS:
                return None

    @property
    def reading_type(self) -> ReadingType:
        """How its values come about."""
        return _READING_TYPES[self.measure]

    @property
    def on_change(self) -> bool:
        """Whether it can be reported whenever it changes."""
        return self.measure is not Measure.ENERGY


_READING_TYPES = {
    Measure.POWER: ReadingType.MEAN,
    Measure.ENERGY: ReadingType.SUMMED,
    Measure.STATUS: ReadingType.NOT_APPLICABLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offering:
    """One report we offer."""

    specifier_id: str
    name: ReportName
    min_period: timedelta
    """Finest granularity, whole seconds."""
    points: Mapping[str, Point]
    """By rID."""

    @property
    def live(self) -> bool:
        """Whether it follows the present (telemetry), or reads what is stored (history)."""
        return self.name is not ReportName.HISTORY_USAGE

    @property
    def status(self) -> bool:
        """Whether it tells how resources are, rather than what they use."""
        return self.name is ReportName.TELEMETRY_STATUS


def offerings(points: Sequence[ReportPoint], min_period: timedelta) -> Mapping[str, Offering]:
    """What is reported of these points, by reportSpecifierID; a report without points is none."""
    history = max(HISTORY_MIN, min_period)
    found = (
        _offering("gridyard-usage", ReportName.TELEMETRY_USAGE, min_period, _usage(points)),
        _offering(
            "gridyard-status",
            ReportName.TELEMETRY_STATUS,
            max(STATUS_MIN, min_period),
            _statuses(points),
        ),
        _offering(
            "gridyard-history", ReportName.HISTORY_USAGE, history, _usage(points, "history/")
        ),
    )
    return {one.specifier_id: one for one in found if one.points}


def metadata(offered: Mapping[str, Offering], ven_id: str, now: datetime) -> tuple[Report, ...]:
    """The metadata reports of an oadrRegisterReport."""
    return tuple(
        Report(
            report_request_id="0",
            report_specifier_id=one.specifier_id,
            created_at=now,
            name=f"METADATA_{one.name}",
            duration=HISTORY_SPAN,
            descriptions=tuple(_description(point, one, ven_id) for point in one.points.values()),
        )
        for one in offered.values()
    )


def fingerprint(message: RegisterReport) -> str:
    """The same for the same metadata, whenever it was made."""
    parts = [(r.report_specifier_id, r.duration, r.descriptions) for r in message.reports]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _offering(
    specifier_id: str, name: ReportName, min_period: timedelta, points: Iterator[Point]
) -> Offering:
    return Offering(
        specifier_id=specifier_id,
        name=name,
        min_period=min_period,
        points={point.r_id: point for point in points},
    )


def _usage(points: Sequence[ReportPoint], prefix: str = "") -> Iterator[Point]:
    for measure, suffix in ((Measure.POWER, "power_w"), (Measure.ENERGY, "energy_wh")):
        for point in points:
            r_id = prefix + point.point_id.removesuffix("power_w") + suffix
            yield Point(r_id=r_id, measure=measure, source_id=point.point_id, site_id=point.site_id)


def _statuses(points: Sequence[ReportPoint]) -> Iterator[Point]:
    for point in points:
        if point.site_id is not None:
            yield Point(
                r_id=f"site/{point.site_id}/status",
                measure=Measure.STATUS,
                source_id=point.site_id,
                site_id=point.site_id,
            )


def _description(point: Point, offering: Offering, ven_id: str) -> ReportDescription:
    status = point.measure is Measure.STATUS
    site = point.site_id
    subject = Target(ven_ids=(ven_id,)) if site is None else Target(resource_ids=(site,))
    return ReportDescription(
        r_id=point.r_id,
        report_type=ReportType.RESOURCE_STATUS if status else ReportType.USAGE,
        reading_type=point.reading_type,
        item=point.item,
        subject=subject,
        data_source=subject,
        sampling_rate=SamplingRate(
            min_period=offering.min_period,
            max_period=MAX_GRANULARITY,
            on_change=offering.live and point.on_change,
        ),
    )
