"""A charging station's side of OCPP 2.0.1."""

from __future__ import annotations

from depot_sim.chargers import schedules
from depot_sim.chargers.answers import Answers
from depot_sim.chargers.cabinet import Cabinet
from depot_sim.chargers.dialect import Call, told
from depot_sim.chargers.events import (
    AuthorizationWanted,
    BootReason,
    BootWanted,
    Context,
    EndReason,
    Event,
    HeartbeatDue,
    LimitedExternally,
    Message,
    Metered,
    ReservationOver,
    StatusChanged,
    Transaction,
    TransactionChanged,
    TransactionEnded,
    TransactionStarted,
)
from depot_sim.chargers.json_rpc import Json, timestamp
from depot_sim.chargers.ocpp201 import iso15118, wording
from depot_sim.chargers.ocpp201.answers import answers
from depot_sim.chargers.ocpp201.schema import check_response
from depot_sim.chargers.outlet import Outlet
from depot_sim.chargers.rules import Rules
from depot_sim.physics.vehicle import Vehicle

RULES = Rules(own_transaction_ids=True, tx_id_required=True, refuses_duplicates=True)


class ChargingStation201:
    """`Dialect` of OCPP 2.0.1; every EVSE has one connector."""

    subprotocol = "ocpp2.0.1"

    def __init__(self, cabinet: Cabinet) -> None:
        self._cabinet = cabinet
        self._station = cabinet.station
        self._now = cabinet.now
        self._answers = self._served(cabinet)
        self._last: tuple[Event, int] | None = None

    def _needs(self, outlet: Outlet, vehicle: Vehicle) -> Json:
        return iso15118.needs(outlet, vehicle)

    def _served(self, cabinet: Cabinet) -> Answers:
        return answers(cabinet)

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
        """Payload of BootNotification."""
        nameplate = self._cabinet.nameplate
        return {
            "reason": reason.value,
            "chargingStation": {
                "vendorName": nameplate.vendor,
                "model": nameplate.model,
                "serialNumber": nameplate.id[:25],
                "firmwareVersion": self._cabinet.firmware,
            },
        }

    async def tell(self, event: Event, call: Call) -> None:
        """Put an event into words and take in the answer."""
        match event:
            case AuthorizationWanted():
                await self._authorize(event, call)
            case TransactionStarted():
                await self._start(event, call)
            case Message():
                await told(event, call)
            case _:
                await call(*self._words(event))

    def _words(self, event: Event) -> tuple[str, Json]:
        """A CALL whose answer says nothing."""
        match event:
            case BootWanted():
                words = "BootNotification", self.boot(BootReason.TRIGGERED)
            case HeartbeatDue():
                words = "Heartbeat", {}
            case StatusChanged():
                words = "StatusNotification", _status(event)
            case Metered(transaction=None):
                words = "MeterValues", _meter_values(event)
            case ReservationOver():
                words = "ReservationStatusUpdate", _reservation_over(event)
            case LimitedExternally():
                words = _limited(event)
            case _:
                words = "TransactionEvent", self._numbered(event)
        return words

    async def _authorize(self, event: AuthorizationWanted, call: Call) -> None:
        vehicle = self._station.outlets[event.evse_id].evse.vehicle
        if vehicle is not None and iso15118.wants_contract(vehicle):
            await call("Get15118EVCertificate", iso15118.contract_request(vehicle))
        token = wording.id_token(event.id_tag, event.tag_type)
        contract = iso15118.contract_words(vehicle, self._now())
        answer = await call("Authorize", {"idToken": token, **contract})
        word = wording.listed(answer["idTokenInfo"])
        self._station.authorized(event.evse_id, event.id_tag, self._now(), word)

    async def _start(self, event: TransactionStarted, call: Call) -> None:
        answer = await call("TransactionEvent", self._numbered(event))
        if answer.get("idTokenInfo", {}).get("status", "Accepted") != "Accepted":
            self._station.end(event.transaction.evse_id, EndReason.DE_AUTHORIZED, self._now())
            return
        self._learn(event.transaction, answer)
        outlet = self._station.outlets[event.transaction.evse_id]
        vehicle = outlet.evse.vehicle
        if vehicle is not None and iso15118.speaks(vehicle):
            await call("NotifyEVChargingNeeds", self._needs(outlet, vehicle))

    def _learn(self, transaction: Transaction, answer: Json) -> None:
        """Keep what the answer says of the token."""
        if "idTokenInfo" in answer:
            word = wording.listed(answer["idTokenInfo"])
            self._station.tokens.cache.learn(transaction.id_tag, word)
            transaction.group = word.group or transaction.group

    def _numbered(self, event: Event) -> Json:
        """The TransactionEvent with its sequence number: the same one when told again."""
        transaction, payload = _transaction_event(event)
        if self._last is None or self._last[0] is not event:
            self._last = (event, transaction.next_seq())
        since = self._station.online_since
        late = {"offline": True} if since is None or event.at < since else {}
        return {**payload, "seqNo": self._last[1], **late}


