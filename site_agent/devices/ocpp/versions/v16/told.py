"""What chargers tell in 1.6J (§4 and the security whitepaper)."""

from __future__ import annotations

from collections.abc import Mapping

from site_agent.devices.ocpp.authorization import tokens
from site_agent.devices.ocpp.known.inventory import Condition
from site_agent.devices.ocpp.versions import common
from site_agent.devices.ocpp.versions.dialect import Nameplate
from site_agent.devices.ocpp.versions.hearing import Handler, Hearer
from site_agent.devices.ocpp.versions.samples import read_v16
from site_agent.devices.ocpp.versions.v16.reported import HANDLERS as REPORTED
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json

_PLUGGED: Mapping[str, bool] = {
    "Available": False,
    "Reserved": False,
    "Preparing": True,
    "Charging": True,
    "SuspendedEV": True,
    "SuspendedEVSE": True,
    "Finishing": True,
}
_CHARGING = ("Charging", "SuspendedEV", "SuspendedEVSE")


async def _boot(station: Hearer, payload: Json) -> Json:
    """Accepted, with the heartbeat interval; sets the charger up after a restart."""
    station.boot(
        Nameplate(
            vendor=fields.text(payload, "chargePointVendor"),
            model=fields.text(payload, "chargePointModel"),
            firmware=fields.text_or_none(payload, "firmwareVersion"),
        )
    )
    return common.boot_accepted(station)


async def _status(station: Hearer, payload: Json) -> Json:
    """Tells whether a vehicle is there; kept with its error."""
    connector, status = fields.whole(payload, "connectorId"), fields.text(payload, "status")
    error = fields.word(payload, "errorCode")[:50]
    condition = Condition(status=status[:50], error=None if error in ("", "NoError") else error)
    if connector in station.evses or connector == 0:
        station.inventory.conditions[connector] = condition
    if connector in station.evses:  # 0 is the station as a whole
        station.evse(connector).status(
            _PLUGGED.get(status), charging=status in _CHARGING, surely_idle=status == "Available"
        )
    return {}


async def _authorize(station: Hearer, payload: Json) -> Json:
    """Judged by the site's roster."""
    presented = tokens.presented_tag(fields.text(payload, "idTag"))
    return {"idTagInfo": tokens.id_tag_info(station.verdict(presented))}


async def _start(station: Hearer, payload: Json) -> Json:
    """Stored before it is answered with an id never used before."""
    evse = station.evse(fields.whole(payload, "connectorId"))
    id_tag = fields.text(payload, "idTag")
    meter_wh = fields.number(payload, "meterStart")
    number = await evse.started(id_tag, common.when(station, payload), meter_wh, None)
    presented = tokens.presented_tag(id_tag)
    if evse.transaction_id == number:  # else one of long ago, told late
        evse.present(presented)
    verdict = station.verdict(presented, evse)
    return {"transactionId": number, "idTagInfo": tokens.id_tag_info(verdict)}


async def _stop(station: Hearer, payload: Json) -> Json:
    """Stored, also when it is told late or of an unknown transaction."""
    ref = str(fields.whole(payload, "transactionId"))
    at, meter_wh = common.when(station, payload), fields.number(payload, "meterStop")
    reason = fields.text_or_none(payload, "reason") or "Local"  # the default, §6.49
    samples, _ = read_v16(payload, "transactionData")
    evse = await station.evse_of(ref)
    await evse.ended(ref, at, meter_wh, reason, samples)
    id_tag = fields.text_or_none(payload, "idTag")
    if id_tag is None:
        return {}
    return {"idTagInfo": tokens.id_tag_info(station.verdict(tokens.presented_tag(id_tag)))}


async def _meter_values(station: Hearer, payload: Json) -> Json:
    """Readings and history; samples that cannot be read are left out."""
    connector = fields.whole(payload, "connectorId")
    if connector in station.evses:
        samples, bad = read_v16(payload)
        running = payload.get("transactionId") and fields.whole(payload, "transactionId")
        await station.evse(connector).metered(samples, bad, ref=str(running) if running else None)
    return {}


HANDLERS: Mapping[str, Handler] = {
    "BootNotification": _boot,
    "Heartbeat": common.heartbeat,
    "StatusNotification": _status,
    "Authorize": _authorize,
    "StartTransaction": _start,
    "StopTransaction": _stop,
    "MeterValues": _meter_values,
    "DataTransfer": common.data_transfer,
    **REPORTED,
}
