"""Run one simulated utility; any number of them may live in one process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog

from contracts.errors import ConfigError
from contracts.http_server import serve
from contracts.identity import client_context, server_context
from contracts.openadr.signature import SigningKey
from contracts.time import Clock
from vtn_sim.api import api_app
from vtn_sim.config import VtnSettings
from vtn_sim.openadr.journal import Journal
from vtn_sim.openadr.procedures import procedure
from vtn_sim.openadr.push import Pusher
from vtn_sim.openadr.run import Runs
from vtn_sim.openadr.service import PATH, openadr_app
from vtn_sim.openadr.signing import signing_key
from vtn_sim.openadr.vtn import Vtn
from vtn_sim.openadr.wire import Wire
from vtn_sim.prices.server import PriceServer
from vtn_sim.scenario import play
from vtn_sim.sep2.server import Sep2Server

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class VtnAddresses:
    """Where it can be reached."""

    openadr_url: str
    """Base of the VEN's side, as a VEN's settings want it."""
    api_url: str
    """Base of the REST API."""
    sep2_url: str | None = None
    """DeviceCapability of the IEEE 2030.5 server, if there is one."""
    prices_url: str | None = None
    """Base of the simulated markets, if there are any."""


async def run(
    config: VtnSettings,
    clock: Clock,
    ready: Callable[[VtnAddresses], None] | None,
    stopping: asyncio.Event,
) -> None:
    """Serve VENs, IEEE 2030.5 clients and the REST API, and play the scenarios.

    Until `stopping` is set or cancelled. `ready` is told the addresses once all sides answer.

    Raises:
        ConfigError: a certificate or key cannot be used.
        ExceptionGroup: holds a PermanentError when a port cannot be listened on.
    """
    tls = server_context(config.cert_file, config.key_file, config.ca_file)
    own = client_context(config.ca_file, config.cert_file, config.key_file)
    vtn, journal = Vtn(config, clock, _key(config)), Journal(config.keep_messages)
    wire, runs = Wire(vtn, journal), _runs(config, vtn)
    sep2 = None if config.sep2 is None else Sep2Server(config.sep2, clock)
    ports = _Ports(config, ready)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            serve(
                openadr_app(vtn, wire),
                host=config.host,
                port=config.port,
                stopping=stopping,
                tls=tls,
                ready=partial(ports.found, "openadr"),
            )
        )
        tasks.create_task(
            serve(
                api_app(vtn, journal, config.judge, clock, sep2, runs),
                host=config.api_host,
                port=config.api_port,
                stopping=stopping,
                ready=partial(ports.found, "api"),
            )
        )
        if sep2 is not None:
            tasks.create_task(sep2.run(stopping, partial(ports.found, "sep2")))
        if config.prices is not None:
            markets = PriceServer(config.prices, clock)
            tasks.create_task(markets.run(stopping, partial(ports.found, "prices")))
        helpers = [
            tasks.create_task(play(config.scenario, vtn, clock)),
            tasks.create_task(Pusher(vtn, wire, own).run()),
            tasks.create_task(runs.run()),
        ]
        await stopping.wait()
        for helper in helpers:
            helper.cancel()


def _runs(config: VtnSettings, vtn: Vtn) -> Runs:
    """What the settings have played."""
    runs = Runs(vtn)
    if config.script is not None:
        runs.add("script", config.script)
    for name in config.procedures:
        runs.add_procedure(procedure(name))
    return runs


def _key(config: VtnSettings) -> SigningKey | None:
    """What messages are signed with; none when that was not asked for and is not possible."""
    cert, key = config.sign_cert_file or config.cert_file, config.sign_key_file or config.key_file
    try:
        return signing_key(cert, key)
    except ConfigError:
        if config.signatures == "off":
            return None
        raise


class _Ports:
    """Collects the real ports and reports them together."""

    def __init__(self, config: VtnSettings, ready: Callable[[VtnAddresses], None] | None) -> None:
        self._config = config
        self._ready = ready
        self._ports: dict[str, int] = {}

    def found(self, side: str, port: int) -> None:
        self._ports[side] = port
        sep2, prices = self._config.sep2, self._config.prices
        wanted = {"openadr", "api"}
        wanted |= {"sep2"} if sep2 is not None else set()
        wanted |= {"prices"} if prices is not None else set()
        if self._ports.keys() < wanted:
            return
        addresses = VtnAddresses(
            openadr_url=f"https://{self._config.host}:{self._ports['openadr']}{PATH}",
            api_url=f"http://{self._config.api_host}:{self._ports['api']}",
            sep2_url=(
                None if sep2 is None else f"https://{sep2.host}:{self._ports['sep2']}{sep2.entry}"
            ),
            prices_url=None if prices is None else f"http://{prices.host}:{self._ports['prices']}",
        )
        _log.info(
            "vtn_ready",
            openadr=addresses.openadr_url,
            api=addresses.api_url,
            sep2=addresses.sep2_url,
            prices=addresses.prices_url,
        )
        if self._ready is not None:
            self._ready(addresses)
