"""Device capability, time, end devices, registration, function sets and log events (8, 9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from contracts.sep2 import kinds
from contracts.sep2.fields import attribute, element
from contracts.sep2.hexes import canonical_lfdi, canonical_mrid
from contracts.sep2.resources.base import (
    Link,
    ListLink,
    Resource,
    ResourceList,
    SubscribableResource,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSetAssignmentsBase(SubscribableResource):
    """Links to the function sets a device shall use."""

    customer_account_list_link: Annotated[
        ListLink | None, element("CustomerAccountListLink", ListLink)
    ] = None
    demand_response_program_list_link: Annotated[
        ListLink | None, element("DemandResponseProgramListLink", ListLink)
    ] = None
    der_program_list_link: Annotated[ListLink | None, element("DERProgramListLink", ListLink)] = (
        None
    )
    file_list_link: Annotated[ListLink | None, element("FileListLink", ListLink)] = None
    messaging_program_list_link: Annotated[
        ListLink | None, element("MessagingProgramListLink", ListLink)
    ] = None
    prepayment_list_link: Annotated[ListLink | None, element("PrepaymentListLink", ListLink)] = None
    response_set_list_link: Annotated[ListLink | None, element("ResponseSetListLink", ListLink)] = (
        None
    )
    tariff_profile_list_link: Annotated[
        ListLink | None, element("TariffProfileListLink", ListLink)
    ] = None
    time_link: Annotated[Link | None, element("TimeLink", Link)] = None
    usage_point_list_link: Annotated[ListLink | None, element("UsagePointListLink", ListLink)] = (
        None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCapability(FunctionSetAssignmentsBase):
    """`DeviceCapability`: the entry, from which everything else is found by links."""

    poll_rate: Annotated[timedelta | None, attribute("pollRate", kinds.SECONDS)] = None
    end_device_list_link: Annotated[ListLink | None, element("EndDeviceListLink", ListLink)] = None
    mirror_usage_point_list_link: Annotated[
        ListLink | None, element("MirrorUsagePointListLink", ListLink)
    ] = None
    self_device_link: Annotated[Link | None, element("SelfDeviceLink", Link)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Time(Resource):
    """`Time`: the server's clock (9.2)."""

    poll_rate: Annotated[timedelta | None, attribute("pollRate", kinds.SECONDS)] = None
    current_time: Annotated[datetime, element("currentTime", kinds.TIME)]
    dst_end_time: Annotated[datetime | None, element("dstEndTime", kinds.TIME, required=True)] = (
        None
    )
    dst_offset: Annotated[timedelta | None, element("dstOffset", kinds.OFFSET, required=True)] = (
        None
    )
    dst_start_time: Annotated[
        datetime | None, element("dstStartTime", kinds.TIME, required=True)
    ] = None
    local_time: Annotated[datetime | None, element("localTime", kinds.TIME)] = None
    """Wall time of the server's place, written as if it were UTC."""
    quality: Annotated[int | None, element("quality", kinds.UINT8, required=True)] = None
    """3 authoritative, 4 level 3, 5 level 4, 6 level 5, 7 intentionally uncoordinated."""
    tz_offset: Annotated[timedelta | None, element("tzOffset", kinds.OFFSET, required=True)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDevice(SubscribableResource):
    """`EndDevice`: a site, a DER, or the aggregator itself (8.5)."""

    configuration_link: Annotated[Link | None, element("ConfigurationLink", Link)] = None
    der_list_link: Annotated[ListLink | None, element("DERListLink", ListLink)] = None
    device_category: Annotated[int | None, element("deviceCategory", kinds.BITS32)] = None
    """Bits of `codes.DeviceCategory`."""
    device_information_link: Annotated[Link | None, element("DeviceInformationLink", Link)] = None
    device_status_link: Annotated[Link | None, element("DeviceStatusLink", Link)] = None
    file_status_link: Annotated[Link | None, element("FileStatusLink", Link)] = None
    ip_interface_list_link: Annotated[ListLink | None, element("IPInterfaceListLink", ListLink)] = (
        None
    )
    lfdi: Annotated[str | None, element("lFDI", kinds.LFDI)] = None
    """As it was sent, for echoing."""
    load_shed_availability_list_link: Annotated[
        ListLink | None, element("LoadShedAvailabilityListLink", ListLink)
    ] = None
    log_event_list_link: Annotated[ListLink | None, element("LogEventListLink", ListLink)] = None
    power_status_link: Annotated[Link | None, element("PowerStatusLink", Link)] = None
    sfdi: Annotated[int | None, element("sFDI", kinds.UINT40, required=True)] = None
    """With its check digit: `certs` computes it from the certificate."""
    changed_time: Annotated[datetime | None, element("changedTime", kinds.TIME, required=True)] = (
        None
    )
    enabled: Annotated[bool | None, element("enabled", kinds.BOOLEAN)] = None
    flow_reservation_request_list_link: Annotated[
        ListLink | None, element("FlowReservationRequestListLink", ListLink)
    ] = None
    flow_reservation_response_list_link: Annotated[
        ListLink | None, element("FlowReservationResponseListLink", ListLink)
    ] = None
    function_set_assignments_list_link: Annotated[
        ListLink | None, element("FunctionSetAssignmentsListLink", ListLink)
    ] = None
    post_rate: Annotated[timedelta | None, element("postRate", kinds.SECONDS)] = None
    registration_link: Annotated[Link | None, element("RegistrationLink", Link)] = None
    subscription_list_link: Annotated[
        ListLink | None, element("SubscriptionListLink", ListLink)
    ] = None
    connection_point_link: Annotated[
        Link | None, element("ConnectionPointLink", Link, csipaus=True)
    ] = None
    extension: tuple[bytes, ...] = ()
    """Elements we do not know, as XML."""

    @property
    def canonical_lfdi(self) -> str:
        """The LFDI as a key: 40 upper-case digits; of no LFDI, an empty text."""
        return "" if self.lfdi is None else canonical_lfdi(self.lfdi)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDeviceList(ResourceList):
    """`EndDeviceList`."""

    items: Annotated[tuple[EndDevice, ...], element("EndDevice", EndDevice, many=True)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionPoint(Resource):
    """CSIP-AUS `ConnectionPoint`: where the site meets the grid, in Australia its NMI."""

    connection_point_id: Annotated[
        str | None, element("connectionPointId", kinds.STRING32, required=True, csipaus=True)
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration(Resource):
    """`Registration`: the PIN, check digit included, that both sides must agree on (6.9.2)."""

    poll_rate: Annotated[timedelta | None, attribute("pollRate", kinds.SECONDS)] = None
    date_time_registered: Annotated[
        datetime | None, element("dateTimeRegistered", kinds.TIME, required=True)
    ] = None
    pin: Annotated[int, element("pIN", kinds.UINT32)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSetAssignments(FunctionSetAssignmentsBase):
    """`FunctionSetAssignments`: one group a device belongs to (8.6)."""

    mrid: Annotated[str | None, element("mRID", kinds.MRID, required=True)] = None
    description: Annotated[str | None, element("description", kinds.STRING32)] = None
    version: Annotated[int | None, element("version", kinds.UINT16)] = None

    @property
    def canonical_mrid(self) -> str:
        """The mRID as a key: 32 upper-case digits; of no mRID, an empty text."""
        return "" if self.mrid is None else canonical_mrid(self.mrid)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSetAssignmentsList(ResourceList):
    """`FunctionSetAssignmentsList`."""

    items: Annotated[
        tuple[FunctionSetAssignments, ...],
        element("FunctionSetAssignments", FunctionSetAssignments, many=True),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvent(Resource):
    """`LogEvent`: something worth telling, an alarm of a DER for example (`codes.DerAlarm`)."""

    created_date_time: Annotated[datetime, element("createdDateTime", kinds.TIME)]
    details: Annotated[str | None, element("details", kinds.STRING32)] = None
    extended_data: Annotated[int | None, element("extendedData", kinds.UINT32)] = None
    function_set: Annotated[int, element("functionSet", kinds.UINT8)]
    """11 for DER."""
    log_event_code: Annotated[int, element("logEventCode", kinds.UINT8)]
    log_event_id: Annotated[int, element("logEventID", kinds.UINT16)]
    log_event_pen: Annotated[int, element("logEventPEN", kinds.UINT32)]
    """IANA private enterprise number of who defined the code; 40732 for IEEE 2030.5."""
    profile_id: Annotated[int, element("profileID", kinds.UINT8)]
    """2 for IEEE 2030.5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEventList(ResourceList):
    """`LogEventList`."""

    items: Annotated[tuple[LogEvent, ...], element("LogEvent", LogEvent, many=True)] = ()