def _status(event: StatusChanged) -> Json:
    return {
        "timestamp": timestamp(event.at),
        "connectorStatus": wording.connector_status(event.status),
        "evseId": event.evse_id,
        "connectorId": wording.CONNECTOR_ID,
    }


def _reservation_over(event: ReservationOver) -> Json:
    return {"reservationId": event.reservation_id, "reservationUpdateStatus": event.reason}


def _limited(event: LimitedExternally) -> tuple[str, Json]:
    """K11-K13."""
    if event.profile is None:
        return "ClearedChargingLimit", {"chargingLimitSource": wording.EXTERNAL_SOURCE}
    schedule = schedules.described(event.profile)["chargingSchedule"]
    limit = {"chargingLimitSource": wording.EXTERNAL_SOURCE, "isGridCritical": False}
    return "NotifyChargingLimit", {"chargingLimit": limit, "chargingSchedule": schedule}


def _meter_values(event: Metered) -> Json:
    return {"evseId": event.evse_id, "meterValue": [wording.meter_value(event.sample)]}


def _transaction_event(event: Event) -> tuple[Transaction, Json]:
    match event:
        case TransactionStarted():
            return event.transaction, _started(event)
        case TransactionChanged():
            return event.transaction, _changed(event)
        case Metered(transaction=Transaction() as transaction):
            return transaction, _metered(event, transaction)
        case TransactionEnded():
            return event.transaction, _ended(event)
        case _:
            raise TypeError(f"no words for {event!r}")


def _started(event: TransactionStarted) -> Json:
    transaction = event.transaction
    remote, reserved = transaction.remote_start_id, transaction.reservation_id
    info: Json = {"chargingState": wording.CHARGING_STATES[event.status]}
    if remote is not None:
        info["remoteStartId"] = remote
    return {
        **_envelope(event, transaction, "Started", info),
        "triggerReason": "Authorized" if remote is None else "RemoteStart",
        "idToken": wording.id_token(transaction.id_tag, transaction.tag_type),
        "meterValue": [wording.meter_value(event.sample)],
        **({} if reserved is None else {"reservationId": reserved}),
    }


def _changed(event: TransactionChanged) -> Json:
    info = {"chargingState": wording.CHARGING_STATES[event.status]}
    return {
        **_envelope(event, event.transaction, "Updated", info),
        "triggerReason": "ChargingStateChanged",
    }


def _metered(event: Metered, transaction: Transaction) -> Json:
    periodic = event.sample.context is Context.PERIODIC
    info = {"chargingState": wording.CHARGING_STATES[event.status]}
    return {
        **_envelope(event, transaction, "Updated", info),
        "triggerReason": "MeterValuePeriodic" if periodic else "Trigger",
        "meterValue": [wording.meter_value(event.sample)],
    }


def _ended(event: TransactionEnded) -> Json:
    trigger, stopped = wording.END_REASONS[event.reason]
    return {
        **_envelope(event, event.transaction, "Ended", {"stoppedReason": stopped}),
        "triggerReason": trigger,
        "meterValue": [wording.meter_value(sample) for sample in event.samples],
    }


def _envelope(event: Event, transaction: Transaction, kind: str, info: Json) -> Json:
    return {
        "eventType": kind,
        "timestamp": timestamp(event.at),
        "transactionInfo": {"transactionId": transaction.ref, **info},
        "evse": {"id": transaction.evse_id, "connectorId": wording.CONNECTOR_ID},
    }
