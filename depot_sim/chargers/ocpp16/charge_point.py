"""A charge point's side of OCPP 1.6J."""

from __future__ import annotations

from depot_sim.chargers.cabinet import Cabinet
from depot_sim.chargers.dialect import Call, told
from depot_sim.chargers.events import (
    AuthorizationWanted,
    BootReason,
    BootWanted,
    EndReason,
    Event,
    HeartbeatDue,
    Message,
    Metered,
    StatusChanged,
    TransactionEnded,
    TransactionStarted,
)
from depot_sim.chargers.json_rpc import Json, timestamp
from depot_sim.chargers.ocpp16 import wording
from depot_sim.chargers.ocpp16.answers import answers
from depot_sim.chargers.ocpp16.schema import check_response
from depot_sim.chargers.rules import Rules

RULES = Rules(own_transaction_ids=False, tx_id_required=False, refuses_duplicates=False)


class ChargePoint16:
    """`Dialect` of OCPP 1.6J."""

    subprotocol = "ocpp1.6"

    def __init__(
        self,
        cabinet: Cabinet,
    ) -> None:
        self._cabinet = cabinet
        self._station = cabinet.station
        self._now = cabinet.now
        self._answers = answers(cabinet)

    def answer(self, action: str, payload: Json) -> Json:
        """Answer a CALL of the central system."""
        return self._answers.answer(action, payload)

    @property
    def actions(self) -> frozenset[str]:
        """The CALLs it serves."""
        return self._answers.actions

    def check_answer(self, action: str, payload: Json) -> None:
        """Raises CallError unless the central system answered by the schema."""
        check_response(action, payload)

    def boot(self, reason: BootReason) -> Json:
        """Payload of BootNotification; 1.6 has no place for a reason."""
        del reason
        nameplate = self._cabinet.nameplate
        return {
            "chargePointVendor": nameplate.vendor,
            "chargePointModel": nameplate.model,
            "chargePointSerialNumber": nameplate.id[:25],
            "firmwareVersion": self._cabinet.firmware,
        }

    async def tell(self, event: Event, call: Call) -> None:
        """Put an event into words and take in the answer."""
        match event:
            case AuthorizationWanted():
                await self._authorize(event, call)
            case TransactionStarted():
                await self._start(event, call)
            case TransactionEnded():
                await self._stop(event, call)
            case Message():
                await told(event, call)
            case _:
                if words := self._words(event):
                    await call(*words)

    def _words(self, event: Event) -> tuple[str, Json] | None:
        """A CALL whose answer says nothing; None where the status has said it already."""
        match event:
            case BootWanted():
                return "BootNotification", self.boot(BootReason.TRIGGERED)
            case HeartbeatDue():
                return "Heartbeat", {}
            case StatusChanged():
                return "StatusNotification", _status(event)
            case Metered():
                return "MeterValues", _meter_values(event)
            case _:
                return None

    async def _authorize(self, event: AuthorizationWanted, call: Call) -> None:
        answer = await call("Authorize", {"idTag": event.id_tag})
        word = wording.listed(answer["idTagInfo"])
        self._station.authorized(event.evse_id, event.id_tag, self._now(), word)

    async def _start(self, event: TransactionStarted, call: Call) -> None:
        transaction = event.transaction
        payload = {
            "connectorId": transaction.evse_id,
            "idTag": transaction.id_tag,
            "meterStart": round(event.sample.register_wh),
            "timestamp": timestamp(event.at),
        }
        if transaction.reservation_id is not None:
            payload["reservationId"] = transaction.reservation_id
        answer = await call("StartTransaction", payload)
        transaction.ref = str(answer["transactionId"])
        word = wording.listed(answer["idTagInfo"])
        self._station.tokens.cache.learn(transaction.id_tag, word)
        transaction.group = word.group
        if not _is_accepted(answer):
            self._station.end(transaction.evse_id, EndReason.DE_AUTHORIZED, self._now())

    async def _stop(self, event: TransactionEnded, call: Call) -> None:
        if event.transaction.ref is None:
            return  # its start was refused, so the central system does not know it
        await call(
            "StopTransaction",
            {
                "transactionId": int(event.transaction.ref),
                "idTag": event.transaction.id_tag,
                "meterStop": round(event.sample.register_wh),
                "timestamp": timestamp(event.at),
                "reason": wording.END_REASONS[event.reason],
                "transactionData": [wording.meter_value(sample) for sample in event.samples],
            },
        )


def _is_accepted(answer: Json) -> bool:
    return bool(answer["idTagInfo"]["status"] == "Accepted")


def _status(event: StatusChanged) -> Json:
    return {
        "connectorId": event.evse_id,
        "errorCode": "NoError",
        "status": event.status.value,
        "timestamp": timestamp(event.at),
    }


def _meter_values(event: Metered) -> Json:
    payload: Json = {
        "connectorId": event.evse_id,
        "meterValue": [wording.meter_value(event.sample)],
    }
    if event.transaction is not None and event.transaction.ref is not None:
        payload["transactionId"] = int(event.transaction.ref)
    return payload
