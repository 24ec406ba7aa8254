"""OCPP 2.0.1 (edition 2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from site_agent.devices.ocpp.limits.profiles import Capabilities, ChargingProfile
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.versions import common
from site_agent.devices.ocpp.versions.dialect import Nameplate, Trigger
from site_agent.devices.ocpp.versions.samples import Sample, read_v201
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import CallFaultError, Fault, Json
from site_agent.devices.ocpp.wire.outbox import Request

if TYPE_CHECKING:
    from site_agent.devices.ocpp.evse.charger import OcppCharger
    from site_agent.devices.ocpp.station import Station

_NAMES = common.SettingNames(
    heartbeat="OCPPCommCtrlr.HeartbeatInterval",
    meter_interval="SampledDataCtrlr.TxUpdatedInterval",
    measurands="SampledDataCtrlr.TxUpdatedMeasurands",
    rate_unit="SmartChargingCtrlr.RateUnit",
    max_stack_level="SmartChargingCtrlr.ProfileStackLevel",
    max_periods="SmartChargingCtrlr.PeriodsPerSchedule",
    max_profiles="SmartChargingCtrlr.Entries.ChargingProfiles",
)
_PLUGGED: Mapping[str, bool] = {"Available": False, "Reserved": False, "Occupied": True}
_MESSAGES = {Trigger.METER: "TransactionEvent"}
_LONGEST_ID = 36
_TOKEN_LENGTH = 255
_NO_TOKEN = "NoAuthorization"  # noqa: S105 - a token type of the standard, no secret


class Ocpp201:
    """`Dialect` of 2.0.1. The connector of every EVSE is taken to be 1."""

    version = Version.V201
    requests = ("GetVariables", "SetVariables", "TriggerMessage", "SetChargingProfile")

    @property
    def served(self) -> Sequence[str]:
        """Actions of chargers that are served."""
        return tuple(_HANDLERS)

    def error_code(self, fault: Fault) -> str | None:
        """Part 4 §4.3."""
        return fault.value

    async def serve(self, station: Station, action: str, payload: Json) -> Json:
        """Serve a CALL of the charger."""
        handler = _HANDLERS.get(action)
        if handler is None:
            raise CallFaultError(Fault.NOT_IMPLEMENTED, "unknown action")
        return await handler(station, payload)

    def probe(self) -> Request:
        """Required of every station (B06)."""
        return _get_variables([_NAMES.heartbeat])

    def trigger(self, message: Trigger, connector: int | None) -> Request:
        """Ask for a message; running transactions are asked for their event, which has samples."""
        wire: dict[str, object] = {"requestedMessage": _MESSAGES.get(message, message.value)}
        if connector is not None:
            wire["evse"] = {"id": connector, "connectorId": 1}
        return Request(action="TriggerMessage", payload=wire)

    def read_settings(self) -> Request:
        """Ask for the settings that matter here."""
        return _get_variables(_NAMES.all())

    def settings(self, answer: Json) -> dict[str, str]:
        """Variables that have a value; some chargers accept and give none."""
        return {
            _name(result): fields.word(result, "attributeValue")
            for result in fields.parts(answer, "getVariableResult")
            if result.get("attributeStatus") == "Accepted" and fields.word(result, "attributeValue")
        }

    def capabilities(self, settings: Mapping[str, str]) -> Capabilities:
        """What they say about smart charging."""
        return _NAMES.capabilities(settings)

    def changes(
        self, settings: Mapping[str, str], meter_interval_s: int | None, heartbeat_s: int
    ) -> list[Sequence[Request]]:
        """Settings to change, none that is right already."""
        return _NAMES.changes(settings, meter_interval_s, heartbeat_s, _set_variable)

    def set_profile(self, profile: ChargingProfile) -> Request:
        """SetChargingProfile (K01)."""
        form = profile.form
        wire: dict[str, object] = {
            "id": profile.profile_id,
            "stackLevel": form.stack_level,
            "chargingProfilePurpose": form.purpose.value,
            "chargingProfileKind": form.kind.value,
            "chargingSchedule": [{"id": profile.profile_id, **common.schedule(profile)}],
        }
        if profile.transaction_ref is not None:
            wire["transactionId"] = profile.transaction_ref
        payload = {"evseId": form.connector, "chargingProfile": wire}
        return Request(action="SetChargingProfile", payload=payload)

    def accepted(self, answer: Json) -> bool:
        """Whether the charger did what a request asked for."""
        results = fields.parts(answer, "setVariableResult")
        statuses = [result.get("attributeStatus") for result in results] or [answer.get("status")]
        return all(status in ("Accepted", "RebootRequired") for status in statuses)


def _get_variables(names: Sequence[str]) -> Request:
    payload = {"getVariableData": [_variable(name) for name in names]}
    return Request(action="GetVariables", payload=payload)


def _set_variable(name: str, value: str) -> Request:
    entry = {**_variable(name), "attributeValue": value}
    return Request(action="SetVariables", payload={"setVariableData": [entry]})


def _variable(name: str) -> dict[str, object]:
    """`component.variable` or `component.variable.instance`."""
    component, variable, *instance = name.split(".")
    wire = {"name": variable, **({"instance": instance[0]} if instance else {})}
    return {"component": {"name": component}, "variable": wire}


def _name(result: Json) -> str:
    component, variable = fields.part(result, "component"), fields.part(result, "variable")
    words = (
        fields.word(component, "name"),
        fields.word(variable, "name"),
        fields.word(variable, "instance"),
    )
    return ".".join(filter(None, words))


# --- what chargers tell ---------------------------------------------------------------------------


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


_HANDLERS: Mapping[str, Callable[[Station, Json], Awaitable[Json]]] = {
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
