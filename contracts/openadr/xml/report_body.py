"""What the EiReport messages carry: reports with metadata or data, and report requests."""

from __future__ import annotations

from contracts.errors import ProtocolError
from contracts.openadr import values
from contracts.openadr.payloads.common import Target
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
from contracts.openadr.xml import common
from contracts.openadr.xml import elements as xml
from contracts.openadr.xml.elements import Element, maybe, node

# --- building ----------------------------------------------------------------------------------


def report(r: Report) -> Element:
    """`oadrReport`."""
    intervals = [_interval(interval) for interval in r.intervals]
    return node(
        "oadr:oadrReport",
        common.start(r.start),
        common.duration("xcal:duration", r.duration),
        node("strm:intervals", *intervals) if intervals else None,
        maybe("ei:eiReportID", r.report_id),
        *(_description(description) for description in r.descriptions),
        node("ei:reportRequestID", r.report_request_id),
        node("ei:reportSpecifierID", r.report_specifier_id),
        maybe("ei:reportName", r.name),
        node("ei:createdDateTime", values.format_instant(r.created_at)),
    )


def _interval(i: ReportInterval) -> Element:
    return node(
        "ei:interval",
        common.start(i.start),
        common.duration("xcal:duration", i.duration),
        common.uid(i.uid),
        *(_payload(payload) for payload in i.payloads),
    )


def _payload(p: ReportPayload) -> Element:
    confidence = None if p.confidence is None else xml.unsigned(p.confidence)
    accuracy = None if p.accuracy is None else values.format_number(p.accuracy)
    return node(
        "oadr:oadrReportPayload",
        node("ei:rID", p.r_id),
        maybe("ei:confidence", confidence),
        maybe("ei:accuracy", accuracy),
        _payload_value(p.value),
        maybe("oadr:oadrDataQuality", p.data_quality),
    )


def _payload_value(value: float | ResourceStatus) -> Element:
    if isinstance(value, ResourceStatus):
        return node(
            "oadr:oadrPayloadResourceStatus",
            node("oadr:oadrOnline", xml.boolean(value.online)),
            node("oadr:oadrManualOverride", xml.boolean(value.manual_override)),
        )
    return node("ei:payloadFloat", node("ei:value", values.format_number(value)))


def _description(d: ReportDescription) -> Element:
    return node(
        "oadr:oadrReportDescription",
        node("ei:rID", d.r_id),
        _maybe_target("ei:reportSubject", d.subject),
        _maybe_target("ei:reportDataSource", d.data_source),
        node("ei:reportType", d.report_type),
        common.item(d.item),
        node("ei:readingType", d.reading_type),
        maybe("emix:marketContext", d.market_context),
        None if d.sampling_rate is None else _sampling_rate(d.sampling_rate),
    )


def _maybe_target(name: str, target: Target | None) -> Element | None:
    return None if target is None else common.target(target, name)


def _sampling_rate(rate: SamplingRate) -> Element:
    return node(
        "oadr:oadrSamplingRate",
        node("oadr:oadrMinPeriod", values.format_duration(rate.min_period)),
        node("oadr:oadrMaxPeriod", values.format_duration(rate.max_period)),
        node("oadr:oadrOnChange", xml.boolean(rate.on_change)),
    )


def request(r: ReportRequest) -> Element:
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
            *(_specifier_payload(payload) for payload in specifier.payloads),
        ),
    )


def _window(window: ReportWindow | None) -> Element | None:
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


def _specifier_payload(p: SpecifierPayload) -> Element:
    return node(
        "ei:specifierPayload",
        node("ei:rID", p.r_id),
        common.item(p.item),
        node("ei:readingType", p.reading_type),
    )


# --- reading -----------------------------------------------------------------------------------


