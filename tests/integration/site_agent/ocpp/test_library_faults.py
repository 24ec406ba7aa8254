"""What OCPP and WebSocket libraries get wrong, and this agent must not: shown on real sockets."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from contracts.errors import LinkDownError
from site_agent.devices.ocpp.settings import Timing, Version
from site_agent.devices.ocpp.versions.dialect import Trigger
from site_agent.devices.ocpp.versions.v16 import Ocpp16
from site_agent.devices.ocpp.wire import schemas
from site_agent.devices.ocpp.wire.fields import stamp
from site_agent.devices.ocpp.wire.frames import CallRefusedError
from site_agent.devices.ocpp.wire.outbox import Request
from support.ocpp_charger import Json, limit, samples, samples16
from support.ocpp_depot import Depot, connected, depot
from support.waiting import until

_SOON_S = 30.0
"""Far below the time-out of a CALL in these tests."""


def asks(site: Depot) -> Callable[[Request], Any]:
    return site.system.stations["CP1"].command


@pytest.mark.row("library:L2")
async def test_a_handler_may_call_the_charger_that_keeps_talking(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with depot(timing=Timing(call_timeout_s=60.0)) as site, connected(site) as charger:
        await charger.boot()
        await charger.hears("TriggerMessage")
        start = site.sessions.start

        async def asking(*args: Any, **more: Any) -> int:
            answer = await asks(site)(Ocpp16().trigger(Trigger.STATUS, 1))
            assert answer == {"status": "Accepted"}
            number: int = await start(*args, **more)
            return number

        monkeypatch.setattr(site.sessions, "start", asking)
        body = {"connectorId": 1, "idTag": "TAG1", "meterStart": 0}
        body["timestamp"] = stamp(site.clock.now())
        await charger.socket.send(json.dumps([2, "first", "StartTransaction", body]))
        for number in range(20):
            await charger.socket.send(json.dumps([2, f"beat-{number}", "Heartbeat", {}]))
        await until(lambda: len(charger.stray) == 21)
        assert [frame[1] for frame in charger.stray] == ["first", *(f"beat-{n}" for n in range(20))]
        assert all(frame[0] == 3 for frame in charger.stray)


@pytest.mark.row("library:L3")
async def test_a_dead_socket_fails_what_is_pending_and_what_is_queued(version: str) -> None:
    timing = Timing(call_timeout_s=300.0)
    async with depot(timing=timing) as site, connected(site, version=version) as charger:
        await charger.boot()
        await charger.hears("TriggerMessage")
        await charger.begin(site.clock)
        dialect = site.system.stations["CP1"].link
        assert dialect is not None
        request = dialect.dialect.trigger(Trigger.STATUS, 1)
        before = len(charger.heard)
        charger.answers["TriggerMessage"] = None
        async with asyncio.timeout(_SOON_S), asyncio.TaskGroup() as tasks:
            waiting = [tasks.create_task(outcome(asks(site)(request))) for _ in range(5)]
            await charger.hears("TriggerMessage", after=before)
            charger.socket.transport.abort()
        assert [type(task.result()) for task in waiting] == [LinkDownError] * 5
        assert isinstance(await outcome(asks(site)(request)), LinkDownError)


@pytest.mark.row("library:L4")
async def test_a_callerror_is_an_error(version: str) -> None:
    async with depot() as site, connected(site, version=version) as charger:
        await charger.boot()
        await charger.hears("TriggerMessage")
        link = site.system.stations["CP1"].link
        assert link is not None
        charger.answers["TriggerMessage"] = ["NotSupported", "not today"]
        with pytest.raises(CallRefusedError, match="NotSupported: not today"):
            await asks(site)(link.dialect.trigger(Trigger.STATUS, 1))


@pytest.mark.row("library:L5")
async def test_bad_enums_keys_and_numbers_lose_only_their_own_value(version: str) -> None:
    async with depot() as site, connected(site, version=version) as charger:
        ref = await charger.begin(site.clock, register_wh=1000)
        at = stamp(site.clock.now())
        if version == "ocpp1.6":
            value = samples16(at, power_w=7000, register_wh=1460, l1_a=10)
            value["sampledValue"] += [{"value": "1", "measurand": "SoC", "unit": "Furlong"}]
        else:
            value = samples(at, power_w=7000, register_wh=1460, l1_a=10)
            value["sampledValue"] += [{"value": "many", "measurand": "SoC"}]
        value["sampledValue"] += [
            {"value": 1 if version != "ocpp1.6" else "1", "measurand": "Not.In.Any.List"},
            {"value": None, "measurand": "Voltage", "context": "Sometimes", "vendorKey": {}},
        ]
        if version == "ocpp1.6":
            body: Json = {"connectorId": 1, "transactionId": int(ref), "meterValue": [value]}
            assert await charger.call("MeterValues", body | {"vendorKey": 7}) == {}
        else:
            event = charger.event("Updated", at, ref, value)
            event |= {"triggerReason": "Whim", "vendorKey": 7}
            await charger.call("TransactionEvent", event)
        state = site.state()
        assert (state.power_w.value, state.energy_wh.value) == (7000, 460)
        assert state.current_a.value == 10
        assert site.counts()["bad sample"] == 2


@pytest.mark.row("library:L6")
async def test_an_answer_with_a_key_of_the_vendors_is_taken(version: str) -> None:
    answers: Json = {"SetChargingProfile": {"status": "Accepted", "vendorNote": {"mood": "good"}}}
    async with depot() as site, connected(site, version=version, answers=answers) as charger:
        await charger.boot()
        await charger.hears("TriggerMessage")
        await charger.begin(site.clock)
        await site.ask(14)
        assert limit(charger.profiles()[0]) == 14
        assert site.state().confirmed_limit_a == 14


@pytest.mark.row("library:L7")
async def test_validation_stays_in_the_loops_thread(
    version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()
    check = schemas.check

    def watched(*args: Any) -> None:
        threads.add(threading.get_ident())
        check(*args)

    monkeypatch.setattr(schemas, "check", watched)
    async with depot() as site, connected(site, version=version) as charger:
        begin = site.sessions.start

        async def handled(*args: Any, **more: Any) -> int:
            threads.add(threading.get_ident())
            number: int = await begin(*args, **more)
            return number

        monkeypatch.setattr(site.sessions, "start", handled)
        await charger.boot()
        await charger.hears("TriggerMessage")
        await charger.begin(site.clock)
        await site.ask(10)
    assert threads == {threading.get_ident()}


@pytest.mark.row("library:L7")
@pytest.mark.row("library:L8")
@pytest.mark.parametrize("version", [Version.V16, Version.V201, Version.V21])
def test_a_profile_of_24_periods_is_validated_at_once(version: Version) -> None:
    """What is measured is the processor's time, the best of many."""
    message, payload = schemas.request(version, "SetChargingProfile"), day(version)
    schemas.check(version, message, payload)
    spent_s = []
    for _ in range(50):
        begun_s = time.process_time()
        for _ in range(20):
            schemas.check(version, message, payload)
        spent_s.append((time.process_time() - begun_s) / 20)
    assert min(spent_s) < 0.005


def day(version: Version) -> Json:
    """A profile with one limit an hour, each a multiple of 0.1 that binary fractions miss."""
    periods = [{"startPeriod": 3600 * n, "limit": round(16.1 + n / 10, 1)} for n in range(24)]
    schedule: Json = {"chargingRateUnit": "A", "chargingSchedulePeriod": periods}
    profile: Json = {
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
    }
    if version is Version.V16:
        profile |= {"chargingProfileId": 1, "chargingSchedule": schedule}
        return {"connectorId": 1, "csChargingProfiles": profile}
    profile |= {"id": 1, "chargingSchedule": [{"id": 1, **schedule}]}
    return {"evseId": 1, "chargingProfile": profile}


async def outcome(work: Any) -> object:
    try:
        return await work
    except (LinkDownError, CallRefusedError) as error:
        return error
