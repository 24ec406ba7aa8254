"""OCPP 1.6J (edition 2 and the security whitepaper's notifications)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from site_agent.devices.ocpp.limits.profiles import Capabilities, ChargingProfile
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.versions import common
from site_agent.devices.ocpp.versions.dialect import Nameplate, Trigger
from site_agent.devices.ocpp.versions.samples import read_v16
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import CallFaultError, Fault, Json
from site_agent.devices.ocpp.wire.outbox import Request

if TYPE_CHECKING:
    from site_agent.devices.ocpp.station import Station

_NAMES = common.SettingNames(
    heartbeat="HeartbeatInterval",
    meter_interval="MeterValueSampleInterval",
    measurands="MeterValuesSampledData",
    rate_unit="ChargingScheduleAllowedChargingRateUnit",
    max_stack_level="ChargeProfileMaxStackLevel",
    max_periods="ChargingScheduleMaxPeriods",
    max_profiles="MaxChargingProfilesInstalled",
)
_SPELLED: Mapping[Fault, str | None] = {
    Fault.FORMAT: "FormationViolation",
    Fault.FRAME: "FormationViolation",
    Fault.MISSING: "OccurenceConstraintViolation",  # sic, OCPP-J 1.6 §4.2.3
    Fault.MESSAGE_TYPE: None,  # "SHALL ignore", OCPP-J 1.6 §4.1.3
}
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


class Ocpp16:
    """`Dialect` of 1.6J."""

    version = Version.V16
    requests = ("GetConfiguration", "ChangeConfiguration", "TriggerMessage", "SetChargingProfile")

    @property
    def served(self) -> Sequence[str]:
        """Actions of chargers that are served."""
        return tuple(_HANDLERS)

    def error_code(self, fault: Fault) -> str | None:
        """OCPP-J 1.6 §4.2.3."""
        return _SPELLED.get(fault, fault.value)

    async def serve(self, station: Station, action: str, payload: Json) -> Json:
        """Serve a CALL of the charger."""
        handler = _HANDLERS.get(action)
        if handler is None:
            raise CallFaultError(Fault.NOT_IMPLEMENTED, "unknown action")
        return await handler(station, payload)

    def probe(self) -> Request:
        """Part of the core profile, so always there."""
        return Request(action="GetConfiguration", payload={"key": [_NAMES.heartbeat]})

    def trigger(self, message: Trigger, connector: int | None) -> Request:
        """Ask for a message."""
        where = {} if connector is None else {"connectorId": connector}
        return Request(
            action="TriggerMessage", payload={"requestedMessage": message.value, **where}
        )

    def read_settings(self) -> Request:
        """Ask for the settings that matter here."""
        return Request(action="GetConfiguration", payload={"key": _NAMES.all()})

    def settings(self, answer: Json) -> dict[str, str]:
        """Keys that have a value."""
        entries = fields.parts(answer, "configurationKey")
        return {
            fields.word(entry, "key"): fields.word(entry, "value")
            for entry in entries
            if fields.word(entry, "value")
        }

    def capabilities(self, settings: Mapping[str, str]) -> Capabilities:
        """What they say about smart charging."""
        return _NAMES.capabilities(settings)

    def changes(
        self, settings: Mapping[str, str], meter_interval_s: int | None, heartbeat_s: int
    ) -> list[Sequence[Request]]:
        """Settings to change, none that is right already."""
        return _NAMES.changes(settings, meter_interval_s, heartbeat_s, _change)

    def set_profile(self, profile: ChargingProfile) -> Request:
        """SetChargingProfile (§5.16)."""
        form = profile.form
        wire: dict[str, object] = {
            "chargingProfileId": profile.profile_id,
            "stackLevel": form.stack_level,
            "chargingProfilePurpose": form.purpose.value,
            "chargingProfileKind": form.kind.value,
            "chargingSchedule": common.schedule(profile),
        }
        if profile.transaction_ref is not None and profile.transaction_ref.isdecimal():
            wire["transactionId"] = int(profile.transaction_ref)
        payload = {"connectorId": form.connector, "csChargingProfiles": wire}
        return Request(action="SetChargingProfile", payload=payload)

    def accepted(self, answer: Json) -> bool:
        """Whether the charger did what a request asked for."""
        return answer.get("status") in ("Accepted", "RebootRequired")


def _change(key: str, value: str) -> Request:
    return Request(action="ChangeConfiguration", payload={"key": key, "value": value})


# --- what chargers tell ---------------------------------------------------------------------------


async def _boot(station: Station, payload: Json) -> Json:
    station.boot(
        Nameplate(
            vendor=fields.text(payload, "chargePointVendor"),
            model=fields.text(payload, "chargePointModel"),
            firmware=fields.text_or_none(payload, "firmwareVersion"),
        )
    )
    return common.boot_accepted(station)


async def _status(station: Station, payload: Json) -> Json:
    connector, status = fields.whole(payload, "connectorId"), fields.text(payload, "status")
    if connector in station.evses:  # 0 is the station as a whole
        station.evse(connector).status(
            _PLUGGED.get(status), charging=status in _CHARGING, surely_idle=status == "Available"
        )
    return {}


async def _authorize(station: Station, payload: Json) -> Json:
    return {"idTagInfo": {"status": _verdict(station, fields.text(payload, "idTag"))}}


async def _start(station: Station, payload: Json) -> Json:
    evse = station.evse(fields.whole(payload, "connectorId"))
    id_tag = fields.text(payload, "idTag")
    meter_wh = fields.number(payload, "meterStart")
    number = await evse.started(id_tag, common.when(station, payload), meter_wh, None)
    return {"transactionId": number, "idTagInfo": {"status": _verdict(station, id_tag)}}


async def _stop(station: Station, payload: Json) -> Json:
    number = fields.whole(payload, "transactionId")
    at, meter_wh = common.when(station, payload), fields.number(payload, "meterStop")
    reason = fields.text_or_none(payload, "reason") or "Local"  # the default, §6.49
    await station.evse_of(number).ended(number, at, meter_wh, reason)
    id_tag = fields.text_or_none(payload, "idTag")
    return {} if id_tag is None else {"idTagInfo": {"status": _verdict(station, id_tag)}}


async def _meter_values(station: Station, payload: Json) -> Json:
    connector = fields.whole(payload, "connectorId")
    if connector in station.evses:
        samples, bad = read_v16(payload)
        running = "transactionId" in payload and fields.whole(payload, "transactionId")
        station.evse(connector).metered(samples, bad, transaction_id=running or None)
    return {}


def _verdict(station: Station, id_tag: str) -> str:
    return "Accepted" if station.authorized(id_tag) else "Invalid"


_HANDLERS: Mapping[str, Callable[[Station, Json], Awaitable[Json]]] = {
    "BootNotification": _boot,
    "Heartbeat": common.heartbeat,
    "StatusNotification": _status,
    "Authorize": _authorize,
    "StartTransaction": _start,
    "StopTransaction": _stop,
    "MeterValues": _meter_values,
    "DataTransfer": common.data_transfer,
    "DiagnosticsStatusNotification": common.noted,
    "FirmwareStatusNotification": common.noted,
    "LogStatusNotification": common.noted,
    "SecurityEventNotification": common.noted,
    "SignedFirmwareStatusNotification": common.noted,
}
