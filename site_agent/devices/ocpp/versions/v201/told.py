"""What chargers tell in 2.0.1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from site_agent.devices.ocpp.authorization import tokens
from site_agent.devices.ocpp.versions import common
from site_agent.devices.ocpp.versions.dialect import Nameplate
from site_agent.devices.ocpp.versions.hearing import Handler, Hearer, Outlet
from site_agent.devices.ocpp.versions.samples import Sample, read_v201
from site_agent.devices.ocpp.versions.v201 import status
from site_agent.devices.ocpp.versions.v201.reported import HANDLERS as REPORTED
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import CallFaultError, Fault, Json
from site_agent.domain.fleet.access import Verdict

_LONGEST_ID = 36
_STOPS = "StopAuthorized"


async def _boot(station: Hearer, payload: Json) -> Json:
    """Accepted, with the heartbeat interval; sets the charger up after a restart."""
    described = fields.part(payload, "chargingStation")
    station.boot(
        Nameplate(
            vendor=fields.text(described, "vendorName"),
            model=fields.text(described, "model"),
            firmware=fields.text_or_none(described, "firmwareVersion"),
        )
    )
    return common.boot_accepted(station)


async def _status(station: Hearer, payload: Json) -> Json:
    """Tells whether a vehicle is there."""
    evse_id = fields.whole(payload, "evseId")
    status.tell(station, evse_id, fields.text(payload, "connectorStatus", 50))
    return {}


async def _authorize(station: Hearer, payload: Json) -> Json:
    """Judged by the site's roster; contracts we cannot check are refused."""
    presented = tokens.presented_token(payload)
    if tokens.unproven(payload):
        return tokens.UNPROVEN
    station.certificates.note(presented)
    verdict = station.verdict(presented)
    contract = tokens.contract_status(verdict) if presented.certificate else {}
    return {"idTokenInfo": _info(station, verdict), **contract}


async def _transaction_event(station: Hearer, payload: Json) -> Json:
    """Stored before it is answered, in any order; gaps are counted."""
    remote_id = fields.text(fields.part(payload, "transactionInfo"), "transactionId", _LONGEST_ID)
    evse, at = _evse(station, payload, remote_id), common.when(station, payload)
    _note_sequence(station, payload, remote_id)
    samples, bad = read_v201(payload)
    match fields.text(payload, "eventType"):
        case "Started":
            await evse.started(_tag(payload), at, _register(samples), remote_id)
            await evse.metered(samples, bad, ref=remote_id)
        case "Updated":
            await evse.continued(_tag(payload), at, _register(samples), remote_id)
            await evse.metered(samples, bad, ref=remote_id)
        case "Ended":
            await _ended(evse, payload, samples, at, remote_id)
        case other:
            raise CallFaultError(Fault.VALUE, f"eventType {other[:20]}")
    return _judged(station, evse, payload, remote_id)


def _judged(station: Hearer, evse: Outlet, payload: Json, remote_id: str) -> Json:
    """The verdict on its token, if it has one; a card that only stops starts nothing."""
    if not fields.part(payload, "idToken"):
        return {}
    presented = tokens.presented_token(payload)
    stops = payload.get("eventType") == "Ended" or payload.get("triggerReason") == _STOPS
    if evse.runs(remote_id) and not stops:  # else one of long ago, told late
        evse.present(station.certificates.joined(presented))
    return {"idTokenInfo": _info(station, station.verdict(presented, None if stops else evse))}


def _info(station: Hearer, verdict: Verdict) -> Json:
    numbers = {evse.spec.evse_id: number for number, evse in station.evses.items()}
    return tokens.id_token_info(verdict, numbers)


async def _ended(
    evse: Outlet, payload: Json, samples: Sequence[Sample], at: datetime, remote_id: str
) -> None:
    """It may be the first we hear of the transaction: then its samples tell how it began."""
    reason = fields.text_or_none(fields.part(payload, "transactionInfo"), "stoppedReason")
    await evse.ended(remote_id, at, _register(samples[::-1]), reason or "Local", samples)


async def _meter_values(station: Hearer, payload: Json) -> Json:
    """Readings; samples that cannot be read are left out."""
    evse_id = fields.whole(payload, "evseId")
    if evse_id in station.evses:
        await station.evse(evse_id).metered(*read_v201(payload))
    return {}


def _evse(station: Hearer, payload: Json, remote_id: str) -> Outlet:
    """The EVSE of an event; only the first one of a transaction must name it (E02.FR.04)."""
    place = fields.part(payload, "evse")
    if "id" in place:
        return station.evse(fields.whole(place, "id"))
    for evse in station.evses.values():
        if evse.runs(remote_id) or len(station.evses) == 1:
            return evse
    raise CallFaultError(Fault.MISSING, "evse is missing")


def _note_sequence(station: Hearer, payload: Json, remote_id: str) -> None:
    """Gaps are counted (E01.FR.07); what was told while offline is counted too."""
    seq_no = payload.get("seqNo")
    if isinstance(seq_no, int) and not isinstance(seq_no, bool):
        station.inventory.sequence(remote_id, seq_no)
    if payload.get("offline") is True:
        station.inventory.noted("event told after being offline")


def _register(samples: Sequence[Sample]) -> float | None:
    """The first register there is."""
    return next((s.register_wh for s in samples if s.register_wh is not None), None)


def _tag(payload: Json) -> str | None:
    token = fields.part(payload, "idToken")
    return fields.text_or_none(token, "idToken", tokens.TOKEN_LENGTH) or None


HANDLERS: Mapping[str, Handler] = {
    "BootNotification": _boot,
    "Heartbeat": common.heartbeat,
    "StatusNotification": _status,
    "Authorize": _authorize,
    "TransactionEvent": _transaction_event,
    "MeterValues": _meter_values,
    "DataTransfer": common.data_transfer,
    **REPORTED,
}
