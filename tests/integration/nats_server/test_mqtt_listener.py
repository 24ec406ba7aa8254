"""The MQTT listener with a foreign client."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import pytest

from contracts.clock import SystemClock
from contracts.mqtt_broker import MqttUser, mqtt_config
from contracts.nats_server import NatsServer

AGENT = MqttUser(name="agent", password="a-secret", publish=("depot/#",), subscribe=("depot/#",))
METER = MqttUser(name="meter", password="m-secret", publish=("depot/meter/#",))


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[NatsServer]:
    config = mqtt_config(store=tmp_path / "js", users=[AGENT, METER])
    server = NatsServer(config, tmp_path / "broker", SystemClock())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.run())
        await server.ready.wait()
        yield server
        task.cancel()


def client(broker: NatsServer, user: MqttUser, password: str | None = None) -> aiomqtt.Client:
    return aiomqtt.Client(
        "127.0.0.1",
        broker.mqtt_port,
        username=user.name,
        password=password or user.password,
        protocol=aiomqtt.ProtocolVersion.V311,
    )


async def next_message(agent: aiomqtt.Client) -> tuple[str, object]:
    async with asyncio.timeout(60):
        message = await anext(aiter(agent.messages))
    return str(message.topic), message.payload


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_a_message_arrives(broker: NatsServer, qos: int) -> None:
    async with client(broker, AGENT) as agent, client(broker, METER) as meter:
        granted = await agent.subscribe("depot/#", qos=qos)
        assert [int(str(code)) if isinstance(code, int) else code.value for code in granted] == [
            qos
        ]
        await meter.publish("depot/meter/power", b"1500", qos=qos)
        assert await next_message(agent) == ("depot/meter/power", b"1500")


async def test_a_retained_message_awaits_a_late_subscriber(broker: NatsServer) -> None:
    async with client(broker, METER) as meter:
        await meter.publish("depot/meter/power", b"7", qos=1, retain=True)
    async with client(broker, AGENT) as agent:
        asking = asyncio.create_task(subscribed_again(agent))
        assert await next_message(agent) == ("depot/meter/power", b"7")
        asking.cancel()


async def subscribed_again(agent: aiomqtt.Client) -> None:
    """Each subscription is sent what is retained; the server keeps it a moment after its PUBACK."""
    while True:
        await agent.subscribe("depot/meter/#", qos=1)
        await asyncio.sleep(0.5)


async def test_a_meter_cannot_speak_for_another_device(broker: NatsServer) -> None:
    async with client(broker, AGENT) as agent, client(broker, METER) as meter:
        await agent.subscribe("depot/#", qos=1)
        await meter.publish("depot/battery/cmd", b"999", qos=1)
        await meter.publish("depot/meter/power", b"1", qos=1)
        assert await next_message(agent) == ("depot/meter/power", b"1")


async def test_a_wrong_password_stays_outside(broker: NatsServer) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with client(broker, METER, password="guess"):
            pass
