"""EiRegisterParty, OadrPoll and oadrResponse in XML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from contracts.openadr import values
from contracts.openadr.payloads.registration import (
    CanceledPartyRegistration,
    CancelPartyRegistration,
    CreatedPartyRegistration,
    CreatePartyRegistration,
    Poll,
    Profile,
    QueryRegistration,
    RequestReregistration,
    Response,
)
from contracts.openadr.xml import common
from contracts.openadr.xml import elements as xml
from contracts.openadr.xml.elements import Element, maybe, node

# --- building ----------------------------------------------------------------------------------


def _response(m: Response) -> Element:
    return node("oadr:oadrResponse", common.response(m.response), maybe("ei:venID", m.ven_id))


def _poll(m: Poll) -> Element:
    return node("oadr:oadrPoll", node("ei:venID", m.ven_id))


def _query(m: QueryRegistration) -> Element:
    return node("oadr:oadrQueryRegistration", node("pyld:requestID", m.request_id))


def _create(m: CreatePartyRegistration) -> Element:
    pull = m.http_pull_model
    return node(
        "oadr:oadrCreatePartyRegistration",
        node("pyld:requestID", m.request_id),
        maybe("ei:registrationID", m.registration_id),
        maybe("ei:venID", m.ven_id),
        node("oadr:oadrProfileName", m.profile),
        node("oadr:oadrTransportName", m.transport),
        maybe("oadr:oadrTransportAddress", m.transport_address),
        node("oadr:oadrReportOnly", xml.boolean(m.report_only)),
        node("oadr:oadrXmlSignature", xml.boolean(m.xml_signature)),
        maybe("oadr:oadrVenName", m.ven_name),
        maybe("oadr:oadrHttpPullModel", None if pull is None else xml.boolean(pull)),
    )


def _created(m: CreatedPartyRegistration) -> Element:
    return node(
        "oadr:oadrCreatedPartyRegistration",
        common.response(m.response),
        maybe("ei:registrationID", m.registration_id),
        maybe("ei:venID", m.ven_id),
        node("ei:vtnID", m.vtn_id),
        node("oadr:oadrProfiles", *(_profile(profile) for profile in m.profiles)),
        common.duration("oadr:oadrRequestedOadrPollFreq", m.poll_frequency),
    )


def _profile(profile: Profile) -> Element:
    transports = (
        node("oadr:oadrTransport", node("oadr:oadrTransportName", name))
        for name in profile.transports
    )
    return node(
        "oadr:oadrProfile",
        node("oadr:oadrProfileName", profile.name),
        node("oadr:oadrTransports", *transports),
    )


def _cancel(m: CancelPartyRegistration) -> Element:
    return node(
        "oadr:oadrCancelPartyRegistration",
        node("pyld:requestID", m.request_id),
        node("ei:registrationID", m.registration_id),
        maybe("ei:venID", m.ven_id),
    )


def _canceled(m: CanceledPartyRegistration) -> Element:
    return node(
        "oadr:oadrCanceledPartyRegistration",
        common.response(m.response),
        maybe("ei:registrationID", m.registration_id),
        maybe("ei:venID", m.ven_id),
    )


def _reregister(m: RequestReregistration) -> Element:
    return node("oadr:oadrRequestReregistration", node("ei:venID", m.ven_id))


BUILDERS: Mapping[type, Callable[[Any], Element]] = {
    Response: _response,
    Poll: _poll,
    QueryRegistration: _query,
    CreatePartyRegistration: _create,
    CreatedPartyRegistration: _created,
    CancelPartyRegistration: _cancel,
    CanceledPartyRegistration: _canceled,
    RequestReregistration: _reregister,
}

# --- reading -----------------------------------------------------------------------------------


def _read_response(e: Element) -> Response:
    return Response(response=common.read_response(e), ven_id=xml.maybe_text(e, "ei:venID"))


def _read_poll(e: Element) -> Poll:
    return Poll(ven_id=xml.text(e, "ei:venID"))


def _read_query(e: Element) -> QueryRegistration:
    return QueryRegistration(request_id=xml.text(e, "pyld:requestID"))


def _read_create(e: Element) -> CreatePartyRegistration:
    return CreatePartyRegistration(
        request_id=xml.text(e, "pyld:requestID"),
        registration_id=xml.maybe_text(e, "ei:registrationID"),
        ven_id=xml.maybe_text(e, "ei:venID"),
        profile=xml.text(e, "oadr:oadrProfileName").strip(),
        transport=xml.text(e, "oadr:oadrTransportName").strip(),
        transport_address=xml.maybe_text(e, "oadr:oadrTransportAddress"),
        report_only=xml.value(e, "oadr:oadrReportOnly", values.parse_boolean),
        xml_signature=xml.value(e, "oadr:oadrXmlSignature", values.parse_boolean),
        ven_name=xml.maybe_text(e, "oadr:oadrVenName"),
        http_pull_model=xml.maybe_value(e, "oadr:oadrHttpPullModel", values.parse_boolean),
    )


def _read_created(e: Element) -> CreatedPartyRegistration:
    profiles = xml.maybe_child(e, "oadr:oadrProfiles")
    found = [] if profiles is None else xml.children(profiles, "oadr:oadrProfile")
    return CreatedPartyRegistration(
        response=common.read_response(e),
        registration_id=xml.maybe_text(e, "ei:registrationID"),
        ven_id=xml.maybe_text(e, "ei:venID"),
        vtn_id=xml.text(e, "ei:vtnID"),
        profiles=tuple(_read_profile(profile) for profile in found),
        poll_frequency=common.maybe_read_duration(e, "oadr:oadrRequestedOadrPollFreq"),
    )


def _read_profile(e: Element) -> Profile:
    transports = xml.children(xml.child(e, "oadr:oadrTransports"), "oadr:oadrTransport")
    return Profile(
        name=xml.text(e, "oadr:oadrProfileName").strip(),
        transports=tuple(xml.text(t, "oadr:oadrTransportName").strip() for t in transports),
    )


def _read_cancel(e: Element) -> CancelPartyRegistration:
    return CancelPartyRegistration(
        request_id=xml.text(e, "pyld:requestID"),
        registration_id=xml.text(e, "ei:registrationID"),
        ven_id=xml.maybe_text(e, "ei:venID"),
    )


def _read_canceled(e: Element) -> CanceledPartyRegistration:
    return CanceledPartyRegistration(
        response=common.read_response(e),
        registration_id=xml.maybe_text(e, "ei:registrationID"),
        ven_id=xml.maybe_text(e, "ei:venID"),
    )


def _read_reregister(e: Element) -> RequestReregistration:
    return RequestReregistration(ven_id=xml.text(e, "ei:venID"))


READERS: Mapping[str, Callable[[Element], Any]] = {
    "oadrResponse": _read_response,
    "oadrPoll": _read_poll,
    "oadrQueryRegistration": _read_query,
    "oadrCreatePartyRegistration": _read_create,
    "oadrCreatedPartyRegistration": _read_created,
    "oadrCancelPartyRegistration": _read_cancel,
    "oadrCanceledPartyRegistration": _read_canceled,
    "oadrRequestReregistration": _read_reregister,
}
