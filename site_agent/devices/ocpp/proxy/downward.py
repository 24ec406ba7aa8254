"""What the cloud orders: passed on to the charger, answered here in its place, or refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import structlog

from contracts.errors import PermanentError, ProtocolError, TransientError
from site_agent.devices.ocpp.limits.profiles import RateUnit
from site_agent.devices.ocpp.proxy import criteria, guard, reading
from site_agent.devices.ocpp.proxy.composite import Allowed, answer, composite
from site_agent.devices.ocpp.proxy.journal import Told
from site_agent.devices.ocpp.proxy.patience import within
from site_agent.devices.ocpp.proxy.upward import Parts, Upward
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.wire import fields, schemas
from site_agent.devices.ocpp.wire.frames import (
    CallFaultError,
    CallRefusedError,
    Fault,
    Json,
    NoAnswerError,
)
from site_agent.devices.ocpp.wire.outbox import Request

_BURST, _PER_S = 30.0, 2.0
"""Orders in a row, and in the long run: the charger's link is for limits first."""
_PAUSE_S = 30.0
"""After an order the charger did not answer: each holds up a limit for as long as it waits."""
_NAMING_S = 2.0
_RESETS_APART = timedelta(seconds=60)
_LONGEST_COMPOSITE_S = 7 * 86_400
_log = structlog.get_logger(__name__)


