"""EiReport."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.openadr.payloads.common import AtomFeed, EiResponse, ItemBase, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingRate:
    """`oadrSamplingRate`: how often a point can be measured."""

    min_period: timedelta
    max_period: timedelta
    on_change: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDescription:
    """`oadrReportDescription`: one point a party can report (metadata only).

    `report_type` is a `ReportType`, `reading_type` a `ReadingType`; both may be `x-...`.
    """

    r_id: str
    report_type: str
    reading_type: str
    item: ItemBase | None = None
    subject: Target | None = None
    data_source: Target | None = None
    market_context: str | None = None
    sampling_rate: SamplingRate | None = None
    green_button: AtomFeed | None = None
    """`oadrGBDataDescription`, in the place of `item`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadControlValue:
    """One value of `oadrLoadControlState` with its bounds and what is normal."""

    current: float
    minimum: float | None = None
    maximum: float | None = None
    normal: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadControlState:
    """`oadrLoadControlState`: where a resource stands, in the words of LOAD_CONTROL signals."""

    capacity: LoadControlValue | None = None
    level_offset: LoadControlValue | None = None
    percent_offset: LoadControlValue | None = None
    set_point: LoadControlValue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceStatus:
    """`oadrPayloadResourceStatus` of a TELEMETRY_STATUS report (profile rule 510)."""

    online: bool
    manual_override: bool
    load_control_state: LoadControlState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPayload:
    """`oadrReportPayload`: one point's value in one interval, in the unit of its metadata.

    `confidence` is a percentage, 0 to 100; `data_quality` a `DataQuality`, or `x-...`.
    """

    r_id: str
    value: float | ResourceStatus
    confidence: int | None = None
    accuracy: float | None = None
    data_quality: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInterval:
    """The values of one interval; start and duration default to those of the report."""

    start: datetime | None = None
    duration: timedelta | None = None
    uid: str | None = None
    payloads: tuple[ReportPayload, ...] = ()
    """At least one, or a feed."""
    green_button: tuple[AtomFeed, ...] = ()
    """`oadrGBPayload` of a HISTORY_GREENBUTTON report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`oadrReport`: metadata (`descriptions`) or data (`intervals`)."""

    report_request_id: str
    """"0" in metadata."""
    report_specifier_id: str
    created_at: datetime
    name: str | None = None
    """A `ReportName`, or `x-...`."""
    report_id: str | None = None
    start: datetime | None = None
    duration: timedelta | None = None
    intervals: tuple[ReportInterval, ...] = ()
    descriptions: tuple[ReportDescription, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecifierPayload:
    """`specifierPayload`: one point asked for."""

    r_id: str
    reading_type: str
    item: ItemBase | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportWindow:
    """`reportInterval`: when to report; a duration of zero means without end."""

    start: datetime
    duration: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSpecifier:
    """`reportSpecifier`: values each `granularity`, sent each `report_back_duration`."""

    report_specifier_id: str
    granularity: timedelta
    """Zero: on change, or all there is."""
    report_back_duration: timedelta
    """Zero: once."""
    payloads: tuple[SpecifierPayload, ...]
    window: ReportWindow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest:
    """`oadrReportRequest`: a report asked for."""

    report_request_id: str
    specifier: ReportSpecifier


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterReport:
    """`oadrRegisterReport`: what a party can report (metadata)."""

    request_id: str
    reports: tuple[Report, ...] = ()
    ven_id: str | None = None
    report_request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredReport:
    """`oadrRegisteredReport`: metadata taken; `requests` already asks for some of it."""

    response: EiResponse
    requests: tuple[ReportRequest, ...] = ()
    ven_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateReport:
    """`oadrCreateReport`: please report."""

    request_id: str
    requests: tuple[ReportRequest, ...]
    """At least one."""
    ven_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedReport:
    """`oadrCreatedReport`: will do; `pending` lists the report requests not yet complete."""

    response: EiResponse
    pending: tuple[str, ...] = ()
    ven_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateReport:
    """`oadrUpdateReport`: report data."""

    request_id: str
    reports: tuple[Report, ...] = ()
    ven_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelReport:
    """`oadrCancelReport`: stop these report requests, after a last report if `to_follow`."""

    request_id: str
    report_request_ids: tuple[str, ...]
    """At least one."""
    to_follow: bool = False
    ven_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatedReport:
    """`oadrUpdatedReport`: data taken; may carry a cancellation with it."""

    response: EiResponse
    cancel: CancelReport | None = None
    ven_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CanceledReport:
    """`oadrCanceledReport`: stopped; `pending` lists what still runs."""

    response: EiResponse
    pending: tuple[str, ...] = ()
    ven_id: str | None = None
