"""Commands, the local list and reservations (OCPP 1.6 §5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from site_agent.devices.ocpp.limits.profiles import ChargingProfile
from site_agent.devices.ocpp.versions import common
from site_agent.devices.ocpp.versions.v16.charging import profile_on_the_wire
from site_agent.devices.ocpp.versions.words import (
    IdToken,
    LocalEntry,
    Reset,
    Trigger,
    UnsupportedError,
)
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json
from site_agent.devices.ocpp.wire.outbox import Request

_RESETS = {Reset.SOFT: "Soft", Reset.HARD: "Hard"}
_EXTENDED = {Trigger.SIGN_CERTIFICATE: "SignChargePointCertificate"}
"""Triggers of the security whitepaper."""
_TRIGGERS = {Trigger.LOG: "DiagnosticsStatusNotification"}


class Operation16:
    """Commands a person would give."""

    def start(
        self,
        token: IdToken,
        connector: int | None,
        *,
        start_id: int,
        profile: ChargingProfile | None = None,
    ) -> Request:
        """RemoteStartTransaction (§5.11)."""
        payload: dict[str, object] = {"idTag": token.value}
        if connector is not None:
            payload["connectorId"] = connector
        if profile is not None:
            payload["chargingProfile"] = profile_on_the_wire(profile)
        return Request(action="RemoteStartTransaction", payload=payload)

    def stop(self, transaction_ref: str) -> Request:
        """RemoteStopTransaction (§5.12)."""
        if not common.is_whole(transaction_ref):
            raise UnsupportedError("a transaction of 1.6 has a number")
        payload = {"transactionId": int(transaction_ref)}
        return Request(action="RemoteStopTransaction", payload=payload)

    def reset(self, how: Reset, connector: int | None = None) -> Request:
        """Reset (§5.14)."""
        if connector is not None:
            raise UnsupportedError("1.6 resets whole stations only")
        return Request(action="Reset", payload={"type": _RESETS[how]})

    def unlock(self, connector: int) -> Request:
        """UnlockConnector (§5.18)."""
        return Request(action="UnlockConnector", payload={"connectorId": connector})

    def availability(self, connector: int | None, *, operative: bool) -> Request:
        """ChangeAvailability (§5.2)."""
        kind = "Operative" if operative else "Inoperative"
        payload = {"connectorId": connector or 0, "type": kind}
        return Request(action="ChangeAvailability", payload=payload)

    def trigger(self, message: Trigger, connector: int | None) -> Request:
        """TriggerMessage (§5.17), or ExtendedTriggerMessage of the security whitepaper."""
        extended = message in _EXTENDED
        word = _EXTENDED.get(message) or _TRIGGERS.get(message, message.value)
        payload: dict[str, object] = {"requestedMessage": word}
        if connector is not None:
            payload["connectorId"] = connector
        action = "ExtendedTriggerMessage" if extended else "TriggerMessage"
        return Request(action=action, payload=payload)

    def accepted(self, answer: Json) -> bool:
        """Whether the charger did, or will do, what a request asked for.

        GetDiagnostics has no status: a file name is consent (§5.9).
        """
        return answer.get("status") in common.CONSENT or bool(fields.word(answer, "fileName"))


class Access16:
    """The local list and reservations."""

    def list_version(self, answer: Json) -> int | None:
        """-1: local lists are not supported."""
        version = fields.whole(answer, "listVersion")
        return version if version >= 0 else None

    def send_list(self, version: int, entries: Sequence[LocalEntry], *, full: bool) -> Request:
        """SendLocalList (§5.15)."""
        payload = {
            "listVersion": version,
            "updateType": "Full" if full else "Differential",
            "localAuthorizationList": [_entry(entry) for entry in entries],
        }
        return Request(action="SendLocalList", payload=payload)

    def reserve(
        self,
        reservation_id: int,
        connector: int | None,
        token: IdToken,
        until: datetime,
        group: IdToken | None = None,
    ) -> Request:
        """ReserveNow (§5.13)."""
        payload: dict[str, object] = {
            "reservationId": reservation_id,
            "connectorId": connector or 0,
            "idTag": token.value,
            "expiryDate": fields.stamp(until),
        }
        if group is not None:
            payload["parentIdTag"] = group.value
        return Request(action="ReserveNow", payload=payload)


def _entry(entry: LocalEntry) -> dict[str, object]:
    wire: dict[str, object] = {"idTag": entry.token.value}
    if entry.status is not None:
        info: dict[str, object] = {"status": entry.status}
        if entry.expires is not None:
            info["expiryDate"] = fields.stamp(entry.expires)
        if entry.group is not None:
            info["parentIdTag"] = entry.group.value
        wire["idTagInfo"] = info
    return wire
