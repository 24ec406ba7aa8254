"""The MQTT battery through a real broker, watched by a client of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from contracts.clock import SystemClock
from contracts.mqtt_broker import MqttUser, mqtt_config
from contracts.nats_server import NatsServer
from depot_sim.faults import FaultKind
from depot_sim.mqtt.battery import MqttBattery
from depot_sim.mqtt.device import Broker
from depot_sim.physics.battery import Battery

Json = dict[str, Any]
TOPIC = "depot/north/bess-2"
AGENT = MqttUser(name="agent", password="a", publish=("depot/#",), subscribe=("depot/#",))
BATTERY = MqttUser(name="bess-2", password="b", publish=("depot/#",), subscribe=("depot/#",))


@pytest.fixture
async def broker(tmp_path: Path, background: Any) -> AsyncIterator[NatsServer]:
    config = mqtt_config(store=tmp_path / "js", users=[AGENT, BATTERY])
    server = NatsServer(config, tmp_path / "broker", SystemClock())
    async with background(server.run()):
        await server.ready.wait()
        yield server


@pytest.fixture
def battery(broker: NatsServer, clock: Any) -> MqttBattery:
    login = Broker(
        host="127.0.0.1", port=broker.mqtt_port, username=BATTERY.name, password=BATTERY.password
    )
    state = Battery(capacity_wh=100_000, max_charge_w=40_000, max_discharge_w=50_000, soc_pct=50.0)
    return MqttBattery(
        id="bess-2",
        site_id="north",
        broker=login,
        battery=state,
        clock=clock,
        elapsed=clock.monotonic,
    )


class Agent:
    """Hears everything below the battery's topic."""

    def __init__(self, client: aiomqtt.Client, clock: Any) -> None:
        self._client = client
        self._clock = clock

    async def until(self, leaf: str, matches: Callable[[Any], bool] = lambda _: True) -> Any:
        async with asyncio.timeout(60):
            async for message in self._client.messages:
                if message.topic.matches(f"{TOPIC}/{leaf}"):
                    text = bytes(message.payload).decode()
                    value = text if leaf == "status" else json.loads(text)
                    if matches(value):
                        return value
        raise AssertionError

    async def command(self, id: str, power_w: float, **changes: Any) -> None:
        now = self._clock.now()
        retain = changes.pop("retain", False)
        body = {
            "id": id,
            "ts": now.isoformat(),
            "expires_at": (now + timedelta(seconds=changes.pop("expires_in_s", 30))).isoformat(),
            "valid_for_s": changes.pop("valid_for_s", 20),
            "power_w": power_w,
        }
        text = json.dumps(body | changes)
        await self._client.publish(f"{TOPIC}/cmd", text, qos=1, retain=retain)

    async def say(self, text: str) -> None:
        await self._client.publish(f"{TOPIC}/cmd", text, qos=1)


@pytest.fixture
def listening(broker: NatsServer, clock: Any) -> Any:
    @contextlib.asynccontextmanager
    async def listen() -> AsyncIterator[Agent]:
        async with aiomqtt.Client(
            "127.0.0.1", broker.mqtt_port, username=AGENT.name, password=AGENT.password
        ) as client:
            await client.subscribe(f"{TOPIC}/+", qos=1)
            yield Agent(client, clock)

    return listen


async def test_says_its_state_and_obeys_until_the_lease_lapses(
    battery: MqttBattery, listening: Any, running: Any, clock: Any
) -> None:
    async with listening() as agent, running(battery):
        assert await agent.until("status") == "online"
        state = await agent.until("state")
        assert (state["power_w"], state["soc_pct"], state["setpoint_w"]) == (0.0, 50.0, None)
        sent_s = clock.monotonic()
        await agent.command("c-1", -30_000.0)
        ack = await agent.until("ack")
        assert (ack["id"], ack["accepted"], ack["reason"]) == ("c-1", True, "")
        state = await agent.until("state", lambda s: s["power_w"] == -30_000.0)
        assert state["setpoint_w"] == -30_000.0
        after = await agent.until("state", lambda s: s["power_w"] == 0.0)
        assert after["setpoint_w"] is None
        assert after["seq"] > state["seq"]
        assert after["soc_pct"] < 50.0
        assert clock.monotonic() - sent_s >= 20


