"""What the EiReport messages carry: reports with metadata or data, and report requests."""

from __future__ import annotations

from contracts.errors import ProtocolError
from contracts.openadr import values, words
from contracts.openadr.payloads.common import AtomFeed, Target
from contracts.openadr.payloads.report import (
    Report,
    ReportDescription,
    ReportInterval,
    ReportPayload,
    ReportRequest,
    ReportSpecifier,
    ReportWindow,
    ResourceStatus,
    SamplingRate,
    SpecifierPayload,
)
from contracts.openadr.xml import common, load_control
from contracts.openadr.xml import elements as xml
from contracts.openadr.xml.elements import Element, Markup, maybe, node
from contracts.openadr.xml.target import read_target, target
from contracts.openadr.xml.units import item, read_item

# --- building ----------------------------------------------------------------------------------


def report(r: Report) -> Markup:
    """`oadrReport`."""
    intervals = [_interval(interval) for interval in r.intervals]
    name = None if r.name is None else words.report_name(r.name)
    return node(
        "oadr:oadrReport",
        common.start(r.start),
        common.duration("xcal:duration", r.duration),
        node("strm:intervals", *intervals) if intervals else None,
        maybe("ei:eiReportID", r.report_id),
        *(_description(description) for description in r.descriptions),
        node("ei:reportRequestID", r.report_request_id),
        node("ei:reportSpecifierID", r.report_specifier_id),
        maybe("ei:reportName", name),
        node("ei:createdDateTime", values.format_instant(r.created_at)),
    )


def _interval(i: ReportInterval) -> Markup:
    return node(
        "ei:interval",
        common.start(i.start),
        common.duration("xcal:duration", i.duration),
        common.uid(i.uid),
        *xml.some("payload", [*map(_payload, i.payloads), *map(_feed, i.green_button)]),
    )


def _feed(feed: AtomFeed) -> Markup:
    return common.feed("oadr:oadrGBPayload", feed)


def _payload(p: ReportPayload) -> Markup:
    confidence = None if p.confidence is None else str(_percent(p.confidence))
    quality = None if p.data_quality is None else words.data_quality(p.data_quality)
    accuracy = None if p.accuracy is None else values.format_number(p.accuracy)
    return node(
        "oadr:oadrReportPayload",
        node("ei:rID", p.r_id),
        maybe("ei:confidence", confidence),
        maybe("ei:accuracy", accuracy),
        _payload_value(p.value),
        maybe("oadr:oadrDataQuality", quality),
    )


def _payload_value(value: float | ResourceStatus) -> Markup:
    if isinstance(value, ResourceStatus):
        return node(
            "oadr:oadrPayloadResourceStatus",
            node("oadr:oadrOnline", xml.boolean(value.online)),
            node("oadr:oadrManualOverride", xml.boolean(value.manual_override)),
            load_control.state(value.load_control_state),
        )
    return node("ei:payloadFloat", node("ei:value", values.format_number(value)))


def _description(d: ReportDescription) -> Markup:
    return node(
        "oadr:oadrReportDescription",
        node("ei:rID", d.r_id),
        _maybe_target("ei:reportSubject", d.subject),
        _maybe_target("ei:reportDataSource", d.data_source),
        node("ei:reportType", words.report_type(d.report_type)),
        _described(d),
        node("ei:readingType", words.reading_type(d.reading_type)),
        maybe(
            "emix:marketContext", None if d.market_context is None else xml.uri(d.market_context)
        ),
        None if d.sampling_rate is None else _sampling_rate(d.sampling_rate),
    )


def _described(d: ReportDescription) -> Markup | None:
    if d.green_button is None:
        return item(d.item)
    if d.item is not None:
        raise ValueError(f"{d.r_id}: a point has a unit or a Green Button description, not both")
    return common.feed("oadr:oadrGBDataDescription", d.green_button)


def _maybe_target(name: str, value: Target | None) -> Markup | None:
    return None if value is None else target(value, name)


def _sampling_rate(rate: SamplingRate) -> Markup:
    return node(
        "oadr:oadrSamplingRate",
        node("oadr:oadrMinPeriod", values.format_duration(rate.min_period)),
        node("oadr:oadrMaxPeriod", values.format_duration(rate.max_period)),
        node("oadr:oadrOnChange", xml.boolean(rate.on_change)),
    )


def request(r: ReportRequest) -> Markup:
    """`oadrReportRequest`."""
    specifier = r.specifier
    return node(
        "oadr:oadrReportRequest",
        node("ei:reportRequestID", r.report_request_id),
        node(
            "ei:reportSpecifier",
            node("ei:reportSpecifierID", specifier.report_specifier_id),
            common.duration("xcal:granularity", specifier.granularity),
            common.duration("ei:reportBackDuration", specifier.report_back_duration),
            _window(specifier.window),
            *xml.some("specifier payload", map(_specifier_payload, specifier.payloads)),
        ),
    )


def _window(window: ReportWindow | None) -> Markup | None:
    if window is None:
        return None
    return node(
        "ei:reportInterval",
        node(
            "xcal:properties",
            common.start(window.start),
            common.duration("xcal:duration", window.duration),
        ),
    )


def _specifier_payload(p: SpecifierPayload) -> Markup:
    return node(
        "ei:specifierPayload",
        node("ei:rID", p.r_id),
        item(p.item),
        node("ei:readingType", words.reading_type(p.reading_type)),
    )


