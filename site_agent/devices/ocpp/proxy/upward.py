"""What the charger tells: answered here at once, told on to the cloud."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from contracts.errors import PermanentError, ProtocolError, TransientError
from contracts.time import Clock
from site_agent.devices.ocpp.proxy import guard
from site_agent.devices.ocpp.proxy.courier import Courier, Desk
from site_agent.devices.ocpp.proxy.journal import Entry, Journal, Told
from site_agent.devices.ocpp.proxy.ledger import Ledger
from site_agent.devices.ocpp.proxy.link import CloudLink
from site_agent.devices.ocpp.proxy.patience import within
from site_agent.devices.ocpp.proxy.profile_book import ProfileBook
from site_agent.devices.ocpp.proxy.settings import CloudConfig
from site_agent.devices.ocpp.proxy.verdicts import Verdicts, accepted, info_key, token_of
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.wire import fields, frames, schemas
from site_agent.devices.ocpp.wire.frames import CallFaultError, Fault, Json
from site_agent.devices.ocpp.wire.tally import Tally
from site_agent.ports import CloudQueue

_ASKED_FIRST = ("DataTransfer", "VatNumberValidation")
"""The cloud's answer is the charger's; ours only if there is none in time."""
_NOT_TOLD = (
    # about the charger's link to us and the profiles we have sent it
    "Heartbeat",
    "PullDynamicScheduleUpdate",
    "ReportChargingProfiles",
    # asked of the cloud by way of the desk
    "Get15118EVCertificate",
    "GetCertificateChainStatus",
    "GetCertificateStatus",
    "SignCertificate",
)
_DESK_PATIENCE_S = 20.0
"""The cloud has to ask others about certificates, and the vehicle waits for it."""
_LASTING = ("StartTransaction", "StopTransaction", "MeterValues", "TransactionEvent")
_JUST_JUDGED = timedelta(minutes=2)
_REMEMBERED = 64
"""Messages about transactions among which one told twice is recognised."""
_MOST_REPORTS = 64
_FEW = 20
_log = structlog.get_logger(__name__)

Local = Callable[[], Awaitable[Json]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the two directions share."""

    station: str
    config: CloudConfig
    ledger: Ledger
    book: ProfileBook
    queue: CloudQueue
    clock: Clock
    tally: Tally


