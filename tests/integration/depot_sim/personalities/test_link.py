"""Connections that come and go oddly, and frames that should not be."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest

from depot_sim.chargers.charger import Charger
from depot_sim.chargers.events import Metered
from depot_sim.faults import FaultKind
from support.scribe import Scribe, parsed, profile
from support.waiting import until


async def drop(charger: Charger, scribe: Scribe) -> int:
    """Lose the connection for some seconds; the number of the next one."""
    number = len(scribe.sockets)
    charger.fail(FaultKind.DROP, 8)
    await until(lambda: len(scribe.names(number)) > 0)
    return number


async def test_no_boot_on_reconnect(scribe: Scribe, odd: Any) -> None:
    async with odd("no-boot-on-reconnect") as charger:
        number = await drop(charger, scribe)
        await until(lambda: len(scribe.metered(number)) >= 2)
        assert set(scribe.names(number)) <= {"MeterValues", "TransactionEvent"}


async def test_replays_late_after_the_end_and_out_of_order(
    scribe: Scribe, odd: Any, clock: Any
) -> None:
    async with odd({"replays-late": {"after_s": 6}}) as charger:
        charger.fail(FaultKind.DROP, None)
        number, waiting = len(scribe.sockets), charger.station.outbox
        await until(lambda: sum(isinstance(e, Metered) for e in waiting.waiting) >= 6)
        charger.unplug()
        charger.fail(FaultKind.DROP, 0)
        back = clock.now()

        def late() -> list[datetime]:
            stamps = [datetime.fromisoformat(v["timestamp"]) for v in scribe.metered(number)]
            return [at for at in stamps if at < back]

        await until(lambda: len(late()) >= 4)
        stamps = late()
        assert stamps != sorted(stamps)
        said = scribe.said(number)
        end = said.index(next(call for call in said if call[1] in scribe.ended(number)))
        first_sample = next(
            place for place, call in enumerate(said) if "meterValue" in call[1] and place != end
        )
        assert end < first_sample
        told_late = [
            payload.get("offline", False)
            for name, payload in said
            if name == "TransactionEvent"
            and payload["eventType"] == "Updated"
            and datetime.fromisoformat(payload["timestamp"]) < back
        ]
        assert all(told_late)
        assert bool(told_late) is (scribe.version != "1.6")


@pytest.mark.parametrize("of", ["unknown", "running"])
async def test_ends_first(scribe: Scribe, odd: Any, of: str) -> None:
    async with odd({"ends-first": of}) as charger:
        await until(lambda: len(scribe.metered()) >= 3)
        known = charger.station.outlets[1].transaction.ref
        number = await drop(charger, scribe)
        await until(lambda: bool(scribe.ended(number)))
        first = scribe.said(number)[0][1]
        assert first == scribe.ended(number)[0]
        values = first.get("transactionData") or first["meterValue"]
        assert len(values) == 4
        ref = first.get("transactionId") or first["transactionInfo"]["transactionId"]
        assert (str(ref) == known) is (of == "running")


async def test_bad_frames_among_good_ones(scribe: Scribe, odd: Any) -> None:
    async with odd({"bad-frames": {"every_s": 1}}):

        def bad() -> set[str]:
            calls = [(text, parsed(text)) for _, text in scribe.frames]
            return {
                "truncated" if call is None else f"type {call[0]} of {len(call)}"
                for _, call in calls
                if call is None or call[0] == 6 or (call[0] == 2 and len(call) != 4)
            }

        await until(lambda: len(bad()) == 3)
        assert bad() == {"truncated", "type 2 of 3", "type 6 of 4"}
        seen = len(scribe.metered())
        await until(lambda: len(scribe.metered()) > seen)
        assert len(scribe.sockets) == 1


@pytest.mark.parametrize("offers", ["none", "misspelt", "unknown"])
async def test_odd_subprotocol(scribe: Scribe, odd: Any, offers: str) -> None:
    async with odd({"odd-subprotocol": offers}, plugged=False):
        expected = {"none": [], "misspelt": [f"OCPP{scribe.version}"], "unknown": ["soap"]}
        assert scribe.offers[0] == expected[offers]
        assert scribe.names()[0] == "BootNotification"


@pytest.mark.parametrize(("traits", "answers"), [((), True), (("no-pong",), False)])
async def test_no_pong(scribe: Scribe, odd: Any, traits: tuple[str, ...], answers: bool) -> None:
    async with odd(*traits):
        pong = asyncio.ensure_future(await scribe.sockets[0].ping())
        seen = len(scribe.metered())
        await until(lambda: len(scribe.metered()) > seen + 2)
        assert pong.done() is answers
        assert len(scribe.sockets) == 1


async def test_deaf_until_it_reconnects(scribe: Scribe, odd: Any) -> None:
    async with odd({"deaf": {"after_calls": 1}}):
        assert (await scribe.ask("SetChargingProfile", profile(scribe.version, 10)))[0] == 3
        assert await scribe.unanswered("Reset", {"type": "Hard"})
        seen = len(scribe.metered())
        await until(lambda: len(scribe.metered()) > seen)
        await scribe.sockets[0].close()
        await until(lambda: "BootNotification" in scribe.names(1))
        assert (await scribe.ask("SetChargingProfile", profile(scribe.version, 10)))[0] == 3


async def test_ignores_trigger(scribe: Scribe, odd: Any) -> None:
    async with odd("ignores-trigger", plugged=False):
        assert await scribe.unanswered("TriggerMessage", {"requestedMessage": "Heartbeat"})
        assert (await scribe.ask("SetChargingProfile", profile(scribe.version, 10)))[0] == 3


async def test_twin_socket(scribe: Scribe, odd: Any) -> None:
    async with odd({"twin-socket": {"after_s": 6}}):
        await until(lambda: len(scribe.sockets) == 2)
        await until(lambda: len(scribe.metered(1)) >= 1)
        pong = await scribe.sockets[0].ping()
        async with asyncio.timeout(60):
            await pong
        said = len(scribe.names(0))
        await scribe.sockets[0].close()
        seen = len(scribe.metered(1))
        await until(lambda: len(scribe.metered(1)) > seen + 1)
        assert len(scribe.names(0)) == said
        assert len(scribe.sockets) == 2


async def test_stale_transaction_after_reboot(scribe: Scribe, odd: Any) -> None:
    async with odd("stale-transaction-after-reboot") as charger:
        charger.fail(FaultKind.REBOOT, 3)
        assert charger.power_w == 0.0
        await until(lambda: len(scribe.metered(1)) >= 1)
        assert not scribe.ended()
        assert scribe.names(1)[0] == "BootNotification"
