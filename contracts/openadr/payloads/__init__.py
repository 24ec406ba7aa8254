"""Every OpenADR 2.0b message we speak, as frozen values.

A class is named like its element without the `oadr` (`oadrPoll` is `Poll`). Identifiers are
strings, always: `007` stays `007`. EiOpt is not spoken yet.
"""

from contracts.openadr.payloads.common import (
    EVERYONE,
    EiResponse,
    ItemBase,
    PowerAttributes,
    Target,
)
from contracts.openadr.payloads.event import (
    ActivePeriod,
    CreatedEvent,
    DistributeEvent,
    EventDescriptor,
    EventResponse,
    EventStatus,
    OadrEvent,
    OptType,
    RejectedEvent,
    RequestEvent,
    ResponseRequired,
    Signal,
    SignalInterval,
)
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
from contracts.openadr.payloads.report import (
    CanceledReport,
    CancelReport,
    CreatedReport,
    CreateReport,
    RegisteredReport,
    RegisterReport,
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
    UpdatedReport,
    UpdateReport,
)

Payload = (
    CanceledPartyRegistration
    | CanceledReport
    | CancelPartyRegistration
    | CancelReport
    | CreatedEvent
    | CreatedPartyRegistration
    | CreatedReport
    | CreatePartyRegistration
    | CreateReport
    | DistributeEvent
    | Poll
    | QueryRegistration
    | RegisteredReport
    | RegisterReport
    | RequestEvent
    | RequestReregistration
    | Response
    | UpdatedReport
    | UpdateReport
)
"""Any message."""

__all__ = [
    "EVERYONE",
    "ActivePeriod",
    "CancelPartyRegistration",
    "CancelReport",
    "CanceledPartyRegistration",
    "CanceledReport",
    "CreatePartyRegistration",
    "CreateReport",
    "CreatedEvent",
    "CreatedPartyRegistration",
    "CreatedReport",
    "DistributeEvent",
    "EiResponse",
    "EventDescriptor",
    "EventResponse",
    "EventStatus",
    "ItemBase",
    "OadrEvent",
    "OptType",
    "Payload",
    "Poll",
    "PowerAttributes",
    "Profile",
    "QueryRegistration",
    "RegisterReport",
    "RegisteredReport",
    "RejectedEvent",
    "Report",
    "ReportDescription",
    "ReportInterval",
    "ReportPayload",
    "ReportRequest",
    "ReportSpecifier",
    "ReportWindow",
    "RequestEvent",
    "RequestReregistration",
    "ResourceStatus",
    "Response",
    "ResponseRequired",
    "SamplingRate",
    "Signal",
    "SignalInterval",
    "SpecifierPayload",
    "Target",
    "UpdateReport",
    "UpdatedReport",
]
