"""What 2.0.1 chargers report beside charging: themselves, their limits, and what they ask for."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.errors import ProtocolError
from site_agent.devices.ocpp.authorization import vehicles
from site_agent.devices.ocpp.evse.ceilings import TOLD
from site_agent.devices.ocpp.known import desk
from site_agent.devices.ocpp.versions import common
from site_agent.devices.ocpp.versions.hearing import Handler, Hearer, Outlet
from site_agent.devices.ocpp.versions.v201 import status
from site_agent.devices.ocpp.versions.v201.needs import vehicle_needs
from site_agent.devices.ocpp.versions.v201.outer_limits import ceilings
from site_agent.devices.ocpp.versions.v201.reading import profiles, settings
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json

_SOURCE_LENGTH = 20
_MOST_EVENTS = 100
REJECTED = {"status": "Rejected"}
FAILED = {"status": "Failed"}


async def _report(station: Hearer, payload: Json) -> Json:
    """Put together and kept as the station's settings (B07)."""
    request_id, seq_no = fields.whole(payload, "requestId"), fields.whole(payload, "seqNo")
    found, bad = settings(payload)
    station.tally.note("unreadable report entry", bad)
    known = station.inventory
    more = payload.get("tbc") is True
    known.reported(known.reports.take(request_id, seq_no, found, more=more))
    return {}


async def _profile_report(station: Hearer, payload: Json) -> Json:
    """Kept as the profiles it holds; the parts carry no number and come in order (K09)."""
    request_id, evse_id = fields.whole(payload, "requestId"), fields.whole(payload, "evseId")
    found, bad = profiles(payload, evse_id)
    station.tally.note("unreadable report entry", bad)
    station.inventory.profiles_reported(request_id, found, more=payload.get("tbc") is True)
    return {}


async def _charging_limit(station: Hearer, payload: Json) -> Json:
    """Somebody else limits the charger: a ceiling for what it may draw (K12)."""
    limit = fields.part(payload, "chargingLimit")
    source = fields.text(limit, "chargingLimitSource", _SOURCE_LENGTH)
    limited = _limited(station, payload)
    for evse in limited:
        found = ceilings(payload, evse.spec, station.now(), shared_by=len(limited))
        evse.ceilings.put(TOLD + source, found)
        evse.ceiling_changed()
    if not fields.parts(payload, "chargingSchedule"):
        station.tally.note("charging limit without a schedule", source=source)
    return {}


async def _limit_cleared(station: Hearer, payload: Json) -> Json:
    """Takes that limit away (K13)."""
    source = fields.text(payload, "chargingLimitSource", _SOURCE_LENGTH)
    for evse in _limited(station, payload):
        evse.ceilings.drop(TOLD + source)
        evse.ceiling_changed()
    return {}


def _limited(station: Hearer, payload: Json) -> list[Outlet]:
    """The EVSE it is about; without one, or with 0, every one shares the limit."""
    evse_id = fields.whole(payload, "evseId") if payload.get("evseId") is not None else 0
    return [station.evse(evse_id)] if evse_id else list(station.evses.values())


async def _charging_needs(station: Hearer, payload: Json) -> Json:
    """Noted; limits come by themselves, no schedule is made for it alone (K15, K17)."""
    evse_id = fields.whole(payload, "evseId")
    if evse_id in station.evses:
        needs = vehicle_needs(fields.part(payload, "chargingNeeds"))
        station.inventory.needs[evse_id] = needs
        station.evse(evse_id).vehicle_discharges(needs.bidirectional)
    return {"status": "Accepted"}


async def _charging_schedule(station: Hearer, payload: Json) -> Json:
    """Accepted and counted: a plan is no promise, the meter is what counts (K16)."""
    fields.whole(payload, "evseId")
    station.inventory.noted("NotifyEVChargingSchedule")
    return {"status": "Accepted"}


async def _reservation(station: Hearer, payload: Json) -> Json:
    """Counted (H03)."""
    fields.whole(payload, "reservationId")
    station.inventory.noted("ReservationStatusUpdate")
    return {}


def asked(action: str, otherwise: Json) -> Handler:
    """Hands a question about certificates to the desk, or answers `otherwise`."""

    async def handler(station: Hearer, payload: Json) -> Json:
        """Handed to the certificate desk; without one refused."""
        station.inventory.noted(action)
        version = station.version
        if version is None:
            return otherwise
        return await desk.answer(
            station.desk, station.config.charge_point_id, version, action, payload,
            otherwise=otherwise,
        )  # fmt: skip

    return handler


def noted(action: str) -> Handler:
    """Counts a message that changes nothing here."""

    async def handler(station: Hearer, payload: Json) -> Json:
        """Counted; it changes nothing here."""
        station.inventory.noted(action)
        return {}

    return handler


async def _event(station: Hearer, payload: Json) -> Json:
    """Counted by the component that speaks; an outlet's state counts as a StatusNotification."""
    station.inventory.noted("NotifyEvent")
    vehicles.take_event(station, payload)
    for event in fields.parts(payload, "eventData")[:_MOST_EVENTS]:
        try:
            _take_event(station, event)
        except ProtocolError:
            station.tally.note("unreadable event")
    return {}


def _take_event(station: Hearer, event: Json) -> None:
    component = fields.part(event, "component")
    name = fields.text(component, "name", 50)
    station.inventory.noted(f"event of {name}")
    variable = fields.word(fields.part(event, "variable"), "name")
    if (name, variable) == ("Connector", "AvailabilityState"):
        evse_id = fields.whole(fields.part(component, "evse"), "id")
        status.tell(station, evse_id, fields.text(event, "actualValue", 50))


HANDLERS: Mapping[str, Handler] = {
    "ClearedChargingLimit": _limit_cleared,
    "FirmwareStatusNotification": common.transfer("firmware"),
    "Get15118EVCertificate": asked("Get15118EVCertificate", {**FAILED, "exiResponse": ""}),
    "GetCertificateStatus": asked("GetCertificateStatus", FAILED),
    "LogStatusNotification": common.transfer("log"),
    "NotifyChargingLimit": _charging_limit,
    "NotifyCustomerInformation": noted("NotifyCustomerInformation"),
    "NotifyDisplayMessages": noted("NotifyDisplayMessages"),
    "NotifyEVChargingNeeds": _charging_needs,
    "NotifyEVChargingSchedule": _charging_schedule,
    "NotifyEvent": _event,
    "NotifyMonitoringReport": noted("NotifyMonitoringReport"),
    "NotifyReport": _report,
    "PublishFirmwareStatusNotification": common.transfer("published firmware"),
    "ReportChargingProfiles": _profile_report,
    "ReservationStatusUpdate": _reservation,
    "SecurityEventNotification": common.security_event,
    "SignCertificate": asked("SignCertificate", REJECTED),
}
