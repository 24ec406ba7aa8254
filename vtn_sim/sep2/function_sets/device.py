"""DeviceCapability, Time, EndDevice, Registration and LogEvent (8.3, 8.5, 9.2, 9.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from contracts.identity import sfdi
from contracts.sep2.codes import ReasonCode
from contracts.sep2.hexes import canonical_lfdi
from contracts.sep2.resources import (
    ConnectionPoint,
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    Link,
    LogEvent,
    LogEventList,
    Registration,
    Time,
)
from vtn_sim.sep2.devices import Device
from vtn_sim.sep2.function_sets.common import FunctionSet, list_link
from vtn_sim.sep2.hrefs import RESPONSE_SETS
from vtn_sim.sep2.received import ReceivedLogEvent
from vtn_sim.sep2.refusal import CONFLICT, FORBIDDEN, TOO_LARGE, Refused, bad_request, not_found
from vtn_sim.sep2.routing import Call, Posted, Route
from vtn_sim.sep2.server_time import whole
from vtn_sim.sep2.spec import DeviceSpec

_MOST = 100_000
_UNCOORDINATED = 7
"""Quality of a time that is deliberately not synchronised (9.2; CSIP CORE-005)."""


class DeviceFunctionSet(FunctionSet):
    """Who is there, what time it is, and what devices log."""

    def routes(self) -> Iterator[Route]:
        """Every path."""
        yield Route(pattern=self.hrefs.entry, kind="DeviceCapability", get=self.capability)
        yield Route(pattern="tm", kind="Time", get=self.time)
        yield Route(pattern="edev", kind="EndDeviceList", get=self.devices, post=self.register)
        yield Route(
            pattern="edev/{device}",
            kind="EndDevice",
            get=lambda call: self.end_device(self.device(call)),
            put=self.update,
            identified_by="device",
        )
        yield Route(pattern="edev/{device}/rg", kind="Registration", get=self.registration)
        yield Route(
            pattern="edev/{device}/lel",
            kind="LogEventList",
            get=self.log_events,
            post=self.log,
        )
        yield Route(pattern="edev/{device}/lel/{log}", kind="LogEvent", get=self.log_event)
        if self.utility.settings.csipaus is not None:
            yield Route(
                pattern="edev/{device}/cp",
                kind="ConnectionPoint",
                get=self.connection_point,
                put=self.connect,
            )

    def capability(self, call: Call) -> DeviceCapability:
        """The entry."""
        count = len(self.utility.devices.visible_to(call.client))
        mirrors = len(self.utility.mirrors.of(call.client.lfdi))
        sets = list_link(f"{self.hrefs.prefix}/rsps", len(RESPONSE_SETS))
        return DeviceCapability(
            href=self.hrefs.entry,
            poll_rate=self.utility.poll_rate("DeviceCapability"),
            time_link=Link(href=self.hrefs.time),
            response_set_list_link=None if self.utility.habits.per_device_hrefs else sets,
            end_device_list_link=list_link(self.hrefs.devices, count),
            mirror_usage_point_list_link=list_link(self.hrefs.mirrors, mirrors),
        )

    def time(self, call: Call) -> Time:
        """The server's clock."""
        now = self.utility.now()
        local = now.astimezone(self.utility.settings.time_zone)
        dst = local.dst() or timedelta(0)
        offset = (local.utcoffset() or timedelta(0)) - dst
        return Time(
            href=self.hrefs.time,
            poll_rate=self.utility.poll_rate("Time"),
            current_time=whole(now),
            dst_end_time=_EPOCH,
            dst_offset=dst,
            dst_start_time=_EPOCH,
            local_time=whole(local).replace(tzinfo=UTC),
            quality=_UNCOORDINATED,
            tz_offset=offset,
        )

    # --- EndDevice -----------------------------------------------------------------------------

    def devices(self, call: Call) -> EndDeviceList:
        """The client's own EndDevice and those it stands in for."""
        seen = self.utility.devices.visible_to(call.client)
        return self.listed(EndDeviceList, self.hrefs.devices, seen, call, self.end_device)

    def end_device(self, device: Device) -> EndDevice:
        """One EndDevice; an aggregator's own has subscriptions and no groups (CSIP 5.2)."""
        href, utility = self.hrefs.device(device.number), self.utility
        common = EndDevice(
            href=href,
            subscribable=1,
            device_category=device.category,
            lfdi=device.lfdi,
            sfdi=device.sfdi,
            changed_time=whole(device.changed_at),
            enabled=True,
            registration_link=Link(href=f"{href}/rg"),
        )
        if device.is_aggregator or device.aggregator is None:
            count = len(utility.subscriptions.of(device.lfdi))
            common = replace(common, subscription_list_link=list_link(f"{href}/sub", count))
        if device.is_aggregator:
            return common
        flow, loads = utility.settings.flow_reservation, utility.groups.load_programs.all()
        logged = len(utility.received.log_events(device.lfdi))
        return replace(
            common,
            der_list_link=list_link(f"{href}/der", device.ders) if device.ders else None,
            log_event_list_link=list_link(f"{href}/lel", logged),
            function_set_assignments_list_link=list_link(f"{href}/fsa", len(device.fsas)),
            load_shed_availability_list_link=list_link(f"{href}/lsl", 1) if loads else None,
            flow_reservation_request_list_link=list_link(f"{href}/frq", 0) if flow else None,
            flow_reservation_response_list_link=list_link(f"{href}/frp", 0) if flow else None,
            connection_point_link=Link(href=f"{href}/cp") if utility.settings.csipaus else None,
        )

    def register(self, call: Call) -> Posted:
        """In-band registration: 201; 409 what is there already; 403 what may not be there."""
        posted = call.read(EndDevice)
        utility, client = self.utility, call.client
        if utility.settings.in_band == "off" or not client.is_aggregator:
            raise Refused(FORBIDDEN, "EndDevices are registered by the utility")
        identifier = _identifier(posted)
        known = utility.devices.by_lfdi(identifier)
        if known is None:
            if utility.settings.in_band != "any":
                raise Refused(FORBIDDEN, "unknown EndDevice")
            if len(utility.devices.all()) >= _MOST:
                raise Refused(TOO_LARGE, "no room for more", ReasonCode.RESOURCE_LIMIT)
            known = self._new(identifier, posted, client)
        elif not self.owns(client, known):
            raise Refused(FORBIDDEN, "another client's EndDevice")
        elif known.listed:
            raise Refused(CONFLICT, "the EndDevice is listed already")
        now = utility.now()
        known.listed, known.registered_at = True, now
        utility.devices.touch(known, now)
        utility.device_changed(known)
        return Posted(location=self.hrefs.device(known.number))

    def _new(self, identifier: str, posted: EndDevice, client: Device) -> Device:
        spec = DeviceSpec(
            lfdi=identifier,
            aggregator=client.label,
            fsas=self.utility.settings.in_band_fsas,
            device_category=posted.device_category or 0,
            registered=False,
        )
        return self.utility.add_device(spec)

    def update(self, call: Call) -> None:
        """A sign of life (8.5.3); only the category may change."""
        device, posted = self.device(call), call.read(EndDevice)
        if _identifier(posted) != device.lfdi:
            raise bad_request("the LFDI cannot change")
        if posted.device_category is not None:
            device.category = posted.device_category
        self.utility.devices.touch(device, self.utility.now())
        self.utility.device_changed(device)

    def registration(self, call: Call) -> Registration:
        """The PIN."""
        device = self.device(call)
        return Registration(
            href=f"{self.hrefs.device(device.number)}/rg",
            poll_rate=self.utility.poll_rate("Registration"),
            date_time_registered=whole(device.registered_at),
            pin=device.pin,
        )

    def connection_point(self, call: Call) -> ConnectionPoint:
        """CSIP-AUS: where the site meets the grid."""
        device = self.device(call)
        if not device.connection_point:
            raise not_found("no ConnectionPoint yet")
        href = f"{self.hrefs.device(device.number)}/cp"
        return ConnectionPoint(href=href, connection_point_id=device.connection_point)

    def connect(self, call: Call) -> None:
        """The device says where it is."""
        posted = call.read(ConnectionPoint)
        if not posted.connection_point_id:
            raise bad_request("connectionPointId is missing")
        self.device(call).connection_point = posted.connection_point_id

    # --- LogEvent ------------------------------------------------------------------------------

    def log(self, call: Call) -> Posted:
        """A LogEvent, an alarm for example."""
        device, posted = self.device(call), call.read(LogEvent)
        now = self.utility.now()
        if self.utility.habits.own_created_time:
            posted = replace(posted, created_date_time=whole(now))
        record = self.utility.received.add_log_event(posted, device.lfdi, now)
        return Posted(location=f"{self.hrefs.device(device.number)}/lel/{record.number}")

    def log_events(self, call: Call) -> LogEventList:
        """Newest first."""
        device = self.device(call)
        href = f"{self.hrefs.device(device.number)}/lel"

        def build(record: ReceivedLogEvent) -> LogEvent:
            return replace(record.resource, href=f"{href}/{record.number}")

        records = sorted(
            self.utility.received.log_events(device.lfdi),
            key=lambda r: (r.resource.created_date_time, r.number),
            reverse=True,
        )
        return self.listed(
            LogEventList,
            href,
            records,
            call,
            build,
            time_of=lambda record: record.resource.created_date_time,
        )

    def log_event(self, call: Call) -> LogEvent:
        """One LogEvent."""
        device = self.device(call)
        for record in self.utility.received.log_events(device.lfdi):
            if str(record.number) == call.params["log"]:
                href = f"{self.hrefs.device(device.number)}/lel/{record.number}"
                return replace(record.resource, href=href)
        raise not_found("no such LogEvent")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _identifier(posted: EndDevice) -> str:
    """The LFDI of an EndDevice, checked against its SFDI."""
    if posted.lfdi is None or posted.sfdi is None:
        raise bad_request("lFDI and sFDI are both needed")
    identifier = canonical_lfdi(posted.lfdi)
    if sfdi(identifier) != posted.sfdi:
        raise bad_request("the sFDI is not that of the lFDI")
    return identifier
