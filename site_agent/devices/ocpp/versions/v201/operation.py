"""Commands, the local list and reservations (OCPP 2.0.1 part 2, blocks B, D, E, F, G, H)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from site_agent.devices.ocpp.limits.profiles import ChargingProfile
from site_agent.devices.ocpp.versions import common
from site_agent.devices.ocpp.versions.v201.charging import profile_on_the_wire
from site_agent.devices.ocpp.versions.words import IdToken, LocalEntry, Reset, Trigger
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json
from site_agent.devices.ocpp.wire.outbox import Request

_RESETS = {Reset.SOFT: "OnIdle", Reset.HARD: "Immediate"}
_TRIGGERS = {Trigger.METER: "TransactionEvent"}


class Operation201:
    """Commands a person would give. The connector of every EVSE is taken to be 1."""

    def start(
        self,
        token: IdToken,
        connector: int | None,
        *,
        start_id: int,
        profile: ChargingProfile | None = None,
    ) -> Request:
        """RequestStartTransaction (F01, F02)."""
        payload = common.given(
            idToken=token_on_the_wire(token),
            remoteStartId=start_id,
            evseId=connector,
            chargingProfile=None if profile is None else profile_on_the_wire(profile),
        )
        return Request(action="RequestStartTransaction", payload=payload)

    def stop(self, transaction_ref: str) -> Request:
        """RequestStopTransaction (F03)."""
        payload = {"transactionId": transaction_ref}
        return Request(action="RequestStopTransaction", payload=payload)

    def reset(self, how: Reset, connector: int | None = None) -> Request:
        """Reset (B11, B12)."""
        payload = common.given(type=_RESETS[how], evseId=connector)
        return Request(action="Reset", payload=payload)

    def unlock(self, connector: int) -> Request:
        """UnlockConnector (F05)."""
        payload = {"evseId": connector, "connectorId": 1}
        return Request(action="UnlockConnector", payload=payload)

    def availability(self, connector: int | None, *, operative: bool) -> Request:
        """ChangeAvailability (G03, G04)."""
        payload: dict[str, object] = {
            "operationalStatus": "Operative" if operative else "Inoperative"
        }
        if connector is not None:
            payload["evse"] = {"id": connector}
        return Request(action="ChangeAvailability", payload=payload)

    def trigger(self, message: Trigger, connector: int | None) -> Request:
        """TriggerMessage (F06); running transactions are asked for their event, with samples."""
        wire: dict[str, object] = {"requestedMessage": _TRIGGERS.get(message, message.value)}
        if connector is not None:
            wire["evse"] = {"id": connector, "connectorId": 1}
        return Request(action="TriggerMessage", payload=wire)

    def accepted(self, answer: Json) -> bool:
        """Whether the charger did, or will do, what a request asked for."""
        results = fields.parts(answer, "setVariableResult")
        statuses = [result.get("attributeStatus") for result in results] or [answer.get("status")]
        return all(status in common.CONSENT for status in statuses)

    def transaction_status(self, transaction_ref: str | None) -> Request:
        """GetTransactionStatus (E14); None asks whether any message is still to come."""
        payload = common.given(transactionId=transaction_ref)
        return Request(action="GetTransactionStatus", payload=payload)


class Access201:
    """The local list and reservations."""

    def list_version(self, answer: Json) -> int | None:
        """0: it is empty, or there is none."""
        return fields.whole(answer, "versionNumber")

    def send_list(self, version: int, entries: Sequence[LocalEntry], *, full: bool) -> Request:
        """SendLocalList (D01). An empty full list has no entries at all (its minimum is 1)."""
        payload = common.given(
            versionNumber=version,
            updateType="Full" if full else "Differential",
            localAuthorizationList=[_entry(entry) for entry in entries] or None,
        )
        return Request(action="SendLocalList", payload=payload)

    def reserve(
        self,
        reservation_id: int,
        connector: int | None,
        token: IdToken,
        until: datetime,
        group: IdToken | None = None,
    ) -> Request:
        """ReserveNow (H01)."""
        payload = common.given(
            id=reservation_id,
            expiryDateTime=fields.stamp(until),
            idToken=token_on_the_wire(token),
            evseId=connector,
            groupIdToken=None if group is None else token_on_the_wire(group),
        )
        return Request(action="ReserveNow", payload=payload)


def token_on_the_wire(token: IdToken) -> dict[str, object]:
    """An IdToken; its kind is a word of the standard in 2.0.1 and free text in 2.1."""
    return {"idToken": token.value, "type": token.kind.value}


def _entry(entry: LocalEntry) -> dict[str, object]:
    wire: dict[str, object] = {"idToken": token_on_the_wire(entry.token)}
    if entry.status is not None:
        wire["idTokenInfo"] = common.given(
            status=entry.status,
            cacheExpiryDateTime=common.stamp_or_none(entry.expires),
            groupIdToken=None if entry.group is None else token_on_the_wire(entry.group),
        )
    return wire
