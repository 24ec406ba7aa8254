"""What only 2.1 chargers tell: DER functions, tariffs, streams, swaps."""

from __future__ import annotations

from collections.abc import Mapping

from site_agent.devices.ocpp.known import desk
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.versions.hearing import Handler, Hearer
from site_agent.devices.ocpp.versions.v201.reported import REJECTED, noted
from site_agent.devices.ocpp.versions.v201.told import HANDLERS as HANDLERS_201
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import CallFaultError, Fault, Json

_VAT_LENGTH = 20
_MOST_CERTIFICATES = 4


async def _chain_status(station: Hearer, payload: Json) -> Json:
    """Handed to the certificate desk; without one nothing is known of any: Failed (M06)."""
    asked = fields.parts(payload, "certificateStatusRequests")
    if not 1 <= len(asked) <= _MOST_CERTIFICATES:
        raise CallFaultError(Fault.MISSING, "one to four certificates")
    unknown = [
        {
            "certificateHashData": _hash(fields.part(one, "certificateHashData")),
            "source": "OCSP" if one.get("source") == "OCSP" else "CRL",
            "status": "Failed",
            "nextUpdate": fields.stamp(station.now()),
        }
        for one in asked
    ]
    return await desk.answer(
        station.desk, station.config.charge_point_id, Version.V21, "GetCertificateChainStatus",
        payload, otherwise={"certificateStatus": unknown},
    )  # fmt: skip


def _hash(data: Json) -> Json:
    algorithm = fields.text(data, "hashAlgorithm", 10)
    if algorithm not in ("SHA256", "SHA384", "SHA512"):
        raise CallFaultError(Fault.VALUE, "hashAlgorithm")
    return {
        "hashAlgorithm": algorithm,
        "issuerNameHash": fields.text(data, "issuerNameHash", 128),
        "issuerKeyHash": fields.text(data, "issuerKeyHash", 128),
        "serialNumber": fields.text(data, "serialNumber", 40),
    }


async def _der_alarm(station: Hearer, payload: Json) -> Json:
    """A DER function of the charger has acted; counted (R04)."""
    control = fields.text(payload, "controlType", 50)
    station.inventory.noted("NotifyDERAlarm")
    station.tally.note("DER alarm", control=control)
    return {}


async def _stream(station: Hearer, payload: Json) -> Json:
    """Rejected: no monitor of ours asked for one (N11)."""
    station.inventory.noted("OpenPeriodicEventStream")
    return REJECTED


async def _dynamic_update(station: Hearer, payload: Json) -> Json:
    """Rejected: no profile of ours is dynamic (K28)."""
    fields.whole(payload, "chargingProfileId")
    station.inventory.noted("PullDynamicScheduleUpdate")
    return REJECTED


async def _vat_number(station: Hearer, payload: Json) -> Json:
    """Rejected: we send no bills."""
    return {"vatNumber": fields.text(payload, "vatNumber", _VAT_LENGTH), **REJECTED}


HANDLERS: Mapping[str, Handler] = {
    **HANDLERS_201,
    "BatterySwap": noted("BatterySwap"),
    "ClosePeriodicEventStream": noted("ClosePeriodicEventStream"),
    "GetCertificateChainStatus": _chain_status,
    "NotifyDERAlarm": _der_alarm,
    "NotifyDERStartStop": noted("NotifyDERStartStop"),
    "NotifyPriorityCharging": noted("NotifyPriorityCharging"),
    "NotifySettlement": noted("NotifySettlement"),
    "NotifyWebPaymentStarted": noted("NotifyWebPaymentStarted"),
    "OpenPeriodicEventStream": _stream,
    "PullDynamicScheduleUpdate": _dynamic_update,
    "ReportDERControl": noted("ReportDERControl"),
    "VatNumberValidation": _vat_number,
}
