"""The site's own broker, and a bare MQTT client in the place of a battery."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from contracts.clock import SystemClock
from site_agent.devices.mqtt.broker import SiteBroker
from support.mqtt import PASSWORDS, broker_of

Login = Callable[..., AbstractAsyncContextManager[aiomqtt.Client]]


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[SiteBroker]:
    broker = broker_of(tmp_path / "mqtt", SystemClock())
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(broker.run())
        async with asyncio.timeout(60):
            await broker.ready.wait()
        yield broker
        running.cancel()


@pytest.fixture
def login(broker: SiteBroker) -> Login:
    """`async with login("b1") as client`: a device of that name."""

    @asynccontextmanager
    async def connect(name: str) -> AsyncIterator[aiomqtt.Client]:
        async with aiomqtt.Client(
            "127.0.0.1",
            broker.port,
            username=name,
            password=PASSWORDS[name],
            protocol=aiomqtt.ProtocolVersion.V311,
            timeout=10,
        ) as client:
            yield client

    return connect
