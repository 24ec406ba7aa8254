"""EiRegisterParty, OadrPoll and the plain response."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from contracts.openadr.payloads.common import EiResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """`oadrResponse`: an acknowledgement, or "nothing for you" to a poll."""

    response: EiResponse
    ven_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """`oadrPoll`: a pull VEN asks for the next message."""

    ven_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """`oadrProfile`: a profile the VTN speaks, and over what."""

    name: str = "2.0b"
    transports: tuple[str, ...] = ("simpleHttp",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """`oadrInfo`: a named value outside the profile."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceInfo:
    """`oadrService` of `oadrServiceSpecificInfo`; `service` is a `ServiceName`."""

    service: str
    infos: tuple[Info, ...]
    """At least one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """`oadrExtension`: what a VTN does beyond the profile."""

    name: str
    infos: tuple[Info, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryRegistration:
    """`oadrQueryRegistration`: which profiles and transports does the VTN speak?"""

    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePartyRegistration:
    """`oadrCreatePartyRegistration`: register, or register again with the `registration_id`."""

    request_id: str
    registration_id: str | None = None
    ven_id: str | None = None
    profile: str = "2.0b"
    transport: str = "simpleHttp"
    transport_address: str | None = None
    report_only: bool = False
    xml_signature: bool = False
    ven_name: str | None = None
    http_pull_model: bool | None = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedPartyRegistration:
    """`oadrCreatedPartyRegistration`: the answer to a query or a registration."""

    response: EiResponse
    registration_id: str | None = None
    ven_id: str | None = None
    vtn_id: str
    profiles: tuple[Profile, ...] = (Profile(),)
    poll_frequency: timedelta | None = None
    """How often a pull VEN shall poll (`oadrRequestedOadrPollFreq`)."""
    services: tuple[ServiceInfo, ...] = ()
    extensions: tuple[Extension, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPartyRegistration:
    """`oadrCancelPartyRegistration`: either side ends the registration."""

    request_id: str
    registration_id: str
    ven_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CanceledPartyRegistration:
    """`oadrCanceledPartyRegistration`: the registration has ended."""

    response: EiResponse
    registration_id: str | None = None
    ven_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReregistration:
    """`oadrRequestReregistration`: the VTN asks the VEN to register again."""

    ven_id: str