class Upward:
    """The charger's CALLs, served here and for the cloud.

    `judged` hears of the cloud's verdict on a start that the charger got no word of: the CALL that
    was told, and the answer.
    """

    def __init__(
        self,
        parts: Parts,
        link: Callable[[], CloudLink],
        *,
        judged: Callable[[Json, Json], Awaitable[None]],
    ) -> None:
        self._parts = parts
        self._link = link
        self._judged_late = judged
        self._verdicts = Verdicts(parts.config.final_word)
        self._newest: deque[int] = deque(maxlen=_REMEMBERED)
        self._statuses: dict[object, Told] = {}
        self.reports: deque[int] = deque(maxlen=_MOST_REPORTS)
        """Request ids that the cloud has used: only reports it asked for are told to it."""
        self.journal = Journal(
            parts.station,
            parts.queue,
            most=parts.config.most_kept,
            live=self._live,
            tally=parts.tally,
        )
        self.courier = Courier(
            self.journal,
            Desk(worded=self._worded, answered=self._answered),
            patience_s=parts.config.patience_s,
            clock=parts.clock,
            tally=parts.tally,
        )

    async def load(self) -> None:
        """Go on where the process before this one ended."""
        await self.journal.load()
        self._newest.extend(_mark(told) for told in await self.journal.newest(_REMEMBERED))

    def _live(self) -> bool:
        """Whether the cloud will have heard in a moment of what is told now."""
        listening = self._link().session is not None and self.courier.welcome
        return listening and self.courier.prompt and len(self.journal) < _FEW

    async def connected(self) -> None:
        """A new connection to the cloud: it is told how things stand."""
        for told in list(self._statuses.values()):
            await self.journal.put(told)

    async def serve(self, version: Version, action: str, payload: Json, local: Local) -> Json:
        """The answer for the charger; `local` is how we answer it ourselves.

        Raises:
            CallFaultError: neither we nor the cloud can serve it.
        """
        told = Told(version=version, action=action, payload=payload)
        if action in _ASKED_FIRST:
            theirs = await self._ask(told)
            return await local() if theirs is None else theirs
        try:
            ours = await local()
        except CallFaultError as fault:
            theirs = await self._ask(told) if fault.fault is Fault.NOT_IMPLEMENTED else None
            if theirs is None:
                raise
            return theirs
        if action == "Authorize":
            return await self._authorize(told, ours)
        return ours if action in _NOT_TOLD else await self._tell(told, ours)

    async def ask(self, charge_point_id: str, version: Version, action: str, payload: Json) -> Json:
        """As `CertificateDesk.ask`. The certificate that the charger shows us is our affair."""
        if action == "SignCertificate" and guard.for_our_link(payload):
            raise PermanentError(f"{charge_point_id}: no certificate for our link from the cloud")
        told = Told(version=version, action=action, payload=payload)
        answer = await self._ask(told, _DESK_PATIENCE_S)
        if answer is None:
            raise TransientError(f"{charge_point_id}: the cloud does not answer")
        return answer

    async def _ask(self, told: Told, patience_s: float | None = None) -> Json | None:
        session = self._link().session
        usable = self._link().version is told.version and self.courier.welcome
        if session is None or not usable or not self.courier.prompt:
            return None
        patience_s = patience_s or self._parts.config.patience_s
        answer = await self.courier.ask(session, told, patience_s)
        if answer is None:
            return None
        try:
            schemas.check(told.version, schemas.response(told.action), answer)
        except PermanentError as error:
            self._parts.tally.note("answer of the cloud malformed", reason=str(error))
            return None
        return answer

    # --- whether a driver may charge --------------------------------------------------------------

    async def _authorize(self, told: Told, ours: Json) -> Json:
        theirs = await self._ask(told)
        key, token = info_key(told.version), token_of(told.version, told.payload)
        now = self._parts.clock.now()
        if theirs is not None and token is not None:
            self._verdicts.learn(token, fields.part(theirs, key), now)
        if theirs is None and token is not None:
            known = self._verdicts.known(token, now)
            theirs = None if known is None else {key: known}
        if theirs is None:
            return ours
        info = self._verdicts.joined(fields.part(ours, key), fields.part(theirs, key))
        return {**(theirs if self._verdicts.wanted else ours), key: info}

    async def _judged(self, told: Told, entry: Entry, ours: Json) -> Json:
        """The answer to a start, with the cloud's verdict if it is known or comes in time."""
        key, token = info_key(told.version), token_of(told.version, told.payload)
        if token is None or key not in ours or not self._verdicts.wanted:
            return ours
        now = self._parts.clock.now()
        info = self._verdicts.known(token, now, within=_JUST_JUDGED)
        if info is None:
            answer = await self._in_time(entry)
            info = fields.part(answer or {}, key) or self._verdicts.known(token, now)
        return {**ours, key: self._verdicts.joined(fields.part(ours, key), info)}

    async def _in_time(self, entry: Entry) -> Json | None:
        if self._link().session is None or not self.courier.prompt or len(self.journal) > 1:
            return None
        entry.awaited = True
        try:
            waiting = asyncio.wait([entry.answer])
            answered = await within(self._parts.clock, self._parts.config.patience_s, waiting)
        finally:
            entry.awaited = False
        if answered is None:
            self.courier.prompt = False
            return None
        return entry.answer.result()

    # --- telling ----------------------------------------------------------------------------------

    async def _tell(self, told: Told, ours: Json) -> Json:
        if told.action == "BootNotification":
            self.courier.booted(told)
        elif told.action == "StatusNotification":
            place = tuple(told.payload.get(key) for key in ("connectorId", "evseId"))
            told = replace(told, replaces=("status", str(place)[:40]))
            if told.replaces in self._statuses or len(self._statuses) < _REMEMBERED:
                self._statuses[told.replaces] = told
            await self.journal.put(told)
        elif told.action in _LASTING:
            return await self._tell_of_transaction(told, ours)
        elif self._asked_for(told.payload):
            await self.journal.put(told)
        return ours

    def _asked_for(self, payload: Json) -> bool:
        number = payload.get("requestId")
        return number is None or number in self.reports

    async def _tell_of_transaction(self, told: Told, ours: Json) -> Json:
        mark = _mark(told)
        if mark in self._newest:  # our answer was lost and the charger tells it again
            return ours
        self._newest.append(mark)
        if told.action == "StartTransaction":
            number = fields.whole(ours, "transactionId")
            if self._parts.ledger.knows(str(number)):
                return ours
            told = replace(told, transaction=number)
        samples = told.action == "MeterValues" or told.payload.get("eventType") == "Updated"
        entry = await self.journal.put(replace(told, lasting=True, samples=samples))
        await self._book(told)
        if told.action in ("StartTransaction", "TransactionEvent"):
            return await self._judged(told, entry, ours)
        return ours

    async def _book(self, told: Told) -> None:
        """Which transactions run, for the cloud's profiles."""
        try:
            await _BOOKKEEPING[told.action](self, told)
        except ProtocolError as error:
            _log.info("transaction not understood", reason=str(error))

    async def _began(self, evse: int, ref: str, told: Told) -> None:
        try:
            at = fields.moment(told.payload, "timestamp")
        except ProtocolError:
            at = self._parts.clock.now()
        if await self._parts.ledger.began(evse, ref, min(at, self._parts.clock.now())):
            await self._parts.book.began(evse, ref)

    async def _over(self, ref: str) -> None:
        await self._parts.ledger.ended(ref)
        await self._parts.book.ended(ref)

    async def _start(self, told: Told) -> None:
        await self._began(fields.whole(told.payload, "connectorId"), str(told.transaction), told)

    async def _stop(self, told: Told) -> None:
        await self._over(str(fields.whole(told.payload, "transactionId")))

    async def _meter_values(self, told: Told) -> None:
        """In 1.6 samples may be the first we hear of a transaction."""
        if told.version is Version.V16 and told.payload.get("transactionId"):
            number = fields.whole(told.payload, "transactionId")
            await self._began(fields.whole(told.payload, "connectorId"), str(number), told)

    async def _transaction_event(self, told: Told) -> None:
        ref = fields.text(fields.part(told.payload, "transactionInfo"), "transactionId")
        if told.payload.get("eventType") == "Ended":
            await self._over(ref)
            return
        place = fields.part(told.payload, "evse").get("id")
        known = self._parts.ledger.place(ref)
        await self._began(place if isinstance(place, int) else known or 1, ref, told)

    # --- the cloud's answers ----------------------------------------------------------------------

    def _worded(self, told: Told) -> Json | None:
        """As the charger has said it, with the cloud's own id of the transaction."""
        if told.version is not Version.V16 or "transactionId" not in told.payload:
            return told.payload
        number = told.payload["transactionId"]
        if not isinstance(number, int):
            return told.payload
        theirs = self._parts.ledger.theirs(number)
        return None if theirs is None else {**told.payload, "transactionId": theirs}

    async def _answered(self, entry: Entry, told: Told, answer: Json | None) -> None:
        if told.transaction is not None:
            theirs = (answer or {}).get("transactionId")
            number = theirs if isinstance(theirs, int) and not isinstance(theirs, bool) else None
            await self._parts.ledger.name(told.transaction, number)
        token = token_of(told.version, told.payload)
        info = fields.part(answer or {}, info_key(told.version))
        if token is None or not isinstance(info.get("status"), str):
            return
        self._verdicts.learn(token, info, self._parts.clock.now())
        if entry.awaited or not self._verdicts.wanted:
            return
        if self._verdicts.decides or not accepted(info):
            late: Json = {"idTokenInfo": info, "transactionId": told.transaction or ""}
            await self._judged_late(told.payload, late)


def _mark(told: Told) -> int:
    """The same for a message told twice; an event of 2.0.1 may come back marked as `offline`."""
    number, info = told.payload.get("seqNo"), fields.part(told.payload, "transactionInfo")
    if told.action == "TransactionEvent" and isinstance(number, int):
        when = (fields.word(told.payload, key) for key in ("eventType", "timestamp"))
        return hash((fields.word(info, "transactionId"), number, *when))
    return hash((told.action, frames.text_of(told.payload)))


_BOOKKEEPING: Mapping[str, Callable[[Upward, Told], Awaitable[None]]] = {
    "StartTransaction": Upward._start,
    "StopTransaction": Upward._stop,
    "MeterValues": Upward._meter_values,
    "TransactionEvent": Upward._transaction_event,
}
