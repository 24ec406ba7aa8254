"""Nonsense on one socket: refused and counted, while the other chargers notice nothing."""

from __future__ import annotations

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from support.ocpp_depot import Depot, connected, depot, station
from support.waiting import until


async def others_are_served(site: Depot) -> None:
    async with connected(site, "CP2") as other:
        await other.boot()
        await other.hears("TriggerMessage")
        await other.begin(site.clock)
        await site.ask(10, "evse-2")
        assert site.state("evse-2").confirmed_limit_a == 10


def two() -> AbstractAsyncContextManager[Depot]:
    return depot(station("CP1", 1), station("CP2", 2))


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("x" * 10_000_000, 1009),
        ("[" * 10_000_000, 1009),
        ('[2,"a","Heartbeat",{"x":"' + "y" * 300_000 + '"}]', 1009),
    ],
)
@pytest.mark.row("safety:S6")
async def test_a_huge_message_costs_its_sender_the_connection(frame: str, code: int) -> None:
    async with two() as site, connected(site) as charger:
        await charger.boot()
        await charger.socket.send(frame)
        async with asyncio.timeout(60):
            await charger.socket.wait_closed()
        assert charger.socket.close_code == code
        await others_are_served(site)
        await until(lambda: site.counts().get("frame refused") == 1)


GARBAGE: list[tuple[str | bytes, str, str, str]] = [
    # frame, id of the answer, code in 1.6, code in 2.0.1
    ("[" * 100_000, "-1", "FormationViolation", "RpcFrameworkError"),
    ('{"a":' * 20_000, "-1", "FormationViolation", "RpcFrameworkError"),
    ('[2,"a","Heart', "-1", "FormationViolation", "RpcFrameworkError"),
    ("", "-1", "FormationViolation", "RpcFrameworkError"),
    ("NaN", "-1", "FormationViolation", "RpcFrameworkError"),
    (b"\x00\x01\x02", "-1", "FormationViolation", "RpcFrameworkError"),
    ("1" * 5000, "-1", "FormationViolation", "RpcFrameworkError"),
    ("[2]", "-1", "FormationViolation", "RpcFrameworkError"),
    ('[2,"three","Heartbeat"]', "three", "FormationViolation", "FormatViolation"),
    ('[2,"list","Heartbeat",[]]', "list", "FormationViolation", "FormatViolation"),
    ('[2,"new","TakeOverTheWorld",{}]', "new", "NotImplemented", "NotImplemented"),
    ('[2,"gap","BootNotification",{}]', "gap", "OccurenceConstraintViolation",
     "OccurrenceConstraintViolation"),
    ('[2,"type","DataTransfer",{"vendorId":7}]', "type", "TypeConstraintViolation",
     "TypeConstraintViolation"),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "unique_id", "code_16", "code_201"), GARBAGE)
@pytest.mark.row("library:L1")
@pytest.mark.row("safety:S6")
async def test_every_garbage_is_answered_and_the_socket_stays(
    version: str, frame: str | bytes, unique_id: str, code_16: str, code_201: str
) -> None:
    async with two() as site, connected(site, version=version) as charger:
        answer = await charger.raw(frame, unique_id)
        assert answer[:3] == [4, unique_id, code_16 if version == "ocpp1.6" else code_201]
        assert (await charger.boot())["status"] == "Accepted"
        assert sum(site.counts().values()) >= 1


@pytest.mark.row("library:L1")
async def test_an_unknown_message_type_is_ignored_in_16_and_answered_in_201(version: str) -> None:
    async with two() as site, connected(site, version=version) as charger:
        await charger.socket.send('[6,"send","Event",{}]')
        await charger.boot()
        codes = [frame[2] for frame in charger.stray]
        assert codes == ([] if version == "ocpp1.6" else ["MessageTypeNotSupported"])
        assert site.counts() == {"bad frame": 1}


@pytest.mark.row("library:L1")
@pytest.mark.row("safety:S6")
async def test_answers_to_nothing_are_counted_and_never_answered(version: str) -> None:
    async with two() as site, connected(site, version=version) as charger:
        for frame in ('[3,"who",{}]', '[4,"who","GenericError","",{}]', "[3]", '[3,"who",7]'):
            await charger.socket.send(frame)
        await charger.boot()
        assert charger.stray == []
        assert sum(site.counts().values()) == 4


async def test_invalid_utf8_costs_the_connection() -> None:
    async with two() as site, connected(site) as charger:
        await charger.socket.send(b"\xff\xfe", text=True)
        async with asyncio.timeout(60):
            await charger.socket.wait_closed()
        assert charger.socket.close_code == 1007
        await others_are_served(site)