class Downward:
    """The cloud's CALLs.

    `command` sends one to the charger; `ours_a` is the most we allow an EVSE now, A per phase.
    """

    def __init__(
        self,
        parts: Parts,
        upward: Upward,
        *,
        command: Callable[[Request], Awaitable[Json]],
        ours_a: Callable[[int], float],
        evses: tuple[int, ...],
        interval_s: int | None,
        version: Callable[[], Version],
    ) -> None:
        self._parts = parts
        self._upward = upward
        self._command = command
        self._ours_a = ours_a
        self._evses = evses
        self._interval_s = interval_s
        self._version = version
        self._tokens, self._filled_s = _BURST, parts.clock.monotonic()
        self._deaf_until_s = 0.0
        self._last_reset_s: float | None = None

    async def serve(self, action: str, payload: Json) -> Json:
        """The answer for the cloud.

        Raises:
            CallFaultError: no such order, malformed, or the charger did not take it.
        """
        await self._in_turn()
        version = self._version()
        self._check(version, schemas.request(version, action), payload)
        refused = guard.refusal(self._parts.config, action, payload, self._interval_s)
        if refused is not None or (action == "Reset" and self._too_soon()):
            return self._refused(version, action, refused or {"status": "Rejected"})
        handler = _HANDLERS.get(action)
        if handler is not None:
            return await handler(self, version, payload)
        return await self._pass(action, await self._worded(version, payload))

    # --- passed on --------------------------------------------------------------------------------

    async def _pass(self, action: str, payload: Json) -> Json:
        if self._parts.clock.monotonic() < self._deaf_until_s:
            raise CallFaultError(Fault.INTERNAL, "the charger does not answer")
        number = payload.get("requestId")
        if isinstance(number, int):
            self._upward.reports.append(number)
        _log.info("order of the cloud", station=self._parts.station, action=action)
        try:
            return await self._command(Request(action=action, payload=payload))
        except CallRefusedError as refusal:
            known = [fault for fault in Fault if fault.value == refusal.code]
            raise CallFaultError(known[0] if known else Fault.INTERNAL, str(refusal)) from refusal
        except (TransientError, PermanentError) as error:
            if isinstance(error, NoAnswerError):
                self._deaf_until_s = self._parts.clock.monotonic() + _PAUSE_S
            raise CallFaultError(Fault.INTERNAL, "the charger cannot be reached") from error

    async def _worded(self, version: Version, payload: Json) -> Json:
        """With the transaction's id as the charger knows it."""
        number = payload.get("transactionId")
        if version is Version.V16 and isinstance(number, int):
            return {**payload, "transactionId": await self._ours(number)}
        return payload

    async def _ours(self, theirs: int) -> int:
        """The charger's id; an unknown one is from before we stood in between."""
        ledger = self._parts.ledger
        if ledger.ours(theirs) is None and self._upward.courier.starting:
            # the cloud may use an id in the same breath in which it gives it
            await within(self._parts.clock, _NAMING_S, ledger.next_name())
        found = ledger.ours(theirs)
        return theirs if found is None else found

    async def _start(self, version: Version, payload: Json) -> Json:
        """Its profile stays here: for the transaction that follows."""
        sent = {key: value for key, value in payload.items() if key != "chargingProfile"}
        action = "RemoteStartTransaction" if version is Version.V16 else "RequestStartTransaction"
        wire = fields.part(payload, "chargingProfile")
        place = payload.get("connectorId" if version is Version.V16 else "evseId")
        evse = place if isinstance(place, int) else None
        if wire:
            try:
                self._parts.book.expect(evse, wire)
            except ProtocolError as error:
                _log.info("start's profile refused", reason=str(error))
                return {"status": "Rejected"}
        result = await self._pass(action, sent)
        if wire and result.get("status") != "Accepted":
            self._parts.book.unexpect(evse)
        return result

    async def _set_variables(self, version: Version, payload: Json) -> Json:
        """Those that are ours are refused, the others passed on; the answers in their order."""
        asked = fields.parts(payload, "setVariableData")
        free = [one for one in asked if self._settable(one)]
        answers = [self._variable_refused(one) for one in asked if one not in free]
        if free:
            result = await self._pass("SetVariables", {**payload, "setVariableData": free})
            answers += fields.parts(result, "setVariableResult")
        order = [guard.variable_name(one) for one in asked]
        answers.sort(key=lambda one: _place(order, guard.variable_name(one)))
        return {"setVariableResult": answers}

    def _settable(self, wire: Json) -> bool:
        name, value = guard.variable_name(wire), fields.word(wire, "attributeValue")
        return guard.settable(name, value, self._interval_s)

    def _variable_refused(self, wire: Json) -> Json:
        self._note_refusal(f"SetVariables {guard.variable_name(wire)[:80]}")
        return {
            "attributeStatus": "Rejected",
            "component": wire["component"],
            "variable": wire["variable"],
        }

    # --- answered here ----------------------------------------------------------------------------

    async def _set_profile(self, version: Version, payload: Json) -> Json:
        try:
            evse, wire = reading.wire_of(payload)
            ref = wire.get("transactionId")
            if version is Version.V16 and isinstance(ref, int):
                ref = str(await self._ours(ref))
            await self._parts.book.put(evse, wire, None if ref is None else str(ref))
        except ProtocolError as error:
            self._note_refusal(f"SetChargingProfile: {error}")
            return {"status": "Rejected"}
        return {"status": "Accepted"}

    async def _clear_profile(self, version: Version, payload: Json) -> Json:
        doomed = self._parts.book.find(
            criteria.to_clear(payload, version_16=version is Version.V16)
        )
        await self._parts.book.drop(doomed)
        return {"status": "Accepted" if doomed else "Unknown"}

    async def _composite(self, version: Version, payload: Json) -> Json:
        evse = fields.whole(payload, "connectorId" if version is Version.V16 else "evseId")
        if evse != 0 and evse not in self._evses:
            return {"status": "Rejected"}
        evses = self._evses if evse == 0 else (evse,)
        book = self._parts.book
        found = composite(
            book.profiles,
            [Allowed(outlet=book.outlet(one), ours_a=self._ours_a(one)) for one in evses],
            start=self._parts.clock.now().replace(microsecond=0),
            duration_s=min(_LONGEST_COMPOSITE_S, max(1, fields.whole(payload, "duration"))),
            unit=RateUnit(fields.text_or_none(payload, "chargingRateUnit") or RateUnit.AMPERE),
        )
        return answer(version is Version.V16, evse, found)

    async def _get_profiles(self, version: Version, payload: Json) -> Json:
        """2.0.1 K09: the profiles follow in reports."""
        found = self._parts.book.find(criteria.to_report(payload))
        for evse in sorted({kept.profile.evse for kept in found}):
            report = {
                "requestId": payload["requestId"],
                "chargingLimitSource": criteria.SOURCE,
                "evseId": evse,
                "chargingProfile": [k.wire for k in found if k.profile.evse == evse],
            }
            told = Told(version=version, action="ReportChargingProfiles", payload=report)
            await self._upward.journal.put(told)
        return {"status": "Accepted" if found else "NoProfiles"}

    # --- limits of what a cloud may do ------------------------------------------------------------

    async def _in_turn(self) -> None:
        """Wait until an order is due: a cloud that sends more than its share is only slowed."""
        now_s = self._parts.clock.monotonic()
        self._tokens = min(_BURST, self._tokens + (now_s - self._filled_s) * _PER_S)
        self._filled_s = now_s
        self._tokens -= 1
        if self._tokens < 0:
            await self._parts.clock.sleep(-self._tokens / _PER_S)

    def _check(self, version: Version, message: str, payload: Json) -> None:
        try:
            schemas.check(version, message, payload)
        except PermanentError as error:
            fault = Fault.NOT_IMPLEMENTED if "no such message" in str(error) else Fault.FORMAT
            raise CallFaultError(fault, str(error)) from error

    def _too_soon(self) -> bool:
        now_s, last_s = self._parts.clock.monotonic(), self._last_reset_s
        if last_s is not None and now_s - last_s < _RESETS_APART.total_seconds():
            return True
        self._last_reset_s = now_s
        return False

    def _refused(self, version: Version, action: str, result: Json) -> Json:
        self._note_refusal(action)
        try:
            schemas.check(version, schemas.response(action), result)
        except PermanentError as error:  # such an answer has no status to say it with
            raise CallFaultError(Fault.INTERNAL, "not allowed") from error
        return result

    def _note_refusal(self, what: str) -> None:
        self._parts.tally.note("order of the cloud refused")
        _log.warning("order of the cloud refused", station=self._parts.station, order=what[:200])


def _place(order: list[str], name: str) -> int:
    return order.index(name) if name in order else len(order)


_HANDLERS: Mapping[str, Callable[[Downward, Version, Json], Awaitable[Json]]] = {
    "ClearChargingProfile": Downward._clear_profile,
    "GetChargingProfiles": Downward._get_profiles,
    "GetCompositeSchedule": Downward._composite,
    "RemoteStartTransaction": Downward._start,
    "RequestStartTransaction": Downward._start,
    "SetChargingProfile": Downward._set_profile,
    "SetVariables": Downward._set_variables,
}
