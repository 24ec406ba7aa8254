"""A charger that says exactly what a test tells it to, in either OCPP version."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from contracts.time import Clock
from site_agent.devices.ocpp.wire.fields import stamp

Json = dict[str, Any]
_ANSWER_S = 60.0


@dataclass
class RawCharger:
    """A bare OCPP client.

    `answers`: by action a payload, a function of the request, a list (CALLERROR) or None (silence).
    """

    socket: ClientConnection
    version: str
    answers: dict[str, Any] = field(default_factory=dict)
    heard: list[tuple[str, Json]] = field(default_factory=list)
    stray: list[Any] = field(default_factory=list)
    _ids: Any = field(default_factory=itertools.count)
    _sequence: Any = field(default_factory=lambda: defaultdict(itertools.count))
    _pending: dict[str, asyncio.Future[Any]] = field(default_factory=dict)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def read(self) -> None:
        try:
            async for text in self.socket:
                await self._take(json.loads(text))
        except ConnectionClosed:
            pass

    async def _take(self, frame: list[Any]) -> None:
        if frame[0] != 2:
            future = self._pending.pop(frame[1], None)
            self.stray.append(frame) if future is None else future.set_result(frame)
        else:
            _, unique_id, action, payload = frame
            answer = self.answers.get(action, _DEFAULTS.get(action, {"status": "Accepted"}))
            answer = answer(payload) if callable(answer) else answer
            if isinstance(answer, list):
                await self.socket.send(json.dumps([4, unique_id, *answer, {}]))
            elif answer is not None:
                await self.socket.send(json.dumps([3, unique_id, answer]))
            self.heard.append((action, payload))
        async with self._news:
            self._news.notify_all()

    async def frame(self, action: str, payload: Json) -> list[Any]:
        unique_id = f"m{next(self._ids)}"
        return await self.raw(json.dumps([2, unique_id, action, payload]), unique_id)

    async def raw(self, text: str | bytes, unique_id: str) -> list[Any]:
        """Send anything; the frame that answers this id."""
        future: asyncio.Future[Any] = asyncio.Future()
        self._pending[unique_id] = future
        await self.socket.send(text)
        async with asyncio.timeout(_ANSWER_S):
            answer: list[Any] = await future
        return answer

    async def call(self, action: str, payload: Json) -> Json:
        frame = await self.frame(action, payload)
        assert frame[0] == 3, frame
        result: Json = frame[2]
        return result

    async def hears(
        self, action: str, matches: Callable[[Json], bool] = lambda _: True, *, after: int = 0
    ) -> Json:
        """The first such CALL heard since `after` (an index into `heard`)."""

        def found() -> Json | None:
            hits = (p for name, p in self.heard[after:] if name == action and matches(p))
            return next(hits, None)

        async with asyncio.timeout(_ANSWER_S), self._news:
            await self._news.wait_for(lambda: found() is not None)
        payload = found()
        assert payload is not None
        return payload

    async def hears_profile(self, purpose: str, *, after: int = 0) -> Json:
        return await self.hears(
            "SetChargingProfile", lambda p: profile(p)["chargingProfilePurpose"] == purpose,
            after=after,
        )  # fmt: skip

    def profiles(self, purpose: str = "TxProfile") -> list[Json]:
        """Profiles of this purpose heard so far."""
        sent = [profile(p) for name, p in self.heard if name == "SetChargingProfile"]
        return [p for p in sent if p["chargingProfilePurpose"] == purpose]

    # --- the usual things, in the words of its version ------------------------------------------

    async def boot(self) -> Json:
        if self.version == "ocpp1.6":
            plate = {"chargePointVendor": "V", "chargePointModel": "M"}
            return await self.call("BootNotification", plate)
        described = {"vendorName": "V", "model": "M"}
        greeting = {"reason": "PowerUp", "chargingStation": described}
        return await self.call("BootNotification", greeting)

    async def begin(self, clock: Clock, register_wh: float = 1000.0, ref: str = "tx-1") -> str:
        """Start a transaction; the id both sides then use."""
        at = stamp(clock.now())
        if self.version == "ocpp1.6":
            start = {"connectorId": 1, "idTag": "TAG1", "meterStart": int(register_wh)}
            answer = await self.call("StartTransaction", {**start, "timestamp": at})
            return str(answer["transactionId"])
        event = self.event("Started", at, ref, samples(at, register_wh=register_wh))
        token = {"idToken": {"idToken": "TAG1", "type": "ISO14443"}}
        await self.call("TransactionEvent", event | token)
        return ref

    async def sample(self, ref: str | None, at: str, **values: float) -> None:
        if self.version == "ocpp1.6":
            body = {"connectorId": 1, "meterValue": [samples16(at, **values)]}
            if ref is not None:
                body["transactionId"] = int(ref)
            await self.call("MeterValues", body)
        else:
            assert ref is not None
            await self.call(
                "TransactionEvent", self.event("Updated", at, ref, samples(at, **values))
            )

    async def end(self, clock: Clock, ref: str, register_wh: float) -> None:
        at = stamp(clock.now())
        if self.version == "ocpp1.6":
            stop = {"transactionId": int(ref), "meterStop": int(register_wh), "timestamp": at}
            await self.call("StopTransaction", {**stop, "reason": "EVDisconnected"})
        else:
            event = self.event("Ended", at, ref, samples(at, register_wh=register_wh))
            event["transactionInfo"]["stoppedReason"] = "EVDisconnected"
            await self.call("TransactionEvent", event)

    async def status(self, clock: Clock, status: str) -> None:
        if self.version == "ocpp1.6":
            body = {"connectorId": 1, "errorCode": "NoError", "status": status}
            await self.call("StatusNotification", body)
        else:
            body = {"evseId": 1, "connectorId": 1, "timestamp": stamp(clock.now())}
            word = "Available" if status == "Available" else "Occupied"
            await self.call("StatusNotification", {**body, "connectorStatus": word})

    def event(self, kind: str, at: str, ref: str, meter_value: Json) -> Json:
        return {
            "eventType": kind,
            "timestamp": at,
            "triggerReason": "MeterValuePeriodic",
            "seqNo": next(self._sequence[ref]),
            "transactionInfo": {"transactionId": ref},
            "evse": {"id": 1, "connectorId": 1},
            "meterValue": [meter_value],
        }


def profile(payload: Json) -> Json:
    """The profile in a SetChargingProfile of either version."""
    found: Json = payload.get("csChargingProfiles") or payload["chargingProfile"]
    return found


def schedule(payload: Json) -> Json:
    """The schedule of a profile of either version."""
    held = payload["chargingSchedule"]
    found: Json = held[0] if isinstance(held, list) else held
    return found


def limit(payload: Json) -> float:
    """The limit a profile begins with."""
    value: float = schedule(payload)["chargingSchedulePeriod"][0]["limit"]
    return value


_MEASURANDS = {
    "power_w": ("Power.Active.Import", "W", None),
    "register_wh": ("Energy.Active.Import.Register", "Wh", None),
    "l1_a": ("Current.Import", "A", "L1"),
    "l2_a": ("Current.Import", "A", "L2"),
    "l3_a": ("Current.Import", "A", "L3"),
    "soc_pct": ("SoC", "Percent", None),
}


def samples16(at: str, **values: float) -> Json:
    sampled = []
    for name, value in values.items():
        measurand, unit, phase = _MEASURANDS[name]
        entry = {"value": str(value), "measurand": measurand, "unit": unit}
        sampled.append(entry | ({"phase": phase} if phase else {}))
    return {"timestamp": at, "sampledValue": sampled}


def samples(at: str, **values: float) -> Json:
    sampled = []
    for name, value in values.items():
        measurand, unit, phase = _MEASURANDS[name]
        entry = {"value": value, "measurand": measurand, "unitOfMeasure": {"unit": unit}}
        sampled.append(entry | ({"phase": phase} if phase else {}))
    return {"timestamp": at, "sampledValue": sampled}


def _configuration(payload: Json) -> Json:
    return {"configurationKey": [
        {"key": key, "readonly": False, "value": _SETTINGS16[key]}
        for key in payload["key"] if key in _SETTINGS16
    ]}  # fmt: skip


def _variables(payload: Json) -> Json:
    results = []
    for asked in payload["getVariableData"]:
        name = f"{asked['component']['name']}.{asked['variable']['name']}"
        known = {"attributeStatus": "Accepted", "attributeValue": _SETTINGS201.get(name)}
        unknown = {"attributeStatus": "UnknownVariable"}
        results.append({**asked, **(known if name in _SETTINGS201 else unknown)})
    return {"getVariableResult": results}


def _set_variables(payload: Json) -> Json:
    return {"setVariableResult": [
        {**{k: asked[k] for k in ("component", "variable")}, "attributeStatus": "Accepted"}
        for asked in payload["setVariableData"]
    ]}  # fmt: skip


_SETTINGS16 = {
    "ChargingScheduleAllowedChargingRateUnit": "Current,Power",
    "ChargeProfileMaxStackLevel": "5",
    "ChargingScheduleMaxPeriods": "6",
    "MaxChargingProfilesInstalled": "10",
    "HeartbeatInterval": "60",
    "MeterValueSampleInterval": "60",
    "MeterValuesSampledData": "Energy.Active.Import.Register",
}
_SETTINGS201 = {
    "SmartChargingCtrlr.RateUnit": "A,W",
    "SmartChargingCtrlr.ProfileStackLevel": "5",
    "SmartChargingCtrlr.PeriodsPerSchedule": "6",
    "OCPPCommCtrlr.HeartbeatInterval": "60",
    "SampledDataCtrlr.TxUpdatedInterval": "60",
}
_DEFAULTS: dict[str, Any] = {
    "GetConfiguration": _configuration,
    "GetVariables": _variables,
    "SetVariables": _set_variables,
}
