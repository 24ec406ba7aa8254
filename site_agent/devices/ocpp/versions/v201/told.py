"""What chargers tell in 2.0.1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from site_agent.devices.ocpp.versions import common
from site_agent.devices.ocpp.versions.dialect import Nameplate
from site_agent.devices.ocpp.versions.samples import Sample, read_v201
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import CallFaultError, Fault, Json

if TYPE_CHECKING:
    from site_agent.devices.ocpp.evse.charger import OcppCharger
    from site_agent.devices.ocpp.station import Station

_PLUGGED: Mapping[str, bool] = {"Available": False, "Reserved": False, "Occupied": True}
_LONGEST_ID = 36
_TOKEN_LENGTH = 255
_NO_TOKEN = "NoAuthorization"  # noqa: S105 - a token type of the standard, no secret


async def _boot(station: Station, payload: Json) -> Json:
    described = fields.part(payload, "chargingStation")
    station.boot(
        Nameplate(
            vendor=fields.text(described, "vendorName"),
            model=fields.text(described, "model"),
            firmware=fields.text_or_none(described, "firmwareVersion"),
        )
    )
    return common.boot_accepted(station)


async def _status(station: Station, payload: Json) -> Json:
    evse_id = fields.whole(payload, "evseId")
    if evse_id in station.evses:
        station.evse(evse_id).status(_PLUGGED.get(fields.text(payload, "connectorStatus")))
    return {}


async def _authorize(station: Station, payload: Json) -> Json:
    token = fields.part(payload, "idToken")
    fields.text(token, "idToken", _TOKEN_LENGTH)
    return {"idTokenInfo": {"status": _verdict(station, token)}}


async def _transaction_event(station: Station, payload: Json) -> Json:
    remote_id = fields.text(fields.part(payload, "transactionInfo"), "transactionId", _LONGEST_ID)
    evse, at = _evse(station, payload, remote_id), common.when(station, payload)
    samples, bad = read_v201(payload)
    match fields.text(payload, "eventType"):
        case "Started":
            await evse.started(_tag(payload), at, _register(samples), remote_id)
            evse.metered(samples, bad)
        case "Updated":
            await evse.continued(_tag(payload), at, _register(samples), remote_id)
            evse.metered(samples, bad)
        case "Ended":
            await _ended(evse, payload, samples, at, remote_id)
        case other:
            raise CallFaultError(Fault.VALUE, f"eventType {other[:20]}")
    token = fields.part(payload, "idToken")
    return {"idTokenInfo": {"status": _verdict(station, token)}} if token else {}


async def _ended(
    evse: OcppCharger, payload: Json, samples: Sequence[Sample], at: datetime, remote_id: str
) -> None:
    """It may be the first we hear of the transaction: then its samples tell how it began."""
    reason = fields.text_or_none(fields.part(payload, "transactionInfo"), "stoppedReason")
    started_at = samples[0].at if samples else at
    start_wh, stop_wh = _register(samples) or 0.0, _register(samples[::-1]) or 0.0
    await evse.ended_remote(remote_id, started_at, start_wh, at, stop_wh, reason or "Local")


async def _meter_values(station: Station, payload: Json) -> Json:
    evse_id = fields.whole(payload, "evseId")
    if evse_id in station.evses:
        station.evse(evse_id).metered(*read_v201(payload))
    return {}


def _evse(station: Station, payload: Json, remote_id: str) -> OcppCharger:
    """The EVSE of an event; only the first one of a transaction must name it (E02.FR.04)."""
    place = fields.part(payload, "evse")
    if "id" in place:
        return station.evse(fields.whole(place, "id"))
    for evse in station.evses.values():
        if evse.runs(remote_id) or len(station.evses) == 1:
            return evse
    raise CallFaultError(Fault.MISSING, "evse is missing")


def _register(samples: Sequence[Sample]) -> float | None:
    """The first register there is."""
    return next((s.register_wh for s in samples if s.register_wh is not None), None)


def _tag(payload: Json) -> str | None:
    return fields.text_or_none(fields.part(payload, "idToken"), "idToken", _TOKEN_LENGTH) or None


def _verdict(station: Station, token: Json) -> str:
    """A start without authorisation (a button, a cable) carries a token that is none."""
    if token.get("type") == _NO_TOKEN:
        return "Accepted"
    return "Accepted" if station.authorized(fields.word(token, "idToken")) else "Invalid"


HANDLERS: Mapping[str, common.Handler] = {
    "BootNotification": _boot,
    "Heartbeat": common.heartbeat,
    "StatusNotification": _status,
    "Authorize": _authorize,
    "TransactionEvent": _transaction_event,
    "MeterValues": _meter_values,
    "DataTransfer": common.data_transfer,
    "ClearedChargingLimit": common.noted,
    "FirmwareStatusNotification": common.noted,
    "LogStatusNotification": common.noted,
    "NotifyChargingLimit": common.noted,
    "NotifyEvent": common.noted,
    "NotifyMonitoringReport": common.noted,
    "NotifyReport": common.noted,
    "ReportChargingProfiles": common.noted,
    "SecurityEventNotification": common.noted,
}
