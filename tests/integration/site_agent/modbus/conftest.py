"""A link to a peer on each wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from site_agent.devices.modbus.link import LinkSettings, RegisterLink
from support.modbus_link import running
from support.ports import steady_ports
from support.raw_modbus import Peer, Wire, serving

WIRES = [Wire.TCP, Wire.RTU_TCP, Wire.SERIAL]
"""TLS carries the same frames as TCP and has tests of its own."""


@pytest.fixture(autouse=True)
async def nothing_crashes() -> AsyncIterator[None]:
    """Whatever a peer sends, no exception is left to the event loop."""
    crashes: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: crashes.append(context))
    yield
    assert not crashes


@pytest.fixture(params=WIRES)
async def peer(request: pytest.FixtureRequest) -> AsyncIterator[Peer]:
    peer = Peer(request.param)
    async with serving(peer):
        yield peer


@pytest.fixture
async def link(peer: Peer) -> AsyncIterator[RegisterLink]:
    async with running(peer.settings()) as link:
        yield link


@pytest.fixture(params=WIRES)
def plug(request: pytest.FixtureRequest, tmp_path: Path) -> Peer:
    """A peer that is not there yet, at a place where it can be plugged in."""
    return Peer(request.param, port=steady_ports(1)[0], device=str(tmp_path / "ttyUSB0"))


@pytest.fixture
def peer_settings(plug: Peer) -> LinkSettings:
    return plug.settings()