def read_report(e: Element) -> Report:
    """`oadrReport`."""
    intervals = xml.maybe_child(e, "strm:intervals")
    found = [] if intervals is None else xml.children(intervals, "ei:interval")
    descriptions = xml.children(e, "oadr:oadrReportDescription")
    return Report(
        start=common.maybe_read_start(e),
        duration=common.maybe_read_duration(e, "xcal:duration"),
        intervals=tuple(_read_interval(interval) for interval in found),
        report_id=xml.maybe_text(e, "ei:eiReportID"),
        descriptions=tuple(_read_description(description) for description in descriptions),
        report_request_id=xml.text(e, "ei:reportRequestID"),
        report_specifier_id=xml.text(e, "ei:reportSpecifierID"),
        name=xml.maybe_value(e, "ei:reportName", str),
        created_at=xml.value(e, "ei:createdDateTime", values.parse_instant),
    )


def _read_interval(e: Element) -> ReportInterval:
    payloads = xml.children(e, "oadr:oadrReportPayload")
    return ReportInterval(
        start=common.maybe_read_start(e),
        duration=common.maybe_read_duration(e, "xcal:duration"),
        uid=common.maybe_read_uid(e),
        payloads=tuple(_read_payload(payload) for payload in payloads),
    )


def _read_payload(e: Element) -> ReportPayload:
    return ReportPayload(
        r_id=xml.text(e, "ei:rID"),
        confidence=xml.maybe_value(e, "ei:confidence", _parse_percent),
        accuracy=xml.maybe_value(e, "ei:accuracy", values.parse_number),
        value=_read_payload_value(e),
        data_quality=xml.maybe_value(e, "oadr:oadrDataQuality", str),
    )


def _parse_percent(raw: str) -> int:
    percent = xml.parse_unsigned(raw)
    if percent > 100:  # noqa: PLR2004 - per cent
        raise ValueError(f"not a percentage: {raw}")
    return percent


def _read_payload_value(e: Element) -> float | ResourceStatus:
    status = xml.maybe_child(e, "oadr:oadrPayloadResourceStatus")
    if status is not None:
        return ResourceStatus(
            online=xml.value(status, "oadr:oadrOnline", values.parse_boolean),
            manual_override=xml.value(status, "oadr:oadrManualOverride", values.parse_boolean),
        )
    return xml.value(xml.child(e, "ei:payloadFloat"), "ei:value", values.parse_number)


def _read_description(e: Element) -> ReportDescription:
    rate = xml.maybe_child(e, "oadr:oadrSamplingRate")
    return ReportDescription(
        r_id=xml.text(e, "ei:rID"),
        subject=_maybe_read_target(e, "ei:reportSubject"),
        data_source=_maybe_read_target(e, "ei:reportDataSource"),
        report_type=xml.text(e, "ei:reportType").strip(),
        item=common.read_item(e),
        reading_type=xml.text(e, "ei:readingType").strip(),
        market_context=xml.maybe_value(e, "emix:marketContext", str),
        sampling_rate=None if rate is None else _read_sampling_rate(rate),
    )


def _maybe_read_target(e: Element, name: str) -> Target | None:
    found = xml.maybe_child(e, name)
    return None if found is None else common.read_target(found)


def _read_sampling_rate(e: Element) -> SamplingRate:
    return SamplingRate(
        min_period=xml.value(e, "oadr:oadrMinPeriod", values.parse_duration),
        max_period=xml.value(e, "oadr:oadrMaxPeriod", values.parse_duration),
        on_change=xml.value(e, "oadr:oadrOnChange", values.parse_boolean),
    )


def read_request(e: Element) -> ReportRequest:
    """`oadrReportRequest`."""
    specifier = xml.child(e, "ei:reportSpecifier")
    payloads = xml.children(specifier, "ei:specifierPayload")
    if not payloads:
        raise ProtocolError("reportSpecifier: no ei:specifierPayload")
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
        item=common.read_item(e),
        reading_type=xml.text(e, "ei:readingType").strip(),
    )
