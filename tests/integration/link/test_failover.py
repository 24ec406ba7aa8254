"""Several servers: the agent takes the first that answers, and the next when that dies."""

import os
import signal
from contextlib import AsyncExitStack

import pytest

from contracts.nats_server import NatsServer
from gateway.sites.broker import broker_config
from gateway.sites.link import NatsSiteLink
from site_agent.uplink.link import NatsUplink
from support.site_link import (
    CLOCK,
    GatewayHandler,
    Instructions,
    MemoryOutbox,
    Net,
    measurement,
    running,
)


def main_broker(net: Net) -> NatsServer:
    """Of the same authority as the other one, on another address."""
    settings = broker_config(
        net.authority, net.server_files, host="127.0.0.1", port=-1, now=CLOCK.now(), revoked={}
    )
    return NatsServer(settings, net.folder / "main-broker", CLOCK)


def agent(net: Net, servers: list[str], outbox: MemoryOutbox) -> NatsUplink:
    return NatsUplink(
        site_id="depot-1",
        servers=servers,
        credentials=net.issue("depot-1"),
        outbox=outbox,
        instructions=Instructions(),
        clock=CLOCK,
        agent_version="test",
    )


@pytest.mark.row("portfolio:L3")
async def test_the_second_server_takes_over_and_nothing_is_lost(
    net: Net, handler: GatewayHandler
) -> None:
    """The first is gone for good: its port is nobody's."""
    main, at_main, outbox = main_broker(net), GatewayHandler(), MemoryOutbox()
    async with net.gateway(handler), AsyncExitStack() as alive:
        await alive.enter_async_context(running(main.run()))
        await main.ready.wait()
        servers = [f"tls://127.0.0.1:{main.port}", *net.servers]
        link = NatsSiteLink(servers=servers[:1], login=net.gateway_login(), clock=CLOCK)
        at_main.link = link
        uplink = agent(net, servers, outbox)
        async with running(link.run(at_main)), running(uplink.run()):
            await uplink.wait_connected()
            await outbox.append([measurement(value) for value in range(500)])
            await outbox.deleted.reaches(500)
            assert at_main.hellos
            assert not handler.hellos
            assert main.pid is not None
            os.kill(main.pid, signal.SIGKILL)
            await alive.aclose()
            await outbox.append([measurement(value) for value in range(500)])
            await outbox.deleted.reaches(1000)
            assert handler.hellos
    stored = {**at_main.rows, **handler.rows}
    assert {seq for _, _, seq in stored} == set(range(1, 1001))


@pytest.mark.row("portfolio:L3")
async def test_first_servers_that_are_away_are_passed_over(
    net: Net, handler: GatewayHandler
) -> None:
    away = ["tls://127.0.0.1:9", "tls://127.0.0.1:10"]
    uplink = agent(net, [*away, *net.servers], MemoryOutbox())
    async with net.gateway(handler), running(uplink.run()):
        await uplink.wait_connected()
    assert handler.hellos
