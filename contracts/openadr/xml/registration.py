"""EiRegisterParty, OadrPoll and oadrResponse in XML."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from contracts.openadr import values, words
from contracts.openadr.payloads.registration import (
    CanceledPartyRegistration,
    CancelPartyRegistration,
    CreatedPartyRegistration,
    CreatePartyRegistration,
    Extension,
    Info,
    Poll,
    Profile,
    QueryRegistration,
    RequestReregistration,
    Response,
    ServiceInfo,
)
from contracts.openadr.xml import common
from contracts.openadr.xml import elements as xml
from contracts.openadr.xml.elements import Element, Markup, maybe, message, node

Part = TypeVar("Part")

# --- building ----------------------------------------------------------------------------------


def _response(m: Response) -> Markup:
    return message("oadr:oadrResponse", common.response(m.response), maybe("ei:venID", m.ven_id))


def _poll(m: Poll) -> Markup:
    return message("oadr:oadrPoll", node("ei:venID", m.ven_id))


def _query(m: QueryRegistration) -> Markup:
    return message("oadr:oadrQueryRegistration", node("pyld:requestID", m.request_id))


def _create(m: CreatePartyRegistration) -> Markup:
    pull = m.http_pull_model
    return message(
        "oadr:oadrCreatePartyRegistration",
        node("pyld:requestID", m.request_id),
        maybe("ei:registrationID", m.registration_id),
        maybe("ei:venID", m.ven_id),
        node("oadr:oadrProfileName", words.ProfileName(m.profile)),
        node("oadr:oadrTransportName", words.TransportName(m.transport)),
        maybe("oadr:oadrTransportAddress", m.transport_address),
        node("oadr:oadrReportOnly", xml.boolean(m.report_only)),
        node("oadr:oadrXmlSignature", xml.boolean(m.xml_signature)),
        maybe("oadr:oadrVenName", m.ven_name),
        maybe("oadr:oadrHttpPullModel", None if pull is None else xml.boolean(pull)),
    )


def _created(m: CreatedPartyRegistration) -> Markup:
    return message(
        "oadr:oadrCreatedPartyRegistration",
        common.response(m.response),
        maybe("ei:registrationID", m.registration_id),
        maybe("ei:venID", m.ven_id),
        node("ei:vtnID", m.vtn_id),
        node("oadr:oadrProfiles", *xml.some("profile", map(_profile, m.profiles))),
        common.duration("oadr:oadrRequestedOadrPollFreq", m.poll_frequency),
        _maybe_all("oadr:oadrServiceSpecificInfo", map(_service, m.services)),
        _maybe_all("oadr:oadrExtensions", map(_extension, m.extensions)),
    )


def _maybe_all(name: str, parts: Iterable[Markup]) -> Markup | None:
    found = list(parts)
    return node(name, *found) if found else None


def _service(s: ServiceInfo) -> Markup:
    return node(
        "oadr:oadrService",
        node("oadr:oadrServiceName", words.ServiceName(s.service)),
        *xml.some("info", map(_info, s.infos)),
    )


def _extension(x: Extension) -> Markup:
    name = node("oadr:oadrExtensionName", x.name)
    return node("oadr:oadrExtension", name, *map(_info, x.infos))


def _info(info: Info) -> Markup:
    return node("oadr:oadrInfo", node("oadr:oadrKey", info.key), node("oadr:oadrValue", info.value))


def _profile(profile: Profile) -> Markup:
    transports = (
        node("oadr:oadrTransport", node("oadr:oadrTransportName", words.TransportName(name)))
        for name in profile.transports
    )
    return node(
        "oadr:oadrProfile",
        node("oadr:oadrProfileName", words.ProfileName(profile.name)),
        node("oadr:oadrTransports", *xml.some("transport", transports)),
    )


def _cancel(m: CancelPartyRegistration) -> Markup:
    return message(
        "oadr:oadrCancelPartyRegistration",
        node("pyld:requestID", m.request_id),
        node("ei:registrationID", m.registration_id),
        maybe("ei:venID", m.ven_id),
    )


def _canceled(m: CanceledPartyRegistration) -> Markup:
    return message(
        "oadr:oadrCanceledPartyRegistration",
        common.response(m.response),
        maybe("ei:registrationID", m.registration_id),
        maybe("ei:venID", m.ven_id),
    )


def _reregister(m: RequestReregistration) -> Markup:
    return message("oadr:oadrRequestReregistration", node("ei:venID", m.ven_id))


BUILDERS: Mapping[type, Callable[[Any], Markup]] = {
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
        services=_read_all(e, "oadr:oadrServiceSpecificInfo", "oadr:oadrService", _read_service),
        extensions=_read_all(e, "oadr:oadrExtensions", "oadr:oadrExtension", _read_extension),
    )


def _read_all(
    e: Element, name: str, part: str, read: Callable[[Element], Part]
) -> tuple[Part, ...]:
    found = xml.maybe_child(e, name)
    return () if found is None else tuple(map(read, xml.children(found, part)))


def _read_service(e: Element) -> ServiceInfo:
    infos = xml.some_children(e, "oadr:oadrInfo")
    return ServiceInfo(
        service=xml.text(e, "oadr:oadrServiceName").strip(), infos=tuple(map(_read_info, infos))
    )


def _read_extension(e: Element) -> Extension:
    return Extension(
        name=xml.text(e, "oadr:oadrExtensionName"),
        infos=tuple(map(_read_info, xml.children(e, "oadr:oadrInfo"))),
    )


def _read_info(e: Element) -> Info:
    return Info(key=xml.text(e, "oadr:oadrKey"), value=xml.text(e, "oadr:oadrValue"))


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