async def test_a_refresh_holds_and_a_repeat_does_not(
    battery: MqttBattery, listening: Any, running: Any, clock: Any
) -> None:
    async with listening() as agent, running(battery):
        await agent.until("state")
        await agent.command("c-1", 10_000.0)
        await agent.until("ack")
        await clock.sleep(12)
        await agent.command("c-2", 10_000.0)
        await agent.until("ack")
        await clock.sleep(12)
        assert battery.battery.power_w == 10_000.0
        await agent.command("c-2", 10_000.0)
        assert (await agent.until("ack"))["accepted"]
        await clock.sleep(10)
        assert battery.battery.power_w == 0.0


@pytest.mark.parametrize(
    ("power_w", "expires_in_s", "reason"),
    [
        (10_000.0, -1, "expired"),
        (40_001.0, 30, "power_w outside -50000..40000"),
        (-50_001.0, 30, "power_w outside -50000..40000"),
    ],
)
async def test_a_command_is_refused_with_a_reason(
    battery: MqttBattery,
    listening: Any,
    running: Any,
    power_w: float,
    expires_in_s: float,
    reason: str,
) -> None:
    async with listening() as agent, running(battery):
        await agent.until("state")
        await agent.command("c-1", power_w, expires_in_s=expires_in_s)
        ack = await agent.until("ack")
        assert (ack["accepted"], ack["reason"]) == (False, reason)
        assert battery.battery.power_w == 0.0


async def test_nonsense_is_survived(battery: MqttBattery, listening: Any, running: Any) -> None:
    async with listening() as agent, running(battery):
        await agent.until("state")
        for text in ("", "{", "[" * 4000, "x" * 5000, '{"id": 7}'):
            await agent.say(text)
        await agent.command("c-0", float("nan"))
        await agent.command("c-1", 1_000.0, valid_for_s=-5)
        await agent.command("c-2", 1_000.0)
        assert (await agent.until("ack"))["id"] == "c-2"


async def test_last_will_tells_of_a_cut_and_the_battery_comes_back(
    battery: MqttBattery, listening: Any, running: Any
) -> None:
    async with listening() as agent, running(battery):
        await agent.until("status", lambda s: s == "online")
        battery.fail(FaultKind.DROP, 8)
        await agent.until("status", lambda s: s == "offline")
        await agent.until("status", lambda s: s == "online")


async def test_stopping_says_offline(battery: MqttBattery, listening: Any, running: Any) -> None:
    async with listening() as agent:
        async with running(battery):
            await agent.until("status", lambda s: s == "online")
        await agent.until("status", lambda s: s == "offline")


async def test_frozen_and_deaf(
    battery: MqttBattery, listening: Any, running: Any, clock: Any
) -> None:
    async with listening() as agent, running(battery):
        await agent.until("state")
        battery.fail(FaultKind.FREEZE, 10)
        await agent.command("c-1", 5_000.0, valid_for_s=600)
        await agent.until("ack")
        await clock.sleep(2)
        state = await agent.until("state", lambda s: s["setpoint_w"] == 5_000.0)
        assert state["power_w"] == 0.0
        await agent.until("state", lambda s: s["power_w"] == 5_000.0)
        battery.fail(FaultKind.UNRESPONSIVE, None)
        await agent.command("c-2", 1_000.0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await agent.until("ack")
        assert battery.battery.power_w == 5_000.0


async def test_it_finds_a_restarted_broker(
    battery: MqttBattery, broker: NatsServer, listening: Any, running: Any
) -> None:
    async with running(battery):
        async with listening() as agent:
            await agent.until("state")
        first = broker.pid
        assert first
        broker.ready.clear()
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(60):
            await broker.ready.wait()
        async with listening() as agent:
            retained = await agent.until("state")
            await agent.until("state", lambda s: s["seq"] > retained["seq"])


async def test_it_stops_although_the_broker_hangs(
    battery: MqttBattery, broker: NatsServer, listening: Any
) -> None:
    async with asyncio.TaskGroup() as group, listening() as agent:
        task = group.create_task(battery.run())
        await agent.until("status", lambda s: s == "online")
        assert broker.pid
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=10)
            assert done == {task}
        finally:
            os.kill(broker.pid, signal.SIGCONT)


@pytest.mark.row("trap:Q3")
async def test_a_command_that_a_broker_has_kept_is_nobodys_wish(
    battery: MqttBattery, listening: Any, running: Any, clock: Any
) -> None:
    async with listening() as agent:
        await agent.command("old", 9_000.0, expires_in_s=86_400, retain=True)
        async with running(battery):
            await agent.until("state")
            await agent.command("new", 1_000.0)
            ack = await agent.until("ack")
            assert (ack["id"], ack["accepted"]) == ("new", True)
            await agent.until("state", lambda s: s["setpoint_w"] == 1_000.0)
