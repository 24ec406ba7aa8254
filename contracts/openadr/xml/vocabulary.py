"""Every element name of the 2.0b schema.

The schema is closed: another name in one of its namespaces is a mistake, most often a known name
in the wrong one. To skip it like an extension would lose what it says, be it the target of an
event, so it is refused. Elements of other namespaces are skipped.
"""

from __future__ import annotations

from contracts.errors import ProtocolError
from contracts.openadr.xml.elements import NAMESPACES, Element, local_name

_NAMES = {
    "oadr": """
        Therm currency currencyPerKW currencyPerKWh currencyPerThm current customUnit frequency
        itemDescription itemUnits oadrCancelOpt oadrCancelPartyRegistration oadrCancelReport
        oadrCanceledOpt oadrCanceledPartyRegistration oadrCanceledReport oadrCapacity
        oadrCreateOpt oadrCreatePartyRegistration oadrCreateReport oadrCreatedEvent oadrCreatedOpt
        oadrCreatedPartyRegistration oadrCreatedReport oadrCurrent oadrDataQuality oadrDeviceClass
        oadrDistributeEvent oadrEvent oadrExtension oadrExtensionName oadrExtensions
        oadrGBDataDescription oadrGBPayload oadrHttpPullModel oadrInfo oadrKey oadrLevelOffset
        oadrLoadControlState oadrManualOverride oadrMax oadrMaxPeriod oadrMin oadrMinPeriod
        oadrNormal oadrOnChange oadrOnline oadrPayload oadrPayloadResourceStatus
        oadrPendingReports oadrPercentOffset oadrPoll oadrProfile oadrProfileName oadrProfiles
        oadrQueryRegistration oadrRegisterReport oadrRegisteredReport oadrReport
        oadrReportDescription oadrReportOnly oadrReportPayload oadrReportRequest oadrRequestEvent
        oadrRequestReregistration oadrRequestedOadrPollFreq oadrResponse oadrResponseRequired
        oadrSamplingRate oadrService oadrServiceName oadrServiceSpecificInfo oadrSetPoint
        oadrSignedObject oadrTransport oadrTransportAddress oadrTransportName oadrTransports
        oadrUpdateReport oadrUpdatedReport oadrValue oadrVenName oadrXmlSignature pulseCount
        pulseFactor temperature
    """,
    "ei": """
        SignalNameEnumerated accuracy baselineID baselineName confidence createdDateTime
        currentValue eiActivePeriod eiEvent eiEventBaseline eiEventSignal eiEventSignals
        eiMarketContext eiReportID eiResponse eiTarget eventDescriptor eventID eventResponse
        eventResponses eventStatus groupID groupName interval modificationDateTime
        modificationNumber modificationReason numDataSources optID optReason optReasonEnumerated
        optType partyID payloadFloat priority qualifiedEventID rID readingType
        readingTypeEnumerated refID registrationID reportBackDuration reportDataSource
        reportEnumerated reportInterval reportName reportRequestID reportSpecifier
        reportSpecifierID reportSubject reportType resourceID response responseCode
        responseDescription responses signalID signalName signalPayload signalType
        specifierPayload statusDateTime testEvent value venID vtnComment vtnID x-eiNotification
        x-eiRampUp x-eiRecovery
    """,
    "pyld": "eiCreatedEvent eiRequestEvent replyLimit reportToFollow requestID",
    "emix": "marketContext serviceArea",
    "power": """
        ac aggregatedPnode endDeviceAsset energyApparent energyItem energyReactive energyReal
        hertz itemDescription itemUnits meterAsset mrid node pnode pointOfDelivery pointOfReceipt
        powerApparent powerAttributes powerItem powerReactive powerReal serviceDeliveryPoint
        serviceLocation transportInterface voltage
    """,
    "scale": "siScaleCode",
    "strm": "intervals",
    "xcal": """
        available components date-time dtend dtstart duration granularity interval properties
        startafter text tolerance tolerate uid vavailability
    """,
}
_TAGS = {
    f"{{{NAMESPACES[prefix]}}}{name}" for prefix, names in _NAMES.items() for name in names.split()
}
_OURS = tuple(f"{{{NAMESPACES[prefix]}}}" for prefix in _NAMES)


def check_names(element: Element) -> None:
    """Check the element and all in it.

    Raises:
        ProtocolError: one is in a namespace of the schema but not in the schema.
    """
    for tag in sorted({str(e.tag) for e in element.iter()} - _TAGS):
        if tag.startswith(_OURS):
            stray = next(element.iter(tag))
            raise ProtocolError(f"{tag[:120]} is no element of 2.0b, in {_place(stray)}")


def _place(element: Element) -> str:
    parent = element.getparent()
    return "the root" if parent is None else local_name(parent)
