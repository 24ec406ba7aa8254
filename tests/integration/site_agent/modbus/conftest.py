"""A link to a peer in each framing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from site_agent.devices.modbus.link import Framing, RegisterLink
from support.modbus_link import linked
from support.modbus_peer import Peer, serving


@pytest.fixture(params=list(Framing))
async def peer(request: pytest.FixtureRequest) -> AsyncIterator[Peer]:
    peer = Peer(request.param)
    async with serving(peer):
        yield peer


@pytest.fixture
async def link(peer: Peer) -> AsyncIterator[RegisterLink]:
    async with linked(peer.port, peer.framing) as link:
        yield link
