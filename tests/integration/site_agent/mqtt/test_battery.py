"""Our MQTT battery on a real broker, with a bare client as the battery."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import aiomqtt
import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from contracts.clock import SystemClock
from contracts.errors import LinkDownError, PermanentError, TransientError
from contracts.reading import Quality
from site_agent.devices.mqtt.broker import BrokerAddress, SiteBroker
from site_agent.devices.mqtt.device import TopicDevice
from site_agent.devices.mqtt.topic_map import RequestMap
from site_agent.devices.points.battery import PointBattery
from site_agent.domain.device import BatterySetpoint, BatterySpec
from support.device_bench import Wakes
from support.fast_clock import FastClock
from support.mqtt import OWN, names
from support.mqtt_hardware import working
from support.waiting import until

Login = Callable[..., AbstractAsyncContextManager[aiomqtt.Client]]
CLOCK = SystemClock()
SPEC = BatterySpec(
    battery_id="b1", node="pcc", capacity_wh=100e3, max_charge_w=50e3, max_discharge_w=60e3
)
BASE = "depot/d1/b1"


class Ours(PointBattery):
    """Our battery, and the wire behind it."""

    def __init__(self, address: BrokerAddress, wakes: Wakes, within_s: float) -> None:
        control = OWN.controls["power"]
        confirm = control.confirm.model_copy(update={"within_s": within_s})
        controls = {"power": control.model_copy(update={"confirm": confirm})}
        quick = OWN.model_copy(update={"controls": controls})
        self.wire = TopicDevice(address, quick, names("b1"), name="b1", clock=CLOCK)
        super().__init__(self.wire, SPEC, clock=CLOCK, wake=wakes)


@asynccontextmanager
async def ours(
    address: BrokerAddress, wakes: Wakes | None = None, within_s: float = 30.0
) -> AsyncIterator[Ours]:
    device = Ours(address, wakes or Wakes(), within_s)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(device.run())
        try:
            yield device
        finally:
            running.cancel()


def text(seq: int, *, at: datetime | None = None, **changes: object) -> str:
    ts = (at or CLOCK.now()).isoformat()
    state = {"ts": ts, "seq": seq, "power_w": 1500.0, "soc_pct": 61.5, "setpoint_w": None}
    return json.dumps(state | changes)


async def say(client: aiomqtt.Client, kind: str, payload: str | bytes) -> None:
    await client.publish(f"{BASE}/{kind}", payload, qos=1, retain=kind in ("state", "status"))


async def say_until(
    client: aiomqtt.Client, kind: str, payload: str | bytes, condition: Callable[[], bool]
) -> None:
    """Say it again and again, as a battery does: a broker may lose what we are just subscribing."""
    async with asyncio.timeout(60):
        while not condition():
            await say(client, kind, payload)
            await CLOCK.sleep(0.05)


def to(power_w: float) -> BatterySetpoint:
    return BatterySetpoint(battery_id="b1", power_w=power_w, cause="test")


async def acknowledging(
    client: aiomqtt.Client, heard: list[Any], *, accepted: bool = True, reason: str = ""
) -> None:
    """Answer commands until cancelled, each time after one to somebody else."""
    await client.subscribe(f"{BASE}/cmd", qos=1)
    async for message in client.messages:
        assert not message.retain
        heard.append(json.loads(bytes(message.payload)))
        for command_id in ("another", heard[-1]["id"]):
            ack = {"id": command_id, "ts": CLOCK.now().isoformat()}
            verdict = {"accepted": accepted, "reason": reason}
            if command_id == "another":
                verdict = {"accepted": not accepted, "reason": "not yours"}
            await say(client, "ack", json.dumps(ack | verdict))


@asynccontextmanager
async def obedient(client: aiomqtt.Client, **answer: Any) -> AsyncIterator[list[Any]]:
    heard: list[Any] = []
    async with asyncio.TaskGroup() as tasks:
        answering = tasks.create_task(acknowledging(client, heard, **answer))
        yield heard
        answering.cancel()


def online(device: Ours) -> bool:
    return device.state(CLOCK.now()).online


async def test_state_and_status(broker: SiteBroker, login: Login) -> None:
    wakes = Wakes()
    async with login("b1") as client, ours(broker.address, wakes) as device:
        before = device.state(CLOCK.now())
        assert (before.online, before.power_w.quality) == (False, Quality.OFFLINE)
        await say_until(client, "state", text(1), lambda: online(device))
        state = device.state(CLOCK.now())
        assert (state.power_w.value, state.soc_pct.value) == (1500.0, 61.5)
        assert device.state(CLOCK.now() + timedelta(seconds=6)).power_w.quality is Quality.STALE
        await until(lambda: wakes.count == 1)
        await say_until(client, "status", "offline", lambda: not online(device))
        gone = device.state(CLOCK.now())
        assert (gone.power_w.value, gone.power_w.quality) == (None, Quality.OFFLINE)
        await until(lambda: wakes.count == 2)
        with pytest.raises(LinkDownError, match="not online"):
            await device.set_power(to(1000.0))
        await say_until(client, "state", text(2), lambda: online(device))
        await until(lambda: wakes.count == 3)


async def test_a_retained_state_is_as_old_as_it_says(broker: SiteBroker, login: Login) -> None:
    async with login("b1") as client:
        await say(client, "state", text(1, at=CLOCK.now() - timedelta(seconds=20)))
    async with ours(broker.address) as device:
        await until(lambda: device.state(CLOCK.now()).power_w.value is not None)
        state = device.state(CLOCK.now())
        assert (state.online, state.power_w.quality) == (False, Quality.STALE)


async def test_a_command_is_a_lease_and_is_acknowledged(broker: SiteBroker, login: Login) -> None:
    async with login("b1") as client, obedient(client) as heard, ours(broker.address) as device:
        await say_until(client, "state", text(1), lambda: online(device))
        before = CLOCK.now()
        await device.set_power(to(-1e9))
        (command,) = heard
        assert set(command) == {"id", "ts", "expires_at", "valid_for_s", "power_w"}
        assert command["power_w"] == -60_000.0
        assert command["valid_for_s"] == 30.0
        ts, expires_at = (datetime.fromisoformat(command[k]) for k in ("ts", "expires_at"))
        assert before <= ts <= CLOCK.now()
        assert expires_at - ts == timedelta(seconds=5)
        await device.set_power(to(-1e9))
        assert len(heard) == 1, "it holds that already"


async def test_a_refusal_is_permanent_and_says_why(broker: SiteBroker, login: Login) -> None:
    async with (
        login("b1") as client,
        obedient(client, accepted=False, reason="cells too cold"),
        ours(broker.address) as device,
    ):
        await say_until(client, "state", text(1), lambda: online(device))
        with pytest.raises(PermanentError, match="cells too cold"):
            await device.set_power(to(1000.0))


async def test_no_acknowledgement_in_time(broker: SiteBroker, login: Login) -> None:
    async with login("b1") as client, ours(broker.address, within_s=0.2) as device:
        await say_until(client, "state", text(1), lambda: online(device))
        with pytest.raises(TransientError, match="acknowledge"):
            await device.set_power(to(1000.0))


async def test_who_is_not_online_is_not_asked(broker: SiteBroker) -> None:
    async with ours(broker.address) as device:
        with pytest.raises(LinkDownError):
            await device.set_power(to(1000.0))


async def test_what_keeps_it_talking_is_told_at_each_connection(
    broker: SiteBroker, login: Login
) -> None:
    """However long it may wait afterwards: meanwhile the device would be silent."""
    request = RequestMap(topic="depot/{site}/{device}/cmd", payload="stay", every_s=3600.0)
    kept = OWN.model_copy(update={"requests": (request,)})
    wire = TopicDevice(broker.address, kept, names("b1"), name="b1", clock=FastClock(10.0))
    async with login("b1") as client:
        await client.subscribe(f"{BASE}/cmd", qos=1)
        heard = aiter(client.messages)
        async with working(wire), asyncio.timeout(60):
            for _ in range(3):
                assert (await anext(heard)).payload == b"stay"
                cut(wire)


def cut(wire: TopicDevice) -> None:
    """As a cable that is pulled."""
    client = wire._session._client
    line = None if client is None else client._client.socket()
    assert isinstance(line, socket.socket)
    line.shutdown(socket.SHUT_RDWR)


def ours_of(logs: Sequence[EventDict]) -> list[EventDict]:
    """Without what the broker itself says."""
    return [line for line in logs if line["event"] != "nats-server"]


HOSTILE = [
    b"\xff\x00",
    b"{}",
    b"[" * 3000,
    b"x" * 100_000,
    text(2, power_w=1e9).encode(),
    text(2, power_w=float("nan")).encode(),
    text(2, soc_pct=101).encode(),
    text(2, at=CLOCK.now() + timedelta(days=1)).encode(),
]


async def test_hostile_messages_change_nothing(broker: SiteBroker, login: Login) -> None:
    with capture_logs() as logs:
        async with login("b1") as client, ours(broker.address) as device:
            await say_until(client, "state", text(1), lambda: online(device))
            good = device.state(CLOCK.now()).power_w
            for payload in HOSTILE:
                for kind in ("state", "status", "ack"):
                    await say(client, kind, payload)
            await until(lambda: device.wire.refused_messages == 3 * len(HOSTILE))
            assert device.state(good.at).power_w == good
            assert online(device)
            await say(client, "state", text(2, power_w=-700.0))
            await until(lambda: device.state(CLOCK.now()).power_w.value == -700.0)
    refused = [line for line in logs if line["event"] == "mqtt message refused"]
    assert [line["so_far"] for line in refused] == [1, 2, 4, 8, 16]


async def test_a_device_cannot_speak_for_another(broker: SiteBroker, login: Login) -> None:
    async with (
        login("b1") as client,
        login("b2") as intruder,
        ours(broker.address) as device,
    ):
        await say_until(client, "state", text(1), lambda: online(device))
        await say(intruder, "state", text(2, power_w=-60_000.0))
        await say(intruder, "status", "offline")
        await say(client, "state", text(3, power_w=1600.0))
        await until(lambda: device.state(CLOCK.now()).power_w.value == 1600.0)
        assert online(device)


async def test_a_wrong_password_is_said_once_and_tried_for_ever(broker: SiteBroker) -> None:
    address = BrokerAddress(host="127.0.0.1", port=broker.port, username="agent", password="guess")
    with capture_logs() as logs:
        async with ours(address) as device:
            await until(lambda: bool(ours_of(logs)))
            with pytest.raises(LinkDownError):
                await device.set_power(to(1000.0))
            await CLOCK.sleep(0.7)
    assert [line["event"] for line in ours_of(logs)] == ["mqtt link down"]


async def test_a_refused_subscription_is_noticed(broker: SiteBroker) -> None:
    """aiomqtt raises nothing for it: the reason codes must be looked at."""
    address = BrokerAddress(host="127.0.0.1", port=broker.port, username="b2", password="two")
    with capture_logs() as logs:
        async with ours(address):
            await until(lambda: bool(ours_of(logs)))
    assert "subscription to depot/d1/b1/status refused" in ours_of(logs)[0]["why"]