@pytest.mark.row("safety:S6")
async def test_a_flood_of_calls_costs_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async with two() as site, connected(site) as charger:
        # a store that hangs stands for any slow handler: calls pile up behind the first
        gate = asyncio.Event()
        start = site.sessions.start

        async def slow(*args: Any, **more: Any) -> int:
            await gate.wait()
            number: int = await start(*args, **more)
            return number

        monkeypatch.setattr(site.sessions, "start", slow)
        body = {"connectorId": 1, "idTag": "TAG1", "meterStart": 0}
        body["timestamp"] = "2026-01-05T12:00:00Z"
        await charger.socket.send(json.dumps([2, "slow", "StartTransaction", body]))
        for number in range(100):
            await charger.socket.send(json.dumps([2, str(number), "Heartbeat", {}]))
        async with asyncio.timeout(60):
            await charger.socket.wait_closed()
        assert charger.socket.close_code == 1008
        gate.set()
        await others_are_served(site)


async def test_a_failing_store_is_told_to_the_charger_which_tries_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with two() as site, connected(site) as charger:
        start = site.sessions.start

        async def broken(*args: Any) -> int:
            raise OSError("disk full")

        monkeypatch.setattr(site.sessions, "start", broken)
        body = {"connectorId": 1, "idTag": "TAG1", "meterStart": 0}
        body["timestamp"] = "2026-01-05T12:00:00Z"
        assert (await charger.frame("StartTransaction", body))[2] == "InternalError"
        monkeypatch.setattr(site.sessions, "start", start)
        assert (await charger.call("StartTransaction", body))["transactionId"] > 0


@pytest.mark.row("library:L2")
async def test_a_slow_handler_does_not_hold_up_answers_to_our_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with two() as site, connected(site) as charger:
        await charger.boot()
        await charger.hears("TriggerMessage")
        await charger.begin(site.clock)
        gate, stop = asyncio.Event(), site.sessions.stop

        async def slow(*args: Any, **more: Any) -> None:
            await gate.wait()
            await stop(*args, **more)

        monkeypatch.setattr(site.sessions, "stop", slow)
        body = {"transactionId": 999, "meterStop": 0, "timestamp": "2026-01-05T12:00:00Z"}
        await charger.socket.send(json.dumps([2, "slow", "StopTransaction", body]))
        await site.ask(10)  # answered while the handler still hangs
        assert charger.stray == []
        gate.set()
        await until(lambda: [frame[1] for frame in charger.stray] == ["slow"])


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("StopTransaction", {"transactionId": 10**30, "meterStop": 0}),
        (
            "StopTransaction",
            {"transactionId": 1, "meterStop": float("1e308") * -1, "reason": "\ud800"},
        ),
        ("StartTransaction", {"connectorId": 1, "idTag": "\ud800", "meterStart": 0}),
        ("StartTransaction", {"connectorId": 1, "idTag": "x" * 501, "meterStart": 0}),
        ("MeterValues", {"connectorId": 1, "transactionId": 10**30, "meterValue": []}),
    ],
)
async def test_what_no_store_can_hold_is_refused(action: str, payload: dict[str, Any]) -> None:
    async with two() as site, connected(site) as charger:
        answer = await charger.frame(action, payload)
        assert answer[2] == "PropertyConstraintViolation"
        assert site.state().transaction_id is None


@pytest.mark.parametrize(
    "payload",
    [
        {"connectorId": 1, "meterValue": "none"},
        {"connectorId": 1, "meterValue": [None, 7, {"timestamp": 3}, {"sampledValue": 1}]},
        {"connectorId": 1, "meterValue": [{"timestamp": "2026-99-99T00:00:00Z"}]},
        {"connectorId": 1, "meterValue": [{"timestamp": "0001-01-01T00:00:00+14:00"}]},
        {"connectorId": 1, "meterValue": [{"timestamp": "2026-01-05T12:00:00Z", "sampledValue": [
            None, 1, "x", {}, {"value": None}, {"value": "NaN"}, {"value": "1e400"},
            {"value": [], "measurand": {}}, {"value": "1", "unit": []}, {"value": "1", "phase": []},
            {"value": "1" * 5000}, {"value": True},
        ]}]},
        {"connectorId": 1, "transactionId": 0, "meterValue": []},
    ],
)  # fmt: skip
@pytest.mark.row("library:L5")
async def test_nonsense_in_samples_is_survived(payload: dict[str, Any]) -> None:
    async with two() as site, connected(site) as charger:
        assert await charger.call("MeterValues", payload) == {}
        state = site.state()
        assert state.energy_wh.value is None
        assert state.transaction_id is None
