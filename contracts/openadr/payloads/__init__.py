"""Every OpenADR 2.0b message we speak, as frozen values.

A class is named like its element without the `oadr` (`oadrPoll` is `Poll`). Identifiers are
strings, always: `007` stays `007`.
"""

from contracts.openadr.payloads.common import (
    EVERYONE,
    AtomFeed,
    EiResponse,
    ItemBase,
    PowerAttributes,
    QualifiedEventId,
    ServiceArea,
    Target,
    TransportInterface,
)
from contracts.openadr.payloads.event import (
    ActivePeriod,
    Baseline,
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
from contracts.openadr.payloads.opt import (
    Availability,
    CanceledOpt,
    CancelOpt,
    CreatedOpt,
    CreateOpt,
)
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
from contracts.openadr.payloads.report import (
    CanceledReport,
    CancelReport,
    CreatedReport,
    CreateReport,
    LoadControlState,
    LoadControlValue,
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
    CanceledOpt
    | CanceledPartyRegistration
    | CanceledReport
    | CancelOpt
    | CancelPartyRegistration
    | CancelReport
    | CreatedEvent
    | CreatedOpt
    | CreatedPartyRegistration
    | CreatedReport
    | CreateOpt
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
    "AtomFeed",
    "Availability",
    "Baseline",
    "CancelOpt",
    "CancelPartyRegistration",
    "CancelReport",
    "CanceledOpt",
    "CanceledPartyRegistration",
    "CanceledReport",
    "CreateOpt",
    "CreatePartyRegistration",
    "CreateReport",
    "CreatedEvent",
    "CreatedOpt",
    "CreatedPartyRegistration",
    "CreatedReport",
    "DistributeEvent",
    "EiResponse",
    "EventDescriptor",
    "EventResponse",
    "EventStatus",
    "Extension",
    "Info",
    "ItemBase",
    "LoadControlState",
    "LoadControlValue",
    "OadrEvent",
    "OptType",
    "Payload",
    "Poll",
    "PowerAttributes",
    "Profile",
    "QualifiedEventId",
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
    "ServiceArea",
    "ServiceInfo",
    "Signal",
    "SignalInterval",
    "SpecifierPayload",
    "Target",
    "TransportInterface",
    "UpdateReport",
    "UpdatedReport",
]