# --- reading -----------------------------------------------------------------------------------


def read_report(e: Element) -> Report:
    """`oadrReport`."""
    intervals = xml.maybe_child(e, "strm:intervals")
    found = [] if intervals is None else xml.some_children(intervals, "ei:interval")
    descriptions = xml.children(e, "oadr:oadrReportDescription")
    return Report(
        start=common.maybe_read_start(e),
        duration=common.maybe_read_duration(e, "xcal:duration"),
        intervals=tuple(_read_interval(interval) for interval in found),
        report_id=xml.maybe_text(e, "ei:eiReportID"),
        descriptions=tuple(_read_description(description) for description in descriptions),
        report_request_id=xml.text(e, "ei:reportRequestID"),
        report_specifier_id=xml.text(e, "ei:reportSpecifierID"),
        name=xml.maybe_value(e, "ei:reportName", words.report_name),
        created_at=xml.value(e, "ei:createdDateTime", values.parse_instant),
    )


def _read_interval(e: Element) -> ReportInterval:
    payloads = xml.children(e, "oadr:oadrReportPayload")
    feeds = xml.children(e, "oadr:oadrGBPayload")
    if not payloads and not feeds:
        raise ProtocolError("interval: no payload")
    return ReportInterval(
        start=common.maybe_read_start(e),
        duration=common.maybe_read_duration(e, "xcal:duration"),
        uid=common.maybe_read_uid(e),
        payloads=tuple(map(_read_payload, payloads)),
        green_button=tuple(map(common.read_feed, feeds)),
    )


def _read_payload(e: Element) -> ReportPayload:
    return ReportPayload(
        r_id=xml.text(e, "ei:rID"),
        confidence=xml.maybe_value(e, "ei:confidence", _parse_percent),
        accuracy=xml.maybe_value(e, "ei:accuracy", values.parse_number),
        value=_read_payload_value(e),
        data_quality=xml.maybe_value(e, "oadr:oadrDataQuality", words.data_quality),
    )


def _parse_percent(raw: str) -> int:
    return _percent(xml.parse_unsigned(raw))


def _percent(value: int) -> int:
    if not 0 <= value <= 100:  # noqa: PLR2004 - per cent
        raise ValueError(f"not a percentage: {value}")
    return value


def _read_payload_value(e: Element) -> float | ResourceStatus:
    status = xml.maybe_child(e, "oadr:oadrPayloadResourceStatus")
    if status is not None:
        return ResourceStatus(
            online=xml.value(status, "oadr:oadrOnline", values.parse_boolean),
            manual_override=xml.value(status, "oadr:oadrManualOverride", values.parse_boolean),
            load_control_state=load_control.read_state(status),
        )
    return xml.value(xml.child(e, "ei:payloadFloat"), "ei:value", values.parse_number)


def _read_description(e: Element) -> ReportDescription:
    rate = xml.maybe_child(e, "oadr:oadrSamplingRate")
    described = xml.maybe_child(e, "oadr:oadrGBDataDescription")
    return ReportDescription(
        r_id=xml.text(e, "ei:rID"),
        subject=_maybe_read_target(e, "ei:reportSubject"),
        data_source=_maybe_read_target(e, "ei:reportDataSource"),
        report_type=xml.value(e, "ei:reportType", words.report_type),
        item=read_item(e),
        green_button=None if described is None else common.read_feed(described),
        reading_type=xml.value(e, "ei:readingType", words.reading_type),
        market_context=xml.maybe_value(e, "emix:marketContext", str),
        sampling_rate=None if rate is None else _read_sampling_rate(rate),
    )


def _maybe_read_target(e: Element, name: str) -> Target | None:
    found = xml.maybe_child(e, name)
    return None if found is None else read_target(found)


def _read_sampling_rate(e: Element) -> SamplingRate:
    return SamplingRate(
        min_period=xml.value(e, "oadr:oadrMinPeriod", values.parse_duration),
        max_period=xml.value(e, "oadr:oadrMaxPeriod", values.parse_duration),
        on_change=xml.value(e, "oadr:oadrOnChange", values.parse_boolean),
    )


def read_request(e: Element) -> ReportRequest:
    """`oadrReportRequest`."""
    specifier = xml.child(e, "ei:reportSpecifier")
    payloads = xml.some_children(specifier, "ei:specifierPayload")
    window = xml.maybe_child(specifier, "ei:reportInterval")
    return ReportRequest(
        report_request_id=xml.text(e, "ei:reportRequestID"),
        specifier=ReportSpecifier(
            report_specifier_id=xml.text(specifier, "ei:reportSpecifierID"),
            granularity=common.read_duration(specifier, "xcal:granularity"),
            report_back_duration=common.read_duration(specifier, "ei:reportBackDuration"),
            window=None if window is None else _read_window(window),
            payloads=tuple(_read_specifier_payload(payload) for payload in payloads),
        ),
    )


def _read_window(e: Element) -> ReportWindow:
    properties = xml.child(e, "xcal:properties")
    return ReportWindow(
        start=common.read_start(properties),
        duration=common.read_duration(properties, "xcal:duration"),
    )


def _read_specifier_payload(e: Element) -> SpecifierPayload:
    return SpecifierPayload(
        r_id=xml.text(e, "ei:rID"),
        item=read_item(e),
        reading_type=xml.value(e, "ei:readingType", words.reading_type),
    )
