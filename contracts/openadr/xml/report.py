"""EiReport messages in XML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from contracts.errors import ProtocolError
from contracts.openadr import values
from contracts.openadr.payloads.report import (
    CanceledReport,
    CancelReport,
    CreatedReport,
    CreateReport,
    RegisteredReport,
    RegisterReport,
    ReportRequest,
    UpdatedReport,
    UpdateReport,
)
from contracts.openadr.xml import common, report_body
from contracts.openadr.xml import elements as xml
from contracts.openadr.xml.elements import Element, Markup, maybe, message, node, nodes

_CANCEL = "oadr:oadrCancelReport"

# --- building ----------------------------------------------------------------------------------


def _register(m: RegisterReport) -> Markup:
    return message(
        "oadr:oadrRegisterReport",
        node("pyld:requestID", m.request_id),
        *(report_body.report(report) for report in m.reports),
        maybe("ei:venID", m.ven_id),
        maybe("ei:reportRequestID", m.report_request_id),
    )


def _registered(m: RegisteredReport) -> Markup:
    return message(
        "oadr:oadrRegisteredReport",
        common.response(m.response),
        *(report_body.request(request) for request in m.requests),
        maybe("ei:venID", m.ven_id),
    )


def _create(m: CreateReport) -> Markup:
    return message(
        "oadr:oadrCreateReport",
        node("pyld:requestID", m.request_id),
        *xml.some("report request", map(report_body.request, m.requests)),
        maybe("ei:venID", m.ven_id),
    )


def _created(m: CreatedReport) -> Markup:
    return message(
        "oadr:oadrCreatedReport",
        common.response(m.response),
        node("oadr:oadrPendingReports", *nodes("ei:reportRequestID", m.pending)),
        maybe("ei:venID", m.ven_id),
    )


def _update(m: UpdateReport) -> Markup:
    return message(
        "oadr:oadrUpdateReport",
        node("pyld:requestID", m.request_id),
        *(report_body.report(report) for report in m.reports),
        maybe("ei:venID", m.ven_id),
    )


def _updated(m: UpdatedReport) -> Markup:
    return message(
        "oadr:oadrUpdatedReport",
        common.response(m.response),
        None if m.cancel is None else node(_CANCEL, *_cancel_parts(m.cancel)),
        maybe("ei:venID", m.ven_id),
    )


def _cancel(m: CancelReport) -> Markup:
    return message(_CANCEL, *_cancel_parts(m))


def _cancel_parts(m: CancelReport) -> list[Markup | None]:
    return [
        node("pyld:requestID", m.request_id),
        *xml.some("report request id", nodes("ei:reportRequestID", m.report_request_ids)),
        node("pyld:reportToFollow", xml.boolean(m.to_follow)),
        maybe("ei:venID", m.ven_id),
    ]


def _canceled(m: CanceledReport) -> Markup:
    return message(
        "oadr:oadrCanceledReport",
        common.response(m.response),
        node("oadr:oadrPendingReports", *nodes("ei:reportRequestID", m.pending)),
        maybe("ei:venID", m.ven_id),
    )


BUILDERS: Mapping[type, Callable[[Any], Markup]] = {
    RegisterReport: _register,
    RegisteredReport: _registered,
    CreateReport: _create,
    CreatedReport: _created,
    UpdateReport: _update,
    UpdatedReport: _updated,
    CancelReport: _cancel,
    CanceledReport: _canceled,
}

# --- reading -----------------------------------------------------------------------------------


def _read_register(e: Element) -> RegisterReport:
    reports = xml.children(e, "oadr:oadrReport")
    return RegisterReport(
        request_id=xml.text(e, "pyld:requestID"),
        reports=tuple(report_body.read_report(report) for report in reports),
        ven_id=xml.maybe_text(e, "ei:venID"),
        report_request_id=xml.maybe_text(e, "ei:reportRequestID"),
    )


def _read_requests(e: Element) -> tuple[ReportRequest, ...]:
    return tuple(report_body.read_request(r) for r in xml.children(e, "oadr:oadrReportRequest"))


def _read_registered(e: Element) -> RegisteredReport:
    return RegisteredReport(
        response=common.read_response(e),
        requests=_read_requests(e),
        ven_id=xml.maybe_text(e, "ei:venID"),
    )


def _read_create(e: Element) -> CreateReport:
    requests = xml.some_children(e, "oadr:oadrReportRequest")
    return CreateReport(
        request_id=xml.text(e, "pyld:requestID"),
        requests=tuple(map(report_body.read_request, requests)),
        ven_id=xml.maybe_text(e, "ei:venID"),
    )


def _read_pending(e: Element) -> tuple[str, ...]:
    pending = xml.maybe_child(e, "oadr:oadrPendingReports")
    return () if pending is None else xml.texts(pending, "ei:reportRequestID")


def _read_created(e: Element) -> CreatedReport:
    return CreatedReport(
        response=common.read_response(e),
        pending=_read_pending(e),
        ven_id=xml.maybe_text(e, "ei:venID"),
    )


def _read_update(e: Element) -> UpdateReport:
    reports = xml.children(e, "oadr:oadrReport")
    return UpdateReport(
        request_id=xml.text(e, "pyld:requestID"),
        reports=tuple(report_body.read_report(report) for report in reports),
        ven_id=xml.maybe_text(e, "ei:venID"),
    )


def _read_updated(e: Element) -> UpdatedReport:
    cancel = xml.maybe_child(e, "oadr:oadrCancelReport")
    return UpdatedReport(
        response=common.read_response(e),
        cancel=None if cancel is None else _read_cancel(cancel),
        ven_id=xml.maybe_text(e, "ei:venID"),
    )


def _read_cancel(e: Element) -> CancelReport:
    ids = xml.texts(e, "ei:reportRequestID")
    if not ids:
        raise ProtocolError("oadrCancelReport: no ei:reportRequestID")
    return CancelReport(
        request_id=xml.text(e, "pyld:requestID"),
        report_request_ids=ids,
        to_follow=xml.value(e, "pyld:reportToFollow", values.parse_boolean),
        ven_id=xml.maybe_text(e, "ei:venID"),
    )


def _read_canceled(e: Element) -> CanceledReport:
    return CanceledReport(
        response=common.read_response(e),
        pending=_read_pending(e),
        ven_id=xml.maybe_text(e, "ei:venID"),
    )


READERS: Mapping[str, Callable[[Element], Any]] = {
    "oadrRegisterReport": _read_register,
    "oadrRegisteredReport": _read_registered,
    "oadrCreateReport": _read_create,
    "oadrCreatedReport": _read_created,
    "oadrUpdateReport": _read_update,
    "oadrUpdatedReport": _read_updated,
    "oadrCancelReport": _read_cancel,
    "oadrCanceledReport": _read_canceled,
}
